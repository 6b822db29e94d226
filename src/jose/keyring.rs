//! An issuer's own keys, and their encryption at rest.
//!
//! ```text
//! Next ──(published for one document lifetime)──► Current ──► Retired ──(retires_at: nothing signed with it lives)──► gone
//! ```
//!
//! A [`Ring`] is an immutable picture of the keys at one time: readers share it, and whoever watches the stored keys
//! replaces it when they change or [`Ring::next_change`] has come. The states are stored, never guessed from times: a
//! federation key becomes current only once the superior attests it.

use super::JoseError;
use super::algorithm::SignatureAlgorithm;
use super::content::{self, Envelope};
use super::jwks::{KeyKind, KeySet, KeyUse, PublicKey};
use super::sign::PrivateKey;
use crate::clock::UtcTime;
use crate::random;
use crate::secret::Secret;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use serde_json::Value;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// The first byte of everything sealed: AES-256-GCM with a random nonce.
const VERSION: u8 = 1;

/// The key that encrypts what is stored: 32 bytes, AES-256-GCM.
#[derive(Clone, Debug)]
pub struct KeyEncryptionKey(Secret<[u8; KEY_BYTES]>);

impl KeyEncryptionKey {
    /// Reads 64 hexadecimal digits or 43 base64url characters; white space around them is ignored.
    ///
    /// # Errors
    /// `UnusableKey` for anything else.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        const WRONG: JoseError = JoseError::UnusableKey(
            "a key encryption key is 32 bytes as 64 hexadecimal digits or as base64url",
        );
        let text = text.trim().as_bytes();
        let decoded = if text.len() == 2 * KEY_BYTES {
            HEXLOWER_PERMISSIVE.decode(text)
        } else {
            BASE64URL_NOPAD.decode(text)
        };
        let bytes = Zeroizing::new(decoded.map_err(|_| WRONG)?);
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| WRONG)?;
        Ok(Self(Secret::new(key)))
    }

    /// Makes a new key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::bytes()))
    }

    /// 43 base64url characters that [`KeyEncryptionKey::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(BASE64URL_NOPAD.encode(self.0.expose()))
    }

    /// Encrypts. `associated_data` says what this is and where it belongs (table, column, row key), so that a sealed
    /// value cannot be moved elsewhere. Result: version byte, nonce, ciphertext, tag: 29 bytes more than the plaintext.
    ///
    /// # Errors
    /// `Crypto`.
    pub fn seal(&self, plaintext: &[u8], associated_data: &[u8]) -> Result<Vec<u8>, JoseError> {
        let nonce = random::bytes::<NONCE_BYTES>();
        let bound = bind(associated_data);
        let envelope = Envelope {
            iv: &nonce,
            associated_data: &bound,
        };
        let (ciphertext, tag) = content::seal(
            super::ContentEncryption::A256Gcm,
            self.0.expose(),
            envelope,
            plaintext,
        )?;
        Ok([&[VERSION], nonce.as_slice(), &ciphertext, &tag].concat())
    }

    /// Decrypts what [`KeyEncryptionKey::seal`] made with the same `associated_data`.
    ///
    /// # Errors
    /// `Decryption`: another key, other associated data, another version, or changed bytes.
    pub fn open(
        &self,
        sealed: &[u8],
        associated_data: &[u8],
    ) -> Result<Secret<Vec<u8>>, JoseError> {
        let (version, rest) = sealed.split_first().ok_or(JoseError::Decryption)?;
        if *version != VERSION {
            return Err(JoseError::Decryption);
        }
        let (nonce, rest) = rest
            .split_at_checked(NONCE_BYTES)
            .ok_or(JoseError::Decryption)?;
        let (ciphertext, tag) = rest
            .len()
            .checked_sub(TAG_BYTES)
            .and_then(|length| rest.split_at_checked(length))
            .ok_or(JoseError::Decryption)?;
        let bound = bind(associated_data);
        let envelope = Envelope {
            iv: nonce,
            associated_data: &bound,
        };
        content::open(
            super::ContentEncryption::A256Gcm,
            self.0.expose(),
            envelope,
            ciphertext,
            tag,
        )
        .map(Secret::new)
    }
}

/// The version is authenticated too.
fn bind(associated_data: &[u8]) -> Vec<u8> {
    [&[VERSION], associated_data].concat()
}

/// Which of an issuer's two rings (SPID/CIE AL-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RingName {
    /// Signs tokens and userinfo, decrypts request objects.
    Protocol,
    /// Signs entity configurations and statements.
    Federation,
}

impl RingName {
    /// `protocol`, `federation`: as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Federation => "federation",
        }
    }

    /// The ring of this stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "protocol" => Some(Self::Protocol),
            "federation" => Some(Self::Federation),
            _ => None,
        }
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs, or is published for encryption.
    Current,
    /// Verifies or decrypts what is still alive.
    Retired,
}

impl KeyState {
    /// `next`, `current`, `retired`: as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }

