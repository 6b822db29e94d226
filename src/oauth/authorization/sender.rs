//! Who asks, and where the answer may go: proven by the request object's signature and the RP's metadata.

use super::error::{AuthorizationError, Fact};
use crate::clock::UtcTime;
use crate::federation::Source;
use crate::jose::{
    Authentic, Expectations, ExpiryRule, IssuedAtRule, JoseError, SignatureAlgorithm, TypRule,
    Unverified,
};
use crate::model::{ClientId, Destination, Params, ResponseMode};
use crate::profile::Message;
use crate::provider::{ClientError, Discovery, KnownClient, Provider, Tolerance};
use crate::secret;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Longest accepted request object; a trust chain in its header needs room.
const MAX_REQUEST_OBJECT_BYTES: usize = 256 * 1024;
/// What `rp_tolerance.missing_exp` puts in place of `exp` (SPID/CIE AZ-4).
const MISSING_EXP_SECONDS: i64 = 300;

/// An RP that signed the request (or, without request objects, was named by it), and its verified destination.
#[derive(Debug)]
pub struct Sender {
    client: Arc<KnownClient>,
    destination: Destination,
    members: Map<String, Value>,
    signed: Option<SignedRequest>,
}

/// A request object whose signature is verified.
#[derive(Debug)]
struct SignedRequest {
    authentic: Authentic,
    hash: String,
}

/// Under which name a request object is remembered, and how long.
#[derive(Debug)]
pub struct ReplayKey {
    /// Its `jti`, or its hash when there is none, hashed.
    pub value: String,
    /// As long as it could be presented again.
    pub until: UtcTime,
}

impl Sender {
    /// Its `client_id`.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.client.id()
    }

    /// The RP.
    #[must_use]
    pub fn client(&self) -> &Arc<KnownClient> {
        &self.client
    }

    /// Where the answer goes.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The members that count: the request object's, or the parameters' where there is none.
    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Checks the request object's registered claims (SPID/CIE AZ-4, AZ-5).
    pub(super) fn check_claims(&self, op: &Provider) -> Result<(), Fact> {
        let Some(signed) = &self.signed else {
            return Ok(());
        };
        signed
            .authentic
            .judge(&expectations(
                op,
                &self.client,
                &[op.settings.id.as_str()],
                &algorithms(op, &self.client),
            ))
            .map_err(Fact::RequestObject)
            .map(|end| self.note_tolerances(op, end))
    }

    /// SPID/CIE FE-12.
    fn note_tolerances(&self, op: &Provider, expires_at: Option<UtcTime>) {
        let issued_at = self.members.get("iat").and_then(Value::as_i64);
        op.times_accepted(&self.client, issued_at.map(UtcTime), expires_at);
        if !self.members.contains_key("exp") {
            op.tolerance_used(&self.client, Tolerance::MissingExp);
        }
    }

    /// `None`: without a request object there is nothing to replay.
    pub(super) fn replay_key(&self, op: &Provider) -> Option<ReplayKey> {
        let signed = self.signed.as_ref()?;
        let audience = [op.settings.id.as_str()];
        let end = signed
            .authentic
            .judge(&expectations(
                op,
                &self.client,
                &audience,
                &algorithms(op, &self.client),
            ))
            .ok()
            .flatten()?;
        let leeway = self.client.tolerance.clock_leeway_seconds;
        let value = match self.members.get("jti").and_then(Value::as_str) {
            Some(id) => BASE64URL_NOPAD.encode(&secret::sha256(format!("jti:{id}").as_bytes())),
            None => signed.hash.clone(),
        };
        Some(ReplayKey {
            value,
            until: end.plus_seconds(leeway),
        })
    }
}

fn expectations<'a>(
    op: &Provider,
    client: &'a KnownClient,
    audience: &'a [&'a str],
    algorithms: &'a [SignatureAlgorithm],
) -> Expectations<'a> {
    Expectations {
        kind: "request object",
        // SPID/CIE AZ-4: older kits write entity-statement+jwt.
        typ: TypRule::AbsentOr(&["JWT", "oauth-authz-req+jwt", "entity-statement+jwt"]),
        algorithms,
        kid_required: true,
        issuer: Some(client.id().as_str()),
        subject: None,
        audience: Some(audience),
        now: op.now(),
        leeway_seconds: client.tolerance.clock_leeway_seconds,
        expiry: if client.tolerance.missing_exp {
            ExpiryRule::OrIssuedPlus(MISSING_EXP_SECONDS)
        } else {
            ExpiryRule::Required
        },
        issued_at: IssuedAtRule::Required,
        max_lifetime_seconds: None,
    }
}

/// Finds the RP, verifies its signature and the destination.
pub(super) async fn find(
    op: &Provider,
    source: Source,
    params: &Params,
) -> Result<Sender, AuthorizationError> {
    match op.profile.request_object {
        Some(_) => signed(op, source, params).await,
        None => unsigned(op, params).await,
    }
}

