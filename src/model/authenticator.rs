use super::{AccountId, Method};
use crate::clock::UtcTime;

/// Something that a person holds to prove who they are.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// The key.
    pub id: String,
    /// Whose.
    pub account: AccountId,
    /// What it is.
    pub method: Method,
    /// What the person calls it; empty when an operator registered it.
    pub name: String,
    /// Its secret, sealed with the key-encryption key; empty for a security key, which keeps its own.
    pub sealed: Vec<u8>,
    /// What is known of a security key; absent for the rest.
    pub key: Option<KeyCredential>,
    /// When it was registered.
    pub created_at: UtcTime,
    /// When it last proved something.
    pub last_used_at: Option<UtcTime>,
    /// The time step of its last code (RFC 6238 §5.2), or the signature counter of a security key (WebAuthn §6.1.1):
    /// neither this one nor an earlier one counts again.
    pub last_step: Option<i64>,
    /// It waits for its first code, before which it counts for nothing; `None`: it counts.
    pub pending: Option<Pending>,
}

/// A credential that a security key made for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCredential {
    /// What the key calls it, in Base64url; unique among all people.
    pub credential_id: String,
    /// The host that it was made for, the only one where browsers use it.
    pub rp_id: String,
    /// The public key, with what was seen when it was made; `authn::security_key` reads it.
    pub public_key: Vec<u8>,
}

/// An authenticator's wait for its first code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Until when.
    pub until: UtcTime,
    /// The session or login that it was begun in, which alone may see its secret: the person may have other sessions open,
    /// and one of them may be a thief's.
    pub begun_in: String,
}

impl Authenticator {
    /// Whether it proves something.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.pending.is_none()
    }
}
