//! Who may use the desk.

use super::record;
use crate::authn::operator as authn;
use crate::clock::UtcTime;
use crate::model::{Actor, Deed, Operator, OperatorId, Role, Via};
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, operator, operator_session};
use serde_json::{Value, json};

/// Characters of a name.
const MOST_NAME: usize = 60;
/// NIST SP 800-63B-4 §3.1.1: characters of a password that a second factor joins.
const LEAST_PASSWORD: usize = 12;
const MOST_PASSWORD_BYTES: usize = 1024;
/// Failed logins of an operator that the trail is told of: the first two of an hour.
const FAILURES_TOLD: Allowance = Allowance {
    attempts: 1,
    window_seconds: 3_600,
    first_block_seconds: 3_600,
    longest_block_seconds: 3_600,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Not 1 to 60 letters, digits, or `.` `-` `_` `@`.
    #[error("an operator's name has 1 to 60 letters, digits, '.', '-', '_' or '@'")]
    Name,
    /// Another operator is called so.
    #[error("there is an operator of this name already")]
    NameTaken,
    /// Nobody is called so.
    #[error("there is no operator of this name (compared exactly)")]
    Unknown,
    /// Too short or too long.
    #[error("an operator's password has at least 12 characters, and at most 1024 bytes")]
    Password,
    /// It would leave nobody who can make operators.
    #[error(
        "this is the last administrator who can log in: make somebody else an administrator first"
    )]
    LastAdministrator,
    /// Nobody takes away their own role or access by mistake.
    #[error("you cannot disable yourself or change your own role: another administrator can")]
    Oneself,
    /// A browser that was left alone changes nobody's proofs: one's own password is changed with the old one and a code.
    #[error(
        "your own password is changed with the old one and a code, at /admin/password; your second factor is reset, and your attempts are unlocked, by another administrator"
    )]
    OneselfUnproven,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether an operator may be called so.
///
/// # Errors
/// `Name`.
pub fn check_name(name: &str) -> Result<(), OperatorError> {
    let fits = |letter: char| letter.is_alphanumeric() || ".-_@".contains(letter);
    if (1..=MOST_NAME).contains(&name.chars().count()) && name.chars().all(fits) {
        Ok(())
    } else {
        Err(OperatorError::Name)
    }
}

/// Whether a password is good enough for an operator.
///
/// # Errors
/// `Password`.
pub fn check_password(password: &str) -> Result<(), OperatorError> {
    if password.chars().count() >= LEAST_PASSWORD && password.len() <= MOST_PASSWORD_BYTES {
        Ok(())
    } else {
        Err(OperatorError::Password)
    }
}

/// Adds an operator. The second factor is registered at the first login.
///
/// # Errors
/// `Name`, `NameTaken`.
pub fn add(
    conn: &mut DbConn,
    actor: &Actor,
    (name, role, password_hash): (&str, Role, String),
    now: UtcTime,
) -> Result<Operator, OperatorError> {
    check_name(name)?;
    if operator::find_by_name(conn, name)?.is_some() {
        return Err(OperatorError::NameTaken);
    }
    let new = Operator {
        id: OperatorId::random(),
        name: name.to_owned(),
        role,
        enabled: true,
        password_hash: Some(password_hash),
        totp: None,
        totp_step: None,
        created_at: now,
        updated_at: now,
        last_login_at: None,
    };
    match operator::insert(conn, &new) {
        Err(error) if error.is_duplicate() => return Err(OperatorError::NameTaken),
        other => other?,
    }
    tell(
        conn,
        actor,
        ("operator.add", name),
        (None, Some(facts(&new))),
        now,
    )?;
    Ok(new)
}

/// What may be done to an operator.
#[derive(Clone, Debug)]
pub enum Change {
    /// Another role.
    Role(Role),
    /// May log in, or may not; then their sessions end.
    Enabled(bool),
    /// Another password (its argon2id hash); their sessions end.
    Password(String),
    /// As `Password`, by themselves, who have just proven the old one and their code.
    OwnPassword(String),
    /// The second factor is registered anew at the next login, and no attempt counts any more; their sessions end.
    ResetFactor,
    /// They may try again after too many wrong passwords or codes.
    Unlock,
    /// Their sessions end.
    EndSessions,
}

impl Change {
    /// As in the trail.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Role(_) => "operator.role",
            Self::Enabled(true) => "operator.enable",
            Self::Enabled(false) => "operator.disable",
            Self::Password(_) | Self::OwnPassword(_) => "operator.password",
            Self::ResetFactor => "operator.reset_factor",
            Self::Unlock => "operator.unlock",
            Self::EndSessions => "operator.end_sessions",
        }
    }
}

