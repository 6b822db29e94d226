//! Values that may be used once: `jti` of client assertions, request objects, logout tokens (RFC 7523 §3, SPID/CIE AZ).

use super::column::{free_text, hash_of};
use super::connection::on_backend;
use super::schema::replay;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId};
use diesel::prelude::*;

/// A value that may be used once: the same text for another issuer, client or purpose is another value.
#[derive(Clone, Copy, Debug)]
pub struct ReplayKey<'a> {
    /// Who was asked.
    pub issuer: &'a IssuerId,
    /// Who used it.
    pub client_id: &'a ClientId,
    /// For what: `client_assertion`, `request_object` …
    pub purpose: &'a str,
    /// The value, of any length and content.
    pub value: &'a str,
}

impl ReplayKey<'_> {
    fn hash(&self) -> Vec<u8> {
        hash_of(&[
            self.issuer.as_str(),
            self.client_id.as_str(),
            self.purpose,
            self.value,
        ])
    }
}

/// Notes a use. False: it was used before, and nothing was changed. `reference` is what [`find`] answers later, such as
/// the interaction that a request object started; `expires_at` is when the value is refused for its age anyway.
///
/// # Errors
/// The database's.
pub fn insert(
    conn: &mut DbConn,
    key: &ReplayKey<'_>,
    reference: Option<&str>,
    expires_at: UtcTime,
) -> Result<bool, StoreError> {
    let inserted = on_backend!(conn, c => diesel::insert_into(replay::table)
        .values((
            replay::key_hash.eq(key.hash()),
            replay::reference.eq(reference.map(free_text)),
            replay::expires_at.eq(expires_at.0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted == 1)
}

/// What was noted with the first use; `None` when there was none or nothing was noted.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, key: &ReplayKey<'_>) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> = replay::table
        .filter(replay::key_hash.eq(key.hash()))
        .select(replay::reference)
        .get_result(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Whether a use was noted: for turning away early what [`insert`] would refuse.
///
/// # Errors
/// The database's.
pub fn is_used(conn: &mut DbConn, key: &ReplayKey<'_>) -> Result<bool, StoreError> {
    let found: Option<i64> = replay::table
        .filter(replay::key_hash.eq(key.hash()))
        .select(replay::expires_at)
        .get_result(conn)
        .optional()?;
    Ok(found.is_some())
}
