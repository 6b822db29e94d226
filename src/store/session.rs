//! Single sign-on sessions.

use super::column::{Row, can_be_stored, free_text};
use super::connection::on_backend;
use super::keyset::{Page, TimeCursor, end_of_prefix, fetched, newest_first};
use super::schema::session;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, IssuerId, Methods, Session, SessionId};
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
    methods: String,
}

impl SessionRow {
    fn decode(self) -> Result<Session, StoreError> {
        let row = Row {
            table: "session",
            key: &self.id,
        };
        Ok(Session {
            methods: Methods::from_text(&self.methods).ok_or_else(|| row.corrupt("methods"))?,
            id: SessionId::new(self.id),
            issuer: IssuerId::new(self.issuer),
            account: AccountId::new(self.account_id),
            acr: self.acr,
            authenticated_at: UtcTime(self.authenticated_at),
            browser: self.browser,
            address: self.address,
            expires_at: UtcTime(self.expires_at),
            ended_at: self.ended_at.map(UtcTime),
        })
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
            session::methods.eq(new.methods.to_text()),
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
    session::table
        .filter(session::id.eq(id.as_str()))
        .select(SessionRow::as_select())
        .get_result(conn)
        .optional()?
        .map(SessionRow::decode)
        .transpose()
}

/// A person's sessions that can be used at `now`, at every issuer, newest first.
///
/// # Errors
/// The database's.
pub fn alive_of(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
    limit: u32,
) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<SessionRow> = session::table
        .filter(session::account_id.eq(account.as_str()))
        .filter(session::ended_at.is_null())
        .filter(session::expires_at.gt(now.0))
        .order((session::authenticated_at.desc(), session::id.desc()))
        .limit(i64::from(limit))
        .select(SessionRow::as_select())
        .load(conn)?;
    rows.into_iter().map(SessionRow::decode).collect()
}

/// Which sessions to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only this person's.
    pub account: Option<AccountId>,
    /// Only at this issuer.
    pub issuer: Option<IssuerId>,
    /// Only those that can be used at this time.
    pub alive_at: Option<UtcTime>,
}

/// A page of the sessions, newest first.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    filter: &SessionFilter,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<Session>, StoreError> {
    let account = filter.account.as_ref().map(AccountId::as_str);
    if account.is_some_and(|account| !can_be_stored(account)) {
        return Ok(Page::empty());
    }
    let rows: Vec<SessionRow> = on_backend!(conn, c => {
        let mut query = session::table.select(SessionRow::as_select()).into_boxed();
        if let Some(account) = account {
            query = query.filter(session::account_id.eq(account));
        }
        if let Some(issuer) = &filter.issuer {
            query = query.filter(session::issuer.eq(issuer.as_str()));
        }
        if let Some(now) = filter.alive_at {
            query = query
                .filter(session::ended_at.is_null())
                .filter(session::expires_at.gt(now.0));
        }
        newest_first!(query, session.authenticated_at, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, SessionRow::decode, |last| TimeCursor {
        key: last.authenticated_at,
        id: last.id.as_str().to_owned(),
    })
}

/// Sessions whose key begins so: what an operator has of it may be cut.
///
/// # Errors
/// The database's.
pub fn search_by_prefix(
    conn: &mut DbConn,
    prefix: &str,
    limit: u32,
) -> Result<Vec<Session>, StoreError> {
    if prefix.is_empty() || !can_be_stored(prefix) {
        return Ok(Vec::new());
    }
    let rows: Vec<SessionRow> = session::table
        .filter(session::id.ge(prefix))
        .filter(session::id.lt(end_of_prefix(prefix)))
        .order(session::id)
        .limit(i64::from(limit))
        .select(SessionRow::as_select())
        .load(conn)?;
    rows.into_iter().map(SessionRow::decode).collect()
}

/// The person of session `now_as` proved again, or further, who they are: its level, methods, time and end replace those
/// that the session had, as one change. False: ended, expired, unknown or another person's.
///
/// # Errors
/// The database's.
pub fn reauthenticate(
    conn: &mut DbConn,
    id: &SessionId,
    now_as: &Session,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        session::table
            .filter(session::id.eq(id.as_str()))
            .filter(session::account_id.eq(now_as.account.as_str()))
            .filter(session::ended_at.is_null())
            .filter(session::expires_at.gt(now.0)),
    )
    .set((
        session::acr.eq(&now_as.acr),
        session::methods.eq(now_as.methods.to_text()),
        session::authenticated_at.eq(now_as.authenticated_at.0),
        session::expires_at.eq(now_as.expires_at.0),
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
