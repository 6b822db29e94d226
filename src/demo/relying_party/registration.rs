//! Explicit registration from the relying party's side (OpenID Federation 1.0 §12.2).

use super::{DemoError, RelyingParty};
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
};
use crate::random;
use serde_json::{Map, Value, json};

const MAX_ANSWER_BYTES: usize = 256 * 1024;

impl RelyingParty {
    /// The request to a provider (§12.2.1): the entity configuration, for that provider only and signed anew, with
    /// `explicit` for `client_registration_types`. What [`RelyingParty::with_metadata`] and
    /// [`RelyingParty::with_statement_claim`] changed stays changed.
    ///
    /// # Errors
    /// When signing fails.
    pub fn registration_request(&self, provider: &str) -> Result<String, DemoError> {
        let mut own = self.clone();
        own.metadata_changes
            .entry("client_registration_types")
            .or_insert_with(|| json!(["explicit"]));
        // A provider takes each request once; two of one second would be the same without `jti`.
        for (name, value) in [("aud", json!(provider)), ("jti", json!(random::uuid4()))] {
            own.statement_changes.entry(name).or_insert(value);
        }
        own.entity_configuration()
    }

    /// The claims of the provider's answer, once everything is verified that §12.2.5 asks but the policies: `keys` are
    /// the provider's federation keys, as its superior attests them.
    ///
    /// # Errors
    /// `Token` or `Mismatch` with what is wrong.
    pub fn verify_registration(
        &self,
        provider: &str,
        keys: &KeySet,
        trust_anchor: &str,
        answer: &str,
    ) -> Result<Map<String, Value>, DemoError> {
        let expectations = Expectations {
            kind: "registration",
            typ: TypRule::Exactly(&["explicit-registration-response+jwt"]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(provider),
            subject: Some(&self.entity_id),
            audience: Some(&[&self.entity_id]),
            now: self.clock.now(),
            leeway_seconds: 0,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let claims: Map<String, Value> = Unverified::parse(answer, MAX_ANSWER_BYTES)
            .and_then(|answer| answer.verify(keys, &expectations))
            .map(crate::jose::Verified::into_claims)
            .map_err(DemoError::token("registration"))?;
        for (claim, expected) in [
            ("aud", json!(self.entity_id)),
            ("trust_anchor", json!(trust_anchor)),
            ("authority_hints", json!([self.superior])),
        ] {
            if claims.get(claim) != Some(&expected) {
                return Err(DemoError::Mismatch {
                    token: "registration",
                    claim,
                    expected: expected.to_string(),
                    found: claims.get(claim).unwrap_or(&Value::Null).to_string(),
                });
            }
        }
        Ok(claims)
    }
}
