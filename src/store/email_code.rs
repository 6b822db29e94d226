//! Codes sent by e-mail, as SHA-256: one a login, so that a new code ends the one before.

use super::schema::email_code;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, InteractionId, SecretHash};
use diesel::prelude::*;

/// A code to send: which login, whose, and its hash.
#[derive(Clone, Copy, Debug)]
pub struct NewCode<'a> {
    /// The login that it counts for.
    pub interaction: &'a InteractionId,
    /// Whose.
    pub account: &'a AccountId,
    /// What is kept of it.
    pub hash: SecretHash,
    /// When it counts no more.
    pub expires_at: UtcTime,
}

/// How many codes a login has been sent, and when the last one was made; `None`: none yet.
///
/// # Errors
/// The database's.
pub fn sent(
    conn: &mut DbConn,
    interaction: &InteractionId,
) -> Result<Option<(i64, UtcTime)>, StoreError> {
    let found: Option<(i64, i64)> = email_code::table
        .filter(email_code::interaction_id.eq(interaction.as_str()))
        .select((email_code::sent, email_code::created_at))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(count, at)| (count, UtcTime(at))))
}

/// Keeps a new code, the `sent`-th of its login, instead of the one before.
///
/// # Errors
/// The database's.
pub fn replace(
    conn: &mut DbConn,
    new: NewCode<'_>,
    sent: i64,
    now: UtcTime,
) -> Result<(), StoreError> {
    let id = new.interaction.as_str();
    diesel::delete(email_code::table.filter(email_code::interaction_id.eq(id))).execute(conn)?;
    diesel::insert_into(email_code::table)
        .values((
            email_code::interaction_id.eq(id),
            email_code::account_id.eq(new.account.as_str()),
            email_code::code_hash.eq(new.hash.0.as_slice()),
            email_code::sent.eq(sent),
            email_code::created_at.eq(now.0),
            email_code::used_at.eq(None::<i64>),
            email_code::expires_at.eq(new.expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// Spends a code, for the login and the person that it was sent for. False: it is wrong, spent or too old.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    (interaction, account): (&InteractionId, &AccountId),
    hash: &SecretHash,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        email_code::table
            .filter(email_code::interaction_id.eq(interaction.as_str()))
            .filter(email_code::account_id.eq(account.as_str()))
            .filter(email_code::code_hash.eq(hash.0.as_slice()))
            .filter(email_code::used_at.is_null())
            .filter(email_code::expires_at.gt(now.0)),
    )
    .set(email_code::used_at.eq(now.0))
    .execute(conn)?;
    Ok(changed == 1)
}
