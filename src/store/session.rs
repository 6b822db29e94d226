//! Single sign-on sessions.

use super::column::{can_be_stored, free_text};
use super::schema::session;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, IssuerId, Session, SessionId};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = session)]
struct SessionRow {
    id: String,
    issuer: String,
    account_id: String,
    acr: String,
    authenticated_at: i64,
    browser: String,
    address: String,
    expires_at: i64,
    ended_at: Option<i64>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId::new(row.id),
            issuer: IssuerId::new(row.issuer),
            account: AccountId::new(row.account_id),
            acr: row.acr,
            authenticated_at: UtcTime(row.authenticated_at),
            browser: row.browser,
            address: row.address,
            expires_at: UtcTime(row.expires_at),
            ended_at: row.ended_at.map(UtcTime),
        }
    }
}

/// Adds a session.
///
/// # Errors
/// The database's; the account must exist.
pub fn insert(conn: &mut DbConn, new: &Session) -> Result<(), StoreError> {
    diesel::insert_into(session::table)
        .values((
            session::id.eq(new.id.as_str()),
            session::issuer.eq(new.issuer.as_str()),
            session::account_id.eq(new.account.as_str()),
            session::acr.eq(&new.acr),
            session::authenticated_at.eq(new.authenticated_at.0),
            session::browser.eq(free_text(&new.browser)),
            session::address.eq(free_text(&new.address)),
            session::expires_at.eq(new.expires_at.0),
            session::ended_at.eq(new.ended_at.map(i64::from)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The session of this key, alive or not: see [`Session::is_alive`].
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &SessionId) -> Result<Option<Session>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    let row: Option<SessionRow> = session::table
        .filter(session::id.eq(id.as_str()))
        .select(SessionRow::as_select())
        .get_result(conn)
        .optional()?;
    Ok(row.map(Session::from))
}

/// The person proved again who they are: new level, time and end, as one change. False: ended, expired or unknown.
///
/// # Errors
/// The database's.
pub fn reauthenticate(
    conn: &mut DbConn,
    id: &SessionId,
    acr: &str,
    (now, expires_at): (UtcTime, UtcTime),
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        session::table
            .filter(session::id.eq(id.as_str()))
            .filter(session::ended_at.is_null())
            .filter(session::expires_at.gt(now.0)),
    )
    .set((
        session::acr.eq(acr),
        session::authenticated_at.eq(now.0),
        session::expires_at.eq(expires_at.0),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Ends a session (logout; SPID/CIE RV-2). False: it had ended, or is unknown.
///
/// # Errors
/// The database's.
pub fn end(conn: &mut DbConn, id: &SessionId, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        session::table
            .filter(session::id.eq(id.as_str()))
            .filter(session::ended_at.is_null()),
    )
    .set(session::ended_at.eq(now.0))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Ends every session of a person, at every issuer; returns how many.
///
/// # Errors
/// The database's.
pub fn end_all_of(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
) -> Result<usize, StoreError> {
    Ok(diesel::update(
        session::table
            .filter(session::account_id.eq(account.as_str()))
            .filter(session::ended_at.is_null()),
    )
    .set(session::ended_at.eq(now.0))
    .execute(conn)?)
}
