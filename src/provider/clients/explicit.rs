//! Explicit registration: an RP that presents itself, and what is kept of it (OIDC Federation §12.2).

use super::ClientError;
use super::registration::{trust_of, warn_of_shared_keys};
use crate::federation::{EntityId, KeyOwner, Lane, Resolved, Source, TrustError, TrustSettings};
use crate::jose::KeySet;
use crate::model::{ClientId, ClientMetadata, Origin, RelyingParty};
use crate::profile::metadata::organization_of;
use crate::provider::Provider;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where an RP's keys may be (SPID/CIE FE-9).
const KEY_MEMBERS: [&str; 3] = ["jwks", "signed_jwks_uri", "jwks_uri"];

/// An RP that asks to be registered and whose trust chain holds.
#[derive(Debug)]
pub struct Applicant {
    /// Its chain and final metadata.
    pub resolved: Arc<Resolved>,
    /// Its protocol keys; none where its metadata has none.
    pub keys: KeySet,
}

impl Applicant {
    /// Its `openid_relying_party` metadata, after overrides and policies.
    #[must_use]
    pub fn metadata(&self) -> Map<String, Value> {
        relying_party_metadata(&self.resolved.metadata)
    }
}

fn relying_party_metadata(metadata: &Map<String, Value>) -> Map<String, Value> {
    metadata
        .get("openid_relying_party")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// The RPs whose keys are being fetched for their registration: each at most once, so that one member with a slow or
/// malicious host takes one connection and not all of them. No larger than what is under way.
#[derive(Default)]
pub(in crate::provider) struct Applications(Mutex<HashSet<EntityId>>);

/// One of them; over when dropped.
struct Turn<'a> {
    applications: &'a Applications,
    subject: EntityId,
}

impl Applications {
    fn start(&self, subject: &EntityId) -> Option<Turn<'_>> {
        self.subjects().insert(subject.clone()).then(|| Turn {
            applications: self,
            subject: subject.clone(),
        })
    }

    fn subjects(&self) -> MutexGuard<'_, HashSet<EntityId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.applications.subjects().remove(&self.subject);
    }
}

impl Provider {
    /// Verifies an RP that presents its entity configuration: through the chain that it brought, or by asking its
    /// superiors, at the expense of `source`. Once the chain holds, one application of an RP is looked into at a time: before,
    /// anybody could take the place in its name. In a chain that was brought, the presented configuration stands in the
    /// first place (OIDC Federation §12.2.2, steps 3 to 5); a chain that fails is not replaced by another, which might end
    /// at another anchor than the RP chose.
    ///
    /// # Errors
    /// The link, mark, policy or constraint that fails, or why its keys cannot be had; `Busy` while another application of
    /// the RP is looked into.
    pub async fn applicant(
        &self,
        source: Source,
        subject: &EntityId,
        configuration: &str,
        chain: Option<&[String]>,
    ) -> Result<Applicant, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        let client_id = ClientId::new(subject.as_str());
        let settings = self.tolerant(trust, &client_id).await?;
        let resolver = &self.shared.resolver;
        let untrusted = |error| ClientError::Trust(Arc::new(error));
        let resolved = match chain {
            None => {
                resolver
                    .resolve_presented(&settings, subject, source, configuration)
                    .await
            }
            Some(chain) => {
                let superiors = chain.iter().skip(1).cloned();
                let chain: Vec<String> = std::iter::once(configuration.to_owned())
                    .chain(superiors)
                    .collect();
                resolver
                    .resolve_provided(&settings, subject, source, &chain)
                    .await
            }
        };
        let resolved = resolved.map_err(untrusted)?;
        let turn = self.applications.start(subject);
        let _turn = turn.ok_or_else(|| untrusted(TrustError::Busy))?;
        let members = relying_party_metadata(&resolved.metadata);
        let owner = KeyOwner {
            subject,
            metadata: &members,
            federation_keys: &resolved.federation_keys,
        };
        let keys = if KEY_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            resolver
                .fetch_rp_keys(&settings, Lane::Stranger(source), owner)
                .await
                .map_err(untrusted)?
        } else {
            KeySet::default()
        };
        warn_of_shared_keys(&client_id, &keys, &resolved.federation_keys);
        Ok(Applicant { resolved, keys })
    }

    /// Our own `openid_provider` metadata as an RP's `peer_trust_chain` shows it, below the anchor that the RP chose
    /// (OIDC Federation §12.2.2, step 6).
    ///
    /// # Errors
    /// The chain does not hold, is not about this issuer, or ends at another anchor.
    pub async fn metadata_in_peer_chain(
        &self,
        source: Source,
        chain: &[String],
        anchor: &EntityId,
    ) -> Result<Map<String, Value>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        let settings = TrustSettings {
            anchors: trust
                .anchors
                .iter()
                .filter(|configured| configured.id == *anchor)
                .cloned()
                .collect(),
            required_trust_marks: Vec::new(),
            entity_type: "openid_provider".to_owned(),
            ..trust.clone()
        };
        let own = &trust.issuer_entity_id;
        let resolved = self
            .shared
            .resolver
            .resolve_provided(&settings, own, source, chain)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let metadata = resolved.metadata.get("openid_provider");
        Ok(metadata
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default())
    }

    /// The row of a registration: `metadata` is what was chosen. Its `client_id` is the RP's entity identifier, although
    /// another could be assigned: consents, history and pairwise subjects then survive a renewal, and an operator who
    /// switches the RP off does so for all its registrations.
    ///
    /// # Errors
    /// The profile's rule that the metadata breaks.
    pub fn explicit_registration(
        &self,
        applicant: &Applicant,
        mut metadata: ClientMetadata,
    ) -> Result<RelyingParty, ClientError> {
        let resolved = &applicant.resolved;
        metadata.organization_name = metadata
            .organization_name
            .or_else(|| organization_of(&resolved.metadata));
        let facts = self.facts(metadata, applicant.keys.clone());
        self.judged(&facts)?;
        let client_id = ClientId::new(resolved.subject.as_str());
        Ok(self.party(&client_id, Origin::Explicit(trust_of(resolved)), facts))
    }

    /// An RP was written to the database: this node's next look finds it there.
    pub async fn forget_client(&self, client_id: &ClientId) {
        self.clients.forget(client_id).await;
    }
}
