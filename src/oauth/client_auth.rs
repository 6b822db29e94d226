//! Client authentication (RFC 6749 §2.3, OIDC Core §9, RFC 7523 §3; SPID/CIE TK-1).
//!
//! One function for every endpoint that RPs call directly. An assertion's `jti` is not spent here but in the
//! endpoint's own transaction, by [`AuthenticatedClient::spend`], so that a failed transaction does not burn it.

use crate::clock::UtcTime;
use crate::endpoint::Inbound;
use crate::federation::Source;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, TypRule, Unverified, Verified,
};
use crate::model::{ClientId, ClientMetadata, ErrorCode, IssuerId, ParamError, Params};
use crate::profile::{Path, Violation};
use crate::provider::{ClientError, Discovery, KnownClient, Provider};
use crate::secret::{self, Secret};
use crate::store::{DbConn, StoreError, replay};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Longest accepted client assertion.
const MAX_ASSERTION_BYTES: usize = 16 * 1024;
/// An assertion may live at most this long: its `jti` is remembered as long.
const MAX_ASSERTION_SECONDS: i64 = 86_400;
/// What replay rows of assertions are called.
const REPLAY_PURPOSE: &str = "client_assertion";

/// An RP that proved who it is.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<KnownClient>,
    assertion: Option<Assertion>,
}

#[derive(Clone, Debug)]
struct Assertion {
    id: String,
    expires_at: UtcTime,
}

/// Why client authentication failed.
#[derive(Debug)]
pub enum ClientAuthError {
    /// The parameters cannot be read.
    Parameters(ParamError),
    /// No method of the profile was used.
    NoMethod(&'static [&'static str]),
    /// More than one method was used (RFC 6749 §2.3).
    SeveralMethods,
    /// `client_assertion_type` is not the one of RFC 7523.
    AssertionType,
    /// A claim of the assertion is missing or misshapen.
    Claim(Violation),
    /// The assertion does not verify.
    Assertion(JoseError),
    /// `iss`, `sub` and `client_id` differ.
    PartiesDiffer,
    /// The RP is not known or may not be used.
    Client(ClientError),
    /// The client registered another method.
    MethodNotRegistered(String),
    /// The secret is wrong.
    WrongSecret,
    /// The `Authorization` header is not Basic of two percent-encoded halves.
    MalformedBasic,
    /// The assertion's `jti` was used before.
    Replayed,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for ClientAuthError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl ClientAuthError {
    /// The wire's code (RFC 6749 §5.2).
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Parameters(_) | Self::SeveralMethods => ErrorCode::InvalidRequest,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
            // SPID/CIE FE-6: what cannot be reached now is no verdict on the client.
            Self::Client(error) if error.code() == ErrorCode::TemporarilyUnavailable => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::NoMethod(_)
            | Self::AssertionType
            | Self::Claim(_)
            | Self::Assertion(_)
            | Self::PartiesDiffer
            | Self::Client(_)
            | Self::MethodNotRegistered(_)
            | Self::WrongSecret
            | Self::MalformedBasic
            | Self::Replayed => ErrorCode::InvalidClient,
        }
    }

    /// Whether the refused client used HTTP Basic: then the answer names that scheme (RFC 6749 §5.2).
    #[must_use]
    pub fn challenges_basic(&self) -> bool {
        matches!(self, Self::MalformedBasic | Self::WrongSecret)
    }

    /// One ASCII line for the RP's developer.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Parameters(error) => error.to_string(),
            Self::NoMethod(methods) => {
                format!(
                    "client_assertion is missing, and so is any other client authentication: use {}",
                    methods.join(" or ")
                )
            }
            Self::SeveralMethods => "more than one client authentication method was used".into(),
            Self::AssertionType => "client_assertion_type must be \
                urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                .into(),
            Self::Claim(violation) => violation.description.clone(),
            Self::Assertion(error) => format!("client_assertion: {error}"),
            Self::PartiesDiffer => {
                "client_assertion: iss, sub and the parameter client_id must be the same".into()
            }
            Self::Client(error) => error.to_string(),
            Self::MethodNotRegistered(method) => {
                format!("this client must authenticate with {method}")
            }
            Self::WrongSecret => "the client secret is wrong".into(),
            Self::MalformedBasic => {
                "Authorization must be Basic with client_id and client_secret".into()
            }
            Self::Replayed => "client_assertion: this jti was used before".into(),
            Self::Store(_) => "the provider cannot reach its database".into(),
        }
    }

    /// The whole reason, for the log.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::Claim(violation) => format!("{} ({})", violation.description, violation.source),
            Self::Store(error) => error.to_string(),
            other => other.description(),
        }
    }
}

impl AuthenticatedClient {
    /// The RP.
    #[must_use]
    pub fn client(&self) -> &Arc<KnownClient> {
        &self.client
    }

