//! What was typed into a form when the session had ended: for whoever logs in again in the same browser.

use super::schema::form_draft;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::SecretHash;
use diesel::prelude::*;

/// A form that was not lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormDraft {
    /// SHA-256 of the cookie of the browser.
    pub id: SecretHash,
    /// Who typed it: `account ID` or `operator ID`.
    pub owner: String,
    /// The form's page.
    pub path: String,
    /// What was typed, sealed.
    pub sealed: Vec<u8>,
    /// When it is forgotten.
    pub expires_at: UtcTime,
}

/// Keeps one.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, new: &FormDraft) -> Result<(), StoreError> {
    diesel::insert_into(form_draft::table)
        .values((
            form_draft::id_hash.eq(new.id.0.as_slice()),
            form_draft::owner.eq(&new.owner),
            form_draft::path.eq(&new.path),
            form_draft::sealed.eq(&new.sealed),
            form_draft::expires_at.eq(new.expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// What the owner of this draft typed on this page; once. `None`: another's, of another page, too old, or unknown.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    id: &SecretHash,
    (owner, path): (&str, &str),
    now: UtcTime,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(diesel::delete(
        form_draft::table
            .filter(form_draft::id_hash.eq(id.0.as_slice()))
            .filter(form_draft::owner.eq(owner))
            .filter(form_draft::path.eq(path))
            .filter(form_draft::expires_at.gt(now.0)),
    )
    .returning(form_draft::sealed)
    .get_result(conn)
    .optional()?)
}
