//! What all pages that ask for a proof have in common, and the fresh proof that a change of the account asks for.

use super::ProofError;
use super::visit::{PageFailure, SignedIn, Visit};
use crate::authn::enrolment::Confirmed;
use crate::authn::password::{self, LoginFailure};
use crate::authn::second_factor::{self, Available, Checked};
use crate::authn::security_key::{self, KeyChecked};
use crate::clock::UtcTime;
use crate::model::{Account, Method, Params};
use crate::secret::Secret;
use crate::store::StoreError;

/// What a page says of a code that did not count.
pub(super) fn error_of(checked: Checked) -> ProofError {
    match checked {
        Checked::Proven(_) | Checked::Wrong => ProofError::WrongCode,
        Checked::UsedBefore => ProofError::UsedBefore,
        Checked::ClockOff { seconds } => clock_off(seconds),
        Checked::ServerBehind { until } => ProofError::ServerBehind { until },
        Checked::OfTheFuture => ProofError::OfTheFuture,
        Checked::Throttled { seconds } => throttled(seconds),
        Checked::Locked { until } => ProofError::Locked { until },
    }
}

/// As [`error_of`], for the first code of a new second factor.
pub(super) fn error_of_first(confirmed: &Confirmed) -> ProofError {
    match confirmed {
        Confirmed::Active(_) | Confirmed::Expired => ProofError::Expired,
        Confirmed::Wrong => ProofError::WrongCode,
        Confirmed::ClockOff { seconds } => clock_off(*seconds),
        Confirmed::Throttled { seconds } => throttled(*seconds),
    }
}

/// As [`error_of`], for a security key.
pub(super) fn error_of_key(checked: &KeyChecked) -> ProofError {
    match checked {
        KeyChecked::Proven { .. } | KeyChecked::Wrong => ProofError::WrongKey,
        KeyChecked::Expired => ProofError::Expired,
        KeyChecked::NotVerified => ProofError::KeyNotVerified,
        KeyChecked::Copied => ProofError::KeyCopied,
        KeyChecked::Throttled { seconds } => throttled(*seconds),
    }
}

fn clock_off(seconds: i64) -> ProofError {
    let minutes = seconds.unsigned_abs().div_ceil(60);
    if seconds > 0 {
        ProofError::ClockAhead { minutes }
    } else {
        ProofError::ClockBehind { minutes }
    }
}

fn throttled(seconds: i64) -> ProofError {
    ProofError::Throttled {
        seconds: u64::try_from(seconds).unwrap_or(1),
    }
}

/// HTTP status, and seconds for `Retry-After`.
pub(super) fn status_of(error: ProofError, now: UtcTime) -> (u16, Option<i64>) {
    match error {
        ProofError::Throttled { seconds } => (429, i64::try_from(seconds).ok()),
        ProofError::Locked { until } => (429, Some(until.seconds_since(now).max(1))),
        ProofError::Busy => (503, Some(5)),
        ProofError::Missing
        | ProofError::WrongPassword
        | ProofError::WrongCode
        | ProofError::UsedBefore
        | ProofError::ClockAhead { .. }
        | ProofError::ClockBehind { .. }
        | ProofError::ServerBehind { .. }
        | ProofError::OfTheFuture
        | ProofError::Expired
        | ProofError::PasswordLength
        | ProofError::PasswordsDiffer
        | ProofError::SamePassword
        | ProofError::TooMany
        | ProofError::WrongKey
        | ProofError::KeyNotVerified
        | ProofError::KeyCopied
        | ProofError::KeyKnown
        | ProofError::NoCard
        | ProofError::CardUnreadable
        | ProofError::CardNotTrusted
        | ProofError::CardUnknown => (422, None),
    }
}

/// For the log.
pub(super) fn name_of(error: ProofError) -> &'static str {
    match error {
        ProofError::Missing => "missing",
        ProofError::WrongPassword => "wrong password",
        ProofError::WrongCode => "wrong code",
        ProofError::UsedBefore => "code used before",
        ProofError::ClockAhead { .. } => "code of a clock that is ahead",
        ProofError::ClockBehind { .. } => "code of a clock that is behind",
        ProofError::ServerBehind { .. } => "the server's clock went back",
        ProofError::OfTheFuture => "code sent before the server's clock went back",
        ProofError::Throttled { .. } => "throttled",
        ProofError::Locked { .. } => "locked",
        ProofError::Expired => "too late",
        ProofError::Busy => "busy",
        ProofError::PasswordLength | ProofError::PasswordsDiffer | ProofError::SamePassword => {
            "unsuitable new password"
        }
        ProofError::TooMany => "too many second factors",
        ProofError::WrongKey => "wrong security key",
        ProofError::KeyNotVerified => "security key without verification",
        ProofError::KeyCopied => "copied security key",
        ProofError::KeyKnown => "known security key",
        ProofError::NoCard => "no card",
        ProofError::CardUnreadable => "unreadable card",
        ProofError::CardNotTrusted => "untrusted card",
        ProofError::CardUnknown => "unknown card",
    }
}

