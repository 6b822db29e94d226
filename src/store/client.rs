//! Relying parties.

mod list;

pub use list::{
    ClientCursor, ClientFilter, ClientOrder, ClientOrigin, ClientSort, ClientState, EndingChain,
    metadata_of, search, search_ending,
};

use super::column::{Row, TextEnum, can_be_stored, text_enum, to_json};
use super::connection::on_backend;
use super::renewal::Due;
use super::schema::{client, renewal};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId, Origin, RelyingParty, RpToleranceOverride};
use diesel::prelude::*;

/// [`Origin`] without its data.
#[derive(Clone, Copy)]
pub(super) enum OriginKind {
    Federation,
    Explicit,
    Registered,
}

text_enum!(OriginKind { Federation => "federation", Explicit => "explicit", Registered => "registered" });

#[derive(Queryable, Selectable)]
#[diesel(table_name = client)]
struct ClientRow {
    issuer: String,
    client_id: String,
    origin: String,
    metadata: String,
    jwks: String,
    trust: Option<String>,
    enabled: bool,
    updated_at: i64,
    tolerance: Option<String>,
}

impl ClientRow {
    fn decode(self) -> Result<RelyingParty, StoreError> {
        let row = Row {
            table: "client",
            key: &self.client_id,
        };
        let trust = || {
            let trust = self.trust.as_deref().ok_or_else(|| row.corrupt("trust"))?;
            row.json("trust", trust)
        };
        let origin = match row.text_enum("origin", &self.origin)? {
            OriginKind::Federation => Origin::Federation(trust()?),
            OriginKind::Explicit => Origin::Explicit(trust()?),
            OriginKind::Registered => Origin::Registered,
        };
        Ok(RelyingParty {
            metadata: row.json("metadata", &self.metadata)?,
            jwks: row.json("jwks", &self.jwks)?,
            origin,
            tolerance: match &self.tolerance {
                Some(text) => row.json("tolerance", text)?,
                None => RpToleranceOverride::default(),
            },
            issuer: IssuerId::new(self.issuer),
            client_id: ClientId::new(self.client_id),
            enabled: self.enabled,
            updated_at: UtcTime(self.updated_at),
        })
    }
}

/// What another registration of the same RP replaces.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = client, treat_none_as_null = true)]
struct Replaced {
    origin: &'static str,
    metadata: String,
    jwks: String,
    trust: Option<String>,
    expires_at: Option<i64>,
    updated_at: i64,
}

impl Replaced {
    fn of(party: &RelyingParty) -> Result<Self, StoreError> {
        let kind = match &party.origin {
            Origin::Federation(_) => OriginKind::Federation,
            Origin::Explicit(_) => OriginKind::Explicit,
            Origin::Registered => OriginKind::Registered,
        };
        let trust = party.origin.trust();
        Ok(Self {
            origin: kind.as_text(),
            metadata: to_json(&party.metadata)?,
            jwks: to_json(&party.jwks)?,
            expires_at: trust.map(|trust| trust.expires_at.0),
            trust: trust.map(to_json).transpose()?,
            updated_at: party.updated_at.0,
        })
    }
}

/// The RP of this `client_id`, also when it is switched off or its trust chain has expired: the caller judges.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<Option<RelyingParty>, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(None);
    }
    client::table
        .filter(client::issuer.eq(issuer.as_str()))
        .filter(client::client_id.eq(client_id.as_str()))
        .select(ClientRow::as_select())
        .get_result(conn)
        .optional()?
        .map(ClientRow::decode)
        .transpose()
}

/// What an operator tolerates of an RP; nothing beyond the configuration of one that is not known.
///
/// # Errors
/// The database's.
pub fn find_tolerance(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<RpToleranceOverride, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(RpToleranceOverride::default());
    }
    let text: Option<Option<String>> = client::table
        .find((issuer.as_str(), client_id.as_str()))
        .select(client::tolerance)
        .get_result(conn)
        .optional()?;
    let row = Row {
        table: "client",
        key: client_id.as_str(),
    };
    match text.flatten() {
        Some(text) => row.json("tolerance", &text),
        None => Ok(RpToleranceOverride::default()),
    }
}

/// Adds or replaces an RP. One that is there keeps `enabled` and `tolerance` as an operator set them, whatever `party` says;
/// returns the former.
///
/// # Errors
/// The database's.
pub fn upsert(conn: &mut DbConn, party: &RelyingParty) -> Result<bool, StoreError> {
    let replaced = Replaced::of(party)?;
    let enabled = on_backend!(conn, c => diesel::insert_into(client::table)
        .values((
            client::issuer.eq(party.issuer.as_str()),
            client::client_id.eq(party.client_id.as_str()),
            client::enabled.eq(party.enabled),
            &replaced,
        ))
        .on_conflict((client::issuer, client::client_id))
        .do_update()
        .set(&replaced)
        .returning(client::enabled)
        .get_result(c))?;
    Ok(enabled)
}

