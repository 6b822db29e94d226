//! From a resolved trust chain to a row, judged by the profile's rules.

use super::ClientError;
use crate::clock::UtcTime;
use crate::federation::{KeyOwner, Lane, Resolved, TrustSettings};
use crate::jose::{KeySet, PublicKey, Unverified};
use crate::model::{
    ClientId, ClientMetadata, KeptTrustMark, Origin, RelyingParty, ResolvedTrust,
    RpToleranceOverride,
};
use crate::profile::{MetadataFacts, metadata};
use crate::provider::Provider;
use serde_json::{Map, Value};
use std::sync::Arc;

impl Provider {
    /// From a resolved chain to a row, judged by the profile's rules. Keys that are elsewhere are fetched in the lane.
    pub(super) async fn registration(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        (resolved, lane): (&Resolved, Lane),
    ) -> Result<RelyingParty, ClientError> {
        let none = Map::new();
        let members = resolved.metadata.get("openid_relying_party");
        let members = members.and_then(Value::as_object).unwrap_or(&none);
        let metadata = metadata::of_entity(&resolved.metadata).map_err(ClientError::Metadata)?;
        let owner = KeyOwner {
            subject: &resolved.subject,
            metadata: members,
            federation_keys: &resolved.federation_keys,
        };
        let keys = self
            .shared
            .resolver
            .fetch_rp_keys(trust, lane, owner)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        warn_of_shared_keys(client_id, &keys, &resolved.federation_keys);
        let facts = self.facts(metadata, keys);
        self.judged(&facts)?;
        Ok(self.party(client_id, Origin::Federation(trust_of(resolved)), facts))
    }

    /// What the profile's rules judge.
    pub(super) fn facts(&self, metadata: ClientMetadata, keys: KeySet) -> MetadataFacts {
        MetadataFacts {
            metadata,
            keys,
            development: self.shared.server.development,
            profile: self.profile,
        }
    }

    /// The verdict of the profile's rules.
    pub(super) fn judged(&self, facts: &MetadataFacts) -> Result<(), ClientError> {
        let broken = self.profile.broken_by(facts);
        broken.map_or(Ok(()), |rule| Err(ClientError::Rule(rule)))
    }

    /// The row of an RP that holds.
    pub(super) fn party(
        &self,
        client_id: &ClientId,
        origin: Origin,
        facts: MetadataFacts,
    ) -> RelyingParty {
        RelyingParty {
            issuer: self.issuer.clone(),
            client_id: client_id.clone(),
            jwks: facts.keys.to_json(),
            metadata: facts.metadata,
            origin,
            enabled: true,
            tolerance: RpToleranceOverride::default(),
            updated_at: self.now(),
        }
    }
}

/// What is kept of a resolved chain.
pub(super) fn trust_of(resolved: &Resolved) -> ResolvedTrust {
    ResolvedTrust {
        trust_anchor: resolved.anchor.as_str().to_owned(),
        chain: resolved.chain.clone(),
        trust_marks: resolved
            .trust_marks
            .iter()
            .map(|mark| KeptTrustMark {
                mark_type: mark.mark_type.clone(),
                issuer: mark.issuer.clone(),
                jwt: mark.jwt.clone(),
                expires_at: mark.expires_at,
            })
            .collect(),
        metadata: resolved.metadata.clone(),
        expires_at: resolved.expires_at,
        resolved_at: resolved.resolved_at,
    }
}

/// SPID/CIE AL-6: sharing keys is a warning, not a refusal.
pub(super) fn warn_of_shared_keys(client_id: &ClientId, protocol: &KeySet, federation: &KeySet) {
    let federation: Vec<String> = federation
        .keys()
        .iter()
        .map(PublicKey::thumbprint)
        .collect();
    let shared = protocol
        .keys()
        .iter()
        .map(PublicKey::thumbprint)
        .find(|thumbprint| federation.contains(thumbprint));
    if let Some(thumbprint) = shared {
        log::warn!(
            "event=rp.shared_key client_id={client_id} thumbprint={thumbprint} \
             mend=\"use different keys for federation and protocol (SPID/CIE AL-6)\""
        );
    }
}

/// The issuer of the first statement of a verified chain about its subject; empty when there is none.
pub(in crate::provider) fn superior_in(chain: &[String]) -> String {
    let issuer = chain.get(1).and_then(|statement| {
        let token = Unverified::parse(statement, statement.len()).ok()?;
        let claims: Map<String, Value> = token.unverified_claims().ok()?;
        claims.get("iss")?.as_str().map(str::to_owned)
    });
    issuer.unwrap_or_default()
}

/// `iat` and `exp` of a statement that was verified.
pub(super) fn times_of(statement: &str) -> (Option<UtcTime>, Option<UtcTime>) {
    let claims: Map<String, Value> = Unverified::parse(statement, statement.len())
        .and_then(|token| token.unverified_claims())
        .unwrap_or_default();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UtcTime);
    (time("iat"), time("exp"))
}
