//! A relying party of SPID and CIE without its pages: what it publishes, sends and checks. Pure: the callers do the HTTP.
//!
//! ```text
//! authorization_request ─► (browser) ─► authorization_code ─► token_request ─► (HTTP) ─► verify_id_token
//!                                                                └► (HTTP userinfo) ─► open_userinfo
//! ```

mod answer;
mod metadata;
mod options;
mod provider;
mod registration;
mod request;

pub use answer::{AuthorizationAnswer, IdTokenExpectation, TokenAnswer, unverified_claims};
pub use options::LoginOptions;
pub use provider::ProviderMetadata;
pub use request::PreparedRequest;

use super::DemoError;
use super::keys::RelyingPartyKeys;
use crate::clock::Clock;
use crate::jose::{SignHeader, sign};
use crate::random;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `client_assertion_type` of RFC 7523 §2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that a client assertion lives.
const ASSERTION_SECONDS: i64 = 60;

/// A form to post: names and values in order.
pub type Form = Vec<(String, String)>;

/// A relying party: its identifier, names and keys.
#[derive(Clone)]
pub struct RelyingParty {
    entity_id: String,
    name: String,
    name_it: String,
    redirect_uris: Vec<String>,
    superior: String,
    trust_marks: Vec<(String, String)>,
    metadata_changes: Map<String, Value>,
    statement_changes: Map<String, Value>,
    keys: RelyingPartyKeys,
    clock: Arc<dyn Clock>,
}

impl RelyingParty {
    /// A relying party of this identifier, with its names in English and Italian; nobody is above it yet.
    #[must_use]
    pub fn new(
        entity_id: &str,
        names: [&str; 2],
        keys: RelyingPartyKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let [name, name_it] = names;
        Self {
            entity_id: entity_id.to_owned(),
            name: name.to_owned(),
            name_it: name_it.to_owned(),
            redirect_uris: Vec::new(),
            superior: String::new(),
            trust_marks: Vec::new(),
            metadata_changes: Map::new(),
            statement_changes: Map::new(),
            keys,
            clock,
        }
    }

    /// With these redirect addresses.
    #[must_use]
    pub fn with_redirect_uris(mut self, redirect_uris: Vec<String>) -> Self {
        self.redirect_uris = redirect_uris;
        self
    }

    /// Below this superior.
    #[must_use]
    pub fn with_superior(mut self, superior: &str) -> Self {
        superior.clone_into(&mut self.superior);
        self
    }

    /// With these trust marks: type and mark.
    #[must_use]
    pub fn with_trust_marks(mut self, trust_marks: Vec<(String, String)>) -> Self {
        self.trust_marks = trust_marks;
        self
    }

    /// With another member of `metadata.openid_relying_party`; `null` removes it.
    #[must_use]
    pub fn with_metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata_changes.insert(name.to_owned(), value.into());
        self
    }

    /// With another claim of the entity configuration; `null` removes it.
    #[must_use]
    pub fn with_statement_claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.statement_changes.insert(name.to_owned(), value.into());
        self
    }

    /// What Italians call it.
    #[must_use]
    pub fn name_it(&self) -> &str {
        &self.name_it
    }

    /// The entity identifier, which is also the `client_id`; ends in a slash.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registered redirect addresses; the first is the default.
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Its private keys: tests sign wrong tokens with them.
    #[must_use]
    pub const fn keys(&self) -> &RelyingPartyKeys {
        &self.keys
    }

    /// A client assertion (RFC 7523 §3, SPID/CIE TK-1) for the endpoint with this URL, valid for a minute.
    ///
    /// # Errors
    /// When signing fails.
    pub fn client_assertion(&self, audience: &str) -> Result<String, DemoError> {
        let now = self.clock.now();
        self.sign_protocol_token(&json!({
            "iss": self.entity_id,
            "sub": self.entity_id,
            "aud": [audience],
            "iat": now.0,
            "exp": now.plus_seconds(ASSERTION_SECONDS).0,
            "jti": random::uuid4(),
        }))
    }

    /// Signs any claims with the protocol key as `typ: JWT`: for assertions that are wrong on purpose.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign_protocol_token(&self, claims: &Value) -> Result<String, DemoError> {
        let key = &self.keys.signing;
        let header = SignHeader {
            alg: key.default_signature_algorithm(),
            typ: Some("JWT"),
            cty: None,
            kid: key.kid(),
            extra: None,
        };
        Ok(sign(&header, claims, key)?)
    }

    /// The form that exchanges a code (SPID/CIE TK-2).
    ///
    /// # Errors
    /// When signing fails.
    pub fn token_request(
        &self,
        provider: &ProviderMetadata,
        prepared: &PreparedRequest,
        code: &str,
    ) -> Result<Form, DemoError> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", &prepared.code_verifier),
            ("redirect_uri", &prepared.redirect_uri),
        ];
        self.authenticated_form(&provider.token_endpoint, &fields)
    }

    /// The form that uses a refresh token (SPID/CIE TK-7).
    ///
    /// # Errors
    /// When signing fails.
    pub fn refresh_request(
        &self,
        provider: &ProviderMetadata,
        refresh_token: &str,
    ) -> Result<Form, DemoError> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        self.authenticated_form(&provider.token_endpoint, &fields)
    }

    /// The form that asks about a token (RFC 7662 §2.1, SPID/CIE IN-1).
    ///
    /// # Errors
    /// When signing fails.
    pub fn introspection_request(
        &self,
        provider: &ProviderMetadata,
        token: &str,
    ) -> Result<Form, DemoError> {
        self.authenticated_form(&provider.introspection_endpoint, &[("token", token)])
    }

    /// The form that revokes a token (RFC 7009 §2.1, SPID/CIE RV-1).
    ///
    /// # Errors
    /// When signing fails.
    pub fn revocation_request(
        &self,
        provider: &ProviderMetadata,
        token: &str,
    ) -> Result<Form, DemoError> {
        self.authenticated_form(&provider.revocation_endpoint, &[("token", token)])
    }

    /// Any form with `client_id` and a fresh client assertion for this endpoint.
    ///
    /// # Errors
    /// When signing fails.
    pub fn authenticated_form(
        &self,
        endpoint: &str,
        fields: &[(&str, &str)],
    ) -> Result<Form, DemoError> {
        let assertion = self.client_assertion(endpoint)?;
        let client = [
            ("client_id", self.entity_id.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        Ok(fields
            .iter()
            .chain(&client)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect())
    }
}
