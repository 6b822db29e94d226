//! Keys: made, rotated and retired, with what the trail says of it. Private keys never leave [`crate::keys`].

use super::record;
use super::sessions::MOST_REASON;
use crate::clock::UtcTime;
use crate::config::IssuerSettings;
use crate::jose::{KeyEncryptionKey, KeyKind, KeyUse, RingName};
use crate::keys::{self, Change, KeyError, UNSCHEDULED, When};
use crate::model::{Actor, Deed};
use crate::store::{DbConn, Store, StoreError};
use serde_json::{Value, json};

/// Why no key was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// An emergency needs a reason.
    #[error("say why (--reason): what is done in an emergency is looked at later")]
    NoReason,
    /// The reason is too long.
    #[error("a reason has at most 500 characters")]
    Reason,
    /// A rotation cannot be planned for what is over.
    #[error("that time is over: choose a later one, or none for as soon as possible")]
    Past,
    /// Nobody plans so far ahead: it is a slip, and until then the keys stay.
    #[error("a rotation is planned for the next 400 days at most")]
    TooFar,
    /// The keys'.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// How far ahead a rotation may be planned: more than a year, for those who rotate once a year.
const FURTHEST_SECONDS: i64 = 400 * 86_400;

/// Who changes whose keys, when and why.
pub struct Keeper<'a> {
    /// The database.
    pub store: &'a Store,
    /// The issuer.
    pub settings: &'a IssuerSettings,
    /// What new keys are sealed with; retiring needs none.
    pub key_encryption_key: Option<&'a KeyEncryptionKey>,
    /// Who.
    pub actor: &'a Actor,
    /// Why; perhaps empty.
    pub reason: &'a str,
    /// The time.
    pub now: UtcTime,
}

impl Keeper<'_> {
    fn check(&self, is_emergency: bool) -> Result<(), KeysError> {
        let reason = self.reason.trim();
        if reason.chars().count() > MOST_REASON {
            return Err(KeysError::Reason);
        }
        if is_emergency && reason.is_empty() {
            return Err(KeysError::NoReason);
        }
        Ok(())
    }

    fn whose(&self) -> Result<(&IssuerSettings, &KeyEncryptionKey), KeyError> {
        let key = self
            .key_encryption_key
            .ok_or_else(|| KeyError::NoKey("this command".to_owned()))?;
        Ok((self.settings, key))
    }

    /// Writes the deed, in the transaction of what it tells.
    fn tell(
        &self,
        action: &'static str,
        is_emergency: bool,
    ) -> impl Fn(&mut DbConn, Told) -> Result<(), StoreError> + Send + 'static {
        let (actor, now) = (self.actor.clone(), self.now);
        let subject = format!("keys {}", self.settings.id);
        let reason = self.reason.trim().to_owned();
        move |conn, told| {
            let deed = Deed {
                action,
                subject: subject.clone(),
                before: (!told.before.is_empty()).then(|| json!({ "keys": told.before })),
                after: Some(json!({
                    "keys": told.after, "emergency": is_emergency, "reason": reason,
                })),
            };
            record(conn, &actor, &deed, now)
        }
    }
}

fn facts(change: &Change) -> Value {
    json!({
        "ring": change.ring.as_str(),
        "kid": change.kid,
        "kind": change.kind,
        "use": change.usage,
        "at": (change.at != UNSCHEDULED).then(|| change.at.to_rfc3339()),
    })
}

/// What the trail says of keys.
struct Told {
    before: Vec<Value>,
    after: Vec<Value>,
}

impl Told {
    fn of(changes: &[Change]) -> Self {
        Self {
            before: changes.iter().filter_map(planned).collect(),
            after: changes.iter().map(facts).collect(),
        }
    }
}

/// What a rotation that was planned before would have done.
fn planned(change: &Change) -> Option<Value> {
    let was = change.was?;
    Some(json!({ "kid": change.kid, "at": was.to_rfc3339() }))
}

/// Makes a key that is published and waits; blocks.
///
/// # Errors
/// `Reason`; those of [`keys::generate`].
pub fn generate(
    keeper: &Keeper<'_>,
    what: (RingName, KeyKind, KeyUse),
) -> Result<Change, KeysError> {
    keeper.check(false)?;
    let tell = keeper.tell("keys.generate", false);
    Ok(keys::generate(
        keeper.store,
        keeper.whose()?,
        what,
        keeper.now,
        move |conn, change| tell(conn, Told::of(std::slice::from_ref(change))),
    )?)
}

/// Replaces the current keys of a ring; blocks, for as long as making keys takes.
///
/// # Errors
/// `NoReason`, `Reason`, `Past`, `TooFar`; those of [`keys::rotate`].
pub fn rotate(keeper: &Keeper<'_>, ring: RingName, when: When) -> Result<Vec<Change>, KeysError> {
    let is_emergency = when == When::Immediately;
    keeper.check(is_emergency)?;
    if let When::At(at) = when {
        let ahead = at.seconds_since(keeper.now);
        if ahead < 0 {
            return Err(KeysError::Past);
        }
        if ahead > FURTHEST_SECONDS {
            return Err(KeysError::TooFar);
        }
    }
    let tell = keeper.tell("keys.rotate", is_emergency);
    Ok(keys::rotate(
        keeper.store,
        keeper.whose()?,
        (ring, when),
        keeper.now,
        move |conn, changes| tell(conn, Told::of(changes)),
    )?)
}

/// Takes a key out of use; blocks.
///
/// # Errors
/// `NoReason`, `Reason`; those of [`keys::retire`].
pub fn retire(keeper: &Keeper<'_>, kid: &str, immediately: bool) -> Result<Change, KeysError> {
    keeper.check(immediately)?;
    let tell = keeper.tell("keys.retire", immediately);
    Ok(keys::retire(
        keeper.store,
        keeper.settings,
        (kid, immediately),
        keeper.now,
        move |conn, change| tell(conn, Told::of(std::slice::from_ref(change))),
    )?)
}
