//! Key sets (JWKS, RFC 7517 §5), read key by key.
//!
//! One key that is not understood must not hide the others: it is skipped and remembered with its reason, so that an
//! operator can be told why a `kid` is unknown.

use super::JoseError;
use super::algorithm::KeyManagementAlgorithm;
use super::json::{MAX_DEPTH, parse_bounded};
use serde_json::Value;
use std::sync::Arc;

pub use super::jwk::{PRIVATE_KEY, PublicKey};
pub use super::key_kind::{KeyKind, KeyUse, RSA_BITS, RSA_SIZE};

/// Bytes of a key set from outside.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// Keys of a set that are read; further ones are skipped.
pub const MAX_KEYS: usize = 32;
/// A key of a set that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its `kid`, when it is a string.
    pub kid: Option<String>,
    /// Why; fixed text.
    pub reason: &'static str,
}

#[derive(Debug, Default)]
struct Keys {
    keys: Vec<PublicKey>,
    skipped: Vec<SkippedKey>,
}

/// The usable keys of a JWKS, decoded once; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Arc<Keys>);

impl KeySet {
    /// Parses a JWKS from outside: at most [`MAX_KEY_SET_BYTES`], duplicate members refused.
    ///
    /// # Errors
    /// Those of [`parse_bounded`], and of [`KeySet::from_json`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, JoseError> {
        let document: Value = parse_bounded(bytes, MAX_KEY_SET_BYTES, MAX_DEPTH)?;
        Self::from_json(&document)
    }

    /// Reads `{"keys": […]}` that was parsed already. Keys that cannot be used are skipped; the set may be empty.
    ///
    /// # Errors
    /// `MalformedJson` when there is no array `keys`.
    pub fn from_json(document: &Value) -> Result<Self, JoseError> {
        let Some(Value::Array(jwks)) = document.get("keys") else {
            return Err(JoseError::MalformedJson(
                "a key set has no array keys".to_owned(),
            ));
        };
        let mut read = Keys::default();
        for (position, jwk) in jwks.iter().enumerate() {
            if position >= MAX_KEYS {
                read.skipped
                    .push(skipped(jwk, "all keys after the first 32"));
                break;
            }
            match PublicKey::from_jwk(jwk) {
                Ok(key) => read.keys.push(key),
                Err(JoseError::UnusableKey(reason)) => read.skipped.push(skipped(jwk, reason)),
                Err(_) => read.skipped.push(skipped(jwk, "openssl refuses it")),
            }
        }
        Ok(Self(Arc::new(read)))
    }

    /// A set of these keys.
    #[must_use]
    pub fn from_keys(keys: Vec<PublicKey>) -> Self {
        Self(Arc::new(Keys {
            keys,
            skipped: Vec::new(),
        }))
    }

    /// The usable keys in the document's order.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.0.keys
    }

    /// The keys that were not read, each with its reason.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.0.skipped
    }

    /// The first key of this `kid`.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys().iter().find(|key| key.kid() == Some(kid))
    }

    /// The keys that may verify signatures: `use` is `sig` or absent.
    pub fn signing_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys()
            .iter()
            .filter(|key| key.usage() != Some(KeyUse::Encryption))
    }

    /// The key to encrypt with: one with `use` `enc` if there is any, else one without `use`; of a type that fits, and
    /// whose `alg`, if there is one, is this one.
    #[must_use]
    pub fn encryption_key(&self, algorithm: KeyManagementAlgorithm) -> Option<&PublicKey> {
        let fits = |key: &&PublicKey| {
            key.kind().is_rsa() == algorithm.is_rsa()
                && key.is_meant_for(KeyUse::Encryption, algorithm.as_str())
        };
        let stated = |key: &&PublicKey| key.usage() == Some(KeyUse::Encryption);
        let candidates = || self.keys().iter().filter(fits);
        candidates().find(stated).or_else(|| candidates().next())
    }

    /// `{"keys": […]}` of the usable keys.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys: Vec<Value> = self.keys().iter().map(PublicKey::to_jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

fn skipped(jwk: &Value, reason: &'static str) -> SkippedKey {
    SkippedKey {
        kid: jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
        reason,
    }
}
