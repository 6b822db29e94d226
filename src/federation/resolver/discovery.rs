//! One resolution: its budget, its steps, and the order of SPID/CIE FE-1.

use super::anchors;
use super::marks;
use super::{Inner, ResolutionStep, Resolved, TrustSettings};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::{
    EntityStatement, Moment, StatementFault, unverified_parties,
};
use crate::federation::error::{DocumentKind, TrustError};
use crate::federation::fetch::{FetchError, FetchFact, Lane};
use crate::federation::trust_chain::{Anchor, Link, UnverifiedChain, ValidChain, broken};
use crate::federation::trust_mark::ValidMark;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One in so many fetches of a resolution is kept for the statements of anchors.
const ANCHORS_SHARE: usize = 8;
/// What we ask for; servers that send another content type are tolerated, the signature decides.
const ACCEPT: &str =
    "application/entity-statement+jwt, application/jose, application/jwt, */*;q=0.1";

/// A fetched document.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) content_type: Option<String>,
    pub(super) elapsed_ms: u64,
}

impl Document {
    /// A fault, with the content type when that explains it.
    pub(super) fn explained(&self, mut fault: StatementFault) -> StatementFault {
        let kind = self.content_type.as_deref().unwrap_or("absent");
        if !kind.contains("jwt") && !kind.contains("jose") {
            fault.fact.push_str(&format!(" (content type {kind})"));
        }
        fault
    }
}

impl Inner {
    pub(super) async fn document(&self, lane: Lane, url: &str) -> Result<Document, FetchError> {
        let fetched = self.fetch.get_in(lane, url, ACCEPT).await;
        let fetched = fetched.inspect_err(|error| told(lane, error))?;
        let limit = crate::federation::entity_statement::STATEMENT_MAX_BYTES;
        if fetched.body.len() > limit {
            return Err(FetchError {
                url: url.to_owned(),
                fact: FetchFact::TooLarge { limit },
            });
        }
        Ok(Document {
            text: String::from_utf8_lossy(&fetched.body).trim().to_owned(),
            content_type: fetched.content_type,
            elapsed_ms: fetched.elapsed_ms,
        })
    }
}

/// Errors tell strangers no causes; those of the configured federation the operator has to know.
pub(super) fn told(lane: Lane, error: &FetchError) {
    if lane == Lane::Configured && error.fact.cause().is_some() {
        log::warn!("event=federation.unreachable reason={:?}", error.reason());
    }
}

/// The steps of a resolution, readable while it runs and after it was given up.
#[derive(Clone, Default)]
pub(super) struct Steps(Arc<Mutex<Vec<ResolutionStep>>>);

impl Steps {
    fn push(&self, step: ResolutionStep) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(step);
    }

    /// The steps so far.
    pub(super) fn taken(&self) -> Vec<ResolutionStep> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.clone()
    }
}

/// An anchor that may end this chain, with the trust marks that hold for it.
pub(super) struct Usable {
    pub(super) anchor: Anchor,
    pub(super) marks: Vec<ValidMark>,
}

/// The configured anchors, as this subject may use them.
#[derive(Default)]
pub(super) struct Anchors {
    usable: Vec<Usable>,
    unusable: Vec<(String, TrustError)>,
    /// Those that have superiors themselves, usable or not.
    intermediates: Vec<String>,
}

impl Anchors {
    pub(super) fn usable(&self, id: &str) -> Option<&Usable> {
        self.usable
            .iter()
            .find(|usable| usable.anchor.id.as_str() == id)
    }

    /// Whether an anchor is an intermediate of another federation as well (OpenID Federation 1.0 §4.1), where the subject's
    /// marks may count although this anchor does not take them.
    pub(super) fn leads_on(&self, id: &str) -> bool {
        self.intermediates.iter().any(|anchor| anchor == id)
    }

    /// Why a configured anchor cannot be used.
    pub(super) fn unusable(&self, id: &str) -> Option<&TrustError> {
        let mut unusable = self.unusable.iter();
        unusable
            .find(|(anchor, _)| anchor == id)
            .map(|(_, error)| error)
    }
}

/// One resolution.
pub(super) struct Discovery<'a> {
    pub(super) inner: Arc<Inner>,
    pub(super) settings: &'a TrustSettings,
    pub(super) subject: &'a EntityId,
    pub(super) moment: Moment,
    pub(super) lane: Lane,
    fetched: AtomicUsize,
    steps: Steps,
}