    /// Its `client_id`.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        self.client.id()
    }

    /// Spends the assertion's `jti`; `false`: it was used before.
    ///
    /// # Errors
    /// The database failed.
    pub fn spend(&self, op: &Provider, tx: &mut DbConn) -> Result<bool, StoreError> {
        spend(&op.issuer, self.id(), self.assertion.as_ref(), tx)
    }

    /// As [`AuthenticatedClient::spend`], for an endpoint that writes nothing else.
    ///
    /// # Errors
    /// The database failed.
    pub async fn spend_alone(&self, op: &Provider) -> Result<bool, StoreError> {
        let (issuer, id) = (op.issuer.clone(), self.id().clone());
        let assertion = self.assertion.clone();
        op.shared
            .store
            .write(move |tx| spend(&issuer, &id, assertion.as_ref(), tx))
            .await
    }
}

fn spend(
    issuer: &IssuerId,
    client_id: &ClientId,
    assertion: Option<&Assertion>,
    tx: &mut DbConn,
) -> Result<bool, StoreError> {
    let Some(assertion) = assertion else {
        return Ok(true);
    };
    let key = replay::ReplayKey {
        issuer,
        client_id,
        purpose: REPLAY_PURPOSE,
        value: &assertion.id,
    };
    replay::insert(tx, &key, None, assertion.expires_at)
}

/// Authenticates the caller of `endpoint` by the one method that it used.
///
/// # Errors
/// Why it is not who it says, naming the claim.
pub async fn authenticate(
    op: &Provider,
    inbound: &Inbound,
    endpoint: Path,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let params = inbound.params().map_err(ClientAuthError::Parameters)?;
    let assertion = params.get("client_assertion");
    let secret = params.get("client_secret");
    let basic = inbound
        .authorization
        .as_deref()
        .and_then(|header| strip_scheme(header, "basic"));
    let source = Source::of(inbound.address);
    let offered = |method| op.profile.client_authentication.contains(&method);
    match (assertion, basic, secret) {
        (Some(assertion), None, None) => {
            private_key_jwt(op, (params, source), assertion, endpoint).await
        }
        (None, Some(credentials), None) if offered("client_secret_basic") => {
            let (id, secret) = decode_basic(credentials).ok_or(ClientAuthError::MalformedBasic)?;
            client_secret(op, source, &id, &secret, "client_secret_basic").await
        }
        (None, None, Some(secret)) if offered("client_secret_post") => {
            let id = params.get("client_id").ok_or(no_method(op))?;
            client_secret(
                op,
                source,
                id,
                &Secret::new(secret.to_owned()),
                "client_secret_post",
            )
            .await
        }
        (None, None, None) if offered("none") => {
            let id = params.get("client_id").ok_or(no_method(op))?;
            let client = find(op, source, id).await?;
            require_method(&client, "none")?;
            Ok(AuthenticatedClient {
                client,
                assertion: None,
            })
        }
        (None, None, None) => Err(no_method(op)),
        (None, _, _) if assertion.is_none() && (basic.is_some() != secret.is_some()) => {
            Err(no_method(op))
        }
        _ => Err(ClientAuthError::SeveralMethods),
    }
}

/// The RP that a request claims to come from, whatever became of the claim.
#[must_use]
pub fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
    let params = inbound.params().ok()?;
    let of_assertion = || {
        let assertion = params.get("client_assertion")?;
        let unverified = Unverified::parse(assertion, MAX_ASSERTION_BYTES).ok()?;
        let members: Map<String, Value> = unverified.unverified_claims().ok()?;
        members.get("iss")?.as_str().map(ClientId::new)
    };
    let of_basic = || {
        let credentials = strip_scheme(inbound.authorization.as_deref()?, "basic")?;
        decode_basic(credentials).map(|(id, _)| ClientId::new(id))
    };
    of_assertion()
        .or_else(of_basic)
        .or_else(|| params.get("client_id").map(ClientId::new))
}

fn no_method(op: &Provider) -> ClientAuthError {
    ClientAuthError::NoMethod(op.profile.client_authentication)
}

async fn find(
    op: &Provider,
    source: Source,
    id: &str,
) -> Result<Arc<KnownClient>, ClientAuthError> {
    op.find_client(&ClientId::new(id), Discovery::Renew(source))
        .await
        .map_err(ClientAuthError::Client)
}

fn require_method(client: &KnownClient, used: &str) -> Result<(), ClientAuthError> {
    let registered = client
        .metadata()
        .token_endpoint_auth_method
        .as_deref()
        .unwrap_or("private_key_jwt");
    if registered == used {
        Ok(())
    } else {
        Err(ClientAuthError::MethodNotRegistered(registered.to_owned()))
    }
}

