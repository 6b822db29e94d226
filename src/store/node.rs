//! The processes that serve: each says every few seconds that it is alive.

use super::column::free_text;
use super::connection::on_backend;
use super::schema::node;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use diesel::prelude::*;

/// Nodes shown at most.
const MAX_SHOWN: i64 = 200;

/// A process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Random, anew at each start.
    pub id: String,
    /// Where it listens.
    pub address: String,
    /// Of Varco.
    pub version: String,
    /// When it began to serve.
    pub started_at: UtcTime,
    /// When it last said so.
    pub seen_at: UtcTime,
    /// By how many seconds its clock is ahead of the database's; negative: behind. Absent where both are one machine's.
    pub clock_off: Option<i64>,
}

/// It is alive.
///
/// # Errors
/// The database's.
pub fn upsert(conn: &mut DbConn, alive: &Node) -> Result<(), StoreError> {
    on_backend!(conn, c => diesel::insert_into(node::table)
        .values((
            node::id.eq(&alive.id),
            node::address.eq(free_text(&alive.address)),
            node::version.eq(&alive.version),
            node::started_at.eq(alive.started_at.0),
            node::seen_at.eq(alive.seen_at.0),
            node::clock_off.eq(alive.clock_off),
        ))
        .on_conflict(node::id)
        .do_update()
        .set((
            node::seen_at.eq(alive.seen_at.0),
            node::clock_off.eq(alive.clock_off),
        ))
        .execute(c))?;
    Ok(())
}

/// The database's clock; `None` for SQLite, which has this machine's.
///
/// # Errors
/// The database's.
pub fn time_of_database(conn: &mut DbConn) -> Result<Option<UtcTime>, StoreError> {
    match conn {
        DbConn::Sqlite(_) => Ok(None),
        DbConn::Postgres(c) => {
            let seconds = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "floor(extract(epoch FROM clock_timestamp()))::bigint",
            ))
            .get_result(c)?;
            Ok(Some(UtcTime(seconds)))
        }
    }
}

/// It ends, as it should.
///
/// # Errors
/// The database's.
pub fn delete(conn: &mut DbConn, id: &str) -> Result<(), StoreError> {
    diesel::delete(node::table.filter(node::id.eq(id))).execute(conn)?;
    Ok(())
}

/// Those seen since then, the last one first; at most 200.
///
/// # Errors
/// The database's.
pub fn search(conn: &mut DbConn, since: UtcTime) -> Result<Vec<Node>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64, Option<i64>)> = node::table
        .filter(node::seen_at.ge(since.0))
        .order(node::seen_at.desc())
        .limit(MAX_SHOWN)
        .select((
            node::id,
            node::address,
            node::version,
            node::started_at,
            node::seen_at,
            node::clock_off,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(id, address, version, started_at, seen_at, clock_off)| Node {
                id,
                address,
                version,
                started_at: UtcTime(started_at),
                seen_at: UtcTime(seen_at),
                clock_off,
            },
        )
        .collect())
}
