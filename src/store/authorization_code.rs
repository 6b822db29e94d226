//! Authorization codes: usable once, by the client they were given to (RFC 6749 §4.1.2).

use super::column::{Row, TextEnum, can_be_stored, hex};
use super::schema::authorization_code as code;
use super::{DbConn, StoreError, grant};
use crate::clock::UtcTime;
use crate::model::{AuthorizationCode, ClientId, CodeHash, CodeState, Grant, GrantId, Redeemed};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = code)]
struct CodeRow {
    code_hash: Vec<u8>,
    grant_id: String,
    client_id: String,
    expires_at: i64,
    state: String,
}

impl CodeRow {
    fn decode(self) -> Result<AuthorizationCode, StoreError> {
        let row = Row {
            table: "authorization_code",
            key: &hex(&self.code_hash),
        };
        Ok(AuthorizationCode {
            hash: CodeHash(row.sha256("code_hash", &self.code_hash)?),
            state: row.text_enum("state", &self.state)?,
            grant: GrantId::new(self.grant_id),
            client_id: ClientId::new(self.client_id),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Adds a code; its grant must exist.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, new: &AuthorizationCode) -> Result<(), StoreError> {
    diesel::insert_into(code::table)
        .values((
            code::code_hash.eq(new.hash.0.as_slice()),
            code::grant_id.eq(new.grant.as_str()),
            code::client_id.eq(new.client_id.as_str()),
            code::expires_at.eq(new.expires_at.0),
            code::state.eq(new.state.as_text()),
        ))
        .execute(conn)?;
    Ok(())
}

/// The code of this hash, whatever became of it.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, hash: &CodeHash) -> Result<Option<AuthorizationCode>, StoreError> {
    code::table
        .filter(code::code_hash.eq(hash.0.as_slice()))
        .select(CodeRow::as_select())
        .get_result(conn)
        .optional()?
        .map(CodeRow::decode)
        .transpose()
}

/// The codes of a grant: one, or few.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    grant: &GrantId,
    limit: u32,
) -> Result<Vec<AuthorizationCode>, StoreError> {
    let rows: Vec<CodeRow> = code::table
        .filter(code::grant_id.eq(grant.as_str()))
        .limit(i64::from(limit))
        .select(CodeRow::as_select())
        .load(conn)?;
    rows.into_iter().map(CodeRow::decode).collect()
}

/// Spends the codes of a grant that nobody redeemed and that could still have been; returns how many.
///
/// # Errors
/// The database's.
pub fn spend_of_grant(
    conn: &mut DbConn,
    grant: &GrantId,
    now: UtcTime,
) -> Result<usize, StoreError> {
    Ok(diesel::update(
        code::table
            .filter(code::grant_id.eq(grant.as_str()))
            .filter(code::expires_at.gt(now.0))
            .filter(code::state.eq(CodeState::Issued.as_text())),
    )
    .set(code::state.eq(CodeState::Redeemed.as_text()))
    .execute(conn)?)
}

/// Spends a code: one conditional UPDATE, so that of many at the same time one wins. Another client's attempt changes
/// nothing. Expiry of the code, and expiry or revocation of the grant, are for the caller to judge.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    hash: &CodeHash,
    client_id: &ClientId,
) -> Result<Redeemed<(AuthorizationCode, Grant)>, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(Redeemed::Unknown);
    }
    let theirs = code::table
        .filter(code::code_hash.eq(hash.0.as_slice()))
        .filter(code::client_id.eq(client_id.as_str()));
    let spent: Option<String> =
        diesel::update(theirs.filter(code::state.eq(CodeState::Issued.as_text())))
            .set(code::state.eq(CodeState::Redeemed.as_text()))
            .returning(code::grant_id)
            .get_result(conn)
            .optional()?;
    let Some(row) = theirs
        .select(CodeRow::as_select())
        .get_result(conn)
        .optional()?
    else {
        return Ok(Redeemed::Unknown);
    };
    let found = row.decode()?;
    let Some(grant) = grant::find(conn, &found.grant)? else {
        return Err(StoreError::Corrupt {
            table: "authorization_code",
            column: "grant_id",
            key: hex(&hash.0),
        });
    };
    Ok(match spent {
        Some(_) => Redeemed::Now((found, grant)),
        None => Redeemed::Before((found, grant)),
    })
}
