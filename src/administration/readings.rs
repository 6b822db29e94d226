//! Secrets that are read out. Nothing changes by it, but whoever holds a secret can act as somebody else: that it was
//! handed out stands in the trail before the first of it is printed.

use super::record;
use crate::clock::UtcTime;
use crate::model::{AccountId, Actor, Deed};
use crate::store::{DbConn, StoreError, account};
use serde_json::json;

/// The people were exported; how many there are, and whether their secrets went with them.
///
/// # Errors
/// The database's.
pub fn users(
    conn: &mut DbConn,
    actor: &Actor,
    with_secrets: bool,
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action: "user.export",
        subject: "users".to_owned(),
        before: None,
        after: Some(json!({ "users": account::count(conn)?, "with_secrets": with_secrets })),
    };
    record(conn, actor, &deed, now)
}

/// The secret that an operator gave somebody was shown once more.
///
/// # Errors
/// The database's.
pub fn factor(
    conn: &mut DbConn,
    actor: &Actor,
    of: &AccountId,
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action: "user.show_factor",
        subject: format!("user {of}"),
        before: None,
        after: None,
    };
    record(conn, actor, &deed, now)
}

/// Private keys were exported.
///
/// # Errors
/// The database's.
pub fn keys(
    conn: &mut DbConn,
    actor: &Actor,
    (issuer, kids): (&str, &[&str]),
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action: "keys.export",
        subject: format!("keys {issuer}"),
        before: None,
        after: Some(json!({ "keys": kids })),
    };
    record(conn, actor, &deed, now)
}