    /// The state of this stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "next" => Some(Self::Next),
            "current" => Some(Self::Current),
            "retired" => Some(Self::Retired),
            _ => None,
        }
    }
}

/// A key of a ring.
#[derive(Clone, Debug)]
pub struct RingKey {
    /// The key itself.
    pub private: PrivateKey,
    /// Signing or decrypting, never both.
    pub usage: KeyUse,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: UtcTime,
    /// From when on it may become current; whoever rotates decides.
    pub activates_at: Option<UtcTime>,
    /// The last moment at which something signed with it, or encrypted to it, may still be alive; from then on a retired
    /// key counts no longer. None: not known, so it is kept.
    pub retires_at: Option<UtcTime>,
}

impl RingKey {
    fn has_ended(&self, now: UtcTime) -> bool {
        self.state == KeyState::Retired && self.retires_at.is_some_and(|end| end <= now)
    }

    /// The public half as published. `alg` is stated only where the key has one: an RSA key signs RS256 and PS512 alike,
    /// and a relying party that reads `alg` would refuse all but the one that stands there (RFC 7517 §4.4).
    #[must_use]
    pub fn published(&self) -> PublicKey {
        let algorithm = match (self.usage, self.private.kind()) {
            (KeyUse::Signature, KeyKind::P256 | KeyKind::P384 | KeyKind::P521) => {
                Some(self.private.default_signature_algorithm().as_str())
            }
            (KeyUse::Signature, KeyKind::Rsa(_)) | (KeyUse::Encryption, _) => None,
        };
        self.private
            .public()
            .described(Some(self.private.kid()), Some(self.usage), algorithm)
    }
}

/// The keys of one ring at one time.
#[derive(Clone, Debug)]
pub struct Ring {
    keys: Vec<RingKey>,
    verification: KeySet,
    published: Value,
    next_change: Option<UtcTime>,
}

impl Ring {
    /// The ring at `now`; retired keys whose `retires_at` has come are left out. Newer keys go before older ones of the
    /// same state.
    #[must_use]
    pub fn new(mut keys: Vec<RingKey>, now: UtcTime) -> Self {
        keys.retain(|key| !key.has_ended(now));
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        let publics = |wanted: fn(&RingKey) -> bool| {
            KeySet::from_keys(
                keys.iter()
                    .filter(|key| wanted(key))
                    .map(RingKey::published)
                    .collect(),
            )
        };
        let verification = publics(|key| key.usage == KeyUse::Signature);
        // Of the encryption keys only the current one: senders would choose an old one too.
        let published =
            publics(|key| key.usage == KeyUse::Signature || key.state == KeyState::Current)
                .to_json();
        let retirements = keys
            .iter()
            .filter(|key| key.state == KeyState::Retired)
            .filter_map(|key| key.retires_at);
        let activations = keys
            .iter()
            .filter(|key| key.state == KeyState::Next)
            .filter_map(|key| key.activates_at)
            .filter(|at| *at > now);
        let next_change = retirements.chain(activations).min();
        Self {
            keys,
            verification,
            published,
            next_change,
        }
    }

    /// The kinds of keys a new ring is filled with: every algorithm of SPID/CIE AL-1 and AL-2 has a key that fits.
    #[must_use]
    pub const fn generate_kinds(name: RingName) -> &'static [(KeyKind, KeyUse)] {
        match name {
            RingName::Protocol => &[
                (KeyKind::Rsa(2048), KeyUse::Signature),
                (KeyKind::P256, KeyUse::Signature),
                (KeyKind::P521, KeyUse::Signature),
                (KeyKind::Rsa(2048), KeyUse::Encryption),
                (KeyKind::P256, KeyUse::Encryption),
            ],
            RingName::Federation => &[(KeyKind::Rsa(4096), KeyUse::Signature)],
        }
    }

    /// All keys, newest first.
    #[must_use]
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// The newest current key that can sign so.
    #[must_use]
    pub fn signing_key(&self, algorithm: SignatureAlgorithm) -> Option<&PrivateKey> {
        self.keys
            .iter()
            .filter(|key| key.usage == KeyUse::Signature && key.state == KeyState::Current)
            .map(|key| &key.private)
            .find(|key| key.supports(algorithm))
    }

    /// All signing keys: next ones too, since another node may sign with one already.
    #[must_use]
    pub fn verification_keys(&self) -> KeySet {
        self.verification.clone()
    }

    /// `{"keys": […]}` to publish: the signing keys, next, current and retired but still needed; the current encryption keys.
    #[must_use]
    pub const fn published_jwks(&self) -> &Value {
        &self.published
    }

    /// The keys that decrypt, newest first.
    #[must_use]
    pub fn decryption_keys(&self) -> Vec<PrivateKey> {
        self.keys
            .iter()
            .filter(|key| key.usage == KeyUse::Encryption)
            .map(|key| key.private.clone())
            .collect()
    }

    /// When this picture will no longer be right: a retired key ends or a next one may become current. None: never.
    #[must_use]
    pub const fn next_change(&self) -> Option<UtcTime> {
        self.next_change
    }
}
