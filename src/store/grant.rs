//! What users allowed RPs. Revoking a grant revokes what came of it and shows in the history, in one transaction.

use super::column::{Row, TextEnum, can_be_stored, to_json};
use super::connection::on_backend;
use super::keyset::{Page, TimeCursor, fetched, newest_first};
use super::schema::{access_grant, login_event as event, token};
use super::token::revoke_live_of_grant;
use super::{DbConn, StoreError, login_event};
use crate::clock::UtcTime;
use crate::model::{
    AccountId, ClientId, Grant, GrantId, IssuerId, Methods, SessionId, TokenKind, TokenState,
};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_grant)]
pub(super) struct GrantRow {
    id: String,
    issuer: String,
    client_id: String,
    account_id: String,
    session_id: String,
    subject: String,
    acr: String,
    authenticated_at: i64,
    request: String,
    offline_access: bool,
    refresh_count: i64,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    methods: String,
}

impl GrantRow {
    pub(super) fn decode(self) -> Result<Grant, StoreError> {
        let row = Row {
            table: "access_grant",
            key: &self.id,
        };
        Ok(Grant {
            request: row.json("request", &self.request)?,
            methods: Methods::from_text(&self.methods).ok_or_else(|| row.corrupt("methods"))?,
            id: GrantId::new(self.id),
            issuer: IssuerId::new(self.issuer),
            client_id: ClientId::new(self.client_id),
            account: AccountId::new(self.account_id),
            session: SessionId::new(self.session_id),
            subject: self.subject,
            acr: self.acr,
            authenticated_at: UtcTime(self.authenticated_at),
            offline_access: self.offline_access,
            refresh_count: self.refresh_count,
            created_at: UtcTime(self.created_at),
            expires_at: UtcTime(self.expires_at),
            revoked_at: self.revoked_at.map(UtcTime),
        })
    }
}

