//! Relying parties.

use super::column::{Row, TextEnum, can_be_stored, text_enum, to_json};
use super::connection::on_backend;
use super::renewal::Due;
use super::schema::client;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId, Origin, RelyingParty};
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
            issuer: IssuerId::new(self.issuer),
            client_id: ClientId::new(self.client_id),
            enabled: self.enabled,
            updated_at: UtcTime(self.updated_at),
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

/// Adds or replaces an RP. One that is there keeps `enabled` as the operator set it, whatever `party` says; returns it.
///
/// # Errors
/// The database's.
pub fn upsert(conn: &mut DbConn, party: &RelyingParty) -> Result<bool, StoreError> {
    let kind = match &party.origin {
        Origin::Federation(_) => OriginKind::Federation,
        Origin::Explicit(_) => OriginKind::Explicit,
        Origin::Registered => OriginKind::Registered,
    };
    let trust = party.origin.trust();
    let expires_at = trust.map(|trust| trust.expires_at.0);
    let trust = trust.map(to_json).transpose()?;
    let metadata = to_json(&party.metadata)?;
    let jwks = to_json(&party.jwks)?;
    let replaced = (
        client::origin.eq(kind.as_text()),
        client::metadata.eq(&metadata),
        client::jwks.eq(&jwks),
        client::trust.eq(trust.as_deref()),
        client::expires_at.eq(expires_at),
        client::updated_at.eq(party.updated_at.0),
    );
    let enabled = on_backend!(conn, c => diesel::insert_into(client::table)
        .values((
            client::issuer.eq(party.issuer.as_str()),
            client::client_id.eq(party.client_id.as_str()),
            client::enabled.eq(party.enabled),
            replaced,
        ))
        .on_conflict((client::issuer, client::client_id))
        .do_update()
        .set(replaced)
        .returning(client::enabled)
        .get_result(c))?;
    Ok(enabled)
}

/// Replaces the keys of an RP that is known, and nothing else of it; the row as it is then, `None` when there is none.
///
/// # Errors
/// The database's.
pub fn replace_keys(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    jwks: &serde_json::Value,
    now: UtcTime,
) -> Result<Option<RelyingParty>, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(None);
    }
    diesel::update(
        client::table
            .filter(client::issuer.eq(issuer.as_str()))
            .filter(client::client_id.eq(client_id.as_str())),
    )
    .set((
        client::jwks.eq(to_json(jwks)?),
        client::updated_at.eq(now.0),
    ))
    .execute(conn)?;
    find(conn, issuer, client_id)
}

/// A page of an issuer's RPs, by `client_id` byte for byte, after the one where the last page ended.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    issuer: &IssuerId,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<Vec<RelyingParty>, StoreError> {
    let after = after
        .map(ClientId::as_str)
        .filter(|after| can_be_stored(after))
        .unwrap_or_default();
    let rows: Vec<ClientRow> = client::table
        .filter(client::issuer.eq(issuer.as_str()))
        .filter(client::client_id.gt(after))
        .select(ClientRow::as_select())
        .order(client::client_id)
        .limit(i64::from(limit))
        .load(conn)?;
    rows.into_iter().map(ClientRow::decode).collect()
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
    let deleted = diesel::delete(
        client::table
            .filter(client::issuer.eq(due.issuer.as_str()))
            .filter(client::client_id.eq(due.client_id.as_str()))
            .filter(client::updated_at.eq(due.updated_at.0))
            .filter(client::enabled.eq(true)),
    )
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
