//! Which relying parties changed lately: what nodes ask every second, to drop them from memory.
//!
//! Triggers on `client` write the rows, one a relying party, removed ones included: whatever changes a relying party is
//! seen, also a statement typed at the database's prompt. The times are those of the database's clock, on both sides of the
//! comparison: the clocks of nodes do not matter.

use super::schema::client_change;
use super::{DbConn, StoreError};
use crate::model::{ClientId, IssuerId};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The relying parties that were added, changed or removed in the last seconds; at most `limit` of them.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    seconds: u32,
    limit: u32,
) -> Result<Vec<(IssuerId, ClientId)>, StoreError> {
    let now = match conn {
        DbConn::Sqlite(_) => "unixepoch()",
        DbConn::Postgres(_) => "extract(epoch FROM clock_timestamp())::bigint",
    };
    let rows: Vec<(String, String)> = client_change::table
        .filter(client_change::changed_at.ge(sql::<BigInt>(&format!("{now} - {seconds}"))))
        .select((client_change::issuer, client_change::client_id))
        .limit(i64::from(limit))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(issuer, client_id)| (IssuerId::new(issuer), ClientId::new(client_id)))
        .collect())
}
