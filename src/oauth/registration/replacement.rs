//! Who may take the place of whom: a registration replaces an earlier one, but not what the operator decided, nor a later
//! one, nor one that another superior vouches for (OIDC Federation §12.2.2, step 7).

use super::error::Fact;
use super::{Registration, request};
use crate::clock::UtcTime;
use crate::jose::{Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm};
use crate::jose::{TypRule, Unverified};
use crate::model::{Origin, RelyingParty, ResolvedTrust};
use crate::provider::ClientError;
use serde_json::{Map, Value};

/// The registration that is replaced, for the log.
#[derive(Debug)]
pub(super) struct Replaced {
    /// When it was written.
    pub registered_at: UtcTime,
    /// The immediate superior in its chain; empty when there is none.
    pub superior: String,
}

/// Judges whether the row that is there may be replaced.
///
/// # Errors
/// Why not.
pub(super) fn replaceable(
    current: &RelyingParty,
    registration: &Registration,
    now: UtcTime,
) -> Result<Replaced, Fact> {
    if !current.enabled {
        return Err(Fact::Client(ClientError::Disabled));
    }
    match &current.origin {
        Origin::Registered => return Err(Fact::OperatorsOwn),
        Origin::Federation(_) => {}
        Origin::Explicit(trust) => {
            is_later(trust, registration)?;
            is_vouched_for(trust, registration, now)?;
        }
    }
    Ok(Replaced {
        registered_at: current.updated_at,
        superior: superior_of(current.origin.trust()),
    })
}

fn is_later(current: &ResolvedTrust, registration: &Registration) -> Result<(), Fact> {
    let earlier = current.chain.first().map(String::as_str);
    let earlier = request::issued_at(earlier.unwrap_or_default());
    if earlier > Some(registration.application.issued_at()) {
        Err(Fact::Older)
    } else {
        Ok(())
    }
}

/// While a registration lives, another superior moves it with the RP's consent only: the request is signed with a key that
/// the present superior attested. Else an intermediate that is broken into could take over every RP of the federation, by
/// attesting a key of its own for it. That one of the attested keys is the same would prove nothing, since public keys are
/// public; and to ask the RP's own address would let whoever holds that move it.
fn is_vouched_for(
    current: &ResolvedTrust,
    registration: &Registration,
    now: UtcTime,
) -> Result<(), Fact> {
    let superior = superior_of(Some(current));
    if current.expires_at <= now || superior == registration.superior {
        return Ok(());
    }
    let attested = claims_above(current)
        .get("jwks")
        .and_then(|jwks| KeySet::from_json(jwks).ok())
        .unwrap_or_default();
    if is_signed_with(registration.application.configuration(), &attested, now) {
        return Ok(());
    }
    Err(Fact::OtherSuperior {
        superior,
        until: current.expires_at,
    })
}

/// The claims were verified with the chain; here only whose key it was is asked.
fn is_signed_with(configuration: &str, keys: &KeySet, now: UtcTime) -> bool {
    let signature_only = Expectations {
        kind: "registration request",
        typ: TypRule::Any,
        algorithms: SignatureAlgorithm::ALL,
        kid_required: true,
        issuer: None,
        subject: None,
        audience: None,
        now,
        leeway_seconds: 0,
        expiry: ExpiryRule::Optional,
        issued_at: IssuedAtRule::Optional,
        max_lifetime_seconds: None,
    };
    Unverified::parse(configuration, configuration.len())
        .and_then(|statement| statement.authenticate(keys, &signature_only))
        .is_ok()
}

fn superior_of(trust: Option<&ResolvedTrust>) -> String {
    let claims = trust.map(claims_above).unwrap_or_default();
    let issuer = claims.get("iss").and_then(Value::as_str);
    issuer.unwrap_or_default().to_owned()
}

/// What the superior said of the RP, in a chain that was verified when it was kept.
fn claims_above(trust: &ResolvedTrust) -> Map<String, Value> {
    let statement = trust.chain.get(1).map(String::as_str).unwrap_or_default();
    Unverified::parse(statement, statement.len())
        .and_then(|statement| statement.unverified_claims())
        .unwrap_or_default()
}
