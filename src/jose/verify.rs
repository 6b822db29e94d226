//! Verification of a JWS and of its registered claims (RFC 7515 §5.2, RFC 7519 §4.1 and §7.2, RFC 8725).
//!
//! ```text
//! header:  alg exists ─► alg accepted ─► typ ─► key by kid ─► key fits alg ─► signature
//! claims:  iss ─► sub ─► aud ─► iat ─► nbf ─► exp ─► lifetime ─► the caller's own type
//! ```
//!
//! The claims are read after the signature only, so that an attacker learns nothing from their errors and cannot reach
//! the parser of a caller's type.

use super::algorithm::SignatureAlgorithm;
use super::error::listing;
use super::jwks::{KeySet, KeyUse, PublicKey};
use super::registered_claims::{Times, check_parties, check_times};
use super::unverified::{Header, Unverified};
use super::{JoseError, signature};
use crate::clock::UtcTime;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Keys of one `kid` that are tried.
const MAX_ATTEMPTS: usize = 4;

/// What the header `typ` must be (RFC 8725 §3.11). A leading `application/` is ignored and so is case (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypRule<'a> {
    /// One of these.
    Exactly(&'a [&'a str]),
    /// One of these, or no `typ`.
    AbsentOr(&'a [&'a str]),
    /// Whatever there is.
    Any,
}

/// What is asked of `exp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryRule {
    /// It must be there.
    Required,
    /// Without it the token does not expire.
    Optional,
    /// Without it the token expires this many seconds after `iat`, which must then be there.
    OrIssuedPlus(i64),
}

/// What is asked of `iat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuedAtRule {
    /// It must be there.
    Required,
    /// It may be missing; when it is there it must not be in the future.
    Optional,
}

/// What a kind of token must be. There is no default: every kind states every rule.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// Name for messages: `client_assertion`.
    pub kind: &'static str,
    /// The header `typ`.
    pub typ: TypRule<'a>,
    /// The accepted algorithms.
    pub algorithms: &'a [SignatureAlgorithm],
    /// Whether `kid` must be there; else a token without it passes when exactly one key of the set could be meant.
    pub kid_required: bool,
    /// `iss`, when it is checked.
    pub issuer: Option<&'a str>,
    /// `sub`, when it is checked.
    pub subject: Option<&'a str>,
    /// `aud` must contain one of these, when it is checked.
    pub audience: Option<&'a [&'a str]>,
    /// The time of the check.
    pub now: UtcTime,
    /// Seconds by which clocks may differ, either way.
    pub leeway_seconds: i64,
    /// `exp`.
    pub expiry: ExpiryRule,
    /// `iat`.
    pub issued_at: IssuedAtRule,
    /// From `iat` (or from now when there is none) to the end at most this many seconds; a token without an end is then refused.
    pub max_lifetime_seconds: Option<i64>,
}

impl Expectations<'_> {
    /// The error with the name of the token before it: `client_assertion: claim exp is missing`.
    #[must_use]
    pub fn describe(&self, error: &JoseError) -> String {
        format!("{}: {error}", self.kind)
    }
}

/// The claims of a token whose signature and registered claims were verified; only [`Unverified::verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    claims: C,
    header: Header,
    algorithm: SignatureAlgorithm,
    times: Times,
}

impl<C> Verified<C> {
    /// The claims.
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The claims, leaving the rest.
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// The header, now vouched for; its `trust_chain` consists of tokens to verify each on its own.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The header's `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The header's `typ`.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The algorithm of the signature.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// `exp`, or what [`ExpiryRule::OrIssuedPlus`] put in its place; none when the token does not expire.
    pub const fn expires_at(&self) -> Option<UtcTime> {
        self.times.expires_at
    }

    /// `iat`.
    pub const fn issued_at(&self) -> Option<UtcTime> {
        self.times.issued_at
    }

    /// `nbf`.
    pub const fn not_before(&self) -> Option<UtcTime> {
        self.times.not_before
    }
}

/// Claims whose signature is verified and which are not judged yet.
///
/// For the one caller that must tell the two apart: an authorization request may be answered to its sender once the
/// signature is verified, whatever its claims are worth.
#[derive(Clone, Debug)]
pub struct Authentic {
    members: Map<String, Value>,
    header: Header,
    algorithm: SignatureAlgorithm,
}

impl Authentic {
    /// All claims.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Judges the registered claims; answers when the token ends, if it does.
    ///
    /// # Errors
    /// The first claim that is missing, misshapen or not as expected.
    pub fn judge(&self, expected: &Expectations<'_>) -> Result<Option<UtcTime>, JoseError> {
        self.times(expected).map(|times| times.expires_at)
    }

    fn times(&self, expected: &Expectations<'_>) -> Result<Times, JoseError> {
        check_parties(&self.members, expected)?;
        check_times(&self.members, expected)
    }
}

