//! The citizen's history. Every function that shows it to citizens takes the person, so that nobody sees another's.

use super::column::{Row, can_be_stored, free_text, to_json};
use super::connection::on_backend;
use super::keyset::{Page, TimeCursor, fetched, newest_first};
use super::schema::login_event;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, ClientId, GrantId, HistoryFilter, IssuerId, LoginEvent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// RPs offered as choices of the filter: more make no menu.
const MAX_CHOICES: i64 = 200;
/// From one RP of the person to the next, by the index of its events: what a person has is not read through. The name is the
/// last one that the RP had.
const CHOICES: &str = "WITH RECURSIVE choice (client_id, place) AS \
    (SELECT min(client_id), 1 FROM login_event WHERE issuer = $1 AND account_id = $2 \
    UNION ALL SELECT (SELECT min(e.client_id) FROM login_event e \
    WHERE e.issuer = $1 AND e.account_id = $2 AND e.client_id > choice.client_id), choice.place + 1 \
    FROM choice WHERE choice.client_id IS NOT NULL AND choice.place < $3) \
    SELECT client_id, (SELECT e.rp_name FROM login_event e WHERE e.issuer = $1 AND e.account_id = $2 \
    AND e.client_id = choice.client_id ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS rp_name \
    FROM choice WHERE client_id IS NOT NULL";

#[derive(Queryable, Selectable)]
#[diesel(table_name = login_event)]
pub(super) struct LoginEventRow {
    id: String,
    issuer: String,
    account_id: String,
    client_id: String,
    rp_name: String,
    acr: String,
    attributes: String,
    browser: String,
    address: String,
    occurred_at: i64,
    grant_id: String,
    access_until: i64,
    revoked_at: Option<i64>,
}

impl LoginEventRow {
    fn decode(self) -> Result<LoginEvent, StoreError> {
        let row = Row {
            table: "login_event",
            key: &self.id,
        };
        Ok(LoginEvent {
            attributes: row.json("attributes", &self.attributes)?,
            id: self.id,
            issuer: IssuerId::new(self.issuer),
            account: AccountId::new(self.account_id),
            client_id: ClientId::new(self.client_id),
            rp_name: self.rp_name,
            acr: self.acr,
            browser: self.browser,
            address: self.address,
            occurred_at: UtcTime(self.occurred_at),
            grant: GrantId::new(self.grant_id),
            access_until: UtcTime(self.access_until),
            revoked_at: self.revoked_at.map(UtcTime),
        })
    }
}

#[derive(QueryableByName)]
struct ChoiceRow {
    #[diesel(sql_type = Text)]
    client_id: String,
    #[diesel(sql_type = Text)]
    rp_name: String,
}

/// An RP that occurs in a person's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpChoice {
    /// Its key.
    pub client_id: ClientId,
    /// The last name that it had.
    pub rp_name: String,
}

/// Whose history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryOwner<'a> {
    /// At which issuer.
    pub issuer: &'a IssuerId,
    /// Who.
    pub account: &'a AccountId,
}

