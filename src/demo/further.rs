//! Relying parties and documents beyond the usual ones: for tests of what a provider must refuse.

use super::{
    CONTACT, DemoError, DemoFederation, EntityType, RelyingParty, RelyingPartyKeys, Subordinate,
    path, policy, redirect_uris,
};
use serde_json::Map;
use std::sync::{Arc, PoisonError};

impl DemoFederation {
    /// A further relying party at `{base}/{path}/`, which begins with `rp-`: named, marked and placed below the anchor, but
    /// neither served nor attested yet; see [`DemoFederation::host`] and [`DemoFederation::admit`].
    ///
    /// # Errors
    /// When signing its trust mark fails.
    pub fn further_relying_party(
        &self,
        path: &str,
        keys: RelyingPartyKeys,
    ) -> Result<RelyingParty, DemoError> {
        let entity_id = self.entity_id(path);
        let mark_type = self.relying_party_mark_type();
        let mark = self.trust_anchor.trust_mark(&mark_type, &entity_id, path)?;
        let clock = Arc::clone(&self.clock);
        Ok(RelyingParty::new(&entity_id, [path, path], keys, clock)
            .with_redirect_uris(redirect_uris(&self.base_url, path))
            .with_superior(self.trust_anchor.entity_id())
            .with_trust_marks(vec![(mark_type, mark)]))
    }

    /// Serves a relying party, its configuration and its pages, at `/{path}/`; `path` is `rp-` and lower-case letters,
    /// digits or hyphens.
    pub fn host(&self, path: &str, relying_party: RelyingParty) -> Arc<RelyingParty> {
        let relying_party = Arc::new(relying_party);
        let mut hosted = self
            .further_relying_parties
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        hosted.insert(path.to_owned(), Arc::clone(&relying_party));
        relying_party
    }

    /// As [`DemoFederation::host`], and the anchor attests it.
    pub fn admit(&self, path: &str, relying_party: RelyingParty) -> Arc<RelyingParty> {
        let subordinate = Subordinate {
            entity_type: EntityType::RelyingParty,
            jwks: relying_party.federation_jwks(),
            metadata_policy: policy::relying_party_policy(CONTACT),
            constraints: None,
            extra: Map::new(),
        };
        self.trust_anchor
            .attest(relying_party.entity_id(), subordinate);
        self.host(path, relying_party)
    }

    /// The relying party served at this path.
    #[must_use]
    pub fn relying_party_at(&self, path: &str) -> Option<Arc<RelyingParty>> {
        match path {
            path::RELYING_PARTY => Some(Arc::clone(&self.relying_party)),
            path::AGGREGATED_RELYING_PARTY => Some(Arc::clone(&self.aggregated_relying_party)),
            _ => {
                let hosted = self
                    .further_relying_parties
                    .read()
                    .unwrap_or_else(PoisonError::into_inner);
                hosted.get(path).cloned()
            }
        }
    }

    /// Serves any text as the entity configuration at this path (`ta`, `sa`, `rp` …), or the right one again.
    pub fn publish_instead(&self, path: &str, document: Option<String>) {
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match document {
            Some(document) => published.insert(path.to_owned(), document),
            None => published.remove(path),
        };
    }

    pub(super) fn published_instead(&self, path: &str) -> Option<String> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        published.get(path).cloned()
    }
}
