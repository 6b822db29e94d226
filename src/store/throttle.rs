//! Failed logins, by account or by address. Keys are stored as SHA-256: what people type by mistake is not kept.

use super::column::hash_of;
use super::connection::on_backend;
use super::schema::throttle;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use diesel::prelude::*;

/// No block doubles more often: 2^30 s is beyond every longest block.
const MAX_DOUBLINGS: i64 = 30;

/// How many attempts are judged, and how long those beyond wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Attempts of a window; 0 switches counting off.
    pub attempts: u32,
    /// The window.
    pub window_seconds: i64,
    /// The first block; each further one is twice as long.
    pub first_block_seconds: i64,
    /// The longest block; as long a quiet time after one forgets the blocks.
    pub longest_block_seconds: i64,
}

impl Allowance {
    /// So many a minute; then 1 s, 2 s … 900 s.
    #[must_use]
    pub fn per_minute(attempts: u32) -> Self {
        Self {
            attempts,
            window_seconds: 60,
            first_block_seconds: 1,
            longest_block_seconds: 900,
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = throttle)]
struct ThrottleRow {
    window_start: i64,
    failures: i64,
    blocks: i64,
    blocked_until: i64,
    expires_at: i64,
}

impl ThrottleRow {
    /// After the clock went back, nobody waits for longer than the longest block, and a window that has not begun begins.
    fn mend(&mut self, now: UtcTime, allowance: Allowance) {
        let longest = allowance
            .longest_block_seconds
            .max(allowance.window_seconds);
        if UtcTime(self.blocked_until).seconds_since(now) > longest {
            self.blocked_until = now.0;
        }
        self.window_start = self.window_start.min(now.0);
    }
}

/// Counts an attempt before it is judged, so that parallel guesses cannot all pass before the first is counted. Returns
/// until when attempts are refused: then this one must not be judged, and was not counted. `None`: judge it, and
/// [`clear`] if it succeeds. Beyond the allowance each attempt blocks the next, for twice as long each time.
///
/// # Errors
/// The database's.
pub fn reserve(
    conn: &mut DbConn,
    key: &str,
    now: UtcTime,
    allowance: Allowance,
) -> Result<Option<UtcTime>, StoreError> {
    if allowance.attempts == 0 {
        return Ok(None);
    }
    let key_hash = hash_of(&[key]);
    let mut row = lock(conn, &key_hash, now)?;
    row.mend(now, allowance);
    if row.blocked_until > now.0 {
        return Ok(Some(UtcTime(row.blocked_until)));
    }
    count(conn, &key_hash, row, now, allowance)?;
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
    allowance: Allowance,
) -> Result<(), StoreError> {
    if row.expires_at < now.0 {
        row.blocks = 0;
    }
    if now.seconds_since(UtcTime(row.window_start)) >= allowance.window_seconds {
        row.window_start = now.0;
        row.failures = 0;
    }
    row.failures = row.failures.saturating_add(1);
    if row.failures > i64::from(allowance.attempts) {
        let seconds = block_seconds(row.blocks, allowance);
        row.blocks = row.blocks.saturating_add(1);
        row.blocked_until = now.plus_seconds(seconds).0;
    }
    let quiet_until = UtcTime(row.blocked_until.max(now.0)).plus_seconds(
        allowance
            .longest_block_seconds
            .max(allowance.window_seconds),
    );
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

/// 1, 2, 4 … times the first block.
fn block_seconds(blocks_before: i64, allowance: Allowance) -> i64 {
    let doublings = u32::try_from(blocks_before.clamp(0, MAX_DOUBLINGS)).unwrap_or(0);
    2_i64
        .pow(doublings)
        .saturating_mul(allowance.first_block_seconds)
        .min(allowance.longest_block_seconds)
}
