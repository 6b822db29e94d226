//! The registered claims (RFC 7519 §4.1): `iss`, `sub`, `aud`, `iat`, `nbf`, `exp`.

use super::JoseError;
use super::error::listing;
use super::verify::{Expectations, ExpiryRule, IssuedAtRule};
use crate::clock::UtcTime;
use serde_json::{Map, Value};

pub(super) fn check_parties(
    claims: &Map<String, Value>,
    expected: &Expectations<'_>,
) -> Result<(), JoseError> {
    if let Some(issuer) = expected.issuer {
        let found = required_claim(claims, "iss")?;
        if found != issuer {
            return Err(JoseError::WrongIssuer {
                expected: issuer.to_owned(),
                found: found.to_owned(),
            });
        }
    }
    if let Some(subject) = expected.subject {
        let found = required_claim(claims, "sub")?;
        if found != subject {
            return Err(JoseError::WrongSubject {
                expected: subject.to_owned(),
                found: found.to_owned(),
            });
        }
    }
    expected
        .audience
        .map_or(Ok(()), |accepted| check_audience(claims, accepted))
}

fn required_claim<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, JoseError> {
    claims
        .get(name)
        .ok_or(JoseError::MissingClaim(name))?
        .as_str()
        .ok_or(JoseError::MalformedClaim {
            name,
            expected: "a string",
        })
}

fn check_audience(claims: &Map<String, Value>, accepted: &[&str]) -> Result<(), JoseError> {
    const MALFORMED: JoseError = JoseError::MalformedClaim {
        name: "aud",
        expected: "a string or an array of strings",
    };
    let found: Vec<&str> = match claims.get("aud") {
        None => return Err(JoseError::MissingClaim("aud")),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().ok_or(MALFORMED))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(MALFORMED),
    };
    if found.iter().any(|audience| accepted.contains(audience)) {
        Ok(())
    } else {
        Err(JoseError::WrongAudience {
            expected: listing(accepted.iter().copied()),
            found: listing(found),
        })
    }
}

/// The times of a token, after they were checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) issued_at: Option<UtcTime>,
    pub(super) not_before: Option<UtcTime>,
    pub(super) expires_at: Option<UtcTime>,
}

pub(super) fn check_times(
    claims: &Map<String, Value>,
    expected: &Expectations<'_>,
) -> Result<Times, JoseError> {
    let (now, leeway) = (expected.now, expected.leeway_seconds);
    let issued_at = time_claim(claims, "iat")?;
    if issued_at.is_none() && expected.issued_at == IssuedAtRule::Required {
        return Err(JoseError::MissingClaim("iat"));
    }
    if let Some(at) = issued_at.filter(|at| *at > now.plus_seconds(leeway)) {
        return Err(JoseError::IssuedInFuture { at, now });
    }
    let not_before = time_claim(claims, "nbf")?;
    if let Some(at) = not_before.filter(|at| *at > now.plus_seconds(leeway)) {
        return Err(JoseError::NotYetValid { at, now });
    }
    let expires_at = match (time_claim(claims, "exp")?, expected.expiry) {
        (Some(at), _) => Some(at),
        (None, ExpiryRule::Optional) => None,
        (None, ExpiryRule::Required) => return Err(JoseError::MissingClaim("exp")),
        (None, ExpiryRule::OrIssuedPlus(seconds)) => Some(
            issued_at
                .ok_or(JoseError::MissingClaim("exp"))?
                .plus_seconds(seconds),
        ),
    };
    // RFC 7519 §4.1.4: on or after `exp` it is no longer accepted.
    if let Some(at) = expires_at.filter(|at| now >= at.plus_seconds(leeway)) {
        return Err(JoseError::Expired { at, now });
    }
    if let Some(limit) = expected.max_lifetime_seconds {
        let end = expires_at.ok_or(JoseError::MissingClaim("exp"))?;
        let seconds = end.seconds_since(issued_at.unwrap_or(now));
        if seconds > limit {
            return Err(JoseError::LifetimeTooLong { limit, seconds });
        }
    }
    Ok(Times {
        issued_at,
        not_before,
        expires_at,
    })
}

fn time_claim(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<UtcTime>, JoseError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value
        .as_i64()
        .or_else(|| value.as_u64().map(|_| i64::MAX))
        .or_else(|| value.as_f64().and_then(whole_seconds));
    seconds
        .map(|seconds| Some(UtcTime(seconds)))
        .ok_or(JoseError::MalformedClaim {
            name,
            expected: "a number of seconds",
        })
}

fn whole_seconds(seconds: f64) -> Option<i64> {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "there is no TryFrom; the cast takes the nearest value that fits, which is what is wanted"
    )]
    let whole = seconds.floor() as i64;
    seconds.is_finite().then_some(whole)
}