impl<'a> Discovery<'a> {
    pub(super) fn new(
        inner: Arc<Inner>,
        settings: &'a TrustSettings,
        subject: &'a EntityId,
        lane: Lane,
    ) -> Self {
        Self {
            moment: inner.moment(settings),
            inner,
            settings,
            subject,
            lane,
            fetched: AtomicUsize::new(0),
            steps: Steps::default(),
        }
    }

    pub(super) fn steps(&self) -> Steps {
        self.steps.clone()
    }

    /// Fetches everything.
    pub(super) async fn run(self) -> Result<Resolved, TrustError> {
        let (link, configuration) = self.configuration(self.subject).await?;
        let anchors = self.anchors(&configuration).await?;
        self.climb(link, configuration, &anchors).await
    }

    /// Uses the chain that came with the request (SPID/CIE FE-5).
    pub(super) async fn use_provided(self, chain: &[String]) -> Result<Resolved, TrustError> {
        let wrong = |fact: String| TrustError::ProvidedChain(fact);
        let longest = self.inner.limits.depth.saturating_add(3);
        if chain.len() < 2 || chain.len() > longest {
            return Err(wrong(format!(
                "has {} statements, 2 to {longest} are accepted",
                chain.len()
            )));
        }
        let link = |jws: &String| Link {
            jws: jws.clone(),
            url: None,
        };
        let mut statements = chain.iter();
        let own = statements
            .next()
            .ok_or_else(|| wrong("is empty".to_owned()))?;
        let configuration = self.verified_configuration(self.subject, &link(own))?;
        let mut unverified = UnverifiedChain {
            entities: Vec::new(),
            configuration: link(own),
            statements: Vec::new(),
            intermediates: Vec::new(),
        };
        let mut below = self.subject.to_string();
        for (position, jws) in statements.enumerate() {
            let parties = unverified_parties(jws);
            let (issuer, about) = parties.map_err(|fault| wrong(fault.fact))?;
            let is_last = position.saturating_add(2) == chain.len();
            if issuer == about && issuer == below && is_last {
                break; // the anchor's own entity configuration; the one that we fetched counts
            }
            if about != below {
                return Err(wrong(format!(
                    "statement of {issuer} is about {about}, not {below}"
                )));
            }
            unverified.entities.push(below);
            unverified.statements.push(link(jws));
            below = issuer;
        }
        let anchors = self.anchors(&configuration).await?;
        let top = anchors.usable(&below);
        let top =
            top.ok_or_else(|| wrong(format!("ends at {below}, which is no usable trust anchor")))?;
        let valid = unverified.verify(self.subject, &top.anchor, self.moment)?;
        self.step("use the request's trust_chain", None, "ok", 0);
        self.resolved(top, valid)
    }

    /// The anchors that may end the chain. Before anything else is asked, the trust marks decide (SPID/CIE FE-1): without
    /// a mark of a required type not even the anchor is asked.
    async fn anchors(&self, subject: &EntityStatement) -> Result<Anchors, TrustError> {
        let candidates = marks::candidates(self, subject)?;
        let mut found = Anchors::default();
        for configured in &self.settings.anchors {
            let error = match anchors::find(&self.inner, self.settings, configured).await {
                Err(error) => error,
                Ok(anchor) => {
                    if !anchor.configuration.authority_hints.is_empty() {
                        found.intermediates.push(anchor.id.to_string());
                    }
                    let checked = marks::check(self, (configured, &anchor), &candidates).await;
                    if checked.suffices {
                        let marks = checked.valid;
                        found.usable.push(Usable { anchor, marks });
                        continue;
                    }
                    self.no_mark(checked.refused)
                }
            };
            let what = format!("use trust anchor {}", configured.id);
            self.step(&what, None, &error.to_string(), 0);
            found.unusable.push((configured.id.to_string(), error));
        }
        if found.usable.is_empty() {
            return Err(self.failure(found.unusable.into_iter().map(|(_, error)| error).collect()));
        }
        Ok(found)
    }

    pub(super) fn no_mark(
        &self,
        refused: Vec<crate::federation::error::RefusedMark>,
    ) -> TrustError {
        TrustError::TrustMark {
            subject: self.subject.to_string(),
            required: self.settings.required_trust_marks.clone(),
            refused,
        }
    }

