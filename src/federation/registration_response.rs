//! Answers of the explicit registration endpoint (OpenID Federation 1.0 §12.2.3). Pure.

use super::entity_configuration::SigningKey;
use super::entity_id::EntityId;
use crate::clock::UtcTime;
use crate::jose::JoseError;
use serde_json::{Map, Value, json};

/// `typ` of the answer, and with `application/` its content type.
pub const REGISTRATION_RESPONSE_TYPE: &str = "explicit-registration-response+jwt";

/// What the answer says.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationResponseInput<'a> {
    /// The relying party: `sub` and the only `aud`.
    pub subject: &'a EntityId,
    /// The claim `jwks` of its request, as it came.
    pub jwks: &'a Value,
    /// Where the chosen chain ends.
    pub trust_anchor: &'a str,
    /// The relying party's immediate superior in the chosen chain.
    pub superior: &'a str,
    /// What was registered, by entity type: those of the request.
    pub metadata: &'a Map<String, Value>,
    /// When it was registered.
    pub issued_at: UtcTime,
    /// When the registration ends.
    pub expires_at: UtcTime,
}

/// A signed answer of `issuer`.
///
/// # Errors
/// Signing failed.
pub fn registration_response(
    issuer: &EntityId,
    input: &RegistrationResponseInput<'_>,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let members = [
        ("iss", json!(issuer)),
        ("sub", json!(input.subject)),
        ("aud", json!(input.subject)),
        ("iat", json!(input.issued_at)),
        ("exp", json!(input.expires_at)),
        ("jwks", input.jwks.clone()),
        ("trust_anchor", json!(input.trust_anchor)),
        ("authority_hints", json!([input.superior])),
        ("metadata", json!(input.metadata)),
    ];
    let claims = members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    key.sign(REGISTRATION_RESPONSE_TYPE, &claims.collect())
}
