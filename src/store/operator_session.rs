//! Sessions of the desk. One that is ended is removed: who was there when is in the trail.

use super::column::{can_be_stored, free_text};
use super::schema::operator_session;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{OperatorId, OperatorSession, SessionId};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = operator_session)]
struct OperatorSessionRow {
    id: String,
    operator_id: String,
    proven: bool,
    browser: String,
    address: String,
    created_at: i64,
    expires_at: i64,
}

impl OperatorSessionRow {
    fn decode(self) -> OperatorSession {
        OperatorSession {
            id: SessionId::new(self.id),
            operator: OperatorId::new(self.operator_id),
            proven: self.proven,
            browser: self.browser,
            address: self.address,
            created_at: UtcTime(self.created_at),
            expires_at: UtcTime(self.expires_at),
        }
    }
}

/// Adds a session.
///
/// # Errors
/// The database's; the operator must exist.
pub fn insert(conn: &mut DbConn, new: &OperatorSession) -> Result<(), StoreError> {
    diesel::insert_into(operator_session::table)
        .values((
            operator_session::id.eq(new.id.as_str()),
            operator_session::operator_id.eq(new.operator.as_str()),
            operator_session::proven.eq(new.proven),
            operator_session::browser.eq(free_text(&new.browser)),
            operator_session::address.eq(free_text(&new.address)),
            operator_session::created_at.eq(new.created_at.0),
            operator_session::expires_at.eq(new.expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// The session of this key, if it has not ended, and has begun: the clock may have gone back.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    id: &SessionId,
    now: UtcTime,
) -> Result<Option<OperatorSession>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    Ok(operator_session::table
        .filter(operator_session::id.eq(id.as_str()))
        .filter(operator_session::expires_at.gt(now.0))
        .select(OperatorSessionRow::as_select())
        .get_result(conn)
        .optional()?
        .map(OperatorSessionRow::decode)
        .filter(|session| !session.created_at.is_of_the_future(now)))
}

/// The sealed secret of one-time codes that a half-way session registers, if the session has not ended.
///
/// # Errors
/// The database's.
pub fn pending_totp(
    conn: &mut DbConn,
    id: &SessionId,
    now: UtcTime,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(operator_session::table
        .filter(operator_session::id.eq(id.as_str()))
        .filter(operator_session::proven.eq(false))
        .filter(operator_session::expires_at.gt(now.0))
        .select(operator_session::totp_pending)
        .get_result::<Option<Vec<u8>>>(conn)
        .optional()?
        .flatten())
}

/// The secret that a half-way session registers from now on.
///
/// # Errors
/// The database's.
pub fn set_pending_totp(
    conn: &mut DbConn,
    id: &SessionId,
    sealed: &[u8],
) -> Result<(), StoreError> {
    diesel::update(operator_session::table.filter(operator_session::id.eq(id.as_str())))
        .set(operator_session::totp_pending.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// Ends a session. False: it had ended.
///
/// # Errors
/// The database's.
pub fn end(conn: &mut DbConn, id: &SessionId) -> Result<bool, StoreError> {
    let ended =
        diesel::delete(operator_session::table.filter(operator_session::id.eq(id.as_str())))
            .execute(conn)?;
    Ok(ended == 1)
}

/// Ends every session of an operator; returns how many.
///
/// # Errors
/// The database's.
pub fn end_all_of(conn: &mut DbConn, operator: &OperatorId) -> Result<usize, StoreError> {
    Ok(diesel::delete(
        operator_session::table.filter(operator_session::operator_id.eq(operator.as_str())),
    )
    .execute(conn)?)
}
