//! Letters that were given up: tried again, one or all of them. In the trail each is `mail ID`, all of them are `mails`.

use super::record;
use crate::clock::UtcTime;
use crate::mail;
use crate::model::{Actor, Deed, MailCursor, MailMessage, MailState};
use crate::store::{DbConn, StoreError, mail_message};
use serde_json::{Value, json};

/// Letters of one transaction.
pub const RETRIED_AT_ONCE: u32 = 200;

/// Why nothing was tried again.
#[derive(Debug, thiserror::Error)]
pub enum MailsError {
    /// There is no such letter, or it was removed.
    #[error("there is no such mail, or it ended long ago and was removed")]
    Unknown,
    /// It waits, or it was sent.
    #[error("the mail is not among those that were given up")]
    NotFailed,
    /// A one-time code that nobody waits for any more.
    #[error("the mail is of no use any more: what it says worked for some minutes only")]
    Useless,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a letter can be tried again.
#[must_use]
pub fn can_be_retried(message: &MailMessage) -> bool {
    message.state == MailState::Failed && mail::is_of_use_late(&message.kind)
}

/// Has a letter that was given up tried again.
///
/// # Errors
/// `Unknown`, `NotFailed`, `Useless`.
pub fn retry(conn: &mut DbConn, actor: &Actor, id: &str, now: UtcTime) -> Result<(), MailsError> {
    let known = mail_message::find(conn, id)?.ok_or(MailsError::Unknown)?;
    if known.state != MailState::Failed {
        return Err(MailsError::NotFailed);
    }
    if !can_be_retried(&known) {
        return Err(MailsError::Useless);
    }
    if !mail::retry(conn, id, now)? {
        return Err(MailsError::NotFailed);
    }
    let was = json!({ "attempts": known.attempts, "reason": known.reason });
    let is = json!({ "account": known.account, "kind": known.kind });
    tell(conn, actor, (format!("mail {id}"), Some(was), is), now)?;
    Ok(())
}

/// How far trying all of them again has come.
#[derive(Clone, Debug)]
pub struct Round {
    /// How many are tried again.
    pub retried: usize,
    /// Where the next round begins; absent after the last one.
    pub next: Option<MailCursor>,
}

/// Has a batch of those that were given up tried again, the newest first. The caller goes on with `next`: what is given up
/// again meanwhile is not met twice.
///
/// # Errors
/// The database's.
pub fn retry_failed(
    conn: &mut DbConn,
    actor: &Actor,
    after: Option<&MailCursor>,
    now: UtcTime,
) -> Result<Round, StoreError> {
    let found = mail_message::search(conn, MailState::Failed, after, RETRIED_AT_ONCE)?;
    let mut retried = 0_usize;
    for one in found.iter().filter(|one| can_be_retried(one)) {
        if mail::retry(conn, &one.id, now)? {
            retried = retried.saturating_add(1);
        }
    }
    if retried > 0 {
        let is = json!({ "mails": retried });
        tell(conn, actor, ("mails".to_owned(), None, is), now)?;
    }
    let is_full = found.len() >= usize::try_from(RETRIED_AT_ONCE).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| is_full).map(|last| MailCursor {
        created_at: last.created_at,
        id: last.id.clone(),
    });
    Ok(Round { retried, next })
}

fn tell(
    conn: &mut DbConn,
    actor: &Actor,
    (subject, before, after): (String, Option<Value>, Value),
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action: "mail.retry",
        subject,
        before,
        after: Some(after),
    };
    record(conn, actor, &deed, now)
}
