//! Making, rotating and retiring keys.

use super::{
    KeyError, UNSCHEDULED, kinds, load_key, make_key_file, open, ring_names, seal, state_at,
};
use crate::clock::UtcTime;
use crate::config::{IssuerSettings, ServerSettings};
use crate::jose::RingName;
use crate::jose::{KeyEncryptionKey, KeyKind, KeyState, KeyUse, PrivateKey};
use crate::model::{IssuerId, StoredKey};
use crate::store::{DbConn, Store, StoreError, signing_key};

/// Caches of documents and differing clocks are allowed for beyond the last token's end.
const GRACE_SECONDS: i64 = 600;

/// What a command did to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub issuer: String,
    /// Which ring.
    pub ring: RingName,
    /// The new key, or the one that was changed.
    pub kid: String,
    /// Its kind.
    pub kind: String,
    /// `sig` or `enc`.
    pub usage: String,
    /// From when it signs; [`UNSCHEDULED`]: when `rotate` is run again. Of a retired key: when it ends.
    pub at: UtcTime,
    /// From when the same key was to sign, by a rotation that was planned before.
    pub was: Option<UtcTime>,
}

/// Makes the key file if it is missing, and what is missing in the rings of every issuer.
///
/// A missing key file is not replaced when the database holds keys that were sealed with it.
///
/// # Errors
/// `NoKeyFile`, `WrongKeyFile`, the database's, …
pub fn init(
    store: &Store,
    settings: &ServerSettings,
    now: UtcTime,
) -> Result<Vec<Change>, KeyError> {
    let stored = live_keys(store, settings, now)?;
    if stored.is_empty() {
        make_key_file(settings)?;
    }
    let key_encryption_key = load_key(settings)?;
    for key in &stored {
        open(&key_encryption_key, key)?;
    }
    fill(store, settings, &key_encryption_key, now)
}

/// After the key-encryption key was lost: ends every key that it had sealed, and makes new ones.
///
/// Tokens that were signed before no longer count, and superiors attest none of the new federation keys yet.
///
/// # Errors
/// The database's; `KeyFile`; `NoKey`.
pub fn replace_lost(
    store: &Store,
    settings: &ServerSettings,
    now: UtcTime,
) -> Result<Vec<Change>, KeyError> {
    make_key_file(settings)?;
    let key_encryption_key = load_key(settings)?;
    let lost: Vec<StoredKey> = live_keys(store, settings, now)?
        .into_iter()
        .filter(|key| open(&key_encryption_key, key).is_err())
        .collect();
    store.write_blocking(move |conn| {
        for key in lost {
            signing_key::retire(conn, &key.issuer, &key.kid, now)?;
            signing_key::end(conn, &key.issuer, &key.kid, now)?;
        }
        Ok::<_, StoreError>(())
    })?;
    fill(store, settings, &key_encryption_key, now)
}

fn live_keys(
    store: &Store,
    settings: &ServerSettings,
    now: UtcTime,
) -> Result<Vec<StoredKey>, StoreError> {
    let mut live = Vec::new();
    for issuer in &settings.issuers {
        live.extend(keys_of(store, issuer)?);
    }
    live.retain(|key| state_at(key, now).is_some());
    Ok(live)
}

fn keys_of(store: &Store, settings: &IssuerSettings) -> Result<Vec<StoredKey>, StoreError> {
    let issuer = IssuerId::new(settings.id.clone());
    store.read_blocking(|conn| signing_key::search(conn, &issuer))
}

/// Makes a current key of each kind of which there is none.
fn fill(
    store: &Store,
    settings: &ServerSettings,
    key_encryption_key: &KeyEncryptionKey,
    now: UtcTime,
) -> Result<Vec<Change>, KeyError> {
    let mut made = Vec::new();
    for issuer in &settings.issuers {
        let stored = keys_of(store, issuer)?;
        for ring in ring_names(issuer) {
            for (kind, usage) in kinds(issuer, *ring) {
                let there = stored.iter().any(|key| {
                    key.ring == *ring
                        && key.kind == kind.to_string()
                        && key.usage == usage.as_str()
                        && state_at(key, now) == Some(KeyState::Current)
                });
                if !there {
                    let times = (now, now);
                    made.push(make(
                        issuer,
                        (*ring, kind, usage),
                        times,
                        key_encryption_key,
                    )?);
                }
            }
        }
    }
    insert(store, made)
}

