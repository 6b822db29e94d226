//! The issuers' keys: the key-encryption key, making and rotating keys, and the rings that the provider signs with.
//!
//! A key's state is not stored but follows from its times, so that neither a rotation nor its end needs a restart:
//!
//! ```text
//! created_at ──────► activates_at ──────► retired_at ──────► ends_at
//!   next: published    current: signs       retired: verifies   historical: in no set any more
//! ```
//!
//! A protocol key is scheduled: it is published for one entity-configuration lifetime, then signs. A federation key waits
//! until the operator says that the superior attests it ([`UNSCHEDULED`]): signing with one that it does not attest
//! would cut the issuer off.

mod change;
mod key_file;
#[cfg(test)]
mod tests;

pub use change::{Change, When, generate, init, replace_lost, retire, rotate};
pub use key_file::{load_key, make_key_file};

use crate::clock::UtcTime;
use crate::config::IssuerSettings;
use crate::jose::{
    JoseError, KeyEncryptionKey, KeyKind, KeyState, KeyUse, PrivateKey, Ring, RingKey, RingName,
};
use crate::model::{IssuerId, StoredKey};
use crate::store::{DbConn, Store, StoreError, signing_key};

/// `activates_at` of a key that is published and waits for `rotate`.
pub const UNSCHEDULED: UtcTime = UtcTime(i64::MAX);

