use super::AccountId;
use crate::clock::UtcTime;
use serde_json::{Map, Value};

/// A person of the identity registry; all issuers of a process share the registry.
#[derive(Clone, Debug)]
pub struct Account {
    /// The key.
    pub id: AccountId,
    /// What the person types; unique, compared exactly.
    pub username: String,
    /// An argon2id PHC string; absent: no password login.
    pub password_hash: Option<String>,
    /// A disabled person cannot log in and their tokens do not work.
    pub enabled: bool,
    /// Claim (canonical name of the table in spec "Attributes", without namespace) → value.
    pub attributes: Map<String, Value>,
    /// When the row was made.
    pub created_at: UtcTime,
    /// When the row last changed.
    pub updated_at: UtcTime,
}
