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
    /// Its secret, sealed with the key-encryption key.
    pub sealed: Vec<u8>,
    /// When it was registered.
    pub created_at: UtcTime,
    /// When it last proved something.
    pub last_used_at: Option<UtcTime>,
    /// The time step of its last code: neither this one nor an earlier one counts again (RFC 6238 §5.2).
    pub last_step: Option<i64>,
    /// It waits for its first code, before which it counts for nothing; `None`: it counts.
    pub pending: Option<Pending>,
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
