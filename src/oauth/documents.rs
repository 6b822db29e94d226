//! Documents for anybody, served from memory: signed once a change or lifetime, not once a request.

use super::client_auth::ClientAuthError;
use super::discovery;
use crate::clock::UtcTime;
use crate::endpoint::{Note, Reply, Trouble};
use crate::federation::EntityId;
use crate::federation::entity_configuration::{
    EntityConfigurationInput, SigningKey, Validity, entity_configuration, signed_jwks,
};
use crate::federation::historical_keys::{HistoricalKey, historical_keys};
use crate::jose::{JoseError, SignatureAlgorithm, Unverified};
use crate::model::ErrorCode;
use crate::profile::Path;
use crate::provider::{Document, Provider};
use crate::store::StoreError;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How long unsigned documents are kept before they are made anew.
const UNSIGNED_SECONDS: i64 = 3600;

/// Why a document cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The issuer's ring has no key for its configured algorithm, or openssl failed.
    #[error("cannot sign: {0}")]
    Signing(#[from] JoseError),
    /// No federation key fits `issuer.federation_signing_alg`.
    #[error("no current federation key signs with {0}")]
    NoKey(String),
    /// There is no such document.
    #[error("{0}")]
    NotFound(&'static str),
    /// A parameter is missing or repeated.
    #[error("{0}")]
    Parameter(String),
    /// Who asks by POST is not who it says.
    #[error("{}", .0.description())]
    Client(ClientAuthError),
    /// The database failed.
    #[error("the provider cannot reach its database")]
    Store(#[from] StoreError),
}

impl From<ClientAuthError> for DocumentError {
    fn from(error: ClientAuthError) -> Self {
        Self::Client(error)
    }
}

/// Serves one of the issuer's documents.
///
/// # Errors
/// It cannot be signed, or there is none.
pub fn document(op: &Provider, path: Path) -> Result<Arc<Document>, DocumentError> {
    let now = op.now();
    let documents = &op.documents;
    match path {
        Path::EntityConfiguration => documents
            .entity_configuration
            .get(now, || signed_entity_configuration(op, now)),
        Path::OpenidConfiguration => documents.discovery.get(now, || {
            Ok(unsigned(
                now,
                &Value::Object(discovery::openid_provider(op)),
            ))
        }),
        Path::Jwks => documents.jwks.get(now, || {
            Ok(unsigned(now, op.rings().protocol.published_jwks()))
        }),
        Path::SignedJwks => documents
            .signed_jwks
            .get(now, || signed_protocol_keys(op, now)),
        Path::HistoricalKeys => documents
            .historical_keys
            .get(now, || signed_historical_keys(op, now)),
        Path::Authorization
        | Path::Token
        | Path::Userinfo
        | Path::Introspection
        | Path::Revocation
        | Path::Resolve
        | Path::Registration => Err(DocumentError::NotFound("there is no such document")),
    }
}

/// The claims of the entity configuration as JSON, for people (`Accept: application/json`).
///
/// # Errors
/// As [`document`].
pub fn readable_entity_configuration(op: &Provider) -> Result<Vec<u8>, DocumentError> {
    let document = document(op, Path::EntityConfiguration)?;
    let text = std::str::from_utf8(&document.body).unwrap_or_default();
    let claims: Map<String, Value> = Unverified::parse(text, text.len())?.unverified_claims()?;
    Ok(serde_json::to_vec_pretty(&claims).unwrap_or_default())
}

fn unsigned(now: UtcTime, body: &Value) -> Document {
    Document {
        content_type: "application/json",
        body: serde_json::to_vec(body).unwrap_or_default().into(),
        fresh_until: now.plus_seconds(UNSIGNED_SECONDS),
    }
}

/// Signs with the federation ring; the document is used for half its life, so that `exp` is always hours ahead
/// (SPID/CIE MD-4).
pub(super) fn signed(
    op: &Provider,
    now: UtcTime,
    content_type: &'static str,
    make: impl FnOnce(&EntityId, Validity, SigningKey<'_>) -> Result<String, JoseError>,
) -> Result<Document, DocumentError> {
    let lifetime_seconds = op.settings.lifetimes.entity_configuration;
    let validity = Validity {
        issued_at: now,
        lifetime_seconds,
    };
    let body = with_federation_key(op, |entity, key| make(entity, validity, key))?;
    Ok(Document {
        content_type,
        body: body.into(),
        fresh_until: now.plus_seconds(lifetime_seconds / 2),
    })
}

/// Signs with the current federation key of the configured algorithm.
pub(super) fn with_federation_key(
    op: &Provider,
    make: impl FnOnce(&EntityId, SigningKey<'_>) -> Result<String, JoseError>,
) -> Result<String, DocumentError> {
    let name = &op.settings.federation_signing_alg;
    let algorithm = SignatureAlgorithm::parse(name);
    let rings = op.rings();
    let key = algorithm
        .and_then(|algorithm| rings.federation.signing_key(algorithm))
        .ok_or_else(|| DocumentError::NoKey(name.clone()))?;
    let entity = op
        .trust
        .as_ref()
        .map(|trust| &trust.issuer_entity_id)
        .ok_or(DocumentError::NotFound("this issuer is in no federation"))?;
    let algorithm = algorithm.unwrap_or(key.default_signature_algorithm());
    Ok(make(entity, SigningKey { key, algorithm })?)
}

/// SPID/CIE MD-1 to MD-4.
fn signed_entity_configuration(op: &Provider, now: UtcTime) -> Result<Document, DocumentError> {
    let rings = op.rings();
    let jwks: Vec<Value> = published(rings.federation.published_jwks());
    let own_marks = op.own_trust_marks();
    let first_end = own_marks.iter().filter_map(|mark| mark.expires_at).min();
    let trust_marks: Vec<(String, String)> = own_marks
        .into_iter()
        .map(|mark| (mark.mark_type, mark.jwt))
        .collect();
    let mut metadata = Map::new();
    metadata.insert("federation_entity".into(), federation_entity(op));
    metadata.insert(
        "openid_provider".into(),
        discovery::openid_provider(op).into(),
    );
    let mut document = signed(
        op,
        now,
        "application/entity-statement+jwt",
        |entity, validity, key| {
            entity_configuration(
                &EntityConfigurationInput {
                    entity_id: entity,
                    jwks: &jwks,
                    authority_hints: &op.settings.authority_hints,
                    trust_marks: &trust_marks,
                    metadata: &metadata,
                    extra: None,
                },
                validity,
                key,
            )
        },
    )?;
    // A mark that ends is left out at once.
    if let Some(end) = first_end {
        document.fresh_until = document.fresh_until.min(end);
    }
    Ok(document)
}

fn published(jwks: &Value) -> Vec<Value> {
    jwks.get("keys")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// SPID/CIE MD-2.
fn federation_entity(op: &Provider) -> Value {
    let settings = &op.settings;
    let mut members = Map::new();
    for (name, value) in [
        ("organization_name", &settings.organization_name),
        ("homepage_uri", &settings.homepage_uri),
        ("organization_uri", &settings.homepage_uri),
        ("policy_uri", &settings.policy_uri),
        ("logo_uri", &settings.logo_uri),
    ] {
        if let Some(value) = value {
            members.insert(name.into(), json!(value));
        }
    }
    if !settings.contacts.is_empty() {
        members.insert("contacts".into(), json!(settings.contacts));
    }
    if op.offers(Path::Resolve) {
        members.insert(
            "federation_resolve_endpoint".into(),
            json!(op.url(Path::Resolve)),
        );
    }
    if !op.rings().historical.is_empty() {
        members.insert(
            "federation_historical_keys_endpoint".into(),
            json!(op.url(Path::HistoricalKeys)),
        );
    }
    members.into()
}

fn signed_protocol_keys(op: &Provider, now: UtcTime) -> Result<Document, DocumentError> {
    let keys = published(op.rings().protocol.published_jwks());
    signed(
        op,
        now,
        "application/jwk-set+jwt",
        |entity, validity, key| signed_jwks(entity, &keys, validity, key),
    )
}

/// SPID/CIE FE-11.
fn signed_historical_keys(op: &Provider, now: UtcTime) -> Result<Document, DocumentError> {
    let rings = op.rings();
    if rings.historical.is_empty() {
        return Err(DocumentError::NotFound(
            "this issuer has no historical keys yet",
        ));
    }
    let keys: Vec<HistoricalKey> = rings
        .historical
        .iter()
        .map(|key| HistoricalKey {
            jwk: serde_json::from_str(&key.public_jwk).unwrap_or_default(),
            issued_at: Some(key.created_at),
            expires_at: key.ends_at.unwrap_or(now),
            revoked: None,
        })
        .collect();
    signed(
        op,
        now,
        "application/jwk-set+jwt",
        |entity, validity, key| historical_keys(entity, &keys, validity.issued_at, key),
    )
}

/// A JSON Schema of the profile's message tables: `/schemas/{name}.json`.
///
/// # Errors
/// The profile has no message of that name.
pub fn schema(op: &Provider, name: &str) -> Result<Reply, DocumentError> {
    let message = op
        .profile
        .messages()
        .find(|message| message.name == name)
        .ok_or(DocumentError::NotFound("there is no schema of that name"))?;
    let id = op.url_of(&format!("/schemas/{name}.json"));
    let body = message.json_schema(&id, !op.settings.acr_values_required);
    let bytes = serde_json::to_vec_pretty(&body).unwrap_or_default();
    Ok(Reply::bytes(200, "application/schema+json", bytes))
}

/// The names of all schemas of the profile, as JSON.
#[must_use]
pub fn schema_index(op: &Provider) -> Reply {
    let names: Vec<String> = op
        .profile
        .messages()
        .map(|message| op.url_of(&format!("/schemas/{}.json", message.name)))
        .collect();
    let bytes = serde_json::to_vec_pretty(&json!({ "schemas": names })).unwrap_or_default();
    Reply::bytes(200, "application/json", bytes)
}

impl DocumentError {
    /// The whole reason, for the log.
    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            other => other.to_string(),
        }
    }

    /// The answer (OIDC Federation §8.9, SPID/CIE FE-6).
    #[must_use]
    pub fn into_reply(self, wants_page: bool) -> Reply {
        let (code, trouble) = match &self {
            Self::Signing(_) | Self::NoKey(_) => (ErrorCode::ServerError, Trouble::ServerError),
            Self::NotFound(_) => (ErrorCode::NotFound, Trouble::NotFound),
            Self::Parameter(_) => (ErrorCode::InvalidRequest, Trouble::InvalidRequest),
            Self::Client(error) => (error.code(), Trouble::InvalidRequest),
            Self::Store(_) => (ErrorCode::TemporarilyUnavailable, Trouble::Unavailable),
        };
        let level = if code.status() >= 500 {
            log::Level::Error
        } else {
            log::Level::Info
        };
        let note = Note::new(level, "document.refused")
            .with("error", code.as_str())
            .with("reason", self.reason());
        let reply = if wants_page {
            Reply::refusal(code, self.to_string(), trouble, false)
        } else {
            Reply::error(code, &self.to_string())
        };
        reply.noted(note)
    }
}