/// Makes a key that is published and does not sign until [`rotate`] is run; `tell` writes in the same transaction.
///
/// # Errors
/// openssl's, the database's.
pub fn generate(
    store: &Store,
    (settings, key_encryption_key): (&IssuerSettings, &KeyEncryptionKey),
    (ring, kind, usage): (RingName, KeyKind, KeyUse),
    now: UtcTime,
    tell: impl FnOnce(&mut DbConn, &Change) -> Result<(), StoreError> + Send + 'static,
) -> Result<Change, KeyError> {
    let key = make(
        settings,
        (ring, kind, usage),
        (now, UNSCHEDULED),
        key_encryption_key,
    )?;
    let made = change(&key, key.activates_at);
    let told = made.clone();
    store.write_blocking(move |conn| {
        signing_key::insert(conn, &key)?;
        tell(conn, &told)
    })?;
    Ok(made)
}

/// From when new keys are to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as they have been published for long enough.
    Soonest,
    /// At this time, or when they have been published for long enough, if that is later.
    At(UtcTime),
    /// At once: an emergency.
    Immediately,
}

/// Replaces every current key of a ring; `tell` writes in the same transaction.
///
/// A waiting key of the same kind is used, else one is made. Protocol keys sign one entity-configuration lifetime after
/// they were first published. A federation key that was just made waits for another `rotate`, to be run when the
/// superior attests it; one that waited already signs at once, or at the time that was chosen.
///
/// # Errors
/// `NoKeys` for a ring without current keys; `Changed` when somebody else changed keys meanwhile; openssl's; the
/// database's.
pub fn rotate(
    store: &Store,
    (settings, key_encryption_key): (&IssuerSettings, &KeyEncryptionKey),
    (ring, when): (RingName, When),
    now: UtcTime,
    tell: impl FnOnce(&mut DbConn, &[Change]) -> Result<(), StoreError> + Send + 'static,
) -> Result<Vec<Change>, KeyError> {
    let version = store.read_blocking(signing_key::keyring_version)?;
    let stored: Vec<StoredKey> = keys_of(store, settings)?
        .into_iter()
        .filter(|key| key.ring == ring)
        .collect();
    let current: Vec<&StoredKey> = stored
        .iter()
        .filter(|key| state_at(key, now) == Some(KeyState::Current))
        .collect();
    if current.is_empty() {
        return Err(KeyError::NoKeys {
            issuer: settings.id.clone(),
            ring: ring.as_str(),
        });
    }
    let mut plan = Plan::default();
    for old in current {
        if plan.covers(old) {
            // Two current keys of one kind: one successor is enough.
            plan.retire_like(old, longest_use(settings, ring));
            continue;
        }
        let waiting = stored.iter().find(|key| {
            key.kind == old.kind
                && key.usage == old.usage
                && state_at(key, now) == Some(KeyState::Next)
        });
        plan.succeed(settings, old, waiting, (key_encryption_key, when, now))?;
    }
    let changes = plan.changes.clone();
    store.write_blocking(move |conn| {
        // Making keys takes long: two operators who rotate at the same time must not make two sets of them.
        if signing_key::keyring_version(conn)? != version {
            return Err(KeyError::Changed);
        }
        for key in &plan.new {
            signing_key::insert(conn, key)?;
        }
        for (issuer, kid, at) in &plan.activate {
            signing_key::set_activation(conn, issuer, kid, *at)?;
        }
        for (issuer, kid, retired, ends) in &plan.retire {
            signing_key::retire(conn, issuer, kid, *retired)?;
            signing_key::end(conn, issuer, kid, *ends)?;
        }
        tell(conn, &plan.changes)?;
        Ok(())
    })?;
    Ok(changes)
}

