//! The list of relying parties, as an operator searches it.

use super::{ClientRow, OriginKind};
use crate::clock::UtcTime;
use crate::model::{ClientId, ClientMetadata, IssuerId, RelyingParty};
use crate::store::column::{Row, TextEnum as _, can_be_stored};
use crate::store::connection::on_backend;
use crate::store::keyset::{Page, containing, fetched};
use crate::store::schema::client;
use crate::store::{DbConn, StoreError};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod sql {
    use diesel::sql_types::Text;

    diesel::define_sql_function! {
        /// ASCII on both databases: the columns compare byte by byte.
        fn lower(text: Text) -> Text;
    }
}

/// What an RP can be at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// On, and known.
    Active,
    /// Switched off by an operator.
    Disabled,
    /// Its trust chain has ended.
    Ended,
}

/// How an RP came to be known: [`crate::model::Origin`] without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientOrigin {
    /// Automatic registration.
    Federation,
    /// Explicit registration.
    Explicit,
    /// By an operator.
    Registered,
}

/// Which RPs to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Only those known to this issuer.
    pub issuer: Option<IssuerId>,
    /// Only those that are so at this time.
    pub state: Option<(ClientState, UtcTime)>,
    /// Only those that came to be known so.
    pub origin: Option<ClientOrigin>,
    /// Only those of whose names, in any language, or whose `client_id` contains this, whatever the case of letters.
    pub text: String,
}

/// What the list is ordered by; then by `client_id` and issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientSort {
    /// `client_id`, byte by byte.
    #[default]
    ClientId,
    /// The names in lower case, the Italian one first.
    Name,
    /// When the row was last written.
    Change,
}

/// In which order to show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientOrder {
    /// By what.
    pub by: ClientSort,
    /// The last ones first.
    pub descending: bool,
}

/// Where a page of RPs ended. One of another order begins at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCursor {
    key: CursorKey,
    client_id: String,
    issuer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum CursorKey {
    ClientId,
    Name(String),
    Change(i64),
}

/// The filter as the database understands it.
struct Wanted<'a> {
    issuer: Option<&'a str>,
    state: Option<(ClientState, UtcTime)>,
    origin: Option<&'static str>,
    pattern: Option<String>,
    after: Option<&'a ClientCursor>,
    limit: i64,
}

/// The keys of one order and direction: an index has all that is read for them, which rows that many are passed by have not.
/// A macro, since every column and direction is a type of its own to diesel.
macro_rules! keys {
    ($c:expr, $wanted:expr, $order:expr, ($query:ident, $after:ident) => $past:expr) => {{
        let wanted: &Wanted<'_> = $wanted;
        let mut query = client::table
            .select((client::issuer, client::client_id))
            .order($order)
            .limit(wanted.limit)
            .into_boxed();
        if let Some(issuer) = wanted.issuer {
            query = query.filter(client::issuer.eq(issuer));
        }
        match wanted.state {
            None => {}
            Some((ClientState::Disabled, _)) => query = query.filter(client::enabled.eq(false)),
            Some((ClientState::Ended, now)) => query = query.filter(client::expires_at.le(now.0)),
            Some((ClientState::Active, now)) => {
                query = query.filter(client::enabled.eq(true)).filter(
                    client::expires_at
                        .is_null()
                        .or(client::expires_at.gt(now.0)),
                );
            }
        }
        if let Some(origin) = wanted.origin {
            query = query.filter(client::origin.eq(origin));
        }
        if let Some(pattern) = &wanted.pattern {
            let in_name = client::display_name.like(pattern).escape('\\');
            let in_id = sql::lower(client::client_id).like(pattern).escape('\\');
            query = query.filter(in_name.or(in_id));
        }
        if let Some($after) = wanted.after {
            let $query = query;
            query = $past;
        }
        query.load($c)
    }};
}

