//! A registration request: what it says of itself, checked before anything is fetched for it.
//!
//! All of it is unproven; the trust chain's verification proves the very same bytes.

use super::error::{Fact, RegistrationError};
use crate::clock::UtcTime;
use crate::endpoint::{Inbound, Method, Posted};
use crate::federation::EntityId;
use crate::federation::entity_statement::STATEMENT_MAX_BYTES;
use crate::jose::{MAX_DEPTH, Unverified, parse_bounded};
use crate::provider::Provider;
use crate::secret;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

/// An RP's entity configuration.
const ENTITY_STATEMENT: &str = "application/entity-statement+jwt";
/// A JSON array that begins with one.
const TRUST_CHAIN: &str = "application/trust-chain+json";
/// OIDC Federation §12.2.1.
pub(super) const MEDIA_TYPES: &[&str] = &[ENTITY_STATEMENT, TRUST_CHAIN];
/// How long a request is taken from its `iat` on: a day, as assertions, for clocks that are wrong and queues that are long.
/// It is remembered until then; were that up to its `exp`, an RP could leave rows for ever. `exp` itself is the federation's
/// matter: the registration ends with it.
const PRESENTABLE_SECONDS: i64 = 86_400;
/// OIDC Federation §3: without it a statement must not be accepted. Older kits know no explicit registration.
const STATEMENT_TYP: &str = "entity-statement+jwt";

/// A request that is addressed to this issuer.
#[derive(Debug)]
pub struct Application {
    subject: EntityId,
    configuration: String,
    /// What is above the configuration, which is its first element or stands for it.
    chain: Option<Vec<String>>,
    peer_chain: Option<Vec<String>>,
    claims: Map<String, Value>,
    issued_at: UtcTime,
    digest: String,
}

/// What the checks look at.
struct Facts<'a> {
    op: &'a Provider,
    statement: &'a Unverified<'a>,
    claims: &'a Map<String, Value>,
}