/// What a rotation will write, in one transaction.
#[derive(Default)]
struct Plan {
    new: Vec<StoredKey>,
    activate: Vec<(IssuerId, String, UtcTime)>,
    retire: Vec<(IssuerId, String, UtcTime, UtcTime)>,
    changes: Vec<Change>,
}

impl Plan {
    fn covers(&self, old: &StoredKey) -> bool {
        self.changes
            .iter()
            .any(|done| done.kind == old.kind && done.usage == old.usage)
    }

    fn retire_like(&mut self, old: &StoredKey, use_seconds: i64) {
        let successor = self
            .changes
            .iter()
            .find(|done| done.kind == old.kind && done.usage == old.usage);
        if let Some(at) = successor
            .map(|done| done.at)
            .filter(|at| *at != UNSCHEDULED)
        {
            self.retire.push((
                old.issuer.clone(),
                old.kid.clone(),
                at,
                at.plus_seconds(use_seconds),
            ));
        }
    }

    fn succeed(
        &mut self,
        settings: &IssuerSettings,
        old: &StoredKey,
        waiting: Option<&StoredKey>,
        (key_encryption_key, when, now): (&KeyEncryptionKey, When, UtcTime),
    ) -> Result<(), KeyError> {
        let published_long_enough = |since: UtcTime| {
            since
                .plus_seconds(settings.lifetimes.entity_configuration)
                .max(now)
        };
        let soonest = match (old.ring, waiting) {
            (RingName::Federation, Some(_)) => now,
            (RingName::Federation, None) => UNSCHEDULED,
            // Senders take an encryption key from the published set: there is nothing to wait for, and the old one
            // still decrypts.
            (RingName::Protocol, _) if old.usage == KeyUse::Encryption.as_str() => now,
            (RingName::Protocol, Some(key)) => published_long_enough(key.created_at),
            (RingName::Protocol, None) => published_long_enough(now),
        };
        let at = match (when, waiting) {
            (When::Immediately, _) => now,
            (When::At(chosen), _) => soonest.max(chosen),
            (When::Soonest, Some(key)) => soonest.min(key.activates_at.max(now)),
            (When::Soonest, None) => soonest,
        };
        match waiting {
            Some(key) => {
                self.activate
                    .push((key.issuer.clone(), key.kid.clone(), at));
                self.changes.push(Change {
                    was: Some(key.activates_at).filter(|was| *was != UNSCHEDULED && *was != at),
                    ..change(key, at)
                });
            }
            None => {
                let (kind, usage) = kind_of(old)?;
                let key = make(
                    settings,
                    (old.ring, kind, usage),
                    (now, at),
                    key_encryption_key,
                )?;
                self.changes.push(change(&key, at));
                self.new.push(key);
            }
        }
        self.retire_like(old, longest_use(settings, old.ring));
        Ok(())
    }
}