/// Adds a grant.
///
/// # Errors
/// The database's; the account must exist.
pub fn insert(conn: &mut DbConn, new: &Grant) -> Result<(), StoreError> {
    diesel::insert_into(access_grant::table)
        .values((
            access_grant::id.eq(new.id.as_str()),
            access_grant::issuer.eq(new.issuer.as_str()),
            access_grant::client_id.eq(new.client_id.as_str()),
            access_grant::account_id.eq(new.account.as_str()),
            access_grant::session_id.eq(new.session.as_str()),
            access_grant::subject.eq(&new.subject),
            access_grant::acr.eq(&new.acr),
            access_grant::authenticated_at.eq(new.authenticated_at.0),
            access_grant::request.eq(to_json(&new.request)?),
            access_grant::offline_access.eq(new.offline_access),
            access_grant::refresh_count.eq(new.refresh_count),
            access_grant::created_at.eq(new.created_at.0),
            access_grant::expires_at.eq(new.expires_at.0),
            access_grant::revoked_at.eq(new.revoked_at.map(i64::from)),
            access_grant::methods.eq(new.methods.to_text()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The grant of this key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    access_grant::table
        .filter(access_grant::id.eq(id.as_str()))
        .select(GrantRow::as_select())
        .get_result(conn)
        .optional()?
        .map(GrantRow::decode)
        .transpose()
}

/// Whose grants to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantsOf {
    /// A person's, at every issuer.
    Account(AccountId),
    /// Those to an RP of an issuer.
    Client(IssuerId, ClientId),
    /// Those of a session.
    Session(SessionId),
    /// Those of a pairwise subject.
    Subject(String),
}

/// A page of the grants that are kept, newest first.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    of: &GrantsOf,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<Grant>, StoreError> {
    let asked = match of {
        GrantsOf::Account(account) => account.as_str(),
        GrantsOf::Client(_, client_id) => client_id.as_str(),
        GrantsOf::Session(session) => session.as_str(),
        GrantsOf::Subject(subject) => subject,
    };
    if !can_be_stored(asked) {
        return Ok(Page::empty());
    }
    let rows: Vec<GrantRow> = on_backend!(conn, c => {
        let query = access_grant::table.select(GrantRow::as_select()).into_boxed();
        let query = match of {
            GrantsOf::Account(_) => query.filter(access_grant::account_id.eq(asked)),
            GrantsOf::Client(issuer, _) => query
                .filter(access_grant::issuer.eq(issuer.as_str()))
                .filter(access_grant::client_id.eq(asked)),
            GrantsOf::Session(_) => query.filter(access_grant::session_id.eq(asked)),
            GrantsOf::Subject(_) => query.filter(access_grant::subject.eq(asked)),
        };
        newest_first!(query, access_grant.created_at, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, GrantRow::decode, |last| TimeCursor {
        key: last.created_at,
        id: last.id.as_str().to_owned(),
    })
}

/// The grants of a session that were not revoked.
///
/// # Errors
/// The database's.
pub fn unrevoked_of_session(
    conn: &mut DbConn,
    session: &SessionId,
) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<GrantRow> = access_grant::table
        .filter(access_grant::session_id.eq(session.as_str()))
        .filter(access_grant::revoked_at.is_null())
        .select(GrantRow::as_select())
        .load(conn)?;
    rows.into_iter().map(GrantRow::decode).collect()
}

/// Revokes a grant with its tokens, and marks its history. False: it was revoked before, or is unknown.
///
/// # Errors
/// The database's.
pub fn revoke(conn: &mut DbConn, id: &GrantId, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        access_grant::table
            .filter(access_grant::id.eq(id.as_str()))
            .filter(access_grant::revoked_at.is_null()),
    )
    .set(access_grant::revoked_at.eq(now.0))
    .execute(conn)?;
    if changed == 1 {
        revoke_what_came_of(conn, id.as_str(), now)?;
    }
    Ok(changed == 1)
}

/// Revokes what a person allowed one RP, or every RP, at an issuer; returns how many grants that had not ended.
///
/// # Errors
/// The database's.
pub fn revoke_all(
    conn: &mut DbConn,
    issuer: &IssuerId,
    account: &AccountId,
    client_id: Option<&ClientId>,
    now: UtcTime,
) -> Result<usize, StoreError> {
    let mine = access_grant::table
        .filter(access_grant::account_id.eq(account.as_str()))
        .filter(access_grant::issuer.eq(issuer.as_str()))
        .filter(access_grant::revoked_at.is_null())
        .filter(access_grant::expires_at.gt(now.0));
    let revoked = access_grant::revoked_at.eq(now.0);
    let ids: Vec<String> = match client_id {
        Some(client) => diesel::update(mine.filter(access_grant::client_id.eq(client.as_str())))
            .set(revoked)
            .returning(access_grant::id)
            .get_results(conn)?,
        None => diesel::update(mine)
            .set(revoked)
            .returning(access_grant::id)
            .get_results(conn)?,
    };
    for id in &ids {
        revoke_what_came_of(conn, id, now)?;
    }
    Ok(ids.len())
}

/// How many grants of a person have not ended, at every issuer; nobody counts further than `most`.
///
/// # Errors
/// The database's.
pub fn count_live_of(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
    most: u32,
) -> Result<usize, StoreError> {
    Ok(live_of(conn, account, now, most)?.len())
}

/// Revokes at most `most` grants of a person that have not ended, at every issuer, those with offline access too; returns
/// how many.
///
/// # Errors
/// The database's.
pub fn revoke_live_of(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
    most: u32,
) -> Result<usize, StoreError> {
    let ids = live_of(conn, account, now, most)?;
    revoke_these(conn, &ids, now)?;
    Ok(ids.len())
}

fn live_of(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
    most: u32,
) -> Result<Vec<String>, StoreError> {
    if !can_be_stored(account.as_str()) {
        return Ok(Vec::new());
    }
    // The newest first, as the index has them: what is live is mostly there.
    Ok(access_grant::table
        .filter(access_grant::account_id.eq(account.as_str()))
        .filter(access_grant::revoked_at.is_null())
        .filter(access_grant::expires_at.gt(now.0))
        .order((access_grant::created_at.desc(), access_grant::id.desc()))
        .select(access_grant::id)
        .limit(i64::from(most))
        .load(conn)?)
}

/// Revokes a batch of grants with their tokens, and marks their history: three statements, however many they are.
pub(super) fn revoke_these(
    conn: &mut DbConn,
    ids: &[String],
    now: UtcTime,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => diesel::update(
        access_grant::table
            .filter(access_grant::id.eq_any(ids))
            .filter(access_grant::revoked_at.is_null()),
    )
    .set(access_grant::revoked_at.eq(now.0))
    .execute(c))?;
    on_backend!(conn, c => diesel::update(
        token::table
            .filter(token::grant_id.eq_any(ids))
            .filter(token::state.eq(TokenState::Live.as_text())),
    )
    .set(token::state.eq(TokenState::Revoked.as_text()))
    .execute(c))?;
    on_backend!(conn, c => diesel::update(
        event::table
            .filter(event::grant_id.eq_any(ids))
            .filter(event::revoked_at.is_null())
            .filter(event::access_until.gt(now.0)),
    )
    .set(event::revoked_at.eq(now.0))
    .execute(c))?;
    Ok(())
}