type Check = fn(&Facts<'_>) -> Result<(), Fact>;

/// The checks, first to last; the first that fails is the answer.
static CHECKS: &[Check] = &[
    typ_is_stated,
    parties_agree,
    audience_is_this_issuer,
    keys_are_there,
    superiors_are_named,
    has_metadata,
    has_an_end,
    is_fresh,
];

impl Application {
    /// Reads the request.
    ///
    /// # Errors
    /// It is malformed, incomplete or addressed to another.
    pub(super) fn parse(op: &Provider, inbound: &Inbound) -> Result<Self, RegistrationError> {
        if inbound.method != Method::Post {
            return Err(Fact::NotPost.into());
        }
        let posted = inbound.posted.as_ref().ok_or(Fact::Empty)?;
        let mut body_chain = body_chain(posted)?;
        let configuration = match body_chain.as_mut().and_then(|chain| chain.first_mut()) {
            Some(first) => first.clone(),
            None => posted.text.trim().to_owned(),
        };
        let statement =
            Unverified::parse(&configuration, STATEMENT_MAX_BYTES).map_err(Fact::Statement)?;
        let claims: Map<String, Value> = statement.unverified_claims().map_err(Fact::Statement)?;
        let subject = text(&claims, "sub")?;
        let subject = EntityId::parse(subject, op.shared.server.development)
            .map_err(|error| Fact::Subject(error.to_string()))?;
        let about = |fact| RegistrationError::about(&subject, fact);
        let facts = Facts {
            op,
            statement: &statement,
            claims: &claims,
        };
        CHECKS
            .iter()
            .try_for_each(|check| check(&facts))
            .map_err(about)?;
        let peer_chain = statement
            .peer_trust_chain()
            .map_err(|error| about(Fact::Statement(error)))?;
        let header_chain = statement.header().trust_chain.clone();
        if peer_chain.is_some() && (body_chain.is_some() || header_chain.is_none()) {
            return Err(about(Fact::LonePeerChain));
        }
        Ok(Self {
            issued_at: time(&claims, "iat").map_err(about)?,
            digest: BASE64URL_NOPAD.encode(&secret::sha256(statement.signing_input().as_bytes())),
            chain: body_chain.or(header_chain),
            peer_chain,
            subject,
            claims,
            configuration,
        })
    }

    /// The RP.
    #[must_use]
    pub fn subject(&self) -> &EntityId {
        &self.subject
    }

    /// Its entity configuration, as it came.
    #[must_use]
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// The chain that it brought.
    #[must_use]
    pub fn chain(&self) -> Option<&[String]> {
        self.chain.as_deref()
    }

    /// The chain about this issuer that it brought.
    #[must_use]
    pub fn peer_chain(&self) -> Option<&[String]> {
        self.peer_chain.as_deref()
    }

    /// `iat`.
    #[must_use]
    pub fn issued_at(&self) -> UtcTime {
        self.issued_at
    }

    /// Under which name it is remembered once it was used.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// From then on it is refused for its age.
    #[must_use]
    pub fn presentable_until(&self, op: &Provider) -> UtcTime {
        let leeway = op.settings.tolerance_for(self.subject.as_str());
        presentable_until(self.issued_at, leeway.clock_leeway_seconds)
    }

    /// The claim `jwks`.
    #[must_use]
    pub fn jwks(&self) -> &Value {
        self.claims.get("jwks").unwrap_or(&Value::Null)
    }

    /// The entity types of its metadata.
    pub fn entity_types(&self) -> impl Iterator<Item = &str> {
        let metadata = self.claims.get("metadata").and_then(Value::as_object);
        metadata
            .into_iter()
            .flatten()
            .map(|(kind, _)| kind.as_str())
    }

    /// Whether this superior is one of `authority_hints`.
    #[must_use]
    pub fn names_superior(&self, superior: &str) -> bool {
        let hints = self.claims.get("authority_hints").and_then(Value::as_array);
        hints.is_some_and(|hints| hints.iter().any(|hint| hint == superior))
    }
}

/// When a request of that time is refused for its age.
fn presentable_until(issued_at: UtcTime, leeway_seconds: i64) -> UtcTime {
    issued_at
        .plus_seconds(PRESENTABLE_SECONDS)
        .plus_seconds(leeway_seconds)
}

/// `iat` of a request that was used.
pub(super) fn issued_at(configuration: &str) -> Option<UtcTime> {
    let claims: Map<String, Value> = Unverified::parse(configuration, configuration.len())
        .and_then(|statement| statement.unverified_claims())
        .ok()?;
    time(&claims, "iat").ok()
}

/// The posted chain; `None` where the configuration itself was posted.
fn body_chain(posted: &Posted) -> Result<Option<Vec<String>>, Fact> {
    if posted.media_type != TRUST_CHAIN {
        return Ok(None);
    }
    let text = posted.text.as_bytes();
    let chain: Vec<String> = parse_bounded(text, text.len(), MAX_DEPTH).map_err(Fact::Chain)?;
    if chain.is_empty() {
        return Err(Fact::Empty);
    }
    Ok(Some(chain))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Fact> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or(Fact::Claim(name, "must be a text"))
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<UtcTime, Fact> {
    claims
        .get(name)
        .and_then(Value::as_i64)
        .map(UtcTime)
        .ok_or(Fact::Claim(name, "must be a whole number of seconds"))
}

fn typ_is_stated(facts: &Facts<'_>) -> Result<(), Fact> {
    let typ = facts.statement.header().typ.as_deref().unwrap_or_default();
    let short = typ.strip_prefix("application/").unwrap_or(typ);
    if short.eq_ignore_ascii_case(STATEMENT_TYP) {
        Ok(())
    } else {
        Err(Fact::Typ)
    }
}

fn parties_agree(facts: &Facts<'_>) -> Result<(), Fact> {
    if text(facts.claims, "iss")? == text(facts.claims, "sub")? {
        Ok(())
    } else {
        Err(Fact::PartiesDiffer)
    }
}

/// OIDC Federation §12.2.1: this issuer and nobody else, so that one OP cannot pass the request on to another.
fn audience_is_this_issuer(facts: &Facts<'_>) -> Result<(), Fact> {
    let own = facts.op.settings.id.as_str();
    let is_own = match facts.claims.get("aud") {
        Some(Value::String(audience)) => audience == own,
        Some(Value::Array(audiences)) => {
            audiences.len() == 1 && audiences.iter().all(|audience| audience == own)
        }
        Some(_) | None => false,
    };
    if is_own {
        Ok(())
    } else {
        Err(Fact::Audience(own.to_owned()))
    }
}

fn keys_are_there(facts: &Facts<'_>) -> Result<(), Fact> {
    match facts.claims.get("jwks") {
        Some(Value::Object(_)) => Ok(()),
        Some(_) | None => Err(Fact::Claim("jwks", "must be a JWKS")),
    }
}

fn superiors_are_named(facts: &Facts<'_>) -> Result<(), Fact> {
    match facts.claims.get("authority_hints") {
        Some(Value::Array(hints)) if !hints.is_empty() => Ok(()),
        Some(_) | None => Err(Fact::Claim(
            "authority_hints",
            "must be an array with at least one superior",
        )),
    }
}

fn has_metadata(facts: &Facts<'_>) -> Result<(), Fact> {
    let metadata = facts.claims.get("metadata");
    let own = metadata.and_then(|metadata| metadata.get("openid_relying_party"));
    if own.is_some_and(Value::is_object) {
        Ok(())
    } else {
        Err(Fact::Claim(
            "metadata",
            "must be an object with openid_relying_party",
        ))
    }
}

fn has_an_end(facts: &Facts<'_>) -> Result<(), Fact> {
    time(facts.claims, "exp").map(|_| ())
}

fn is_fresh(facts: &Facts<'_>) -> Result<(), Fact> {
    let issued_at = time(facts.claims, "iat")?;
    let tolerance = facts.op.settings.tolerance_for(text(facts.claims, "sub")?);
    if facts.op.now() < presentable_until(issued_at, tolerance.clock_leeway_seconds) {
        Ok(())
    } else {
        Err(Fact::Stale)
    }
}
