//! The protocol keys of a relying party: inline `jwks`, `signed_jwks_uri` or `jwks_uri` (SPID/CIE FE-9).

use super::{Resolver, TrustSettings};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::STATEMENT_MAX_BYTES;
use crate::federation::error::{DocumentKind, TrustError};
use crate::federation::fetch::Lane;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, KeySet, SignatureAlgorithm, TypRule,
    Unverified, Verified,
};
use serde_json::{Map, Value};

/// `typ` of a signed key set (OpenID Federation 1.0 §5.2.1.1); older kits write others.
const SIGNED_JWKS_TYPES: [&str; 3] = ["jwk-set+jwt", "JWT", "jose"];

impl Resolver {
    /// The keys that a resolved relying party signs requests with and that answers are encrypted to. `metadata` is the
    /// final metadata of its entity type, `federation_keys` what its superior attests. Inline keys need no fetch and come
    /// first. Nothing is cached here: keys belong to the caller's record of the relying party.
    ///
    /// # Errors
    /// `TrustError::RpKeys` with the member of the metadata; `Busy`.
    pub async fn fetch_rp_keys(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        metadata: &Map<String, Value>,
        federation_keys: &KeySet,
    ) -> Result<KeySet, TrustError> {
        let failed = |member, fact: String| TrustError::RpKeys {
            subject: subject.to_string(),
            member,
            fact,
            cause: None,
            temporary: false,
        };
        if let Some(jwks) = metadata.get("jwks") {
            let keys = KeySet::from_json(jwks).map_err(|e| failed("jwks", e.to_string()))?;
            return usable(keys).map_err(|fact| failed("jwks", fact));
        }
        let address = |member: &str| metadata.get(member).and_then(Value::as_str);
        if let Some(url) = address("signed_jwks_uri") {
            let text = self.fetch_keys(subject, "signed_jwks_uri", url).await?;
            let moment = self.inner.moment(settings).of_subject();
            let expected = Expectations {
                kind: "signed_jwks_uri",
                typ: TypRule::AbsentOr(&SIGNED_JWKS_TYPES),
                algorithms: SignatureAlgorithm::ALL,
                kid_required: false,
                issuer: Some(subject.as_str()),
                subject: Some(subject.as_str()),
                audience: None,
                now: moment.now,
                leeway_seconds: moment.leeway_seconds,
                expiry: ExpiryRule::Optional,
                issued_at: IssuedAtRule::Optional,
                max_lifetime_seconds: None,
            };
            return signed_keys(&text, federation_keys, &expected).map_err(|fact| {
                failed(
                    "signed_jwks_uri",
                    format!("{} {url}: {fact}", DocumentKind::SignedJwks),
                )
            });
        }
        if let Some(url) = address("jwks_uri") {
            let text = self.fetch_keys(subject, "jwks_uri", url).await?;
            let keys = KeySet::from_slice(text.as_bytes()).map_err(|e| e.to_string());
            let keys = keys.and_then(usable);
            return keys.map_err(|fact| failed("jwks_uri", format!("{url}: {fact}")));
        }
        Err(failed(
            "jwks",
            "is missing, and so are signed_jwks_uri and jwks_uri".to_owned(),
        ))
    }

    async fn fetch_keys(
        &self,
        subject: &EntityId,
        member: &'static str,
        url: &str,
    ) -> Result<String, TrustError> {
        let fetched = self.inner.document(Lane::Known, url).await;
        fetched
            .map(|document| document.text)
            .map_err(|error| TrustError::RpKeys {
                subject: subject.to_string(),
                member,
                temporary: error.fact.is_temporary(),
                cause: error.fact.cause(),
                fact: error.to_string(),
            })
    }
}

fn signed_keys(
    text: &str,
    federation_keys: &KeySet,
    expected: &Expectations<'_>,
) -> Result<KeySet, String> {
    let verified: Result<Verified<Value>, JoseError> = Unverified::parse(text, STATEMENT_MAX_BYTES)
        .and_then(|unverified| unverified.verify(federation_keys, expected));
    let claims = verified.map_err(|error| error.to_string())?.into_claims();
    KeySet::from_json(&claims)
        .map_err(|error| error.to_string())
        .and_then(usable)
}

fn usable(keys: KeySet) -> Result<KeySet, String> {
    if !keys.keys().is_empty() {
        return Ok(keys);
    }
    let skipped: Vec<String> = keys
        .skipped()
        .iter()
        .map(|key| key.reason.to_owned())
        .collect();
    Err(if skipped.is_empty() {
        "it holds no key".to_owned()
    } else {
        format!("it holds no usable key: {}", skipped.join(", "))
    })
}
