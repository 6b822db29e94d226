//! Recovery codes, by SHA-256; each works once.

use super::schema::recovery_code;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, SecretHash};
use diesel::prelude::*;

/// New codes instead of all that the person had.
///
/// # Errors
/// The database's; the account must exist.
pub fn replace(
    conn: &mut DbConn,
    account: &AccountId,
    codes: &[SecretHash],
    now: UtcTime,
) -> Result<(), StoreError> {
    remove_all(conn, account)?;
    for code in codes {
        diesel::insert_into(recovery_code::table)
            .values((
                recovery_code::account_id.eq(account.as_str()),
                recovery_code::code_hash.eq(code.0.as_slice()),
                recovery_code::created_at.eq(now.0),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Spends a code. False: it was spent before, or is not the person's.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    account: &AccountId,
    code: &SecretHash,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        recovery_code::table
            .filter(recovery_code::account_id.eq(account.as_str()))
            .filter(recovery_code::code_hash.eq(code.0.as_slice()))
            .filter(recovery_code::used_at.is_null()),
    )
    .set(recovery_code::used_at.eq(now.0))
    .execute(conn)?;
    Ok(changed == 1)
}

/// How many codes a person has left.
///
/// # Errors
/// The database's.
pub fn count_left(conn: &mut DbConn, account: &AccountId) -> Result<i64, StoreError> {
    Ok(recovery_code::table
        .filter(recovery_code::account_id.eq(account.as_str()))
        .filter(recovery_code::used_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Removes all of a person.
///
/// # Errors
/// The database's.
pub fn remove_all(conn: &mut DbConn, account: &AccountId) -> Result<(), StoreError> {
    diesel::delete(recovery_code::table.filter(recovery_code::account_id.eq(account.as_str())))
        .execute(conn)?;
    Ok(())
}
