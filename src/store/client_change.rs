//! Which relying parties changed lately: what nodes ask twice a second, to read them anew.
//!
//! Triggers on `client` write the rows, one a relying party, removed ones included: whatever changes a relying party is
//! seen, also a statement typed at the database's prompt. The times are those of the database's clock, on both sides of the
//! comparison: the clocks of nodes do not matter. On PostgreSQL a change has the time of its commit, on SQLite, where
//! transactions are short, of its statement.

use super::schema::client_change;
use super::{DbConn, StoreError};
use crate::model::{ClientId, IssuerId};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// That a relying party was added, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// The relying party.
    pub client_id: ClientId,
    /// Another one after each change: two changes of one second are told apart.
    pub number: i64,
}

/// The relying parties that changed in the last seconds; at most `limit` of them.
///
/// # Errors
/// The database's.
pub fn search(conn: &mut DbConn, seconds: u32, limit: u32) -> Result<Vec<Change>, StoreError> {
    let now = match conn {
        DbConn::Sqlite(_) => "CAST(strftime('%s', 'now') AS INTEGER)",
        DbConn::Postgres(_) => "extract(epoch FROM clock_timestamp())::bigint",
    };
    let rows: Vec<(String, String, i64)> = client_change::table
        .filter(client_change::changed_at.ge(sql::<BigInt>(&format!("{now} - {seconds}"))))
        .select((
            client_change::issuer,
            client_change::client_id,
            client_change::number,
        ))
        .limit(i64::from(limit))
        .load(conn)?;
    let change = |(issuer, client_id, number)| Change {
        issuer: IssuerId::new(issuer),
        client_id: ClientId::new(client_id),
        number,
    };
    Ok(rows.into_iter().map(change).collect())
}
