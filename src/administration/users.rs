//! People of the identity registry. In the trail they are `user KEY`: usernames change hands, keys do not.

mod attributes;

pub(super) use attributes::only;
pub use attributes::{Edit, Edited, check_attributes, differences, edit, version};

use super::office::by_operator;
use super::record;
use crate::accounts::fault::{Fault, FaultKind};
use crate::accounts::password::is_long_enough;
use crate::accounts::{import, second_factor};
use crate::authn::{password, second_factor as checks};
use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::mail::{FactorChange, Letter};
use crate::model::attribute::canonical_claim;
use crate::model::{Account, AccountId, Actor, Authenticator, Deed, SessionId};
use crate::store::{DbConn, StoreError, account, authenticator, grant, recovery_code, session};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Sessions that are ended in one transaction; more than anybody has.
const MOST_SESSIONS: u32 = 10_000;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// What was said of the person is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Fault>),
    /// Somebody else is called so.
    #[error(
        "there is a user of this name already; `varco user password` sets a password, `varco user edit` changes attributes"
    )]
    UsernameTaken,
    /// There is nobody of this key.
    #[error("there is no such user")]
    Unknown,
    /// Somebody changed them since they were looked at.
    #[error("somebody else changed the attributes meanwhile: {}", .0.join(", "))]
    ChangedMeanwhile(Vec<String>),
    /// There is no such second factor (any more).
    #[error("the user has no such second factor")]
    NoFactor,
    /// It has ended meanwhile.
    #[error("the user has no such session; it may have ended")]
    NoSession,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Names outside the attribute table that an issuer's `attributes` refer to.
#[must_use]
pub fn custom_attributes(settings: &ServerSettings) -> BTreeSet<String> {
    settings
        .issuers
        .iter()
        .filter_map(|issuer| issuer.attributes.as_ref())
        .flat_map(|map| map.values().flatten().cloned())
        .filter(|name| canonical_claim(name).is_none())
        .collect()
}

/// Whether somebody may be called so.
///
/// # Errors
/// `Wrong`.
pub fn check_username(username: &str) -> Result<(), UserError> {
    import::check_username(username).map_err(|fault| UserError::Wrong(vec![fault]))
}

/// Whether it may be a person's new password.
///
/// # Errors
/// `Wrong`.
pub fn check_password(password: &str) -> Result<(), UserError> {
    match is_long_enough(password) {
        true => Ok(()),
        false => Err(UserError::Wrong(vec![FaultKind::NewPassword.alone()])),
    }
}

/// Somebody to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they type.
    pub username: String,
    /// argon2id; `None`: no login with a password.
    pub password_hash: Option<String>,
    /// As [`check_attributes`] returns them.
    pub attributes: Map<String, Value>,
}

/// Adds somebody, who may log in.
///
/// # Errors
/// `Wrong`, `UsernameTaken`.
pub fn add(
    conn: &mut DbConn,
    actor: &Actor,
    new: NewUser,
    now: UtcTime,
) -> Result<Account, UserError> {
    check_username(&new.username)?;
    if account::find_by_username(conn, &new.username)?.is_some() {
        return Err(UserError::UsernameTaken);
    }
    let person = Account {
        id: AccountId::random(),
        username: new.username,
        password_hash: new.password_hash,
        enabled: true,
        attributes: new.attributes,
        created_at: now,
        updated_at: now,
    };
    match account::insert(conn, &person) {
        Err(error) if error.is_duplicate() => return Err(UserError::UsernameTaken),
        other => other?,
    }
    let after = json!({
        "username": person.username,
        "password": person.password_hash.is_some(),
        "attributes": person.attributes,
    });
    tell(
        conn,
        actor,
        ("user.add", &person.id),
        (None, Some(after)),
        now,
    )?;
    Ok(person)
}

/// What may be done to somebody.
#[derive(Clone, Debug)]
pub enum Change {
    /// May log in, or may not; then their sessions end.
    Enabled(bool),
    /// Another password (its argon2id hash), or none; their sessions end.
    Password(Option<String>),
    /// Every second factor and the recovery codes go; their sessions end.
    ResetFactors,
    /// One second factor goes; with the last one the recovery codes; their sessions end.
    RemoveFactor(String),
    /// What was refused after too many attempts may be tried again.
    Unlock,
    /// Their sessions end.
    EndSessions,
    /// One session ends: its [`session_handle`].
    EndSession(String),
}

impl Change {
    /// As in the trail.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Enabled(true) => "user.enable",
            Self::Enabled(false) => "user.disable",
            Self::Password(_) => "user.password",
            Self::ResetFactors => "user.reset_factors",
            Self::RemoveFactor(_) => "user.remove_factor",
            Self::Unlock => "user.unlock",
            Self::EndSessions => "user.end_sessions",
            Self::EndSession(_) => "user.end_session",
        }
    }

    /// What the person is told of it by e-mail.
    #[must_use]
    pub fn letter(&self) -> Option<Letter> {
        let change = match self {
            Self::Password(_) => FactorChange::Password,
            Self::ResetFactors => FactorChange::Reset,
            Self::RemoveFactor(_) => FactorChange::Removed,
            Self::Enabled(_) | Self::Unlock | Self::EndSessions | Self::EndSession(_) => {
                return None;
            }
        };
        Some(by_operator(change))
    }
}