/// Ordered by `client_id`, then issuer.
macro_rules! by_id {
    ($c:expr, $wanted:expr, $dir:ident, $past:ident, $from:ident) => {
        keys!($c, $wanted, (client::client_id.$dir(), client::issuer.$dir()), (query, after) => query
            .filter(client::client_id.$from(&after.client_id))
            .filter(client::client_id.$past(&after.client_id).or(client::issuer.$past(&after.issuer))))
    };
}

/// Ordered by another column, then `client_id`, then issuer.
macro_rules! by_key {
    ($c:expr, $wanted:expr, ($column:ident, $key:pat => $value:expr), $dir:ident, $past:ident, $from:ident) => {
        keys!(
            $c,
            $wanted,
            (client::$column.$dir(), client::client_id.$dir(), client::issuer.$dir()),
            (query, after) => if let $key = &after.key {
                query.filter(client::$column.$from($value)).filter(
                    client::$column
                        .$past($value)
                        .or(client::client_id.$past(&after.client_id))
                        .or(client::client_id
                            .eq(&after.client_id)
                            .and(client::issuer.$past(&after.issuer))),
                )
            } else {
                query
            }
        )
    };
}

/// An issuer and a `client_id`.
type Key = (String, String);
type Keys = Result<Vec<Key>, StoreError>;

fn id_up(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(on_backend!(conn, c => by_id!(c, wanted, asc, gt, ge))?)
}

fn id_down(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(on_backend!(conn, c => by_id!(c, wanted, desc, lt, le))?)
}

fn name_up(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(
        on_backend!(conn, c => by_key!(c, wanted, (display_name, CursorKey::Name(name) => name), asc, gt, ge))?,
    )
}

fn name_down(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(
        on_backend!(conn, c => by_key!(c, wanted, (display_name, CursorKey::Name(name) => name), desc, lt, le))?,
    )
}

fn change_up(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(
        on_backend!(conn, c => by_key!(c, wanted, (updated_at, CursorKey::Change(at) => *at), asc, gt, ge))?,
    )
}

fn change_down(conn: &mut DbConn, wanted: &Wanted<'_>) -> Keys {
    Ok(
        on_backend!(conn, c => by_key!(c, wanted, (updated_at, CursorKey::Change(at) => *at), desc, lt, le))?,
    )
}

/// A page of the RPs.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    filter: &ClientFilter,
    order: ClientOrder,
    after: Option<&ClientCursor>,
    limit: u32,
) -> Result<Page<RelyingParty, ClientCursor>, StoreError> {
    if !can_be_stored(&filter.text) {
        return Ok(Page::empty());
    }
    let text = filter.text.trim().to_ascii_lowercase();
    let wanted = &Wanted {
        issuer: filter.issuer.as_ref().map(IssuerId::as_str),
        state: filter.state,
        origin: filter.origin.map(origin_text),
        pattern: (!text.is_empty()).then(|| containing(&text)),
        after: after.filter(|after| after.is_of(order.by)),
        limit: fetched(limit),
    };
    let mut keys = match (order.by, order.descending) {
        (ClientSort::ClientId, false) => id_up(conn, wanted),
        (ClientSort::ClientId, true) => id_down(conn, wanted),
        (ClientSort::Name, false) => name_up(conn, wanted),
        (ClientSort::Name, true) => name_down(conn, wanted),
        (ClientSort::Change, false) => change_up(conn, wanted),
        (ClientSort::Change, true) => change_down(conn, wanted),
    }?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = keys.len() > size;
    keys.truncate(size);
    let mut found = rows_of(conn, &keys)?;
    // One that was removed meanwhile is not there any more.
    let rows: Vec<(RelyingParty, String)> =
        keys.iter().filter_map(|key| found.remove(key)).collect();
    let next = rows
        .last()
        .filter(|_| more)
        .map(|(last, name)| ClientCursor {
            key: match order.by {
                ClientSort::ClientId => CursorKey::ClientId,
                ClientSort::Name => CursorKey::Name(name.clone()),
                ClientSort::Change => CursorKey::Change(last.updated_at.0),
            },
            client_id: last.client_id.as_str().to_owned(),
            issuer: last.issuer.as_str().to_owned(),
        });
    Ok(Page {
        rows: rows.into_iter().map(|(party, _)| party).collect(),
        next,
    })
}

