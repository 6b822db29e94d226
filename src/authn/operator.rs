//! How operators prove who they are: a password, and a one-time code. Nothing of the citizens' registry counts here.

use super::clocks::{self, App, Judged};
use super::password::{self, Keys, LoginFailure, holds};
use super::second_factor::{self, Checked};
use super::totp;
use crate::accounts::second_factor::SECRET_BYTES;
use crate::endpoint::quote;
use crate::model::{Operator, OperatorSession};
use crate::provider::Shared;
use crate::random;
use crate::secret::Secret;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, operator, operator_session};
use std::net::IpAddr;

/// Checks an operator's password, as [`super::password::check`] does a citizen's.
///
/// # Errors
/// Why it failed.
pub async fn check_password(
    shared: &Shared,
    name: &str,
    password: Secret<String>,
    address: IpAddr,
) -> Result<Operator, LoginFailure> {
    let keys = Keys::new(password::OPERATORS, name, address);
    let wanted = name.to_owned();
    let found = keys
        .admit(shared, move |tx| operator::find_by_name(tx, &wanted))
        .await?;
    let hash = found
        .as_ref()
        .and_then(|operator| operator.password_hash.clone());
    let holds = holds(shared, hash, password).await?;
    let Some(operator) = found.filter(|operator| holds && operator.enabled) else {
        return Err(LoginFailure::WrongCredentials);
    };
    keys.give_back(shared).await?;
    Ok(operator)
}

/// Checks a one-time code, counted before it is judged and spent when it is right. What it writes has to be committed
/// whatever it says.
///
/// # Errors
/// The database's.
pub fn check_code(
    conn: &mut DbConn,
    shared: &Shared,
    operator: &Operator,
    typed: &str,
) -> Result<Checked, StoreError> {
    let now = shared.clock.now();
    let per_minute = shared.server.throttle.per_account_per_minute;
    let (short, long) = code_keys(operator);
    if let Some(until) = throttle::reserve(conn, &short, now, Allowance::per_minute(per_minute))? {
        let seconds = until.seconds_since(now).max(1);
        return Ok(Checked::Throttled { seconds });
    }
    let lock_out = second_factor::lock_out(per_minute);
    if let Some(until) = throttle::reserve(conn, &long, now, lock_out)? {
        return Ok(Checked::Locked { until });
    }
    let Some(sealed) = operator.totp.as_deref() else {
        return Ok(Checked::Wrong);
    };
    let Some(secret) = open(shared, sealed, &associated_data(operator)) else {
        return Ok(Checked::Wrong);
    };
    let app = App {
        name: &format!("operator {}", operator.id),
        secret: secret.expose(),
        last_step: operator.totp_step,
    };
    let refused = match app.judge(conn, &plain(typed), now)? {
        Judged::Right(step) if operator::redeem_step(conn, &operator.id, step)? => None,
        Judged::Right(_) => Some(app.spent(now)),
        Judged::Refused(why) => Some(why),
        Judged::Wrong => Some(Checked::Wrong),
    };
    if let Some(refused) = refused {
        if refused == Checked::UsedBefore {
            throttle::give_back(conn, &long)?;
        }
        return Ok(refused);
    }
    throttle::clear(conn, &short)?;
    throttle::clear(conn, &long)?;
    Ok(Checked::Proven(crate::model::Method::Totp))
}

/// The secret that a new operator registers: made at the first call, the same until its first code or the session's end.
/// It is the half-way session's own. Whoever gave the first password could otherwise look at it before, or after, the
/// operator registers it.
///
/// # Errors
/// The database's; a secret that cannot be sealed is told of in the log.
pub fn pending_secret(
    conn: &mut DbConn,
    shared: &Shared,
    session: &OperatorSession,
) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let known = operator_session::pending_totp(conn, &session.id, shared.clock.now())?;
    let place = pending_data(session);
    if let Some(secret) = known.and_then(|sealed| open(shared, &sealed, &place)) {
        return Ok(Some(secret));
    }
    let secret = Secret::new(random::byte_vec(SECRET_BYTES));
    let Some(sealed) = seal(shared, &secret, &place) else {
        return Ok(None);
    };
    operator_session::set_pending_totp(conn, &session.id, &sealed)?;
    Ok(Some(secret))
}