/// Changes an operator.
///
/// # Errors
/// `Unknown`, `LastAdministrator`, `Oneself`, `OneselfUnproven`.
pub fn change(
    conn: &mut DbConn,
    actor: &Actor,
    (name, change): (&str, &Change),
    now: UtcTime,
) -> Result<(), OperatorError> {
    let before = operator::find_by_name(conn, name)?.ok_or(OperatorError::Unknown)?;
    let mut after = before.clone();
    match change {
        Change::Role(role) => after.role = *role,
        Change::Enabled(enabled) => after.enabled = *enabled,
        Change::Password(hash) | Change::OwnPassword(hash) => {
            after.password_hash = Some(hash.clone());
        }
        Change::ResetFactor | Change::Unlock | Change::EndSessions => {}
    }
    let loses = after.role < before.role || (before.enabled && !after.enabled);
    let is_oneself = actor.via == Via::Desk && actor.name == name;
    if loses && is_oneself {
        return Err(OperatorError::Oneself);
    }
    let unproven = matches!(
        change,
        Change::Password(_) | Change::ResetFactor | Change::Unlock
    );
    if unproven && is_oneself {
        return Err(OperatorError::OneselfUnproven);
    }
    let was_administrator = before.enabled && before.role == Role::Administrator;
    if loses && was_administrator && operator::count_administrators(conn)? <= 1 {
        return Err(OperatorError::LastAdministrator);
    }
    operator::update(conn, &after, now)?;
    match change {
        Change::ResetFactor => {
            operator::reset_totp(conn, &after.id, now)?;
            authn::unlock(conn, &after)?;
        }
        Change::Unlock => authn::unlock(conn, &after)?,
        Change::Role(_)
        | Change::Enabled(_)
        | Change::Password(_)
        | Change::OwnPassword(_)
        | Change::EndSessions => {}
    }
    let ends_sessions = !matches!(
        change,
        Change::Role(_) | Change::Enabled(true) | Change::Unlock
    );
    let ended = if ends_sessions {
        operator_session::end_all_of(conn, &after.id)?
    } else {
        0
    };
    let (was, is) = match change {
        Change::Role(_) | Change::Enabled(_) => (Some(facts(&before)), Some(facts(&after))),
        Change::Unlock => (None, None),
        Change::Password(_)
        | Change::OwnPassword(_)
        | Change::ResetFactor
        | Change::EndSessions => (None, Some(json!({ "sessions_ended": ended }))),
    };
    tell(conn, actor, (change.action(), name), (was, is), now)?;
    Ok(())
}

/// Notes a login that is complete.
///
/// # Errors
/// The database's.
pub fn logged_in(
    conn: &mut DbConn,
    actor: &Actor,
    known: &Operator,
    now: UtcTime,
) -> Result<(), StoreError> {
    operator::logged_in(conn, &known.id, now)?;
    let proofs = json!({ "second_factor": known.totp.is_some() });
    tell(
        conn,
        actor,
        ("operator.login", &known.name),
        (None, Some(proofs)),
        now,
    )
}

/// Notes that an operator has registered a second factor: who knew the password then, and from where, matters later.
///
/// # Errors
/// The database's.
pub fn enrolled(
    conn: &mut DbConn,
    actor: &Actor,
    name: &str,
    now: UtcTime,
) -> Result<(), StoreError> {
    let is = json!({ "second_factor": true });
    tell(
        conn,
        actor,
        ("operator.enrol", name),
        (Some(json!({ "second_factor": false })), Some(is)),
        now,
    )
}

/// Why a login of an operator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRefused {
    /// The password was wrong, or they are disabled.
    Password,
    /// The password was right, the code was not.
    Code,
    /// Too many codes: none is judged before this time.
    LockedOut(UtcTime),
}

impl LoginRefused {
    /// As in the trail.
    const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::LockedOut(_) => "locked_out",
        }
    }
}

/// Whoever acts before a login is complete. Nobody is called so: a name has no parentheses.
const NOT_PROVEN: &str = "(not logged in)";

/// Notes that a login in an operator's name failed: the first two of an hour for each operator and reason, those after them
/// are in the log alone. The trail keeps what it was told for ever, and whoever knows a name may try as often as
/// the throttle lets them. A name that is no operator's is not noted: strangers write nothing of their own.
///
/// # Errors
/// The database's.
pub fn login_failed(
    conn: &mut DbConn,
    (name, address): (&str, &str),
    why: LoginRefused,
    now: UtcTime,
) -> Result<(), StoreError> {
    // Counted for every name, so that the time it takes does not tell whose exists.
    let key = format!("operator trail {} {name}", why.name());
    let told = throttle::reserve(conn, &key, now, FAILURES_TOLD)?;
    if told.is_some() || operator::find_by_name(conn, name)?.is_none() {
        return Ok(());
    }
    let actor = Actor {
        name: NOT_PROVEN.to_owned(),
        via: Via::Desk,
        address: address.to_owned(),
    };
    let until = match why {
        LoginRefused::LockedOut(until) => Some(until.to_rfc3339()),
        LoginRefused::Password | LoginRefused::Code => None,
    };
    let is = json!({ "refused": why.name(), "until": until });
    tell(
        conn,
        &actor,
        ("operator.login_failed", name),
        (None, Some(is)),
        now,
    )
}

/// What the trail says of an operator.
fn facts(known: &Operator) -> Value {
    json!({ "role": known.role.name(), "enabled": known.enabled })
}

fn tell(
    conn: &mut DbConn,
    actor: &Actor,
    (action, subject): (&'static str, &str),
    (before, after): (Option<Value>, Option<Value>),
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action,
        subject: format!("operator {subject}"),
        before,
        after,
    };
    record(conn, actor, &deed, now)
}
