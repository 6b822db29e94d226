//! The entity configuration of a relying party (SPID/CIE FE-10).

use super::{DemoError, RelyingParty};
use crate::demo::statement::{self, STATEMENT_SECONDS};
use crate::jose::KeyUse;
use serde_json::{Value, json};

impl RelyingParty {
    /// The public federation keys, `{"keys": […]}`, for the superior's statement.
    #[must_use]
    pub fn federation_jwks(&self) -> Value {
        json!({"keys": [self.keys.federation.public_jwk(KeyUse::Signature, None)]})
    }

    /// The entity configuration as a signed `entity-statement+jwt`, with the changes of
    /// [`RelyingParty::with_statement_claim`].
    ///
    /// # Errors
    /// When signing fails.
    pub fn entity_configuration(&self) -> Result<String, DemoError> {
        let now = self.clock.now();
        let key = &self.keys.federation;
        let marks = self.trust_marks.iter();
        let marks: Vec<Value> = marks
            .map(|(mark_type, mark)| statement::mark_wrapper(mark_type, mark))
            .collect();
        let mut claims = statement::claims(json!({
            "iss": self.entity_id,
            "sub": self.entity_id,
            "iat": now.0,
            "exp": now.plus_seconds(STATEMENT_SECONDS).0,
            "jwks": self.federation_jwks(),
            "authority_hints": [self.superior],
            "trust_marks": marks,
            "metadata": {
                "federation_entity": self.federation_entity(),
                "openid_relying_party": self.protocol_metadata(),
            },
        }));
        statement::change(&mut claims, &self.statement_changes);
        statement::sign_statement(&claims, key)
    }

    fn federation_entity(&self) -> Value {
        json!({
            "organization_name": self.name,
            "organization_name#it": self.name_it,
            "homepage_uri": self.entity_id,
            "organization_uri": self.entity_id,
            "policy_uri": format!("{}policy", self.entity_id),
            "logo_uri": format!("{}logo.svg", self.entity_id),
            "contacts": ["rp@pec.example.it"],
        })
    }

    /// `metadata.openid_relying_party` before any policy, with the changes of [`RelyingParty::with_metadata`].
    #[must_use]
    pub fn protocol_metadata(&self) -> Value {
        let (signing, encryption) = (&self.keys.signing, &self.keys.encryption);
        let algorithm = signing.default_signature_algorithm();
        let key_management = if encryption.kind().is_rsa() {
            "RSA-OAEP-256"
        } else {
            "ECDH-ES+A256KW"
        };
        let mut metadata = statement::claims(json!({
            "application_type": "web",
            "client_registration_types": ["automatic"],
            "client_name": self.name,
            "client_name#it": self.name_it,
            "organization_name": self.name,
            "client_uri": self.entity_id,
            "policy_uri": format!("{}policy", self.entity_id),
            "logo_uri": format!("{}logo.svg", self.entity_id),
            "contacts": ["rp@pec.example.it"],
            "redirect_uris": self.redirect_uris,
            "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"],
            "subject_type": "pairwise",
            "token_endpoint_auth_method": "private_key_jwt",
            "id_token_signed_response_alg": algorithm,
            "userinfo_signed_response_alg": algorithm,
            "userinfo_encrypted_response_alg": key_management,
            "userinfo_encrypted_response_enc": "A256CBC-HS512",
            "jwks": {"keys": [
                signing.public_jwk(KeyUse::Signature, None),
                encryption.public_jwk(KeyUse::Encryption, None),
            ]},
        }));
        statement::change(&mut metadata, &self.metadata_changes);
        Value::Object(metadata)
    }
}