/// What can go wrong with keys; the texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is not there.
    #[error(
        "the key file {0} does not exist. Restore it from your copy, or name it in key_file, or set VARCO_KEY. For a new installation `varco keys init` makes it. If it is lost for good, `varco keys init --replace-lost` makes new keys for every issuer; federation keys must then be handed in again"
    )]
    NoKeyFile(String),
    /// It cannot be read or made.
    #[error("the key file {file}: {reason}")]
    KeyFile {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
    /// It does not hold a key.
    #[error(
        "{0} holds no key-encryption key: 43 base64url characters (or 64 hexadecimal digits) are expected"
    )]
    NoKey(String),
    /// The database's keys were sealed with another key-encryption key.
    #[error(
        "key {kid} of {issuer} cannot be opened with this key-encryption key: key_file (or VARCO_KEY) is not the one that the database's keys were sealed with. Restore the right one; if it is lost for good, `varco keys init --replace-lost` makes new keys"
    )]
    WrongKeyFile {
        /// Whose.
        issuer: String,
        /// Which.
        kid: String,
    },
    /// The issuer has no key that signs in one of its rings.
    #[error("issuer {issuer} has no {ring} keys: run `varco keys init`")]
    NoKeys {
        /// Whose.
        issuer: String,
        /// Which ring.
        ring: &'static str,
    },
    /// No such key.
    #[error("issuer {issuer} has no key {kid}: `varco keys list --issuer {issuer}` shows them")]
    Unknown {
        /// Whose.
        issuer: String,
        /// Which.
        kid: String,
    },
    /// Retiring it would leave the issuer without a key of its kind.
    #[error(
        "key {kid} is the only current {kind} key ({usage}) of its ring: run `varco keys rotate` first, so that there is another one"
    )]
    LastOfItsKind {
        /// Which.
        kid: String,
        /// Its kind.
        kind: String,
        /// `sig` or `enc`.
        usage: String,
    },
    /// Somebody else changed keys at the same time.
    #[error(
        "nothing was changed: somebody else changed keys at the same time. Look at them, and try again if it is still needed"
    )]
    Changed,
    /// Signing, sealing or parsing.
    #[error("key {kid}: {reason}")]
    Jose {
        /// Which.
        kid: String,
        /// Why.
        reason: JoseError,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An issuer's keys at one time.
#[derive(Clone, Debug)]
pub struct Rings {
    /// Tokens, userinfo, decryption.
    pub protocol: Ring,
    /// Entity configuration and other federation documents; empty for an issuer that is in no federation.
    pub federation: Ring,
    /// Federation keys that have ended, for the historical key set (SPID/CIE FE-11); newest first.
    pub historical: Vec<StoredKey>,
    /// The store's number of this state: [`keyring_version`] differs when keys have changed.
    pub version: i64,
    /// When this picture is no longer right although no key changed.
    pub next_change: Option<UtcTime>,
}

/// Where a key is in its life at `now`; `None`: it has ended.
#[must_use]
pub fn state_at(key: &StoredKey, now: UtcTime) -> Option<KeyState> {
    let reached = |time: Option<UtcTime>| time.is_some_and(|time| time <= now);
    if reached(key.ends_at) {
        None
    } else if reached(key.retired_at) {
        Some(KeyState::Retired)
    } else if key.activates_at > now {
        Some(KeyState::Next)
    } else {
        Some(KeyState::Current)
    }
}

/// What a key of this ring is sealed together with, so that it can be opened only where it belongs.
fn associated_data(issuer: &IssuerId, kid: &str) -> Vec<u8> {
    format!("signing_key.sealed {} {kid}", issuer.as_str()).into_bytes()
}

/// Opens a stored key.
///
/// # Errors
/// `WrongKeyFile`; `Jose` when what was sealed is no key.
pub fn open(
    key_encryption_key: &KeyEncryptionKey,
    stored: &StoredKey,
) -> Result<PrivateKey, KeyError> {
    let der = key_encryption_key
        .open(
            &stored.sealed,
            &associated_data(&stored.issuer, &stored.kid),
        )
        .map_err(|_| KeyError::WrongKeyFile {
            issuer: stored.issuer.to_string(),
            kid: stored.kid.clone(),
        })?;
    PrivateKey::from_pkcs8_der(der.expose()).map_err(|reason| KeyError::Jose {
        kid: stored.kid.clone(),
        reason,
    })
}

/// Seals a key for an issuer: only there, and under its `kid`, it can be opened again.
///
/// # Errors
/// openssl failed.
pub fn seal(
    key_encryption_key: &KeyEncryptionKey,
    issuer: &IssuerId,
    private: &PrivateKey,
) -> Result<Vec<u8>, JoseError> {
    let der = private.to_pkcs8_der()?;
    key_encryption_key.seal(der.expose(), &associated_data(issuer, private.kid()))
}

/// The rings of an issuer, on a connection; PKCS#8 is decoded here, which takes about a millisecond a key.
///
/// # Errors
/// Those of [`open`], the database's. Missing keys are no error here; see [`require_keys`].
pub fn rings(
    conn: &mut DbConn,
    key_encryption_key: &KeyEncryptionKey,
    issuer: &IssuerId,
    now: UtcTime,
) -> Result<Rings, KeyError> {
    // The version first: a change between the two queries is then seen by the next poll.
    let version = signing_key::keyring_version(conn)?;
    let stored = signing_key::search(conn, issuer)?;
    let mut protocol = Vec::new();
    let mut federation = Vec::new();
    let mut historical = Vec::new();
    for key in &stored {
        let ring = match key.ring {
            RingName::Protocol => &mut protocol,
            RingName::Federation => &mut federation,
        };
        match state_at(key, now) {
            Some(state) => ring.push(RingKey {
                private: open(key_encryption_key, key)?,
                usage: usage_of(key)?,
                state,
                created_at: key.created_at,
                activates_at: (key.activates_at != UNSCHEDULED).then_some(key.activates_at),
                retires_at: key.ends_at,
            }),
            None if key.ring == RingName::Federation => historical.insert(0, key.clone()),
            None => {}
        }
    }
    let next_change = stored
        .iter()
        .flat_map(|key| [Some(key.activates_at), key.retired_at, key.ends_at])
        .flatten()
        .filter(|time| *time > now && *time != UNSCHEDULED)
        .min();
    Ok(Rings {
        protocol: Ring::new(protocol, now),
        federation: Ring::new(federation, now),
        historical,
        version,
        next_change,
    })
}

/// As [`rings`], through the store; blocks.
///
/// # Errors
/// As [`rings`].
pub fn load_rings(
    store: &Store,
    key_encryption_key: &KeyEncryptionKey,
    issuer: &IssuerId,
    now: UtcTime,
) -> Result<Rings, KeyError> {
    store.read_blocking(|conn| rings(conn, key_encryption_key, issuer, now))
}

/// The number that changes with every change of any key; cheap, for polling every two seconds.
///
/// # Errors
/// The database's.
pub fn keyring_version(conn: &mut DbConn) -> Result<i64, StoreError> {
    signing_key::keyring_version(conn)
}

/// Whether every ring that the issuer needs can sign.
///
/// # Errors
/// `NoKeys`.
pub fn require_keys(settings: &IssuerSettings, rings: &Rings) -> Result<(), KeyError> {
    let signs = |ring: &Ring| {
        ring.keys()
            .iter()
            .any(|key| key.usage == KeyUse::Signature && key.state == KeyState::Current)
    };
    let missing = if !signs(&rings.protocol) {
        RingName::Protocol
    } else if settings.is_member() && !signs(&rings.federation) {
        RingName::Federation
    } else {
        return Ok(());
    };
    Err(KeyError::NoKeys {
        issuer: settings.id.clone(),
        ring: missing.as_str(),
    })
}

/// The rings that an issuer needs.
#[must_use]
pub fn ring_names(settings: &IssuerSettings) -> &'static [RingName] {
    if settings.is_member() {
        &[RingName::Protocol, RingName::Federation]
    } else {
        &[RingName::Protocol]
    }
}

/// The kinds of keys that a ring of this issuer is filled with; a federation ring gets one that fits the configured
/// algorithm.
#[must_use]
pub fn kinds(settings: &IssuerSettings, ring: RingName) -> Vec<(KeyKind, KeyUse)> {
    match (ring, settings.federation_signing_alg.as_str()) {
        (RingName::Protocol, _) => Ring::generate_kinds(RingName::Protocol).to_vec(),
        (RingName::Federation, "ES256") => vec![(KeyKind::P256, KeyUse::Signature)],
        (RingName::Federation, "ES384") => vec![(KeyKind::P384, KeyUse::Signature)],
        (RingName::Federation, "ES512") => vec![(KeyKind::P521, KeyUse::Signature)],
        (RingName::Federation, _) => Ring::generate_kinds(RingName::Federation).to_vec(),
    }
}

fn usage_of(key: &StoredKey) -> Result<KeyUse, KeyError> {
    KeyUse::parse(&key.usage).ok_or_else(|| {
        KeyError::Store(StoreError::Corrupt {
            table: "signing_key",
            column: "key_usage",
            key: key.kid.clone(),
        })
    })
}
