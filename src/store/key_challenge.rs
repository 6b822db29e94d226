//! What security keys are asked to sign. One for each page that asks: asked again, the page gets a new one.

use super::connection::on_backend;
use super::schema::key_challenge;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use diesel::prelude::*;
use diesel::upsert::excluded;

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = key_challenge)]
pub struct KeyChallenge {
    /// What is compared with the answer.
    pub state: Vec<u8>,
    /// What the page's script hands to the browser.
    pub options: String,
}

/// The challenge of a place (a login, a session's page), instead of one before.
///
/// # Errors
/// The database's.
pub fn put(
    conn: &mut DbConn,
    place: &str,
    new: &KeyChallenge,
    until: UtcTime,
) -> Result<(), StoreError> {
    on_backend!(conn, c => diesel::insert_into(key_challenge::table)
        .values((
            key_challenge::place.eq(place),
            key_challenge::state.eq(&new.state),
            key_challenge::options.eq(&new.options),
            key_challenge::expires_at.eq(until.0),
        ))
        .on_conflict(key_challenge::place)
        .do_update()
        .set((
            key_challenge::state.eq(excluded(key_challenge::state)),
            key_challenge::options.eq(excluded(key_challenge::options)),
            key_challenge::expires_at.eq(excluded(key_challenge::expires_at)),
        ))
        .execute(c))?;
    Ok(())
}

/// The challenge of a place, if it still counts.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    place: &str,
    now: UtcTime,
) -> Result<Option<KeyChallenge>, StoreError> {
    Ok(key_challenge::table
        .filter(key_challenge::place.eq(place))
        .filter(key_challenge::expires_at.gt(now.0))
        .select(KeyChallenge::as_select())
        .get_result(conn)
        .optional()?)
}

/// Spends the challenge of a place: of several answers at once, one gets it.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    place: &str,
    now: UtcTime,
) -> Result<Option<KeyChallenge>, StoreError> {
    let Some(found) = find(conn, place, now)? else {
        return Ok(None);
    };
    let spent = diesel::delete(
        key_challenge::table
            .filter(key_challenge::place.eq(place))
            .filter(key_challenge::state.eq(&found.state)),
    )
    .execute(conn)?;
    Ok((spent == 1).then_some(found))
}
