//! Everything that is held for one person, ended at once: for an account that somebody else got into, or a wish of the
//! person's. It ends what there is. Whoever has the password can log in anew, so that it is changed, or the account
//! disabled, before.
//!
//! In batches, each a transaction of its own with its entry in the trail: logins get through between them, and what was
//! ended before an interruption stays so. Every node asks the database whether a session or token counts, so that all obey
//! at once.

use super::record;
use super::sessions::{MOST_REASON, Revoked};
use super::users::subject;
use crate::clock::UtcTime;
use crate::model::{AccountId, Actor, Deed};
use crate::store::{DbConn, StoreError, account, grant, session};
use serde_json::{Map, json};

/// Sessions, and grants, of one transaction.
pub const REVOKED_AT_ONCE: u32 = 500;

/// Why nothing was ended.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// There is nobody of this key.
    #[error("there is no such user")]
    Unknown,
    /// Nobody will know later why.
    #[error("say why (--reason): the trail keeps it")]
    NoReason,
    /// The reason is too long.
    #[error("a reason has at most 500 characters")]
    LongReason,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a batch ended.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Sessions and grants.
    pub revoked: Revoked,
    /// Whether there may be more.
    pub more: bool,
}

/// Ends a batch of somebody's sessions and of what relying parties got from them, offline access too, at every issuer. The
/// caller goes on while there is more.
///
/// # Errors
/// `Unknown`, `NoReason`, `LongReason`.
pub fn revoke_all_of(
    conn: &mut DbConn,
    actor: &Actor,
    (id, reason): (&AccountId, &str),
    now: UtcTime,
) -> Result<Batch, RevocationError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(RevocationError::NoReason);
    }
    if reason.chars().count() > MOST_REASON {
        return Err(RevocationError::LongReason);
    }
    account::find(conn, id)?.ok_or(RevocationError::Unknown)?;
    let mut revoked = Revoked::default();
    // Sessions first: what they could still give is then among the grants.
    for open in session::alive_of(conn, id, now, REVOKED_AT_ONCE)? {
        if session::end(conn, &open.id, now)? {
            revoked.sessions += 1;
        }
    }
    revoked.grants = grant::revoke_live_of(conn, id, now, REVOKED_AT_ONCE)?;
    if revoked != Revoked::default() {
        let mut after = Map::new();
        after.insert("sessions".to_owned(), json!(revoked.sessions));
        after.insert("grants".to_owned(), json!(revoked.grants));
        after.insert("reason".to_owned(), json!(reason));
        let deed = Deed {
            action: "user.revoke",
            subject: subject(id),
            before: None,
            after: Some(after.into()),
        };
        record(conn, actor, &deed, now)?;
    }
    let full = usize::try_from(REVOKED_AT_ONCE).unwrap_or(usize::MAX);
    Ok(Batch {
        revoked,
        more: revoked.sessions >= full || revoked.grants >= full,
    })
}
