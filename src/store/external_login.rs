//! Logins that wait for an authentication service.
//!
//! ```text
//!           ┌─ask (at most one request under way, one a second)─┐
//! begin ─► waiting ◄──────────────rest───────────────────────────┘
//!            ├──settle──► approved ──redeem──► redeemed (once)
//!            └──settle──► denied │ unavailable
//! ```

use super::column::{Row, TextEnum, can_be_stored, text_enum};
use super::schema::external_login;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{
    AccountId, ExternalLogin, ExternalState, ExternalTrouble, InteractionId, SecretHash,
};
use diesel::prelude::*;

text_enum!(ExternalState {
    Waiting => "waiting",
    Approved => "approved",
    Denied => "denied",
    Unavailable => "unavailable",
    Redeemed => "redeemed",
});
text_enum!(ExternalTrouble {
    Unreachable => "unreachable",
    Untrustworthy => "untrustworthy",
    Refused => "refused",
});

#[derive(Queryable, Selectable)]
#[diesel(table_name = external_login)]
struct ExternalLoginRow {
    interaction_id: String,
    transaction_id: String,
    account_id: String,
    browser_hash: Vec<u8>,
    level: String,
    number: String,
    state: String,
    trouble: Option<String>,
    requests: i64,
    next_request_at: i64,
    created_at: i64,
    expires_at: i64,
}

impl ExternalLoginRow {
    fn decode(self) -> Result<ExternalLogin, StoreError> {
        let row = Row {
            table: "external_login",
            key: &self.interaction_id,
        };
        let trouble = self.trouble.as_deref();
        let trouble = trouble.map(|text| row.text_enum("trouble", text));
        Ok(ExternalLogin {
            browser: SecretHash(row.sha256("browser_hash", &self.browser_hash)?),
            state: row.text_enum("state", &self.state)?,
            trouble: trouble.transpose()?,
            interaction: InteractionId::new(self.interaction_id),
            transaction: self.transaction_id,
            account: AccountId::new(self.account_id),
            level: self.level,
            number: self.number,
            requests: self.requests,
            next_request_at: UtcTime(self.next_request_at),
            created_at: UtcTime(self.created_at),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Begins one, instead of whatever the interaction had before.
///
/// # Errors
/// The database's.
pub fn begin(conn: &mut DbConn, new: &ExternalLogin) -> Result<(), StoreError> {
    remove(conn, &new.interaction)?;
    diesel::insert_into(external_login::table)
        .values((
            external_login::interaction_id.eq(new.interaction.as_str()),
            external_login::transaction_id.eq(&new.transaction),
            external_login::account_id.eq(new.account.as_str()),
            external_login::browser_hash.eq(new.browser.0.as_slice()),
            external_login::level.eq(&new.level),
            external_login::number.eq(&new.number),
            external_login::state.eq(new.state.as_text()),
            external_login::trouble.eq(new.trouble.map(TextEnum::as_text)),
            external_login::requests.eq(new.requests),
            external_login::next_request_at.eq(new.next_request_at.0),
            external_login::created_at.eq(new.created_at.0),
            external_login::expires_at.eq(new.expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// That of an interaction, also when its time is over or it was spent: the caller judges.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &InteractionId) -> Result<Option<ExternalLogin>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    external_login::table
        .filter(external_login::interaction_id.eq(id.as_str()))
        .select(ExternalLoginRow::as_select())
        .get_result(conn)
        .optional()?
        .map(ExternalLoginRow::decode)
        .transpose()
}

/// Takes the right to ask the service, until `until` or [`rest`]. False: somebody asks already or asked a moment ago, it
/// was asked `most` times, or nobody waits any more.
///
/// # Errors
/// The database's.
pub fn ask(
    conn: &mut DbConn,
    known: &ExternalLogin,
    (now, until): (UtcTime, UtcTime),
    most: i64,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        external_login::table
            .filter(external_login::interaction_id.eq(known.interaction.as_str()))
            .filter(external_login::transaction_id.eq(&known.transaction))
            .filter(external_login::state.eq(ExternalState::Waiting.as_text()))
            .filter(external_login::next_request_at.le(now.0))
            .filter(external_login::requests.lt(most))
            .filter(external_login::expires_at.gt(now.0)),
    )
    .set((
        external_login::next_request_at.eq(until.0),
        external_login::requests.eq(external_login::requests + 1),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// The service was asked and nothing is decided: it may be asked again at `next`.
///
/// # Errors
/// The database's.
pub fn rest(
    conn: &mut DbConn,
    known: &ExternalLogin,
    trouble: Option<ExternalTrouble>,
    next: UtcTime,
) -> Result<(), StoreError> {
    diesel::update(
        external_login::table
            .filter(external_login::interaction_id.eq(known.interaction.as_str()))
            .filter(external_login::transaction_id.eq(&known.transaction))
            .filter(external_login::state.eq(ExternalState::Waiting.as_text())),
    )
    .set((
        external_login::next_request_at.eq(next.0),
        external_login::trouble.eq(trouble.map(TextEnum::as_text)),
    ))
    .execute(conn)?;
    Ok(())
}

/// The service decided. False: it was decided before, or the time is over.
///
/// # Errors
/// The database's.
pub fn settle(
    conn: &mut DbConn,
    known: &ExternalLogin,
    state: ExternalState,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        external_login::table
            .filter(external_login::interaction_id.eq(known.interaction.as_str()))
            .filter(external_login::transaction_id.eq(&known.transaction))
            .filter(external_login::state.eq(ExternalState::Waiting.as_text()))
            .filter(external_login::expires_at.gt(now.0)),
    )
    .set((
        external_login::state.eq(state.as_text()),
        external_login::trouble.eq(None::<String>),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Spends an approval, for the login, the browser and the person that it was given for. False: there is none, or it was
/// spent, or its time is over.
///
/// # Errors
/// The database's.
pub fn redeem(conn: &mut DbConn, known: &ExternalLogin, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        external_login::table
            .filter(external_login::interaction_id.eq(known.interaction.as_str()))
            .filter(external_login::transaction_id.eq(&known.transaction))
            .filter(external_login::account_id.eq(known.account.as_str()))
            .filter(external_login::browser_hash.eq(known.browser.0.as_slice()))
            .filter(external_login::level.eq(&known.level))
            .filter(external_login::state.eq(ExternalState::Approved.as_text()))
            .filter(external_login::expires_at.gt(now.0)),
    )
    .set(external_login::state.eq(ExternalState::Redeemed.as_text()))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Forgets that of an interaction: the person chose another way, or begins anew.
///
/// # Errors
/// The database's.
pub fn remove(conn: &mut DbConn, id: &InteractionId) -> Result<(), StoreError> {
    let mine = external_login::table.filter(external_login::interaction_id.eq(id.as_str()));
    diesel::delete(mine).execute(conn)?;
    Ok(())
}