/// Adds an event.
///
/// # Errors
/// The database's; the account must exist.
pub fn insert(conn: &mut DbConn, new: &LoginEvent) -> Result<(), StoreError> {
    diesel::insert_into(login_event::table)
        .values((
            login_event::id.eq(&new.id),
            login_event::issuer.eq(new.issuer.as_str()),
            login_event::account_id.eq(new.account.as_str()),
            login_event::client_id.eq(new.client_id.as_str()),
            login_event::rp_name.eq(free_text(&new.rp_name)),
            login_event::acr.eq(&new.acr),
            login_event::attributes.eq(to_json(&new.attributes)?),
            login_event::browser.eq(free_text(&new.browser)),
            login_event::address.eq(free_text(&new.address)),
            login_event::occurred_at.eq(new.occurred_at.0),
            login_event::grant_id.eq(new.grant.as_str()),
            login_event::access_until.eq(new.access_until.0),
            login_event::revoked_at.eq(new.revoked_at.map(i64::from)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The query of [`search`], for either backend; a macro, since diesel's boxed types name theirs.
macro_rules! history_query {
    ($owner:expr, $filter:expr, $after:expr, $limit:expr) => {{
        use $crate::store::schema::login_event as table;
        let mut query = table::table
            .filter(table::issuer.eq($owner.issuer.as_str()))
            .filter(table::account_id.eq($owner.account.as_str()))
            .select($crate::store::login_event::LoginEventRow::as_select())
            .into_boxed();
        if let Some(client_id) = &$filter.client_id {
            query = query.filter(table::client_id.eq(client_id.as_str()));
        }
        if let Some(from) = $filter.from {
            query = query.filter(table::occurred_at.ge(from.0));
        }
        if let Some(until) = $filter.until {
            query = query.filter(table::occurred_at.lt(until.0));
        }
        $crate::store::keyset::newest_first!(query, table.occurred_at, $after, $limit)
    }};
}
#[cfg(test)]
pub(super) use history_query;

/// A page of a person's history, newest first, after the page that ended at `after`.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    owner: HistoryOwner<'_>,
    filter: &HistoryFilter,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<LoginEvent>, StoreError> {
    let unanswerable = filter
        .client_id
        .iter()
        .map(ClientId::as_str)
        .chain(after.iter().map(|cursor| cursor.id.as_str()))
        .any(|text| !can_be_stored(text));
    if unanswerable {
        return Ok(Page::empty());
    }
    let rows: Vec<LoginEventRow> = on_backend!(conn, c => {
        history_query!(owner, filter, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, LoginEventRow::decode, cursor_of)
}

fn cursor_of(last: &LoginEvent) -> TimeCursor {
    TimeCursor {
        key: last.occurred_at,
        id: last.id.clone(),
    }
}

/// Whose events an operator looks at; a person's are [`search`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventsOf {
    /// Everybody's.
    All,
    /// An issuer's.
    Issuer(IssuerId),
    /// An RP's at an issuer.
    Client(IssuerId, ClientId),
    /// A person's, at every issuer.
    Account(AccountId),
}

/// A page of the last events, newest first: for operators only.
///
/// # Errors
/// The database's.
pub fn search_recent(
    conn: &mut DbConn,
    of: &EventsOf,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<LoginEvent>, StoreError> {
    let (issuer, client_id, account) = match of {
        EventsOf::All => (None, None, None),
        EventsOf::Issuer(issuer) => (Some(issuer), None, None),
        EventsOf::Client(issuer, client_id) => (Some(issuer), Some(client_id), None),
        EventsOf::Account(account) => (None, None, Some(account)),
    };
    if client_id.is_some_and(|client_id| !can_be_stored(client_id.as_str())) {
        return Ok(Page::empty());
    }
    let rows: Vec<LoginEventRow> = on_backend!(conn, c => {
        let mut query = login_event::table
            .select(LoginEventRow::as_select())
            .into_boxed();
        if let Some(issuer) = issuer {
            query = query.filter(login_event::issuer.eq(issuer.as_str()));
        }
        if let Some(client_id) = client_id {
            query = query.filter(login_event::client_id.eq(client_id.as_str()));
        }
        if let Some(account) = account {
            query = query.filter(login_event::account_id.eq(account.as_str()));
        }
        newest_first!(query, login_event.occurred_at, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, LoginEventRow::decode, cursor_of)
}

/// The RPs that occur in a person's history, at most 200, by name.
///
/// # Errors
/// The database's.
pub fn rp_choices(conn: &mut DbConn, owner: HistoryOwner<'_>) -> Result<Vec<RpChoice>, StoreError> {
    let found: Vec<ChoiceRow> = on_backend!(conn, c => diesel::sql_query(CHOICES)
        .bind::<Text, _>(owner.issuer.as_str())
        .bind::<Text, _>(owner.account.as_str())
        .bind::<BigInt, _>(MAX_CHOICES)
        .load(c))?;
    let mut choices: Vec<RpChoice> = found
        .into_iter()
        .map(|row| RpChoice {
            client_id: ClientId::new(row.client_id),
            rp_name: row.rp_name,
        })
        .collect();
    choices.sort_by(|one, other| {
        (&one.rp_name, &one.client_id).cmp(&(&other.rp_name, &other.client_id))
    });
    Ok(choices)
}

/// What the RP of a grant was called when the person allowed it.
///
/// # Errors
/// The database's.
pub fn rp_name_of(conn: &mut DbConn, grant: &GrantId) -> Result<Option<String>, StoreError> {
    let found: Vec<String> = login_event::table
        .filter(login_event::grant_id.eq(grant.as_str()))
        .select(login_event::rp_name)
        .limit(1)
        .load(conn)?;
    Ok(found.into_iter().next())
}

/// A token of the grant lives until then: moves the end of the access later, never earlier.
///
/// # Errors
/// The database's.
pub fn extend_access(conn: &mut DbConn, grant: &GrantId, until: UtcTime) -> Result<(), StoreError> {
    diesel::update(
        login_event::table
            .filter(login_event::grant_id.eq(grant.as_str()))
            .filter(login_event::access_until.lt(until.0)),
    )
    .set(login_event::access_until.eq(until.0))
    .execute(conn)?;
    Ok(())
}

/// The access of a grant was revoked; one that had ended by itself stays as it is. Returns how many events.
///
/// # Errors
/// The database's.
pub fn revoke(conn: &mut DbConn, grant: &GrantId, now: UtcTime) -> Result<usize, StoreError> {
    Ok(diesel::update(
        login_event::table
            .filter(login_event::grant_id.eq(grant.as_str()))
            .filter(login_event::revoked_at.is_null())
            .filter(login_event::access_until.gt(now.0)),
    )
    .set(login_event::revoked_at.eq(now.0))
    .execute(conn)?)
}
