//! How a relying party learns of a provider: entity configuration, the anchor's statement about it, the policy.

use super::http::HttpRequest;
use super::{DemoError, DemoFederation, ProviderMetadata};
use crate::federation::metadata_policy::MetadataPolicy;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
};
use serde_json::{Map, Value};

const MAX_STATEMENT_BYTES: usize = 256 * 1024;
const LEEWAY_SECONDS: i64 = 30;

/// A provider as the federation vouches for it.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// What a relying party needs.
    pub provider: ProviderMetadata,
    /// `metadata.openid_provider` after the policies.
    pub metadata: Map<String, Value>,
    /// The addresses that were fetched, in order.
    pub fetched: Vec<String>,
}

impl DemoFederation {
    /// Fetches a provider's entity configuration and the anchor's statement about it over HTTP, verifies both down from
    /// the anchor's pinned keys, and applies the anchor's policy.
    ///
    /// # Errors
    /// What failed, with the address or the claim.
    pub async fn discover(&self, issuer: &str) -> Result<Discovered, DemoError> {
        let anchor = self.trust_anchor();
        let configuration_url = configuration_url(issuer);
        let mut statement_url = format!("{}fetch", anchor.entity_id());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("sub", issuer)
            .finish();
        statement_url.push('?');
        statement_url.push_str(&query);
        let configuration = self.fetched(&configuration_url).await?;
        let statement = self.fetched(&statement_url).await?;
        let pinned = KeySet::from_json(&anchor.jwks())?;
        let statement = self.verified(&statement, anchor.entity_id(), issuer, &pinned)?;
        let attested = KeySet::from_json(statement.get("jwks").unwrap_or(&Value::Null))?;
        let configuration = self.verified(&configuration, issuer, issuer, &attested)?;
        let metadata = under_policy(&configuration, &statement)?;
        let provider = ProviderMetadata::from_json(&metadata)?;
        if provider.issuer != issuer {
            return Err(DemoError::Mismatch {
                token: "provider metadata",
                claim: "issuer",
                expected: issuer.to_owned(),
                found: provider.issuer,
            });
        }
        Ok(Discovered {
            provider,
            metadata,
            fetched: vec![configuration_url, statement_url],
        })
    }

    async fn fetched(&self, url: &str) -> Result<String, DemoError> {
        let answer = self
            .http
            .send(HttpRequest::Get { url, bearer: None })
            .await?;
        if answer.status == 200 {
            return Ok(answer.text().trim().to_owned());
        }
        let beginning: String = answer.text().chars().take(300).collect();
        Err(DemoError::Http {
            url: url.to_owned(),
            reason: format!("status {}: {beginning}", answer.status),
        })
    }

    fn verified(
        &self,
        statement: &str,
        issuer: &str,
        subject: &str,
        keys: &KeySet,
    ) -> Result<Map<String, Value>, DemoError> {
        let expectations = Expectations {
            kind: "entity statement",
            typ: TypRule::Exactly(&[super::statement::STATEMENT_TYP]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(issuer),
            subject: Some(subject),
            audience: None,
            now: self.clock.now(),
            leeway_seconds: LEEWAY_SECONDS,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        Unverified::parse(statement, MAX_STATEMENT_BYTES)
            .and_then(|statement| statement.verify(keys, &expectations))
            .map(crate::jose::Verified::into_claims)
            .map_err(DemoError::token("entity statement"))
    }
}

fn under_policy(
    configuration: &Map<String, Value>,
    statement: &Map<String, Value>,
) -> Result<Map<String, Value>, DemoError> {
    let member = |of: &Map<String, Value>, name: &str| {
        let members = of.get(name).and_then(Value::as_object);
        members.cloned().unwrap_or_default()
    };
    let metadata = MetadataPolicy::parse(&member(statement, "metadata_policy"), &[])
        .and_then(|policy| policy.apply(&member(configuration, "metadata")))
        .map_err(|error| DemoError::Policy(error.to_string()))?;
    Ok(member(&metadata, "openid_provider"))
}

/// SPID/CIE MD-4: a missing slash is supplied.
fn configuration_url(entity_id: &str) -> String {
    let slash = if entity_id.ends_with('/') { "" } else { "/" };
    format!("{entity_id}{slash}.well-known/openid-federation")
}
