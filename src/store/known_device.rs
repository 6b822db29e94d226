//! Browsers that people have logged in with; see `ui::device`.

use super::connection::on_backend;
use super::schema::known_device;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, SecretHash};
use diesel::prelude::*;

/// Until when a person's browser is known; `None` when it is not.
///
/// # Errors
/// The database's.
pub fn known_until(
    conn: &mut DbConn,
    account: &AccountId,
    device: &SecretHash,
) -> Result<Option<UtcTime>, StoreError> {
    let found: Option<i64> = known_device::table
        .find((account.as_str(), device.0.as_slice()))
        .select(known_device::expires_at)
        .get_result(conn)
        .optional()?;
    Ok(found.map(UtcTime))
}

/// Since when and until when a person's browsers are known, the first one first; at most so many.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    account: &AccountId,
    limit: u32,
) -> Result<Vec<(UtcTime, UtcTime)>, StoreError> {
    let rows: Vec<(i64, i64)> = known_device::table
        .filter(known_device::account_id.eq(account.as_str()))
        .order((known_device::first_used_at, known_device::device_hash))
        .limit(i64::from(limit))
        .select((known_device::first_used_at, known_device::expires_at))
        .load(conn)?;
    let times = rows.into_iter();
    Ok(times
        .map(|(since, until)| (UtcTime(since), UtcTime(until)))
        .collect())
}

/// A person uses a browser; it is known until then. True: for the first time.
///
/// # Errors
/// The database's; the account must exist.
pub fn upsert(
    conn: &mut DbConn,
    account: &AccountId,
    device: &SecretHash,
    now: UtcTime,
    until: UtcTime,
) -> Result<bool, StoreError> {
    let row = known_device::table.find((account.as_str(), device.0.as_slice()));
    let inserted = on_backend!(conn, c => diesel::insert_into(known_device::table)
        .values((
            known_device::account_id.eq(account.as_str()),
            known_device::device_hash.eq(device.0.as_slice()),
            known_device::first_used_at.eq(now.0),
            known_device::expires_at.eq(until.0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    if inserted == 0 {
        diesel::update(row)
            .set(known_device::expires_at.eq(until.0))
            .execute(conn)?;
    }
    Ok(inserted == 1)
}
