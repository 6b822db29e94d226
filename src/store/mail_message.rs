//! Mails that wait, were sent or were given up.
//!
//! ```text
//! insert ─► queued ─► claim (one sender, for the length of a lease) ─► finish: sent, or failed
//!              ▲                    │ a failure that may pass, or the end of a sender that died
//!              └────────────────────┘
//! ```
//!
//! A claim moves the time of the next attempt ahead by the lease, so that no row has to be freed after a crash.

use super::column::{Row, TextEnum as _, can_be_stored, free_text};
use super::connection::on_backend;
use super::schema::mail_message;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, MailCounts, MailCursor, MailMessage, MailState};
use diesel::dsl::min;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = mail_message)]
struct MailMessageRow {
    id: String,
    account_id: String,
    kind: String,
    distinct_key: Option<Vec<u8>>,
    sealed: Vec<u8>,
    state: String,
    attempts: i64,
    created_at: i64,
    next_attempt_at: i64,
    give_up_at: i64,
    done_at: Option<i64>,
    reason: Option<String>,
    expires_at: i64,
}

impl MailMessageRow {
    fn decode(self) -> Result<MailMessage, StoreError> {
        let row = Row {
            table: "mail_message",
            key: &self.id,
        };
        let distinct = self
            .distinct_key
            .map(|key| row.sha256("distinct_key", &key));
        Ok(MailMessage {
            state: row.text_enum("state", &self.state)?,
            distinct: distinct.transpose()?,
            id: self.id,
            account: AccountId::new(self.account_id),
            kind: self.kind,
            sealed: self.sealed,
            attempts: self.attempts,
            created_at: UtcTime(self.created_at),
            next_attempt_at: UtcTime(self.next_attempt_at),
            give_up_at: UtcTime(self.give_up_at),
            done_at: self.done_at.map(UtcTime),
            reason: self.reason,
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Queues a mail. False: there is one of the same `distinct` already.
///
/// # Errors
/// The database's; the account must exist.
pub fn insert(conn: &mut DbConn, new: &MailMessage) -> Result<bool, StoreError> {
    let values = (
        mail_message::id.eq(&new.id),
        mail_message::account_id.eq(new.account.as_str()),
        mail_message::kind.eq(&new.kind),
        mail_message::distinct_key.eq(new.distinct.as_ref().map(<[u8; 32]>::as_slice)),
        mail_message::sealed.eq(&new.sealed),
        mail_message::state.eq(new.state.as_text()),
        mail_message::attempts.eq(new.attempts),
        mail_message::created_at.eq(new.created_at.0),
        mail_message::next_attempt_at.eq(new.next_attempt_at.0),
        mail_message::give_up_at.eq(new.give_up_at.0),
        mail_message::expires_at.eq(new.expires_at.0),
    );
    let inserted = on_backend!(conn, c => diesel::insert_into(mail_message::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}

/// Keys of queued mails that are due, those that wait longest first.
///
/// # Errors
/// The database's.
pub fn due(conn: &mut DbConn, now: UtcTime, limit: u32) -> Result<Vec<String>, StoreError> {
    Ok(mail_message::table
        .filter(mail_message::state.eq(MailState::Queued.as_text()))
        .filter(mail_message::next_attempt_at.le(now.0))
        .order(mail_message::next_attempt_at)
        .select(mail_message::id)
        .limit(i64::from(limit))
        .load(conn)?)
}

/// Takes a due mail for one attempt, until `until`. `None`: another sender was faster.
///
/// # Errors
/// The database's.
pub fn claim(
    conn: &mut DbConn,
    id: &str,
    claim: &str,
    now: UtcTime,
    until: UtcTime,
) -> Result<Option<MailMessage>, StoreError> {
    let row = mail_message::table
        .filter(mail_message::id.eq(id))
        .filter(mail_message::state.eq(MailState::Queued.as_text()))
        .filter(mail_message::next_attempt_at.le(now.0));
    let changed = diesel::update(row)
        .set((
            mail_message::claim.eq(claim),
            mail_message::attempts.eq(mail_message::attempts + 1),
            mail_message::next_attempt_at.eq(until.0),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(None);
    }
    find(conn, id)
}

/// A mail by its key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &str) -> Result<Option<MailMessage>, StoreError> {
    if !can_be_stored(id) {
        return Ok(None);
    }
    mail_message::table
        .filter(mail_message::id.eq(id))
        .select(MailMessageRow::as_select())
        .get_result(conn)
        .optional()?
        .map(MailMessageRow::decode)
        .transpose()
}

/// A claimed mail was sent, or is given up. False: the claim ended, and another sender has it.
///
/// # Errors
/// The database's.
pub fn finish(
    conn: &mut DbConn,
    (id, claim): (&str, &str),
    state: MailState,
    reason: Option<&str>,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        mail_message::table
            .filter(mail_message::id.eq(id))
            .filter(mail_message::claim.eq(claim))
            .filter(mail_message::state.eq(MailState::Queued.as_text())),
    )
    .set((
        mail_message::state.eq(state.as_text()),
        mail_message::claim.eq(None::<String>),
        mail_message::done_at.eq(now.0),
        mail_message::reason.eq(reason.map(free_text)),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// A claimed mail waits for its next attempt. False: the claim ended, and another sender has it.
///
/// # Errors
/// The database's.
pub fn postpone(
    conn: &mut DbConn,
    (id, claim): (&str, &str),
    reason: &str,
    until: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        mail_message::table
            .filter(mail_message::id.eq(id))
            .filter(mail_message::claim.eq(claim))
            .filter(mail_message::state.eq(MailState::Queued.as_text())),
    )
    .set((
        mail_message::claim.eq(None::<String>),
        mail_message::next_attempt_at.eq(until.0),
        mail_message::reason.eq(free_text(reason)),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// The operator has a mail that was given up tried again, until `give_up_at`. False: it was not given up.
///
/// # Errors
/// The database's.
pub fn requeue(
    conn: &mut DbConn,
    id: &str,
    now: UtcTime,
    give_up_at: UtcTime,
) -> Result<bool, StoreError> {
    if !can_be_stored(id) {
        return Ok(false);
    }
    let changed = diesel::update(
        mail_message::table
            .filter(mail_message::id.eq(id))
            .filter(mail_message::state.eq(MailState::Failed.as_text())),
    )
    .set((
        mail_message::state.eq(MailState::Queued.as_text()),
        mail_message::next_attempt_at.eq(now.0),
        mail_message::give_up_at.eq(give_up_at.0),
        mail_message::done_at.eq(None::<i64>),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// How many wait, how many were given up.
///
/// # Errors
/// The database's.
pub fn counts(conn: &mut DbConn) -> Result<MailCounts, StoreError> {
    let mut count = |state: MailState| {
        mail_message::table
            .filter(mail_message::state.eq(state.as_text()))
            .count()
            .get_result(conn)
    };
    let (queued, failed) = (count(MailState::Queued)?, count(MailState::Failed)?);
    let oldest: Option<i64> = mail_message::table
        .filter(mail_message::state.eq(MailState::Queued.as_text()))
        .select(min(mail_message::created_at))
        .get_result(conn)?;
    Ok(MailCounts {
        queued,
        failed,
        oldest_queued_at: oldest.map(UtcTime),
    })
}

/// A page of the mails of one state, newest first: those given up for the operator, the sent ones for the mailbox of a
/// development set-up.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    state: MailState,
    after: Option<&MailCursor>,
    limit: u32,
) -> Result<Vec<MailMessage>, StoreError> {
    page(conn, Which::State(state), after, limit)
}

/// A page of the mails about a person, newest first.
///
/// # Errors
/// The database's.
pub fn search_of(
    conn: &mut DbConn,
    account: &AccountId,
    after: Option<&MailCursor>,
    limit: u32,
) -> Result<Vec<MailMessage>, StoreError> {
    page(conn, Which::Account(account), after, limit)
}

enum Which<'a> {
    State(MailState),
    Account(&'a AccountId),
}

fn page(
    conn: &mut DbConn,
    which: Which<'_>,
    after: Option<&MailCursor>,
    limit: u32,
) -> Result<Vec<MailMessage>, StoreError> {
    let after = after.filter(|cursor| can_be_stored(&cursor.id));
    let rows: Vec<MailMessageRow> = on_backend!(conn, c => {
        let mut query = mail_message::table
            .select(MailMessageRow::as_select())
            .order((mail_message::created_at.desc(), mail_message::id.desc()))
            .limit(i64::from(limit))
            .into_boxed();
        query = match which {
            Which::State(state) => query.filter(mail_message::state.eq(state.as_text())),
            Which::Account(account) => query.filter(mail_message::account_id.eq(account.as_str())),
        };
        if let Some(cursor) = after {
            query = query
                .filter(mail_message::created_at.le(cursor.created_at.0))
                .filter(
                    mail_message::created_at
                        .lt(cursor.created_at.0)
                        .or(mail_message::id.lt(&cursor.id)),
                );
        }
        query.load(c)
    })?;
    rows.into_iter().map(MailMessageRow::decode).collect()
}
