//! Access and refresh tokens by `jti`. A token without a live row does not count, whatever its signature says.

use super::column::{Row, TextEnum, can_be_stored};
use super::connection::on_backend;
use super::grant::GrantRow;
use super::keyset::{Page, TimeCursor, fetched, newest_first};
use super::schema::{access_grant, account, token};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{
    ClientId, GrantId, Redeemed, Token, TokenId, TokenKind, TokenState, TokenStatus,
};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = token)]
struct TokenRow {
    id: String,
    kind: String,
    grant_id: String,
    generation: i64,
    client_id: String,
    issued_at: i64,
    expires_at: i64,
    state: String,
}

impl TokenRow {
    fn decode(self) -> Result<Token, StoreError> {
        let row = Row {
            table: "token",
            key: &self.id,
        };
        Ok(Token {
            kind: row.text_enum("kind", &self.kind)?,
            state: row.text_enum("state", &self.state)?,
            id: TokenId::new(self.id),
            grant: GrantId::new(self.grant_id),
            generation: self.generation,
            client_id: ClientId::new(self.client_id),
            issued_at: UtcTime(self.issued_at),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Adds a token; its grant must exist.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, new: &Token) -> Result<(), StoreError> {
    diesel::insert_into(token::table)
        .values((
            token::id.eq(new.id.as_str()),
            token::kind.eq(new.kind.as_text()),
            token::grant_id.eq(new.grant.as_str()),
            token::generation.eq(new.generation),
            token::client_id.eq(new.client_id.as_str()),
            token::issued_at.eq(new.issued_at.0),
            token::expires_at.eq(new.expires_at.0),
            token::state.eq(new.state.as_text()),
        ))
        .execute(conn)?;
    Ok(())
}

/// A token with its grant and whether the account is on, in one query; see [`TokenStatus::is_active`].
///
/// # Errors
/// The database's.
pub fn find_status(conn: &mut DbConn, jti: &TokenId) -> Result<Option<TokenStatus>, StoreError> {
    if !can_be_stored(jti.as_str()) {
        return Ok(None);
    }
    let found: Option<(TokenRow, GrantRow, bool)> = token::table
        .inner_join(access_grant::table.inner_join(account::table))
        .filter(token::id.eq(jti.as_str()))
        .select((
            TokenRow::as_select(),
            GrantRow::as_select(),
            account::enabled,
        ))
        .get_result(conn)
        .optional()?;
    found
        .map(|(token, grant, account_enabled)| {
            Ok(TokenStatus {
                token: token.decode()?,
                grant: grant.decode()?,
                account_enabled,
            })
        })
        .transpose()
}

/// A page of a grant's tokens, newest first.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    grant: &GrantId,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<Token>, StoreError> {
    let rows: Vec<TokenRow> = on_backend!(conn, c => {
        let query = token::table
            .filter(token::grant_id.eq(grant.as_str()))
            .select(TokenRow::as_select())
            .into_boxed();
        newest_first!(query, token.issued_at, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, TokenRow::decode, |last| TimeCursor {
        key: last.issued_at,
        id: last.id.as_str().to_owned(),
    })
}

/// Exchanges a refresh token: one conditional UPDATE, Live → Rotated. Another client's attempt changes nothing. `Before`
/// says in the token's state what happened to it: `Rotated` is theft (RFC 9700 §4.14.2), `Revoked` is not. Expiry is for
/// the caller to judge.
///
/// # Errors
/// The database's.
pub fn rotate(
    conn: &mut DbConn,
    jti: &TokenId,
    client_id: &ClientId,
) -> Result<Redeemed<Token>, StoreError> {
    if !can_be_stored(jti.as_str()) || !can_be_stored(client_id.as_str()) {
        return Ok(Redeemed::Unknown);
    }
    let theirs = token::table
        .filter(token::id.eq(jti.as_str()))
        .filter(token::client_id.eq(client_id.as_str()))
        .filter(token::kind.eq(TokenKind::Refresh.as_text()));
    let changed = diesel::update(theirs.filter(token::state.eq(TokenState::Live.as_text())))
        .set(token::state.eq(TokenState::Rotated.as_text()))
        .execute(conn)?;
    let row: Option<TokenRow> = theirs
        .select(TokenRow::as_select())
        .get_result(conn)
        .optional()?;
    let found = row.map(TokenRow::decode).transpose()?;
    Ok(match (changed, found) {
        (_, None) => Redeemed::Unknown,
        (0, Some(token)) => Redeemed::Before(token),
        (_, Some(token)) => Redeemed::Now(token),
    })
}

/// Revokes one token; whose it is, is for the caller to check (SPID/CIE RV-1). False: it was not live.
///
/// # Errors
/// The database's.
pub fn revoke(conn: &mut DbConn, jti: &TokenId) -> Result<bool, StoreError> {
    if !can_be_stored(jti.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        token::table
            .filter(token::id.eq(jti.as_str()))
            .filter(token::state.eq(TokenState::Live.as_text())),
    )
    .set(token::state.eq(TokenState::Revoked.as_text()))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Whether a grant has a token that can still be used.
///
/// # Errors
/// The database's.
pub fn has_live(conn: &mut DbConn, grant: &GrantId, now: UtcTime) -> Result<bool, StoreError> {
    let live = token::table
        .filter(token::grant_id.eq(grant.as_str()))
        .filter(token::state.eq(TokenState::Live.as_text()))
        .filter(token::expires_at.gt(now.0));
    Ok(diesel::select(diesel::dsl::exists(live)).get_result(conn)?)
}

/// The token of this key, whatever its state.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, jti: &TokenId) -> Result<Option<Token>, StoreError> {
    if !can_be_stored(jti.as_str()) {
        return Ok(None);
    }
    token::table
        .filter(token::id.eq(jti.as_str()))
        .select(TokenRow::as_select())
        .get_result(conn)
        .optional()?
        .map(TokenRow::decode)
        .transpose()
}

/// The last generation of a grant that can be used.
///
/// # Errors
/// The database's.
pub fn last_live_generation(
    conn: &mut DbConn,
    grant: &GrantId,
    now: UtcTime,
) -> Result<Option<i64>, StoreError> {
    Ok(token::table
        .filter(token::grant_id.eq(grant.as_str()))
        .filter(token::state.eq(TokenState::Live.as_text()))
        .filter(token::expires_at.gt(now.0))
        .select(diesel::dsl::max(token::generation))
        .get_result(conn)?)
}

/// How many tokens of a grant can be used: of access, of refresh.
///
/// # Errors
/// The database's.
pub fn count_live(
    conn: &mut DbConn,
    grant: &GrantId,
    now: UtcTime,
) -> Result<(usize, usize), StoreError> {
    let kinds: Vec<String> = token::table
        .filter(token::grant_id.eq(grant.as_str()))
        .filter(token::state.eq(TokenState::Live.as_text()))
        .filter(token::expires_at.gt(now.0))
        .select(token::kind)
        .load(conn)?;
    let access = kinds
        .iter()
        .filter(|kind| *kind == TokenKind::Access.as_text())
        .count();
    Ok((access, kinds.len().saturating_sub(access)))
}

/// Revokes the live tokens of a grant that came of the refresh token of a generation, and what came of those.
///
/// # Errors
/// The database's.
pub fn revoke_later(
    conn: &mut DbConn,
    grant: &GrantId,
    generation: i64,
) -> Result<usize, StoreError> {
    Ok(diesel::update(
        token::table
            .filter(token::grant_id.eq(grant.as_str()))
            .filter(token::generation.gt(generation))
            .filter(token::state.eq(TokenState::Live.as_text())),
    )
    .set(token::state.eq(TokenState::Revoked.as_text()))
    .execute(conn)?)
}

/// Revokes the live tokens of a grant, of one kind (a CIE refresh token takes its access tokens with it, not the other
/// way round: SPID/CIE RV-2) or of both; returns how many.
///
/// # Errors
/// The database's.
pub fn revoke_live_of_grant(
    conn: &mut DbConn,
    grant: &GrantId,
    kind: Option<TokenKind>,
) -> Result<usize, StoreError> {
    let live = token::table
        .filter(token::grant_id.eq(grant.as_str()))
        .filter(token::state.eq(TokenState::Live.as_text()));
    let revoked = token::state.eq(TokenState::Revoked.as_text());
    Ok(match kind {
        Some(kind) => diesel::update(live.filter(token::kind.eq(kind.as_text())))
            .set(revoked)
            .execute(conn)?,
        None => diesel::update(live).set(revoked).execute(conn)?,
    })
}
