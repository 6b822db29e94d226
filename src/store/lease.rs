//! Which node does a background task.

use super::connection::on_backend;
use super::schema::lease;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use diesel::prelude::*;

/// Takes or keeps the lease for `seconds` from now. False: another holder has it.
///
/// # Errors
/// The database's.
pub fn acquire(
    conn: &mut DbConn,
    name: &str,
    holder: &str,
    now: UtcTime,
    seconds: i64,
) -> Result<bool, StoreError> {
    let until = now.plus_seconds(seconds).0;
    let free = lease::holder.eq(holder).or(lease::expires_at.le(now.0));
    let changed = diesel::update(lease::table.filter(lease::name.eq(name)).filter(free))
        .set((lease::holder.eq(holder), lease::expires_at.eq(until)))
        .execute(conn)?;
    if changed == 1 {
        return Ok(true);
    }
    let inserted = on_backend!(conn, c => diesel::insert_into(lease::table)
        .values((
            lease::name.eq(name),
            lease::holder.eq(holder),
            lease::expires_at.eq(until),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}