async fn private_key_jwt(
    op: &Provider,
    (params, source): (&Params, Source),
    assertion: &str,
    endpoint: Path,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let kind = params.get("client_assertion_type");
    if !kind.is_some_and(|kind| crate::profile::ASSERTION_TYPES.contains(&kind)) {
        return Err(ClientAuthError::AssertionType);
    }
    let unverified =
        Unverified::parse(assertion, MAX_ASSERTION_BYTES).map_err(ClientAuthError::Assertion)?;
    let members: Map<String, Value> = unverified
        .unverified_claims()
        .map_err(ClientAuthError::Assertion)?;
    op.profile
        .client_assertion
        .check(&members, false)
        .map_err(ClientAuthError::Claim)?;
    let claim = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (unverified_issuer, id) = (claim("iss"), claim("jti"));
    let named = params.get("client_id").unwrap_or(unverified_issuer);
    if unverified_issuer != claim("sub") || unverified_issuer != named {
        return Err(ClientAuthError::PartiesDiffer);
    }
    // SPID/CIE FE-8: at the resolve endpoint an RP may introduce itself, as at the authorization endpoint.
    let discovery = match endpoint {
        Path::Resolve => Discovery::Allowed(source),
        _ => Discovery::Renew(source),
    };
    let client = op
        .find_client(&ClientId::new(unverified_issuer), discovery)
        .await
        .map_err(ClientAuthError::Client)?;
    require_method(&client, "private_key_jwt")?;
    let mut client = client;
    let mut verified = verify(op, &unverified, &client, endpoint);
    if let Err(error) = &verified
        && may_be_a_new_key(error, &client)
        && let Some(fresh) = op
            .look_up_keys(&client, source)
            .await
            .map_err(ClientAuthError::Client)?
    {
        client = fresh;
        verified = verify(op, &unverified, &client, endpoint);
    }
    let verified = verified.map_err(ClientAuthError::Assertion)?;
    op.times_accepted(&client, verified.issued_at(), verified.expires_at());
    let expires_at = verified
        .expires_at()
        .unwrap_or_else(|| op.now())
        .plus_seconds(client.tolerance.clock_leeway_seconds);
    Ok(AuthenticatedClient {
        assertion: Some(Assertion {
            id: replay_key(id),
            expires_at,
        }),
        client,
    })
}

/// Whether it may have been signed with a key that the RP published since we asked. Where it publishes them at an address of
/// an operator's registration there may be none yet.
fn may_be_a_new_key(error: &JoseError, client: &KnownClient) -> bool {
    let has_none = client.keys.keys().is_empty() && client.metadata().jwks_uri.is_some();
    has_none || matches!(error, JoseError::UnknownKey { .. })
}

fn verify(
    op: &Provider,
    assertion: &Unverified<'_>,
    client: &KnownClient,
    endpoint: Path,
) -> Result<Verified<Map<String, Value>>, JoseError> {
    let issuer = op.settings.id.clone();
    let audience = match endpoint {
        Path::Resolve => vec![issuer],
        _ => vec![op.url(endpoint), op.url(Path::Token), issuer],
    };
    let audience: Vec<&str> = audience.iter().map(String::as_str).collect();
    let registered = client.metadata().token_endpoint_auth_signing_alg.as_ref();
    assertion.verify(
        &client.keys,
        &Expectations {
            kind: "client_assertion",
            typ: TypRule::AbsentOr(&["JWT", "client-authentication+jwt"]),
            algorithms: &client.algorithms(op.profile, registered),
            kid_required: false,
            issuer: Some(client.id().as_str()),
            subject: Some(client.id().as_str()),
            audience: Some(&audience),
            now: op.now(),
            leeway_seconds: client.tolerance.clock_leeway_seconds,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: Some(MAX_ASSERTION_SECONDS),
        },
    )
}

/// A hash, so that a long `jti` costs no more than a short one.
fn replay_key(id: &str) -> String {
    BASE64URL_NOPAD.encode(&secret::sha256(id.as_bytes()))
}

async fn client_secret(
    op: &Provider,
    source: Source,
    id: &str,
    presented: &Secret<String>,
    method: &str,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let client = find(op, source, id).await?;
    require_method(&client, method)?;
    if !is_secret(client.metadata(), presented, op.now()) {
        return Err(ClientAuthError::WrongSecret);
    }
    Ok(AuthenticatedClient {
        client,
        assertion: None,
    })
}

/// Whether it is the secret, or the one before a rotation whose time is not over. Both are compared, whichever it is.
fn is_secret(metadata: &ClientMetadata, presented: &Secret<String>, now: UtcTime) -> bool {
    let hash = BASE64URL_NOPAD.encode(&secret::sha256(presented.expose().as_bytes()));
    let is = |expected: Option<&str>| {
        let expected = expected.unwrap_or_default();
        secret::equal(hash.as_bytes(), expected.as_bytes())
    };
    let previous = metadata.previous_secret.as_ref();
    let is_current = is(metadata.client_secret_sha256.as_deref());
    let is_previous = is(previous.map(|previous| previous.sha256.as_str()));
    is_current | (is_previous & previous.is_some_and(|previous| now < previous.until))
}

/// What follows an authentication scheme, compared without case (RFC 9110 §11.1).
#[must_use]
pub fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = header.trim().split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// RFC 6749 §2.3.1: both halves are form-encoded.
fn decode_basic(credentials: &str) -> Option<(String, Secret<String>)> {
    let decoded = BASE64.decode(credentials.as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let form = |half: &str| {
        let pair = format!("v={half}");
        Params::parse(pair.as_bytes())
            .ok()
            .map(|params| params.get("v").unwrap_or_default().to_owned())
    };
    Some((form(id)?, Secret::new(form(secret)?)))
}
