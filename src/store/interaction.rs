//! Authorization requests on their way through login and consent.
//!
//! ```text
//! Started ──prove──► PartlyProven ──authenticate──► Authenticated{session} ──answer──► Answered
//!    ├─────────────────┼──────────authenticate──────────►──┤                                │
//!    └─────────────────┴──────────────abandon───────────►──┴────────────────────────────────┘
//! ```

use super::column::{Row, TextEnum, can_be_stored, text_enum, to_json};
use super::schema::interaction;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{
    Interaction, InteractionId, InteractionState, IssuerId, PartialProof, SecretHash, SessionId,
};
use diesel::prelude::*;

/// [`InteractionState`] without its data; a partly proven one is a started one with a proof.
#[derive(Clone, Copy)]
enum StateName {
    Started,
    Authenticated,
    Answered,
}

text_enum!(StateName {
    Started => "started",
    Authenticated => "authenticated",
    Answered => "answered",
});

#[derive(Queryable, Selectable)]
#[diesel(table_name = interaction)]
struct InteractionRow {
    id: String,
    issuer: String,
    browser_hash: Vec<u8>,
    request: String,
    state: String,
    session_id: Option<String>,
    created_at: i64,
    expires_at: i64,
    proof: Option<String>,
}

impl InteractionRow {
    fn decode(self) -> Result<Interaction, StoreError> {
        let row = Row {
            table: "interaction",
            key: &self.id,
        };
        let state = match row.text_enum("state", &self.state)? {
            StateName::Started => match &self.proof {
                None => InteractionState::Started,
                Some(proof) => InteractionState::PartlyProven(row.json("proof", proof)?),
            },
            StateName::Authenticated => InteractionState::Authenticated {
                session: self
                    .session_id
                    .map(SessionId::new)
                    .ok_or_else(|| row.corrupt("session_id"))?,
            },
            StateName::Answered => InteractionState::Answered,
        };
        Ok(Interaction {
            browser: SecretHash(row.sha256("browser_hash", &self.browser_hash)?),
            request: row.json("request", &self.request)?,
            state,
            id: InteractionId::new(self.id),
            issuer: IssuerId::new(self.issuer),
            created_at: UtcTime(self.created_at),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Adds an interaction in the state that it says.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, new: &Interaction) -> Result<(), StoreError> {
    let (state, session, proof) = match &new.state {
        InteractionState::Started => (StateName::Started, None, None),
        InteractionState::PartlyProven(proof) => (StateName::Started, None, Some(to_json(proof)?)),
        InteractionState::Authenticated { session } => {
            (StateName::Authenticated, Some(session), None)
        }
        InteractionState::Answered => (StateName::Answered, None, None),
    };
    diesel::insert_into(interaction::table)
        .values((
            interaction::id.eq(new.id.as_str()),
            interaction::issuer.eq(new.issuer.as_str()),
            interaction::browser_hash.eq(new.browser.0.as_slice()),
            interaction::request.eq(to_json(&new.request)?),
            interaction::state.eq(state.as_text()),
            interaction::session_id.eq(session.map(SessionId::as_str)),
            interaction::created_at.eq(new.created_at.0),
            interaction::expires_at.eq(new.expires_at.0),
            interaction::proof.eq(proof),
        ))
        .execute(conn)?;
    Ok(())
}

/// The interaction of this key, also when it has expired or is answered: the caller judges, and compares the browser.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &InteractionId) -> Result<Option<Interaction>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    interaction::table
        .filter(interaction::id.eq(id.as_str()))
        .select(InteractionRow::as_select())
        .get_result(conn)
        .optional()?
        .map(InteractionRow::decode)
        .transpose()
}

/// Somebody proved a part of what the login needs, or (`None`) begins anew; what was proven before is forgotten, also the
/// session that had logged in for it. False: answered, expired or unknown.
///
/// # Errors
/// The database's.
pub fn prove(
    conn: &mut DbConn,
    id: &InteractionId,
    proof: Option<&PartialProof>,
    now: UtcTime,
) -> Result<bool, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        interaction::table
            .filter(interaction::id.eq(id.as_str()))
            .filter(interaction::state.ne(StateName::Answered.as_text()))
            .filter(interaction::expires_at.gt(now.0)),
    )
    .set((
        interaction::state.eq(StateName::Started.as_text()),
        interaction::session_id.eq(None::<String>),
        interaction::proof.eq(proof.map(to_json).transpose()?),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// This session logged in for it; a later login replaces an earlier one. False: answered, expired or unknown.
///
/// # Errors
/// The database's.
pub fn authenticate(
    conn: &mut DbConn,
    id: &InteractionId,
    session: &SessionId,
    now: UtcTime,
) -> Result<bool, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        interaction::table
            .filter(interaction::id.eq(id.as_str()))
            .filter(interaction::state.ne(StateName::Answered.as_text()))
            .filter(interaction::expires_at.gt(now.0)),
    )
    .set((
        interaction::state.eq(StateName::Authenticated.as_text()),
        interaction::session_id.eq(session.as_str()),
        interaction::proof.eq(None::<String>),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// The RP gets its answer, once, and only by the session that logged in for it. False: not so, or expired.
///
/// # Errors
/// The database's.
pub fn answer(
    conn: &mut DbConn,
    id: &InteractionId,
    session: &SessionId,
    now: UtcTime,
) -> Result<bool, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        interaction::table
            .filter(interaction::id.eq(id.as_str()))
            .filter(interaction::state.eq(StateName::Authenticated.as_text()))
            .filter(interaction::session_id.eq(session.as_str()))
            .filter(interaction::expires_at.gt(now.0)),
    )
    .set(interaction::state.eq(StateName::Answered.as_text()))
    .execute(conn)?;
    Ok(changed == 1)
}

/// The user cancels or denies, from the browser that started it. False: answered, expired, unknown or another browser's.
///
/// # Errors
/// The database's.
pub fn abandon(
    conn: &mut DbConn,
    id: &InteractionId,
    browser: &SecretHash,
    now: UtcTime,
) -> Result<bool, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(false);
    }
    let changed = diesel::update(
        interaction::table
            .filter(interaction::id.eq(id.as_str()))
            .filter(interaction::browser_hash.eq(browser.0.as_slice()))
            .filter(interaction::state.ne(StateName::Answered.as_text()))
            .filter(interaction::expires_at.gt(now.0)),
    )
    .set(interaction::state.eq(StateName::Answered.as_text()))
    .execute(conn)?;
    Ok(changed == 1)
}
