//! `/resolve` (OIDC Federation §8.3, SPID/CIE FE-8): what was resolved of a relying party, signed.
//!
//! GET answers from what is known and never discovers. POST is for the relying party itself, authenticated with
//! `private_key_jwt` as at the token endpoint (`aud` is our entity identifier, `sub` the asked subject): one that is not
//! known yet is discovered as it would be at `/authorization`, within the same bounds.
//!
//! An answer is signed once a subject, chain and set of entity types, however many ask at once.

use super::client_auth::{ClientAuthError, authenticate, unverified_client};
use super::documents::{DocumentError, signed};
use crate::clock::UtcTime;
use crate::endpoint::{Inbound, Method};
use crate::federation::resolve_response::{ResolveResponseInput, resolve_response};
use crate::federation::{EntityId, ValidMark};
use crate::model::{ClientId, Origin, ParamError, Params, RelyingParty, ResolvedTrust};
use crate::profile::Path;
use crate::provider::{Document, Provider};
use crate::store::client;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Parameters that may be repeated, with their historic names.
const REPEATABLE: [&str; 4] = ["anchor", "trust_anchor", "entity_type", "type"];

/// Answers a request.
///
/// # Errors
/// A parameter is missing; the subject is not known, or is not who asks by POST.
pub async fn resolve(op: &Provider, inbound: &Inbound) -> Result<Arc<Document>, DocumentError> {
    let query = ResolveQuery::parse(inbound)?;
    if inbound.method == Method::Post {
        authenticate_subject(op, inbound, &query).await?;
    }
    let issuer = op.issuer.clone();
    let subject = ClientId::new(query.subject.clone());
    let found: Option<RelyingParty> = op
        .shared
        .store
        .read(move |connection| client::find(connection, &issuer, &subject))
        .await?;
    let now = op.now();
    let trust = found
        .filter(|party| party.enabled)
        .and_then(|party| match party.origin {
            Origin::Federation(trust) => Some(trust),
            // Its chain begins with a request that is for this issuer only.
            Origin::Explicit(_) | Origin::Registered => None,
        })
        .filter(|trust| now < trust.expires_at)
        .filter(|trust| query.anchors.contains(&trust.trust_anchor))
        .ok_or(DocumentError::NotFound(
            "sub is not known to this provider below that trust_anchor",
        ))?;
    let metadata = query.wanted(&trust.metadata);
    // Of the types that exist only, so that made-up ones make no further answers to sign and keep.
    let types: Vec<&str> = metadata.keys().map(String::as_str).collect();
    let variant = format!("{} {}", trust.resolved_at.0, types.join(" "));
    let kept = &op.documents.resolved;
    kept.get((&query.subject, &variant), now, || {
        signed_resolution(op, now, &query.subject, (&trust, &metadata))
    })
}

/// SPID/CIE FE-8: a POST comes from the subject itself, by an assertion that is used once.
async fn authenticate_subject(
    op: &Provider,
    inbound: &Inbound,
    query: &ResolveQuery,
) -> Result<(), DocumentError> {
    let pairs = inbound.repeatable.iter();
    let single = pairs.filter(|(name, _)| !REPEATABLE.contains(&name.as_str()));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(single)
        .finish();
    let inbound = Inbound {
        form: Params::parse(form.as_bytes()),
        ..inbound.clone()
    };
    let params = inbound.params().map_err(ClientAuthError::Parameters)?;
    if params.get("client_assertion").is_none() {
        return Err(ClientAuthError::NoMethod(&["private_key_jwt"]).into());
    }
    let is_subject = |client: &ClientId| client.as_str() == query.subject;
    let other = || {
        let fact = "sub is not the relying party that authenticates";
        DocumentError::Parameter(fact.to_owned())
    };
    // Before anybody is discovered for a request that is refused in any case.
    if unverified_client(&inbound).is_some_and(|named| !is_subject(&named)) {
        return Err(other());
    }
    let client = authenticate(op, &inbound, Path::Resolve).await?;
    if !is_subject(client.id()) {
        return Err(other());
    }
    match client.spend_alone(op).await? {
        true => Ok(()),
        false => Err(ClientAuthError::Replayed.into()),
    }
}

fn signed_resolution(
    op: &Provider,
    now: UtcTime,
    subject: &str,
    (trust, metadata): (&ResolvedTrust, &Map<String, Value>),
) -> Result<Document, DocumentError> {
    let subject = EntityId::parse(subject, op.shared.server.development)
        .map_err(|error| DocumentError::Parameter(format!("sub {error}")))?;
    let marks: Vec<ValidMark> = trust
        .trust_marks
        .iter()
        .filter(|mark| mark.expires_at.is_none_or(|end| now < end))
        .map(|mark| ValidMark {
            mark_type: mark.mark_type.clone(),
            issuer: mark.issuer.clone(),
            jwt: mark.jwt.clone(),
            expires_at: mark.expires_at,
        })
        .collect();
    // OIDC Federation §8.3.2: the smallest exp of chain and marks; then it is made anew without what has ended.
    let ends = marks.iter().filter_map(|mark| mark.expires_at);
    let expires_at = ends.fold(trust.expires_at, UtcTime::min);
    let typ = op.settings.resolve_response_typ.as_str();
    let content_type = if typ == "resolve-response+jwt" {
        "application/resolve-response+jwt"
    } else {
        "application/entity-statement+jwt"
    };
    let mut document = signed(op, now, content_type, |entity, _, key| {
        resolve_response(
            &ResolveResponseInput {
                issuer: entity,
                subject: &subject,
                metadata,
                trust_marks: &marks,
                chain: &trust.chain,
                expires_at,
                draft_typ: typ != "resolve-response+jwt",
            },
            now,
            key,
        )
    })?;
    document.fresh_until = document.fresh_until.min(expires_at);
    Ok(document)
}

/// The parameters; `trust_anchor` and `entity_type` are repeatable, so they are read by hand.
struct ResolveQuery {
    subject: String,
    anchors: BTreeSet<String>,
    entity_types: BTreeSet<String>,
}

impl ResolveQuery {
    fn parse(inbound: &Inbound) -> Result<Self, DocumentError> {
        let all = |names: [&'static str; 2]| {
            let pairs = inbound.repeatable.iter();
            let named = pairs.filter(move |(name, _)| names.contains(&name.as_str()));
            named.map(|(_, value)| value.clone())
        };
        let missing = |name| DocumentError::Parameter(format!("parameter {name} is missing"));
        let mut subjects = all(["sub", "sub"]);
        let subject = subjects.next().ok_or_else(|| missing("sub"))?;
        if subjects.next().is_some() {
            let repeated = ParamError::Repeated("sub".into());
            return Err(DocumentError::Parameter(repeated.to_string()));
        }
        let anchors: BTreeSet<String> = all(["anchor", "trust_anchor"]).collect();
        if anchors.is_empty() {
            return Err(missing("trust_anchor"));
        }
        Ok(Self {
            subject,
            anchors,
            entity_types: all(["entity_type", "type"]).collect(),
        })
    }

    /// The metadata of the asked entity types; of all when none is asked for.
    fn wanted(&self, metadata: &Map<String, Value>) -> Map<String, Value> {
        let is_wanted =
            |kind: &String| self.entity_types.is_empty() || self.entity_types.contains(kind);
        let wanted = metadata.iter().filter(|(kind, _)| is_wanted(kind));
        wanted
            .map(|(kind, value)| (kind.clone(), value.clone()))
            .collect()
    }
}
