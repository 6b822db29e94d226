//! The resolve endpoint of trust anchor and intermediate (OpenID Federation 1.0 §8.3), by the library's own resolver.

use super::fetch::LoopbackFetch;
use super::{DemoError, DemoFederation, EntityType, Http, MarkStatus, Superior};
use crate::clock::Clock;
use crate::federation::entity_configuration::SigningKey;
use crate::federation::resolve_response::{ResolveResponseInput, resolve_response};
use crate::federation::{
    EntityId, ResolutionLimits, Resolved, Resolver, TrustAnchor, TrustError, TrustMarkStatus,
    TrustSettings, ValidMark,
};
use crate::jose::KeySet;
use std::sync::Arc;

const LEEWAY_SECONDS: i64 = 30;

/// Why there is no resolve answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unresolved {
    /// Nobody of that name is below this superior.
    #[error("no entity of this name below this one")]
    NotBelow,
    /// Its trust chain does not hold.
    #[error("{}", .0.description())]
    Trust(TrustError),
    /// The answer could not be signed.
    #[error(transparent)]
    Demo(#[from] DemoError),
}

pub(super) fn resolver(http: &Arc<dyn Http>, clock: &Arc<dyn Clock>) -> Resolver {
    let fetch = Arc::new(LoopbackFetch(Arc::clone(http)));
    Resolver::new(fetch, Arc::clone(clock), ResolutionLimits::default())
}

impl DemoFederation {
    /// What the entity of this name is, when it is somewhere below this superior.
    #[must_use]
    pub fn entity_type_below(&self, superior: &Superior, entity_id: &str) -> Option<EntityType> {
        let direct = superior.entity_type_of(entity_id);
        direct.or_else(|| {
            let is_above = superior
                .entity_type_of(self.intermediate.entity_id())
                .is_some();
            is_above
                .then(|| self.intermediate.entity_type_of(entity_id))
                .flatten()
        })
    }

    /// Resolves an entity below the anchor anew, whatever was found out before: its trust chain up to the anchor, and its
    /// metadata under the policies. No trust mark is asked for.
    ///
    /// # Errors
    /// The link or policy that does not hold.
    pub async fn resolve(
        &self,
        entity_id: &str,
        entity_type: EntityType,
    ) -> Result<Arc<Resolved>, TrustError> {
        let id = |text: &str| {
            EntityId::parse(text, true).map_err(|fact| TrustError::EntityId {
                id: text.to_owned(),
                fact,
            })
        };
        let anchor = id(self.trust_anchor.entity_id())?;
        let pinned = KeySet::from_json(&self.jwks()).map_err(|error| TrustError::Anchor {
            anchor: anchor.to_string(),
            fact: error.to_string(),
        })?;
        let settings = TrustSettings {
            issuer_entity_id: anchor.clone(),
            anchors: vec![TrustAnchor {
                id: anchor,
                pinned_keys: Some(pinned),
            }],
            required_trust_marks: Vec::new(),
            // The anchor is their only issuer, and knows without asking itself over HTTP.
            trust_mark_status: TrustMarkStatus::Static,
            leeway_seconds: LEEWAY_SECONDS,
            subject_leeway_seconds: LEEWAY_SECONDS,
            development: true,
            entity_type: entity_type.as_str().to_owned(),
        };
        self.resolver.renew(&settings, &id(entity_id)?).await
    }

    /// The signed answer about an entity below `superior`: its final metadata, of these entity types or all, its valid
    /// trust marks, its chain.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn resolve_answer(
        &self,
        superior: &Superior,
        entity_id: &str,
        entity_types: &[String],
    ) -> Result<String, Unresolved> {
        let entity_type = self
            .entity_type_below(superior, entity_id)
            .ok_or(Unresolved::NotBelow)?;
        let resolved = self.resolve(entity_id, entity_type).await;
        let resolved = resolved.map_err(Unresolved::Trust)?;
        let mut metadata = resolved.metadata.clone();
        if !entity_types.is_empty() {
            metadata.retain(|kind, _| entity_types.contains(kind));
        }
        let is_active = |mark: &&ValidMark| {
            self.trust_anchor.mark_status(&mark.jwt) == Some(MarkStatus::Active)
        };
        let trust_marks: Vec<ValidMark> = resolved
            .trust_marks
            .iter()
            .filter(is_active)
            .cloned()
            .collect();
        let issuer = EntityId::parse(superior.entity_id(), true);
        let issuer = issuer.map_err(|_| DemoError::BaseUrl(superior.entity_id().to_owned()))?;
        let ends = trust_marks.iter().filter_map(|mark| mark.expires_at);
        let input = ResolveResponseInput {
            issuer: &issuer,
            subject: &resolved.subject,
            metadata: &metadata,
            trust_marks: &trust_marks,
            chain: &resolved.chain,
            expires_at: ends.fold(resolved.expires_at, Ord::min),
            draft_typ: false,
        };
        let key = SigningKey::new(superior.key());
        resolve_response(&input, self.clock.now(), key)
            .map_err(|error| Unresolved::Demo(error.into()))
    }
}
