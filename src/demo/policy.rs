//! The metadata policies of the demonstration's superiors, written with the operators that the Italian registries use.

use super::statement::claims;
use serde_json::{Map, Value, json};

/// The six signature algorithms of SPID/CIE AL-1.
pub const SIGNATURES: [&str; 6] = ["RS256", "RS512", "ES256", "ES512", "PS256", "PS512"];
/// The key management algorithms of SPID/CIE AL-2.
pub const KEY_MANAGEMENT: [&str; 5] = [
    "RSA-OAEP",
    "RSA-OAEP-256",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A256KW",
];
/// The content encryptions of SPID/CIE AL-3.
pub const CONTENT_ENCRYPTION: [&str; 2] = ["A128CBC-HS256", "A256CBC-HS512"];
/// The levels of assurance, lowest first (SPID/CIE MD-3).
pub const LEVELS: [&str; 3] = [
    "https://www.spid.gov.it/SpidL1",
    "https://www.spid.gov.it/SpidL2",
    "https://www.spid.gov.it/SpidL3",
];

/// What the trust anchor demands of relying parties, directly or through intermediates (`metadata_policy`).
#[must_use]
pub fn relying_party_policy(contact: &str) -> Map<String, Value> {
    claims(json!({
        "openid_relying_party": {
            "grant_types": {"subset_of": ["authorization_code", "refresh_token"]},
            "response_types": {"value": ["code"]},
            "client_registration_types": {"subset_of": ["automatic", "explicit"], "essential": true},
            "token_endpoint_auth_method": {"one_of": ["private_key_jwt"]},
            "subject_type": {"value": "pairwise"},
            "id_token_signed_response_alg": {"one_of": SIGNATURES},
            "userinfo_signed_response_alg": {"one_of": SIGNATURES},
            "userinfo_encrypted_response_alg": {"one_of": KEY_MANAGEMENT},
            "userinfo_encrypted_response_enc": {"one_of": CONTENT_ENCRYPTION},
            "contacts": {"add": [contact]},
        }
    }))
}

/// What the trust anchor demands of providers.
#[must_use]
pub fn provider_policy(contact: &str) -> Map<String, Value> {
    let signatures = json!({"subset_of": SIGNATURES});
    let key_management = json!({"subset_of": KEY_MANAGEMENT});
    let content_encryption = json!({"subset_of": CONTENT_ENCRYPTION});
    claims(json!({
        "openid_provider": {
            "subject_types_supported": {"value": ["pairwise"]},
            "response_types_supported": {"value": ["code"]},
            "grant_types_supported": {"subset_of": ["authorization_code", "refresh_token"]},
            "code_challenge_methods_supported": {"value": ["S256"]},
            "token_endpoint_auth_methods_supported": {"subset_of": ["private_key_jwt", "client_secret_basic"]},
            "client_registration_types_supported": {"subset_of": ["automatic", "explicit"], "essential": true},
            "acr_values_supported": {"subset_of": LEVELS, "superset_of": [LEVELS[0]]},
            "id_token_signing_alg_values_supported": signatures,
            "userinfo_signing_alg_values_supported": signatures,
            "request_object_signing_alg_values_supported": signatures,
            "userinfo_encryption_alg_values_supported": key_management,
            "userinfo_encryption_enc_values_supported": content_encryption,
        },
        "federation_entity": {
            "contacts": {"add": [contact]},
        }
    }))
}

/// What the intermediate adds for those below it: narrower content encryption and its own contact.
#[must_use]
pub fn aggregator_policy(contact: &str) -> Map<String, Value> {
    claims(json!({
        "openid_relying_party": {
            "userinfo_encrypted_response_enc": {"one_of": ["A256CBC-HS512"]},
            "contacts": {"add": [contact]},
        }
    }))
}
