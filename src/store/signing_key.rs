//! Key rings. Every change raises the version that all nodes poll, in the same transaction.

use super::column::{Row, TextEnum};
use super::schema::{revision, signing_key};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{IssuerId, StoredKey};
use diesel::prelude::*;

const KEYRING: &str = "keyring";

#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_key)]
struct SigningKeyRow {
    issuer: String,
    kid: String,
    ring: String,
    key_usage: String,
    kind: String,
    sealed: Vec<u8>,
    public_jwk: String,
    created_at: i64,
    activates_at: i64,
    retired_at: Option<i64>,
    ends_at: Option<i64>,
}

impl SigningKeyRow {
    fn decode(self) -> Result<StoredKey, StoreError> {
        let row = Row {
            table: "signing_key",
            key: &self.kid,
        };
        Ok(StoredKey {
            ring: row.text_enum("ring", &self.ring)?,
            kid: self.kid,
            issuer: IssuerId::new(self.issuer),
            usage: self.key_usage,
            kind: self.kind,
            sealed: self.sealed,
            public_jwk: self.public_jwk,
            created_at: UtcTime(self.created_at),
            activates_at: UtcTime(self.activates_at),
            retired_at: self.retired_at.map(UtcTime),
            ends_at: self.ends_at.map(UtcTime),
        })
    }
}

/// Adds a key.
///
/// # Errors
/// [`StoreError::is_duplicate`] when the issuer has this `kid`.
pub fn insert(conn: &mut DbConn, new: &StoredKey) -> Result<(), StoreError> {
    diesel::insert_into(signing_key::table)
        .values((
            signing_key::issuer.eq(new.issuer.as_str()),
            signing_key::kid.eq(&new.kid),
            signing_key::ring.eq(new.ring.as_text()),
            signing_key::key_usage.eq(&new.usage),
            signing_key::kind.eq(&new.kind),
            signing_key::sealed.eq(&new.sealed),
            signing_key::public_jwk.eq(&new.public_jwk),
            signing_key::created_at.eq(new.created_at.0),
            signing_key::activates_at.eq(new.activates_at.0),
            signing_key::retired_at.eq(new.retired_at.map(i64::from)),
            signing_key::ends_at.eq(new.ends_at.map(i64::from)),
        ))
        .execute(conn)?;
    raise_version(conn)
}

/// Every key of an issuer, also those that have ended (historical keys), oldest first.
///
/// # Errors
/// The database's.
pub fn search(conn: &mut DbConn, issuer: &IssuerId) -> Result<Vec<StoredKey>, StoreError> {
    let rows: Vec<SigningKeyRow> = signing_key::table
        .filter(signing_key::issuer.eq(issuer.as_str()))
        .select(SigningKeyRow::as_select())
        .order((signing_key::created_at, signing_key::kid))
        .load(conn)?;
    rows.into_iter().map(SigningKeyRow::decode).collect()
}

/// Sets from when a key signs. False: unknown.
///
/// # Errors
/// The database's.
pub fn set_activation(
    conn: &mut DbConn,
    issuer: &IssuerId,
    kid: &str,
    activates_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(signing_key::table.find((issuer.as_str(), kid)))
        .set(signing_key::activates_at.eq(activates_at.0))
        .execute(conn)?;
    raise_version(conn)?;
    Ok(changed == 1)
}

/// Sets from when a key no longer signs. False: unknown.
///
/// # Errors
/// The database's.
pub fn retire(
    conn: &mut DbConn,
    issuer: &IssuerId,
    kid: &str,
    retired_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(signing_key::table.find((issuer.as_str(), kid)))
        .set(signing_key::retired_at.eq(retired_at.0))
        .execute(conn)?;
    raise_version(conn)?;
    Ok(changed == 1)
}

/// Sets from when a key leaves the published sets. False: unknown.
///
/// # Errors
/// The database's.
pub fn end(
    conn: &mut DbConn,
    issuer: &IssuerId,
    kid: &str,
    ends_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(signing_key::table.find((issuer.as_str(), kid)))
        .set(signing_key::ends_at.eq(ends_at.0))
        .execute(conn)?;
    raise_version(conn)?;
    Ok(changed == 1)
}

/// A number that grows with every change of any key.
///
/// # Errors
/// The database's.
pub fn keyring_version(conn: &mut DbConn) -> Result<i64, StoreError> {
    Ok(revision::table
        .find(KEYRING)
        .select(revision::number)
        .get_result(conn)?)
}

fn raise_version(conn: &mut DbConn) -> Result<(), StoreError> {
    diesel::update(revision::table.find(KEYRING))
        .set(revision::number.eq(revision::number + 1))
        .execute(conn)?;
    Ok(())
}