impl Unverified<'_> {
    /// Verifies header and signature only.
    ///
    /// # Errors
    /// As [`Unverified::verify`], up to the signature and the reading of the claims.
    pub fn authenticate(
        &self,
        keys: &KeySet,
        expected: &Expectations<'_>,
    ) -> Result<Authentic, JoseError> {
        let algorithm = accepted_algorithm(&self.header().alg, expected.algorithms)?;
        check_typ(self.header().typ.as_deref(), expected.typ)?;
        self.check_signature(algorithm, keys, expected.kid_required)?;
        Ok(Authentic {
            members: self.unverified_claims()?,
            header: self.header().clone(),
            algorithm,
        })
    }

    /// Verifies signature and registered claims, then reads the claims as `C`.
    ///
    /// Times are NumericDates (RFC 7519 §2), whole or fractional (rounded down); text is refused, values beyond 64 bits
    /// are taken as the nearest that fits. `exp` has passed from the second it names on, plus the leeway.
    ///
    /// # Errors
    /// The first fact that is wrong, in the order of the module's diagram.
    pub fn verify<C: DeserializeOwned>(
        &self,
        keys: &KeySet,
        expected: &Expectations<'_>,
    ) -> Result<Verified<C>, JoseError> {
        let authentic = self.authenticate(keys, expected)?;
        let times = authentic.times(expected)?;
        let claims = serde_json::from_value(Value::Object(authentic.members))
            .map_err(|error| JoseError::MalformedJson(error.to_string()))?;
        Ok(Verified {
            claims,
            header: authentic.header,
            algorithm: authentic.algorithm,
            times,
        })
    }

    pub(super) fn check_signature(
        &self,
        algorithm: SignatureAlgorithm,
        keys: &KeySet,
        kid_required: bool,
    ) -> Result<(), JoseError> {
        let matches = |key: &PublicKey| {
            signature::matches(
                algorithm,
                key.key(),
                self.signing_input().as_bytes(),
                self.signature(),
            )
        };
        let fits = |key: &&PublicKey| {
            signature::fits(algorithm, key.kind())
                && key.is_meant_for(KeyUse::Signature, algorithm.as_str())
        };
        let verified = match self.header().kid.as_deref() {
            None if kid_required => return Err(JoseError::MissingHeader("kid")),
            None => {
                let suitable: Vec<&PublicKey> = keys.keys().iter().filter(fits).collect();
                match suitable.as_slice() {
                    [only] => matches(only),
                    several => {
                        return Err(JoseError::AmbiguousKey {
                            suitable: several.len(),
                        });
                    }
                }
            }
            Some(kid) => {
                let named = || keys.keys().iter().filter(|key| key.kid() == Some(kid));
                if named().next().is_none() {
                    return Err(JoseError::UnknownKey {
                        kid: kid.to_owned(),
                    });
                }
                if named().find(fits).is_none() {
                    return Err(JoseError::UnsuitableKey {
                        kid: Some(kid.to_owned()),
                        algorithm: algorithm.as_str(),
                    });
                }
                // A set may have two keys of one kid (RFC 7517 §4.5); one of hundreds would be an attack on our time.
                named().filter(fits).take(MAX_ATTEMPTS).any(matches)
            }
        };
        if verified {
            Ok(())
        } else {
            Err(JoseError::SignatureMismatch)
        }
    }
}

fn accepted_algorithm(
    name: &str,
    accepted: &[SignatureAlgorithm],
) -> Result<SignatureAlgorithm, JoseError> {
    let algorithm =
        SignatureAlgorithm::parse(name).ok_or_else(|| JoseError::UnsupportedAlgorithm {
            found: name.to_owned(),
        })?;
    if accepted.contains(&algorithm) {
        Ok(algorithm)
    } else {
        Err(JoseError::AlgorithmNotAllowed {
            expected: listing(accepted.iter().map(|algorithm| algorithm.as_str())),
            found: algorithm.as_str(),
        })
    }
}

fn check_typ(found: Option<&str>, rule: TypRule<'_>) -> Result<(), JoseError> {
    let (accepted, absent_is_fine) = match rule {
        TypRule::Any => return Ok(()),
        TypRule::Exactly(accepted) => (accepted, false),
        TypRule::AbsentOr(accepted) => (accepted, true),
    };
    let fine = found.map_or(absent_is_fine, |found| {
        accepted
            .iter()
            .any(|typ| bare_type(typ).eq_ignore_ascii_case(bare_type(found)))
    });
    if fine {
        Ok(())
    } else {
        Err(JoseError::WrongType {
            expected: listing(accepted.iter().copied()),
            found: found.map(str::to_owned),
        })
    }
}

/// A media type without `application/`.
fn bare_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    typ.split_at_checked(PREFIX.len())
        .filter(|(start, _)| start.eq_ignore_ascii_case(PREFIX))
        .map_or(typ, |(_, bare)| bare)
}