/// Takes a key out of use: it verifies until the last token signed with it has ended, or `immediately` no more. `tell`
/// writes in the same transaction.
///
/// # Errors
/// `Unknown`; `LastOfItsKind`; the database's.
pub fn retire(
    store: &Store,
    settings: &IssuerSettings,
    (kid, immediately): (&str, bool),
    now: UtcTime,
    tell: impl FnOnce(&mut DbConn, &Change) -> Result<(), StoreError> + Send + 'static,
) -> Result<Change, KeyError> {
    let stored = keys_of(store, settings)?;
    let key = stored
        .iter()
        .find(|key| key.kid == kid && state_at(key, now).is_some())
        .ok_or_else(|| KeyError::Unknown {
            issuer: settings.id.clone(),
            kid: kid.to_owned(),
        })?;
    let replaced = stored.iter().any(|other| {
        other.kid != key.kid
            && other.ring == key.ring
            && other.kind == key.kind
            && other.usage == key.usage
            && state_at(other, now) == Some(KeyState::Current)
            && other.retired_at.is_none()
    });
    let needed = kinds(settings, key.ring)
        .iter()
        .any(|(kind, usage)| kind.to_string() == key.kind && usage.as_str() == key.usage);
    // A successor whose time is set is needed as well: the keys before it stop at that time.
    let signs = match state_at(key, now) {
        Some(KeyState::Current) => true,
        Some(KeyState::Next) => key.activates_at != UNSCHEDULED,
        Some(KeyState::Retired) | None => false,
    };
    if signs && needed && !replaced {
        return Err(KeyError::LastOfItsKind {
            kid: kid.to_owned(),
            kind: key.kind.clone(),
            usage: key.usage.clone(),
        });
    }
    let retired_at = key.retired_at.map_or(now, |before| before.min(now));
    let usual_end = key
        .ends_at
        .unwrap_or_else(|| retired_at.plus_seconds(longest_use(settings, key.ring)));
    // A key that never signed has nothing to verify.
    let ends_at = if immediately || state_at(key, now) == Some(KeyState::Next) {
        now
    } else {
        usual_end
    };
    let (issuer, name) = (key.issuer.clone(), key.kid.clone());
    let done = change(key, ends_at);
    let told = done.clone();
    store.write_blocking(move |conn| {
        signing_key::retire(conn, &issuer, &name, retired_at)?;
        signing_key::end(conn, &issuer, &name, ends_at)?;
        tell(conn, &told)
    })?;
    Ok(done)
}

/// How long something signed with a key, or encrypted to it, may be presented after the key was retired.
fn longest_use(settings: &IssuerSettings, ring: RingName) -> i64 {
    let lifetimes = &settings.lifetimes;
    let longest = match ring {
        RingName::Protocol => lifetimes
            .access_token
            .max(lifetimes.id_token)
            .max(lifetimes.refresh_token)
            .max(lifetimes.entity_configuration),
        RingName::Federation => lifetimes.entity_configuration,
    };
    longest.saturating_add(GRACE_SECONDS)
}

fn kind_of(key: &StoredKey) -> Result<(KeyKind, KeyUse), KeyError> {
    let kind = KeyKind::parse(&key.kind).ok_or_else(|| {
        KeyError::Store(StoreError::Corrupt {
            table: "signing_key",
            column: "kind",
            key: key.kid.clone(),
        })
    })?;
    Ok((kind, super::usage_of(key)?))
}

fn make(
    settings: &IssuerSettings,
    (ring, kind, usage): (RingName, KeyKind, KeyUse),
    (created_at, activates_at): (UtcTime, UtcTime),
    key_encryption_key: &KeyEncryptionKey,
) -> Result<StoredKey, KeyError> {
    let failed = |reason| KeyError::Jose {
        kid: format!("(new {kind})"),
        reason,
    };
    let private = PrivateKey::generate(kind).map_err(failed)?;
    let issuer = IssuerId::new(settings.id.clone());
    let sealed = seal(key_encryption_key, &issuer, &private).map_err(failed)?;
    Ok(StoredKey {
        kid: private.kid().to_owned(),
        issuer,
        ring,
        usage: usage.as_str().to_owned(),
        kind: kind.to_string(),
        sealed,
        public_jwk: private.public_jwk(usage, None).to_string(),
        created_at,
        activates_at,
        retired_at: None,
        ends_at: None,
    })
}

fn insert(store: &Store, keys: Vec<StoredKey>) -> Result<Vec<Change>, KeyError> {
    let changes = keys
        .iter()
        .map(|key| change(key, key.activates_at))
        .collect();
    if !keys.is_empty() {
        store.write_blocking(move |conn| {
            keys.iter()
                .try_for_each(|key| signing_key::insert(conn, key))
        })?;
    }
    Ok(changes)
}

fn change(key: &StoredKey, at: UtcTime) -> Change {
    Change {
        issuer: key.issuer.to_string(),
        ring: key.ring,
        kid: key.kid.clone(),
        kind: key.kind.clone(),
        usage: key.usage.clone(),
        at,
        was: None,
    }
}
