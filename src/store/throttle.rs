//! Failed logins, by account or by address. Keys are stored as SHA-256: what people type by mistake is not kept.

use super::column::hash_of;
use super::connection::on_backend;
use super::schema::throttle;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use diesel::prelude::*;

/// Failures are counted in windows of so many seconds.
const WINDOW_SECONDS: i64 = 60;
/// The longest block.
const MAX_BLOCK_SECONDS: i64 = 900;
/// 2^10 s is beyond the longest block.
const MAX_DOUBLINGS: i64 = 10;

#[derive(Queryable, Selectable)]
#[diesel(table_name = throttle)]
struct ThrottleRow {
    window_start: i64,
    failures: i64,
    blocks: i64,
    blocked_until: i64,
    expires_at: i64,
}

/// Counts an attempt before it is judged, so that parallel guesses cannot all pass before the first is counted. Returns
/// until when attempts are refused: then this one must not be judged, and was not counted. `None`: judge it, and
/// [`clear`] if it succeeds. Beyond the allowance of a minute each attempt blocks the next, 1 s at first and then twice
/// as long each time, up to 900 s; a quiet quarter of an hour forgets it. `allowed_per_minute` 0 switches counting off.
///
/// # Errors
/// The database's.
pub fn reserve(
    conn: &mut DbConn,
    key: &str,
    now: UtcTime,
    allowed_per_minute: u32,
) -> Result<Option<UtcTime>, StoreError> {
    if allowed_per_minute == 0 {
        return Ok(None);
    }
    let key_hash = hash_of(&[key]);
    let row = lock(conn, &key_hash, now)?;
    if row.blocked_until > now.0 {
        return Ok(Some(UtcTime(row.blocked_until)));
    }
    count(conn, &key_hash, row, now, allowed_per_minute)?;
    Ok(None)
}

/// Forgets the failures of a key, after a success.
///
/// # Errors
/// The database's.
pub fn clear(conn: &mut DbConn, key: &str) -> Result<(), StoreError> {
    diesel::delete(throttle::table.filter(throttle::key_hash.eq(hash_of(&[key])))).execute(conn)?;
    Ok(())
}

/// Takes back one count, after a success of a key that others share (an office behind one address).
///
/// # Errors
/// The database's.
pub fn give_back(conn: &mut DbConn, key: &str) -> Result<(), StoreError> {
    diesel::update(
        throttle::table
            .filter(throttle::key_hash.eq(hash_of(&[key])))
            .filter(throttle::failures.gt(0)),
    )
    .set(throttle::failures.eq(throttle::failures - 1))
    .execute(conn)?;
    Ok(())
}

/// The key's row, made if missing, locked until the end of the transaction (SQLite has one writer anyway).
fn lock(conn: &mut DbConn, key_hash: &[u8], now: UtcTime) -> Result<ThrottleRow, StoreError> {
    on_backend!(conn, c => diesel::insert_into(throttle::table)
        .values((
            throttle::key_hash.eq(key_hash),
            throttle::window_start.eq(now.0),
            throttle::failures.eq(0),
            throttle::blocks.eq(0),
            throttle::blocked_until.eq(0),
            throttle::expires_at.eq(now.0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let mine = throttle::table.filter(throttle::key_hash.eq(key_hash));
    Ok(match conn {
        DbConn::Postgres(c) => mine
            .select(ThrottleRow::as_select())
            .for_update()
            .get_result(c)?,
        DbConn::Sqlite(c) => mine.select(ThrottleRow::as_select()).get_result(c)?,
    })
}

fn count(
    conn: &mut DbConn,
    key_hash: &[u8],
    mut row: ThrottleRow,
    now: UtcTime,
    allowed_per_minute: u32,
) -> Result<(), StoreError> {
    if row.expires_at < now.0 {
        row.blocks = 0;
    }
    if now.seconds_since(UtcTime(row.window_start)) >= WINDOW_SECONDS {
        row.window_start = now.0;
        row.failures = 0;
    }
    row.failures = row.failures.saturating_add(1);
    if row.failures > i64::from(allowed_per_minute) {
        let seconds = block_seconds(row.blocks);
        row.blocks = row.blocks.saturating_add(1);
        row.blocked_until = now.plus_seconds(seconds).0;
    }
    let quiet_until = UtcTime(row.blocked_until.max(now.0)).plus_seconds(MAX_BLOCK_SECONDS);
    diesel::update(throttle::table.filter(throttle::key_hash.eq(key_hash)))
        .set((
            throttle::window_start.eq(row.window_start),
            throttle::failures.eq(row.failures),
            throttle::blocks.eq(row.blocks),
            throttle::blocked_until.eq(row.blocked_until),
            throttle::expires_at.eq(quiet_until.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// 1, 2, 4 … 900.
fn block_seconds(blocks_before: i64) -> i64 {
    let doublings = u32::try_from(blocks_before.clamp(0, MAX_DOUBLINGS)).unwrap_or(0);
    2_i64.pow(doublings).min(MAX_BLOCK_SECONDS)
}
