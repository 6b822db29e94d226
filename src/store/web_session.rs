//! What the session cookies stand for: the storage behind actix-session.

use super::schema::web_session;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::SecretHash;
use diesel::prelude::*;

/// Adds a web session; `state` is JSON text.
///
/// # Errors
/// [`StoreError::is_duplicate`] when the key is taken.
pub fn insert(
    conn: &mut DbConn,
    key: &SecretHash,
    state: &str,
    expires_at: UtcTime,
) -> Result<(), StoreError> {
    diesel::insert_into(web_session::table)
        .values((
            web_session::key_hash.eq(key.0.as_slice()),
            web_session::state.eq(state),
            web_session::expires_at.eq(expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// The state of a web session that has not expired.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    key: &SecretHash,
    now: UtcTime,
) -> Result<Option<String>, StoreError> {
    Ok(web_session::table
        .filter(web_session::key_hash.eq(key.0.as_slice()))
        .filter(web_session::expires_at.gt(now.0))
        .select(web_session::state)
        .get_result(conn)
        .optional()?)
}

/// Replaces state and end. False: unknown, such as deleted meanwhile; it must not come back to life.
///
/// # Errors
/// The database's.
pub fn update(
    conn: &mut DbConn,
    key: &SecretHash,
    state: &str,
    expires_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed =
        diesel::update(web_session::table.filter(web_session::key_hash.eq(key.0.as_slice())))
            .set((
                web_session::state.eq(state),
                web_session::expires_at.eq(expires_at.0),
            ))
            .execute(conn)?;
    Ok(changed == 1)
}

/// Moves the end only. False: unknown.
///
/// # Errors
/// The database's.
pub fn update_ttl(
    conn: &mut DbConn,
    key: &SecretHash,
    expires_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed =
        diesel::update(web_session::table.filter(web_session::key_hash.eq(key.0.as_slice())))
            .set(web_session::expires_at.eq(expires_at.0))
            .execute(conn)?;
    Ok(changed == 1)
}

/// Removes a web session; one that is not there is no error.
///
/// # Errors
/// The database's.
pub fn delete(conn: &mut DbConn, key: &SecretHash) -> Result<(), StoreError> {
    diesel::delete(web_session::table.filter(web_session::key_hash.eq(key.0.as_slice())))
        .execute(conn)?;
    Ok(())
}