/// The rows of some keys with the names by which they are ordered.
fn rows_of(
    conn: &mut DbConn,
    keys: &[Key],
) -> Result<BTreeMap<Key, (RelyingParty, String)>, StoreError> {
    let ids: Vec<&str> = keys.iter().map(|(_, id)| id.as_str()).collect();
    // One may be known to other issuers, too: these are few.
    let rows: Vec<(ClientRow, String)> = client::table
        .filter(client::client_id.eq_any(ids))
        .select((ClientRow::as_select(), client::display_name))
        .load(conn)?;
    let mut found = BTreeMap::new();
    for (row, name) in rows {
        let key = (row.issuer.clone(), row.client_id.clone());
        if keys.contains(&key) {
            found.insert(key, (row.decode()?, name));
        }
    }
    Ok(found)
}

impl ClientCursor {
    fn is_of(&self, order: ClientSort) -> bool {
        matches!(
            (&self.key, order),
            (CursorKey::ClientId, ClientSort::ClientId)
                | (CursorKey::Name(_), ClientSort::Name)
                | (CursorKey::Change(_), ClientSort::Change)
        )
    }
}

fn origin_text(origin: ClientOrigin) -> &'static str {
    match origin {
        ClientOrigin::Federation => OriginKind::Federation,
        ClientOrigin::Explicit => OriginKind::Explicit,
        ClientOrigin::Registered => OriginKind::Registered,
    }
    .as_text()
}

/// An RP whose trust chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingChain {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// The RP.
    pub client_id: ClientId,
    /// When the chain ends.
    pub expires_at: UtcTime,
}

/// RPs that are on and whose trust chain ends between two times, the next one first.
///
/// # Errors
/// The database's.
pub fn search_ending(
    conn: &mut DbConn,
    (from, until): (UtcTime, UtcTime),
    limit: u32,
) -> Result<Vec<EndingChain>, StoreError> {
    let rows: Vec<(String, String, Option<i64>)> = client::table
        .filter(client::expires_at.gt(from.0))
        .filter(client::expires_at.le(until.0))
        .filter(client::enabled.eq(true))
        .select((client::issuer, client::client_id, client::expires_at))
        .order(client::expires_at)
        .limit(i64::from(limit))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(issuer, client_id, expires_at)| {
            Some(EndingChain {
                issuer: IssuerId::new(issuer),
                client_id: ClientId::new(client_id),
                expires_at: UtcTime(expires_at?),
            })
        })
        .collect())
}

/// What some RPs say of themselves, by what tells them apart; nothing of those that are not known.
///
/// # Errors
/// The database's.
pub fn metadata_of(
    conn: &mut DbConn,
    clients: &[(IssuerId, ClientId)],
) -> Result<BTreeMap<(IssuerId, ClientId), ClientMetadata>, StoreError> {
    let ids: Vec<&str> = clients.iter().map(|(_, id)| id.as_str()).collect();
    // One may be known to other issuers, too: these are few.
    let rows: Vec<(String, String, String)> = client::table
        .filter(client::client_id.eq_any(ids))
        .select((client::issuer, client::client_id, client::metadata))
        .load(conn)?;
    let mut found = BTreeMap::new();
    for (issuer, client_id, metadata) in rows {
        let row = Row {
            table: "client",
            key: &client_id,
        };
        let metadata = row.json("metadata", &metadata)?;
        found.insert((IssuerId::new(issuer), ClientId::new(client_id)), metadata);
    }
    found.retain(|known, _| clients.contains(known));
    Ok(found)
}