/// What a change of this account asks for. Every second factor protects the account, also at an issuer where it counts for
/// no login.
pub(super) async fn available(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
) -> Result<Available, PageFailure> {
    let (op, person) = (visit.op.clone(), signed_in.account.clone());
    Ok(visit
        .op
        .shared
        .store
        .read(move |conn| second_factor::available(conn, &op, second_factor::ALL, &person))
        .await?)
}

/// How somebody can prove, before a change, that it is them who is at the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// With the password, and the second factor of whoever has one.
    Password,
    /// Without a password: with a security key that verifies who holds it, which is two factors in one.
    Key,
}

impl Way {
    /// `None`: whoever has neither cannot.
    pub(super) fn of(person: &Account, methods: &[Method]) -> Option<Self> {
        match (
            &person.password_hash,
            methods.contains(&Method::VerifiedKey),
        ) {
            (Some(_), _) => Some(Self::Password),
            (None, true) => Some(Self::Key),
            (None, false) => None,
        }
    }

    /// As what a key is asked for.
    const fn key(self) -> Method {
        match self {
            Self::Password => Method::SecurityKey,
            Self::Key => Method::VerifiedKey,
        }
    }
}

/// Where a session asks for a security key before a change.
fn place(signed_in: &SignedIn) -> String {
    format!("change {}", signed_in.session.id)
}

/// Asks for a security key of the person, if there is one that can be used here: what the page's script needs.
pub(super) async fn ask_key(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    available: &Available,
) -> Result<Option<String>, PageFailure> {
    let way = Way::of(&signed_in.account, &available.methods);
    let method = way.map_or(Method::SecurityKey, Way::key);
    if !available.methods.contains(&method) {
        return Ok(None);
    }
    let (op, person, place) = (
        visit.op.clone(),
        signed_in.account.id.clone(),
        place(signed_in),
    );
    Ok(visit
        .op
        .shared
        .store
        .write(move |tx| {
            let whose = (Some(&person), place.as_str());
            security_key::ask(tx, &op, whose, method)
        })
        .await?)
}

/// The password, and the second factor of whoever has one, proven with the form that asks for the change: a session that
/// was left open, or stolen, changes nothing. Whoever has no password proves with a security key alone ([`Way`]).
pub(super) async fn prove(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    form: &Params,
) -> Result<Result<(), ProofError>, PageFailure> {
    let has = available(visit, signed_in).await?;
    let Some(way) = Way::of(&signed_in.account, &has.methods) else {
        return Ok(Err(ProofError::Missing));
    };
    let needs_more = has.any();
    let typed = form.get("password").unwrap_or_default();
    let code = form.get("otp").unwrap_or_default().trim().to_owned();
    let answer = form.get("answer").unwrap_or_default().to_owned();
    let misses = match way {
        Way::Password => typed.is_empty() || (needs_more && code.is_empty() && answer.is_empty()),
        Way::Key => answer.is_empty(),
    };
    if misses {
        return Ok(Err(ProofError::Missing));
    }
    if way == Way::Password {
        if let Err(error) = prove_password(visit, signed_in, typed).await? {
            return Ok(Err(error));
        }
        if !needs_more {
            return Ok(Ok(()));
        }
    }
    let (op, person, place) = (
        visit.op.clone(),
        signed_in.account.id.clone(),
        place(signed_in),
    );
    visit
        .op
        .shared
        .store
        .write(move |tx| {
            if answer.is_empty() {
                let checked = second_factor::check(tx, &op, second_factor::ALL, (&person, &code))?;
                return Ok(match checked {
                    Checked::Proven(_) => Ok(()),
                    other => Err(error_of(other)),
                });
            }
            let (whose, what) = (
                (Some(&person), place.as_str()),
                (way.key(), answer.as_str()),
            );
            Ok(match security_key::check(tx, &op, whose, what)? {
                KeyChecked::Proven { .. } => Ok(()),
                other => Err(error_of_key(&other)),
            })
        })
        .await
        .map_err(|error: StoreError| error.into())
}

async fn prove_password(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    typed: &str,
) -> Result<Result<(), ProofError>, PageFailure> {
    let username = &signed_in.account.username;
    let typed = Secret::new(typed.to_owned());
    match password::check(visit.op, username, typed, visit.inbound.address).await {
        Ok(_) => Ok(Ok(())),
        Err(LoginFailure::WrongCredentials) => Ok(Err(ProofError::WrongPassword)),
        Err(LoginFailure::Throttled { seconds }) => Ok(Err(throttled(seconds))),
        Err(LoginFailure::Busy) => Ok(Err(ProofError::Busy)),
        Err(LoginFailure::Store(error)) => Err(error.into()),
    }
}