/// What a person is told who was given a secret ([`give_totp`]).
#[must_use]
pub fn factor_given() -> Letter {
    by_operator(FactorChange::Added)
}

/// Names a session where operators see it: its key is what form tokens are made of.
#[must_use]
pub fn session_handle(id: &SessionId) -> String {
    let hash = crate::secret::sha256(format!("session of the desk {id}").as_bytes());
    BASE64URL_NOPAD.encode(&hash)
}

/// Changes somebody, but for attributes ([`edit`]); returns how many sessions or second factors that ended.
///
/// # Errors
/// `Unknown`, `NoFactor`, `NoSession`.
pub fn change(
    conn: &mut DbConn,
    actor: &Actor,
    (id, change): (&AccountId, &Change),
    now: UtcTime,
) -> Result<usize, UserError> {
    let person = account::find(conn, id)?.ok_or(UserError::Unknown)?;
    let mut count = 0;
    let told = match change {
        Change::Enabled(enabled) => {
            account::set_enabled(conn, id, *enabled, now)?;
            count = if *enabled {
                0
            } else {
                end_sessions(conn, id, None, now)?
            };
            let (was, is) = (
                json!({ "enabled": person.enabled }),
                json!({ "enabled": enabled }),
            );
            (Some(was), Some(is))
        }
        Change::Password(hash) => {
            account::set_password(conn, id, hash.as_deref(), now)?;
            // Whoever is logged in with the old password is not any more.
            let ended = end_sessions(conn, id, None, now)?;
            let is = json!({ "password": hash.is_some(), "sessions_ended": ended });
            (
                Some(json!({ "password": person.password_hash.is_some() })),
                Some(is),
            )
        }
        Change::ResetFactors => {
            count = second_factor::remove_all(conn, id)?;
            checks::unlock(conn, id)?;
            let ended = end_sessions(conn, id, None, now)?;
            (
                Some(json!({ "factors": count })),
                Some(json!({ "factors": 0, "sessions_ended": ended })),
            )
        }
        Change::RemoveFactor(factor) => {
            count = 1;
            let (was, is) = remove_factor(conn, id, factor, now)?;
            (Some(was), Some(is))
        }
        Change::Unlock => {
            checks::unlock(conn, id)?;
            password::unlock(conn, &person.username)?;
            (None, None)
        }
        Change::EndSessions => {
            count = end_sessions(conn, id, None, now)?;
            (None, Some(json!({ "sessions_ended": count })))
        }
        Change::EndSession(handle) => {
            count = end_sessions(conn, id, Some(handle), now)?;
            if count == 0 {
                return Err(UserError::NoSession);
            }
            (None, Some(json!({ "sessions_ended": count })))
        }
    };
    tell(conn, actor, (change.action(), id), told, now)?;
    Ok(count)
}

fn remove_factor(
    conn: &mut DbConn,
    id: &AccountId,
    factor: &str,
    now: UtcTime,
) -> Result<(Value, Value), UserError> {
    let mut all = authenticator::search(conn, id, now)?;
    all.retain(Authenticator::is_active);
    let known = all
        .iter()
        .find(|known| known.id == factor)
        .ok_or(UserError::NoFactor)?;
    if !authenticator::remove(conn, id, factor)? {
        return Err(UserError::NoFactor);
    }
    // Recovery codes only stand in for it.
    if all.len() == 1 {
        recovery_code::remove_all(conn, id)?;
    }
    let ended = end_sessions(conn, id, None, now)?;
    let was = json!({ "method": known.method.name(), "name": known.name });
    let left = all.len().saturating_sub(1);
    Ok((was, json!({ "factors": left, "sessions_ended": ended })))
}

/// Ends one session or all, and what relying parties got without offline access in them.
pub(super) fn end_sessions(
    conn: &mut DbConn,
    id: &AccountId,
    handle: Option<&str>,
    now: UtcTime,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for found in session::alive_of(conn, id, now, MOST_SESSIONS)? {
        if handle.is_none_or(|handle| session_handle(&found.id) == handle) {
            session::end(conn, &found.id, now)?;
            grant::revoke_of_session(conn, &found.id, now)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The operator gives somebody a secret for one-time codes; only that it happened is told.
///
/// # Errors
/// The database's, sealing's.
pub fn give_totp(
    conn: &mut DbConn,
    actor: &Actor,
    (key, id, base32): (&crate::jose::KeyEncryptionKey, &AccountId, &str),
    now: UtcTime,
) -> Result<(), second_factor::SecondFactorError> {
    // The same one again is told too: somebody meant to give it.
    let _is_another = second_factor::give_totp(conn, key, id, base32, now)?;
    tell(conn, actor, ("user.give_factor", id), (None, None), now)?;
    Ok(())
}

/// Who somebody is in the trail.
#[must_use]
pub fn subject(id: &AccountId) -> String {
    format!("user {id}")
}

fn tell(
    conn: &mut DbConn,
    actor: &Actor,
    (action, id): (&'static str, &AccountId),
    (before, after): (Option<Value>, Option<Value>),
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action,
        subject: subject(id),
        before,
        after,
    };
    record(conn, actor, &deed, now)
}
