//! Documents that we sign ourselves: entity configurations, subordinate statements, trust marks, key sets. Pure.
//!
//! Used by the OP for itself and by the demonstration federation for its anchor, intermediate and relying parties.

use super::entity_id::EntityId;
use crate::clock::UtcTime;
use crate::jose::{JoseError, KeyUse, PrivateKey, SignHeader, SignatureAlgorithm, sign};
use serde_json::{Map, Value, json};

/// `typ` of entity statements (OpenID Federation 1.0 §3).
pub const ENTITY_STATEMENT_TYPE: &str = "entity-statement+jwt";
/// `typ` of a signed key set.
pub const JWK_SET_TYPE: &str = "jwk-set+jwt";

/// A key and the algorithm it signs with.
#[derive(Clone, Copy, Debug)]
pub struct SigningKey<'a> {
    /// The key; its `kid` goes into the header.
    pub key: &'a PrivateKey,
    /// Must fit the key; RS256 unless configured (SPID/CIE MD-4).
    pub algorithm: SignatureAlgorithm,
}

impl<'a> SigningKey<'a> {
    /// A key with the algorithm of its type.
    #[must_use]
    pub fn new(key: &'a PrivateKey) -> Self {
        Self {
            key,
            algorithm: key.default_signature_algorithm(),
        }
    }

    /// Signs claims with this `typ`.
    ///
    /// # Errors
    /// The key does not fit the algorithm, or openssl failed.
    pub fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, JoseError> {
        let header = SignHeader {
            alg: self.algorithm,
            typ: Some(typ),
            cty: None,
            kid: self.key.kid(),
            extra: None,
        };
        sign(&header, claims, self.key)
    }
}

/// When a document is issued and how long it holds.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// `iat`.
    pub issued_at: UtcTime,
    /// `exp` is so many seconds later.
    pub lifetime_seconds: i64,
}

impl Validity {
    fn write(self, claims: &mut Map<String, Value>) {
        let expires_at = self.issued_at.plus_seconds(self.lifetime_seconds);
        claims.insert("iat".to_owned(), self.issued_at.0.into());
        claims.insert("exp".to_owned(), expires_at.0.into());
    }
}

/// What an entity configuration says (SPID/CIE MD-1). Empty collections are left out.
#[derive(Clone, Debug)]
pub struct EntityConfigurationInput<'a> {
    /// `iss` and `sub`.
    pub entity_id: &'a EntityId,
    /// The published federation keys as JWKs (see [`public_jwks`]).
    pub jwks: &'a [Value],
    /// Superiors; empty for an anchor.
    pub authority_hints: &'a [String],
    /// Our own trust marks in compact serialization, with their types.
    pub trust_marks: &'a [(String, String)],
    /// Entity type → metadata.
    pub metadata: &'a Map<String, Value>,
    /// Further claims of an anchor: `trust_mark_issuers`, `trust_mark_owners`, `constraints`.
    pub extra: Option<&'a Map<String, Value>>,
}

/// An entity configuration (OpenID Federation 1.0 §3).
///
/// # Errors
/// Signing failed.
pub fn entity_configuration(
    input: &EntityConfigurationInput<'_>,
    validity: Validity,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let mut claims = parties(input.entity_id.as_str(), input.entity_id.as_str(), validity);
    claims.insert("jwks".to_owned(), json!({ "keys": input.jwks }));
    if !input.authority_hints.is_empty() {
        claims.insert("authority_hints".to_owned(), json!(input.authority_hints));
    }
    if !input.trust_marks.is_empty() {
        claims.insert("trust_marks".to_owned(), trust_mark_list(input.trust_marks));
    }
    claims.insert("metadata".to_owned(), input.metadata.clone().into());
    if let Some(extra) = input.extra {
        claims.extend(extra.clone());
    }
    key.sign(ENTITY_STATEMENT_TYPE, &claims)
}

/// A subordinate statement of `issuer` (OpenID Federation 1.0 §3). `extra` may hold `metadata`, `metadata_policy`,
/// `metadata_policy_crit`, `constraints`, `source_endpoint`.
///
/// # Errors
/// Signing failed.
pub fn subordinate_statement(
    (issuer, subject): (&EntityId, &EntityId),
    subject_jwks: &[Value],
    extra: &Map<String, Value>,
    validity: Validity,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let mut claims = parties(issuer.as_str(), subject.as_str(), validity);
    claims.insert("jwks".to_owned(), json!({ "keys": subject_jwks }));
    claims.extend(extra.clone());
    key.sign(ENTITY_STATEMENT_TYPE, &claims)
}

/// A trust mark of `issuer` for `subject` (OpenID Federation 1.0 §7.1, SPID/CIE TM-1). The type is stated under its final
/// name and as `id`, which older kits read. `extra`: `ref`, `logo_uri`, `organization_name`, `delegation` …
///
/// # Errors
/// Signing failed.
pub fn trust_mark(
    (issuer, subject): (&EntityId, &EntityId),
    mark_type: &str,
    extra: &Map<String, Value>,
    validity: Validity,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let mut claims = parties(issuer.as_str(), subject.as_str(), validity);
    claims.insert("trust_mark_type".to_owned(), mark_type.into());
    claims.insert("id".to_owned(), mark_type.into());
    claims.extend(extra.clone());
    key.sign(super::trust_mark::TRUST_MARK_TYPE, &claims)
}

/// An answer of the status endpoint (OpenID Federation 1.0 §8.4): `active`, `expired`, `revoked` or `invalid`.
///
/// # Errors
/// Signing failed.
pub fn trust_mark_status_response(
    issuer: &EntityId,
    trust_mark: &str,
    status: &str,
    issued_at: UtcTime,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), issuer.as_str().into());
    claims.insert("iat".to_owned(), issued_at.0.into());
    claims.insert("trust_mark".to_owned(), trust_mark.into());
    claims.insert("status".to_owned(), status.into());
    key.sign(super::trust_mark::STATUS_RESPONSE_TYPE, &claims)
}

/// The protocol keys as a signed key set, signed with a federation key (SPID/CIE FE-9, MD-3).
///
/// # Errors
/// Signing failed.
pub fn signed_jwks(
    entity_id: &EntityId,
    jwks: &[Value],
    validity: Validity,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let mut claims = parties(entity_id.as_str(), entity_id.as_str(), validity);
    claims.insert("keys".to_owned(), json!(jwks));
    key.sign(JWK_SET_TYPE, &claims)
}

/// The public JWKs of signing keys, `use` `sig`.
#[must_use]
pub fn public_jwks<'a>(keys: impl IntoIterator<Item = &'a PrivateKey>) -> Vec<Value> {
    let public = |key: &PrivateKey| key.public_jwk(KeyUse::Signature, None);
    keys.into_iter().map(public).collect()
}

fn parties(issuer: &str, subject: &str, validity: Validity) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("sub".to_owned(), subject.into());
    validity.write(&mut claims);
    claims
}

/// `trust_marks` with the final and the older name of the type.
pub(super) fn trust_mark_list(marks: &[(String, String)]) -> Value {
    let wrapped = marks.iter().map(|(mark_type, mark)| {
        json!({"trust_mark_type": mark_type, "id": mark_type, "trust_mark": mark})
    });
    Value::Array(wrapped.collect())
}