/// Takes the first code of the secret that this session was shown: from now on it counts.
///
/// # Errors
/// The database's.
pub fn confirm(
    conn: &mut DbConn,
    shared: &Shared,
    (operator, session): (&Operator, &OperatorSession),
    typed: &str,
) -> Result<Checked, StoreError> {
    let now = shared.clock.now();
    let limit = Allowance::per_minute(shared.server.throttle.per_account_per_minute);
    let key = enrolment_key(operator);
    if let Some(until) = throttle::reserve(conn, &key, now, limit)? {
        let seconds = until.seconds_since(now).max(1);
        return Ok(Checked::Throttled { seconds });
    }
    let waiting = operator_session::pending_totp(conn, &session.id, now)?;
    let place = pending_data(session);
    let Some(secret) = waiting.and_then(|sealed| open(shared, &sealed, &place)) else {
        return Ok(Checked::Wrong);
    };
    let code = plain(typed);
    let Some(step) = totp::step_of(secret.expose(), &code, now) else {
        let off = clocks::seconds_off(secret.expose(), &code, now);
        return Ok(off.map_or(Checked::Wrong, |seconds| Checked::ClockOff { seconds }));
    };
    let Some(sealed) = seal(shared, &secret, &associated_data(operator)) else {
        return Ok(Checked::Wrong);
    };
    if !operator::confirm_totp(conn, &operator.id, (&sealed, step), now)? {
        return Ok(Checked::Wrong);
    }
    throttle::clear(conn, &key)?;
    Ok(Checked::Proven(crate::model::Method::Totp))
}

/// An administrator lets an operator try again whose codes or passwords were too many. What is counted of one address is
/// over after minutes.
///
/// # Errors
/// The database's.
pub fn unlock(conn: &mut DbConn, operator: &Operator) -> Result<(), StoreError> {
    let (short, long) = code_keys(operator);
    for key in [short, long, enrolment_key(operator)] {
        throttle::clear(conn, &key)?;
    }
    password::unlock_operator(conn, &operator.name)
}

/// Apps show a code in two groups.
fn plain(typed: &str) -> String {
    let letters = typed.chars().filter(|letter| !letter.is_whitespace());
    letters.take(16).collect()
}

fn open(shared: &Shared, sealed: &[u8], place: &[u8]) -> Option<Secret<Vec<u8>>> {
    match shared.key_encryption_key.open(sealed, place) {
        Ok(secret) => Some(secret),
        Err(error) => {
            log::error!("event=operator.factor_unreadable reason={}", quote(error));
            None
        }
    }
}

fn seal(shared: &Shared, secret: &Secret<Vec<u8>>, place: &[u8]) -> Option<Vec<u8>> {
    match shared.key_encryption_key.seal(secret.expose(), place) {
        Ok(sealed) => Some(sealed),
        Err(error) => {
            log::error!("event=operator.factor_not_sealed reason={}", quote(error));
            None
        }
    }
}

/// What the secret is sealed together with, so that it can be opened only as this operator's.
fn associated_data(operator: &Operator) -> Vec<u8> {
    format!("operator.totp {}", operator.id).into_bytes()
}

/// As [`associated_data`], while it waits: it can be opened only as this session's.
fn pending_data(session: &OperatorSession) -> Vec<u8> {
    format!(
        "operator_session.totp_pending {} {}",
        session.operator,
        session.id.as_str()
    )
    .into_bytes()
}

/// What the codes of an operator are counted by: in a minute, and until they are locked out.
fn code_keys(operator: &Operator) -> (String, String) {
    (
        format!("operator code minute {}", operator.id),
        format!("operator code day {}", operator.id),
    )
}

fn enrolment_key(operator: &Operator) -> String {
    format!("operator enrolment {}", operator.id)
}