/// The user logged out: revokes the grants of the session. Of those with offline access the refresh tokens outlive it
/// (SPID/CIE AZ-10; OIDC Core §11), the access tokens do not. Returns how many grants were revoked.
///
/// # Errors
/// The database's.
pub fn revoke_of_session(
    conn: &mut DbConn,
    session: &SessionId,
    now: UtcTime,
) -> Result<usize, StoreError> {
    let ids: Vec<String> = diesel::update(
        access_grant::table
            .filter(access_grant::session_id.eq(session.as_str()))
            .filter(access_grant::offline_access.eq(false))
            .filter(access_grant::revoked_at.is_null()),
    )
    .set(access_grant::revoked_at.eq(now.0))
    .returning(access_grant::id)
    .get_results(conn)?;
    for id in &ids {
        revoke_what_came_of(conn, id, now)?;
    }
    let offline: Vec<String> = access_grant::table
        .filter(access_grant::session_id.eq(session.as_str()))
        .filter(access_grant::offline_access.eq(true))
        .filter(access_grant::revoked_at.is_null())
        .select(access_grant::id)
        .load(conn)?;
    for id in offline {
        revoke_live_of_grant(conn, &GrantId::new(id), Some(TokenKind::Access))?;
    }
    Ok(ids.len())
}

/// Grants with offline access that end within `seconds`, more than half of whose life is over and whose people were not
/// told yet; the first ones to end first.
///
/// # Errors
/// The database's.
pub fn ending_untold(
    conn: &mut DbConn,
    now: UtcTime,
    seconds: i64,
    limit: u32,
) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<GrantRow> = access_grant::table
        .filter(access_grant::end_told_at.is_null())
        .filter(access_grant::expires_at.gt(now.0))
        .filter(access_grant::expires_at.le(now.plus_seconds(seconds).0))
        .filter((access_grant::created_at + access_grant::expires_at).le(now.0.saturating_mul(2)))
        .filter(access_grant::offline_access.eq(true))
        .filter(access_grant::revoked_at.is_null())
        .order(access_grant::expires_at)
        .limit(i64::from(limit))
        .select(GrantRow::as_select())
        .load(conn)?;
    rows.into_iter().map(GrantRow::decode).collect()
}

/// The person is told that the consent ends. False: another node has done it, or there is nothing to tell: nobody can use
/// the access any more.
///
/// # Errors
/// The database's.
pub fn note_end_told(conn: &mut DbConn, id: &GrantId, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        access_grant::table
            .filter(access_grant::id.eq(id.as_str()))
            .filter(access_grant::end_told_at.is_null()),
    )
    .set(access_grant::end_told_at.eq(now.0))
    .execute(conn)?;
    let usable: i64 = token::table
        .filter(token::grant_id.eq(id.as_str()))
        .filter(token::kind.eq(TokenKind::Refresh.as_text()))
        .filter(token::state.eq(TokenState::Live.as_text()))
        .filter(token::expires_at.gt(now.0))
        .count()
        .get_result(conn)?;
    Ok(changed == 1 && usable > 0)
}

/// Counts a refresh; returns the new count (SPID/CIE TK-7). `None`: unknown.
///
/// # Errors
/// The database's.
pub fn increment_refresh_count(conn: &mut DbConn, id: &GrantId) -> Result<Option<i64>, StoreError> {
    Ok(
        diesel::update(access_grant::table.filter(access_grant::id.eq(id.as_str())))
            .set(access_grant::refresh_count.eq(access_grant::refresh_count + 1))
            .returning(access_grant::refresh_count)
            .get_result(conn)
            .optional()?,
    )
}

fn revoke_what_came_of(conn: &mut DbConn, id: &str, now: UtcTime) -> Result<(), StoreError> {
    diesel::update(
        token::table
            .filter(token::grant_id.eq(id))
            .filter(token::state.eq(TokenState::Live.as_text())),
    )
    .set(token::state.eq(TokenState::Revoked.as_text()))
    .execute(conn)?;
    login_event::revoke(conn, &GrantId::new(id), now)?;
    Ok(())
}