/// Adds an RP, or replaces the one that is there if `judge` lets it; what `judge` answered, `None` when there was nothing to
/// judge. Whoever registers the same RP at the same time, on any node, waits until this transaction has ended, and is then
/// judged by what it wrote.
///
/// # Errors
/// What `judge` refuses, upon which the transaction must be given up; the database's.
pub fn insert_or_replace<T, E: From<StoreError>>(
    conn: &mut DbConn,
    party: &RelyingParty,
    judge: impl FnOnce(&RelyingParty) -> Result<T, E>,
) -> Result<Option<T>, E> {
    let judged = match insert_or_lock(conn, party)? {
        Some(current) => Some(judge(&current)?),
        None => None,
    };
    upsert(conn, party)?;
    Ok(judged)
}

/// The RP that is there, locked until the transaction ends; else the row that is added keeps others out.
fn insert_or_lock(
    conn: &mut DbConn,
    party: &RelyingParty,
) -> Result<Option<RelyingParty>, StoreError> {
    let added = Replaced::of(party)?;
    let inserted = on_backend!(conn, c => diesel::insert_into(client::table)
        .values((
            client::issuer.eq(party.issuer.as_str()),
            client::client_id.eq(party.client_id.as_str()),
            client::enabled.eq(party.enabled),
            &added,
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    if inserted == 1 {
        return Ok(None);
    }
    // A transaction that writes is alone on SQLite.
    if let DbConn::Postgres(c) = conn {
        client::table
            .filter(client::issuer.eq(party.issuer.as_str()))
            .filter(client::client_id.eq(party.client_id.as_str()))
            .select(client::client_id)
            .for_update()
            .get_result::<String>(c)
            .optional()?;
    }
    find(conn, &party.issuer, &party.client_id)
}

/// Replaces the keys of an RP that is known, and nothing else of it; the row as it is then, `None` when it is not the one
/// that was `read` any more: who was resolved anew meanwhile may have said that its keys are elsewhere.
///
/// # Errors
/// The database's.
pub fn replace_keys(
    conn: &mut DbConn,
    read: &RelyingParty,
    jwks: &serde_json::Value,
    now: UtcTime,
) -> Result<Option<RelyingParty>, StoreError> {
    let (issuer, client_id) = (&read.issuer, &read.client_id);
    // Two rows of one second differ in what they say.
    let current = find(conn, issuer, client_id)?;
    let is_another = |current: RelyingParty| {
        current.origin != read.origin || current.metadata.jwks_uri != read.metadata.jwks_uri
    };
    if current.is_none_or(is_another) {
        return Ok(None);
    }
    let replaced = diesel::update(
        client::table
            .filter(client::issuer.eq(issuer.as_str()))
            .filter(client::client_id.eq(client_id.as_str()))
            .filter(client::updated_at.eq(read.updated_at.0)),
    )
    .set((
        client::jwks.eq(to_json(jwks)?),
        client::updated_at.eq(now.0),
    ))
    .execute(conn)?;
    match replaced {
        0 => Ok(None),
        _ => find(conn, issuer, client_id),
    }
}

/// Switches an RP on or off; false when there is no such RP.
///
/// # Errors
/// The database's.
pub fn set_enabled(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
    enabled: bool,
) -> Result<bool, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        client::table
            .filter(client::issuer.eq(issuer.as_str()))
            .filter(client::client_id.eq(client_id.as_str())),
    )
    .set(client::enabled.eq(enabled))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Removes an RP that lost its authorization, unless it was resolved anew meanwhile or switched off by the operator,
/// which must not be forgotten. False when there is nothing to remove.
///
/// # Errors
/// The database's.
pub fn withdraw(conn: &mut DbConn, due: &Due) -> Result<bool, StoreError> {
    let key = (due.issuer.as_str(), due.client_id.as_str());
    // Who resolves it anew writes this row first: so that is over, or waits. SQLite has one writer at a time.
    if let DbConn::Postgres(c) = conn {
        let row = client::table.find(key).select(client::enabled).for_update();
        let _locked: Option<bool> = row.get_result(c).optional()?;
    }
    let resolved_at: Option<i64> = renewal::table
        .find(key)
        .select(renewal::resolved_at)
        .get_result(conn)
        .optional()?;
    if resolved_at != Some(due.resolved_at.0) {
        return Ok(false);
    }
    let deleted = diesel::delete(client::table.find(key))
        .filter(client::enabled.eq(true))
        .execute(conn)?;
    Ok(deleted == 1)
}

/// Removes an RP; its grants and history stay. False when there is no such RP.
///
/// # Errors
/// The database's.
pub fn delete(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<bool, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(false);
    }
    let deleted = diesel::delete(
        client::table
            .filter(client::issuer.eq(issuer.as_str()))
            .filter(client::client_id.eq(client_id.as_str())),
    )
    .execute(conn)?;
    Ok(deleted == 1)
}
