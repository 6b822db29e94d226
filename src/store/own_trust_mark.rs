//! The issuers' own trust marks as their issuers gave them on request. Every change raises the version that all nodes
//! poll, in the same transaction.

use super::connection::on_backend;
use super::schema::{own_trust_mark, revision};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{IssuerId, OwnTrustMark};
use diesel::prelude::*;

const VERSION: &str = "own_trust_mark";

#[derive(Queryable, Selectable)]
#[diesel(table_name = own_trust_mark)]
struct OwnTrustMarkRow {
    issuer: String,
    mark_type: String,
    mark_issuer: String,
    jwt: String,
    issued_at: i64,
    expires_at: Option<i64>,
    obtained_at: i64,
}

/// Adds a mark, or replaces the one of the same type and mark issuer unless that was issued later (another node was
/// faster). False: it stays as it was.
///
/// # Errors
/// The database's.
pub fn upsert(conn: &mut DbConn, mark: &OwnTrustMark) -> Result<bool, StoreError> {
    let row =
        own_trust_mark::table.find((mark.issuer.as_str(), &mark.mark_type, &mark.mark_issuer));
    let values = (
        own_trust_mark::jwt.eq(&mark.jwt),
        own_trust_mark::issued_at.eq(mark.issued_at.0),
        own_trust_mark::expires_at.eq(mark.expires_at.map(i64::from)),
        own_trust_mark::obtained_at.eq(mark.obtained_at.0),
    );
    let inserted = on_backend!(conn, c => diesel::insert_into(own_trust_mark::table)
        .values((
            own_trust_mark::issuer.eq(mark.issuer.as_str()),
            own_trust_mark::mark_type.eq(&mark.mark_type),
            own_trust_mark::mark_issuer.eq(&mark.mark_issuer),
            values,
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let changed = match inserted {
        0 => diesel::update(row)
            .filter(own_trust_mark::issued_at.le(mark.issued_at.0))
            .set(values)
            .execute(conn)?,
        inserted => inserted,
    };
    if changed == 1 {
        diesel::update(revision::table.find(VERSION))
            .set(revision::number.eq(revision::number + 1))
            .execute(conn)?;
    }
    Ok(changed == 1)
}

/// Every mark of an issuer, also those that have ended, by type and mark issuer.
///
/// # Errors
/// The database's.
pub fn search(conn: &mut DbConn, issuer: &IssuerId) -> Result<Vec<OwnTrustMark>, StoreError> {
    let rows: Vec<OwnTrustMarkRow> = own_trust_mark::table
        .filter(own_trust_mark::issuer.eq(issuer.as_str()))
        .select(OwnTrustMarkRow::as_select())
        .order((own_trust_mark::mark_type, own_trust_mark::mark_issuer))
        .load(conn)?;
    let decode = |row: OwnTrustMarkRow| OwnTrustMark {
        issuer: IssuerId::new(row.issuer),
        mark_type: row.mark_type,
        mark_issuer: row.mark_issuer,
        jwt: row.jwt,
        issued_at: UtcTime(row.issued_at),
        expires_at: row.expires_at.map(UtcTime),
        obtained_at: UtcTime(row.obtained_at),
    };
    Ok(rows.into_iter().map(decode).collect())
}

/// A number that grows with every change of any mark.
///
/// # Errors
/// The database's.
pub fn version(conn: &mut DbConn) -> Result<i64, StoreError> {
    Ok(revision::table
        .find(VERSION)
        .select(revision::number)
        .get_result(conn)?)
}