async fn signed(
    op: &Provider,
    source: Source,
    params: &Params,
) -> Result<Sender, AuthorizationError> {
    let before = AuthorizationError::before;
    let Some(token) = params.get("request") else {
        // Says what is wrong in the table's own words: request_uri, registration or the missing request.
        return Err(before(missing(op.profile.authorization, params)));
    };
    let unverified = Unverified::parse(token, MAX_REQUEST_OBJECT_BYTES)
        .map_err(|error| before(Fact::RequestObject(error)))?;
    let unverified_members: Map<String, Value> = unverified
        .unverified_claims()
        .map_err(|error| before(Fact::RequestObject(error)))?;
    let unverified_client = unverified_members
        .get("client_id")
        .or_else(|| unverified_members.get("iss"))
        .and_then(Value::as_str)
        .or_else(|| params.get("client_id"))
        .map(ClientId::new)
        .ok_or_else(|| before(Fact::Client(ClientError::Unknown)))?;
    let about = |fact| AuthorizationError::about(&unverified_client, fact);
    let chain = unverified.header().trust_chain.as_deref();
    let (mut client, provisional) = recognise(op, &unverified_client, source, chain)
        .await
        .map_err(|error| about(Fact::Client(error)))?;
    let mut verified = authenticate(op, &unverified, &client);
    if let Err(JoseError::UnknownKey { .. }) = verified
        && !provisional
        && let Some(fresh) = op
            .look_up_keys(&client, source)
            .await
            .map_err(|error| about(Fact::Client(error)))?
    {
        client = fresh;
        verified = authenticate(op, &unverified, &client);
    }
    let authentic = verified.map_err(|error| about(Fact::RequestObject(error)))?;
    if provisional {
        op.adopt(&client)
            .await
            .map_err(|error| about(Fact::Client(error)))?;
    }
    let members = authentic.members().clone();
    let destination = destination(&client, &members, params).map_err(about)?;
    Ok(Sender {
        destination,
        members,
        signed: Some(SignedRequest {
            authentic,
            hash: BASE64URL_NOPAD.encode(&secret::sha256(unverified.signing_input().as_bytes())),
        }),
        client,
    })
}

/// The RP, and whether it is only as good as the chain that the request brought (SPID/CIE FE-5).
async fn recognise(
    op: &Provider,
    client_id: &ClientId,
    source: Source,
    chain: Option<&[String]>,
) -> Result<(Arc<KnownClient>, bool), ClientError> {
    if let Some(chain) = chain {
        match op.find_client(client_id, Discovery::Never).await {
            Err(ClientError::Unknown | ClientError::Ended(_)) => {
                if let Ok(client) = op.client_of_chain(client_id, source, chain).await {
                    return Ok((client, true));
                }
            }
            found => return found.map(|client| (client, false)),
        }
    }
    op.find_client(client_id, Discovery::Allowed(source))
        .await
        .map(|client| (client, false))
}

fn authenticate(
    op: &Provider,
    request: &Unverified<'_>,
    client: &KnownClient,
) -> Result<Authentic, JoseError> {
    let audience = [op.settings.id.as_str()];
    let algorithms = algorithms(op, client);
    request.authenticate(
        &client.keys,
        &expectations(op, client, &audience, &algorithms),
    )
}

fn algorithms(op: &Provider, client: &KnownClient) -> Vec<SignatureAlgorithm> {
    let registered = client.metadata().request_object_signing_alg.as_ref();
    client.algorithms(op.profile, registered)
}

async fn unsigned(op: &Provider, params: &Params) -> Result<Sender, AuthorizationError> {
    let id = params
        .get("client_id")
        .map(ClientId::new)
        .ok_or_else(|| AuthorizationError::before(missing(op.profile.authorization, params)))?;
    let about = |fact| AuthorizationError::about(&id, fact);
    let client = op
        .find_client(&id, Discovery::Never)
        .await
        .map_err(|error| about(Fact::Client(error)))?;
    let members = as_members(params);
    let destination = destination(&client, &members, params).map_err(about)?;
    Ok(Sender {
        client,
        destination,
        members,
        signed: None,
    })
}

/// The first violation of the parameters' table; used where the request cannot even be read.
fn missing(message: &Message, params: &Params) -> Fact {
    match message.check(&as_members(params), false) {
        Err(violation) => Fact::Member(violation),
        Ok(()) => Fact::Client(ClientError::Unknown),
    }
}

/// Parameters as JSON members: text, and `claims` as the JSON that it holds.
pub(super) fn as_members(params: &Params) -> Map<String, Value> {
    params
        .iter()
        .map(|(name, value)| {
            let value = if name == "claims" {
                crate::jose::parse_bounded(value.as_bytes(), value.len(), crate::jose::MAX_DEPTH)
                    .unwrap_or_else(|_| Value::String(value.to_owned()))
            } else {
                Value::String(value.to_owned())
            };
            (name.to_owned(), value)
        })
        .collect()
}

/// SPID/CIE AZ-12: exactly one of the RP's redirect URIs, or no redirect at all.
fn destination(
    client: &KnownClient,
    members: &Map<String, Value>,
    params: &Params,
) -> Result<Destination, Fact> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let asked = text("redirect_uri").ok_or(Fact::RedirectUriMissing)?;
    let redirect_uri = client
        .metadata()
        .redirect_uris
        .iter()
        .find(|registered| *registered == asked)
        .ok_or(Fact::RedirectUriNotRegistered)?;
    let response_mode = match text("response_mode").or_else(|| params.get("response_mode")) {
        Some("form_post") => ResponseMode::FormPost,
        _ => ResponseMode::Query,
    };
    Ok(Destination {
        redirect_uri: redirect_uri.clone(),
        response_mode,
        state: text("state")
            .or_else(|| params.get("state"))
            .map(str::to_owned),
    })
}
