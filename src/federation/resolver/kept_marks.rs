//! The marks that a relying party was registered with: whether they still hold, whatever it publishes now or refuses to.

use super::anchors;
use super::discovery::Discovery;
use super::marks;
use super::{Resolver, TrustSettings};
use crate::federation::entity_id::EntityId;
use crate::federation::error::TrustError;
use crate::federation::fetch::Lane;
use crate::federation::trust_mark::{Candidate, TrustMarkStatus};
use serde_json::json;
use std::sync::Arc;

impl Resolver {
    /// Whether one of the marks that were kept of `subject` is of a required type and holds for the anchor of its kept
    /// chain, its issuer asked (SPID/CIE TM-2). Nothing of the subject's own is fetched, so it cannot stand in the way.
    ///
    /// # Errors
    /// [`TrustError::TrustMark`] when none holds, its code temporary when one could not be judged; why the anchor
    /// cannot be used; that it took too long.
    pub async fn check_kept_marks(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        anchor: &str,
        marks: &[String],
    ) -> Result<(), TrustError> {
        let asking = TrustSettings {
            trust_mark_status: TrustMarkStatus::Dynamic,
            ..settings.clone()
        };
        let discovery = Discovery::new(Arc::clone(&self.inner), &asking, subject, Lane::Known);
        let limit = self.inner.limits.total;
        let checked = tokio::time::timeout(limit, check(&discovery, anchor, marks));
        checked.await.unwrap_or_else(|_| {
            Err(TrustError::TimedOut {
                subject: subject.to_string(),
                seconds: limit.as_secs(),
            })
        })
    }
}

async fn check(discovery: &Discovery<'_>, anchor: &str, kept: &[String]) -> Result<(), TrustError> {
    let settings = discovery.settings;
    let mut configured = settings.anchors.iter();
    let configured = configured.find(|configured| configured.id.as_str() == anchor);
    let configured = configured.ok_or_else(|| TrustError::Anchor {
        anchor: anchor.to_owned(),
        fact: "it is not configured any more".to_owned(),
    })?;
    let look = discovery.look();
    let anchor = anchors::find(&discovery.inner, settings, configured, look).await?;
    let mut refused = Vec::new();
    for jwt in kept {
        let outcome = match Candidate::read(&json!({"trust_mark": jwt})) {
            Ok(mark) if !settings.required_trust_marks.contains(&mark.mark_type) => continue,
            Ok(mark) => marks::verify(discovery, (configured, &anchor), &mark).await,
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(_) => return Ok(()),
            Err(fault) => refused.push(fault),
        }
    }
    Err(discovery.no_mark(Some(&anchor), refused).bounded())
}