    /// Fetches an entity configuration and verifies it with its own keys.
    pub(super) async fn configuration(
        &self,
        entity: &EntityId,
    ) -> Result<(Link, EntityStatement), TrustError> {
        let url = entity.configuration_url();
        let what = format!("entity configuration of {entity}");
        let document = self.fetch(self.lane, &url, &what).await?;
        let verified = EntityStatement::verify_configuration(
            &document.text,
            entity,
            None,
            self.moment_of(entity),
        )
        .map_err(|fault| document.explained(fault));
        let link = Link {
            jws: document.text,
            url: Some(url),
        };
        let verified = verified.map_err(|fault| {
            let about = (entity.as_str(), entity.as_str());
            broken(DocumentKind::EntityConfiguration, about, &link, fault)
        })?;
        Ok((link, verified))
    }

    fn moment_of(&self, entity: &EntityId) -> Moment {
        if entity == self.subject {
            self.moment.of_subject()
        } else {
            self.moment
        }
    }

    fn verified_configuration(
        &self,
        entity: &EntityId,
        link: &Link,
    ) -> Result<EntityStatement, TrustError> {
        EntityStatement::verify_configuration(&link.jws, entity, None, self.moment_of(entity))
            .map_err(|fault| {
                let about = (entity.as_str(), entity.as_str());
                broken(DocumentKind::EntityConfiguration, about, link, fault)
            })
    }

    /// Fetches a document within the budget of this resolution, of which a share is for anchors: however much the hints
    /// of strangers cost, a path that reached an anchor is ended there.
    pub(super) async fn fetch(
        &self,
        lane: Lane,
        url: &str,
        what: &str,
    ) -> Result<Document, TrustError> {
        let limit = self.inner.limits.fetches;
        let usable = match lane {
            Lane::Configured => limit,
            Lane::Known | Lane::Stranger(_) => limit.saturating_sub(limit / ANCHORS_SHARE),
        };
        let in_budget = |fetched: usize| (fetched < usable).then(|| fetched.saturating_add(1));
        let (order, counter) = (Ordering::SeqCst, &self.fetched);
        if counter.fetch_update(order, order, in_budget).is_err() {
            return Err(TrustError::TooManyFetches {
                subject: self.subject.to_string(),
                limit,
            });
        }
        let what_step = format!("fetch {what}");
        match self.inner.document(lane, url).await {
            Ok(document) => {
                self.step(&what_step, Some(url), "ok", document.elapsed_ms);
                Ok(document)
            }
            Err(error) => {
                self.step(&what_step, Some(url), &error.fact.reason(), 0);
                if error.fact == FetchFact::Busy {
                    return Err(TrustError::Busy);
                }
                Err(TrustError::Fetch {
                    document: what.to_owned(),
                    error,
                })
            }
        }
    }

    pub(super) fn step(&self, what: &str, url: Option<&str>, outcome: &str, elapsed_ms: u64) {
        self.steps.push(ResolutionStep {
            what: what.to_owned(),
            url: url.map(str::to_owned),
            outcome: outcome.to_owned(),
            elapsed_ms,
        });
    }

    /// The result, when the metadata has the needed entity type.
    pub(super) fn resolved(&self, top: &Usable, valid: ValidChain) -> Result<Resolved, TrustError> {
        for effect in &valid.effects {
            let shown = |value: &Option<serde_json::Value>| match value {
                Some(value) => value.to_string(),
                None => "absent".to_owned(),
            };
            let what = format!("metadata policy {} {}", effect.path, effect.operator);
            let outcome = format!("{} -> {}", shown(&effect.before), shown(&effect.after));
            self.step(&what, None, &outcome, 0);
        }
        let entity_type = &self.settings.entity_type;
        if !valid
            .metadata
            .get(entity_type)
            .is_some_and(serde_json::Value::is_object)
        {
            let mut removed = valid.removed_types.iter();
            let removed = removed.find(|removed| removed.entity_type == *entity_type);
            return Err(match removed {
                Some(removed) => removed.error(),
                None => TrustError::EntityType {
                    subject: self.subject.to_string(),
                    entity_type: entity_type.clone(),
                },
            });
        }
        let expires_at = match marks::required_until(self.settings, &top.marks) {
            Some(until) => valid.expires_at.min(until),
            None => valid.expires_at,
        };
        Ok(Resolved {
            subject: self.subject.clone(),
            anchor: top.anchor.id.clone(),
            chain: valid.documents,
            metadata: valid.metadata,
            trust_marks: top.marks.clone(),
            federation_keys: valid.federation_keys,
            expires_at,
            resolved_at: self.moment.now,
            steps: self.steps.taken(),
        })
    }
}
