//! One resolution: its budget, its record, and the order of SPID/CIE FE-1.

use super::anchors;
use super::marks;
use super::{Inner, Resolved, TrustSettings};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::{
    EntityStatement, STATEMENT_MAX_BYTES, unverified_parties,
};
use crate::federation::error::{RefusedMark, TrustError};
use crate::federation::evaluation::{FetchOutcome, Recheck, Recorder};
use crate::federation::examiner::{Examiner, Link};
use crate::federation::fetch::{FetchError, FetchFact, Fetched, Lane};
use crate::federation::trust_chain::{Anchor, UnverifiedChain, ValidChain};
use crate::federation::trust_mark::ValidMark;
use futures_util::future::join_all;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// One in so many fetches of a resolution is kept for the statements of anchors.
const ANCHORS_SHARE: usize = 8;
/// What we ask for; servers that send another content type are tolerated, the signature decides.
const ACCEPT: &str =
    "application/entity-statement+jwt, application/jose, application/jwt, */*;q=0.1";

/// A fetched document.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) content_type: Option<String>,
}

impl Document {
    /// An error, with the content type when that explains it.
    fn explained(content_type: Option<&str>, mut error: TrustError) -> TrustError {
        let kind = content_type.unwrap_or("absent");
        if let TrustError::BrokenLink(link) = &mut error
            && !kind.contains("jwt")
            && !kind.contains("jose")
        {
            link.fact.push_str(&format!(" (content type {kind})"));
        }
        error
    }
}

/// What a document is: written only where it is recorded or fails.
pub(super) type Named<'a> = &'a (dyn fmt::Display + Sync);

impl Inner {
    /// Fetches a document; `what` it is, for the record.
    pub(super) async fn document(
        &self,
        (lane, recorder): (Lane, &Recorder),
        what: Named<'_>,
        url: &str,
    ) -> Result<Document, FetchError> {
        let started = Instant::now();
        let fetched = self.fetch.get_in(lane, url, ACCEPT).await;
        let fetched = noted(recorder, (what, url, started), fetched);
        let fetched = fetched.inspect_err(|error| told(lane, error))?;
        Ok(Document {
            text: String::from_utf8_lossy(&fetched.body).trim().to_owned(),
            content_type: fetched.content_type,
        })
    }
}

/// Writes a fetch down; what is larger than a statement may be is none.
pub(super) fn noted(
    recorder: &Recorder,
    (what, url, started): (Named<'_>, &str, Instant),
    fetched: Result<Fetched, FetchError>,
) -> Result<Fetched, FetchError> {
    let limit = STATEMENT_MAX_BYTES;
    let fetched = fetched.and_then(|fetched| match fetched.body.len() > limit {
        true => Err(FetchError {
            url: url.to_owned(),
            fact: FetchFact::TooLarge { limit },
        }),
        false => Ok(fetched),
    });
    if recorder.is_writing() {
        let outcome = match &fetched {
            Ok(fetched) => FetchOutcome::Fetched {
                status: fetched.status,
                content_type: fetched.content_type.clone(),
                size_bytes: fetched.body.len(),
                elapsed_ms: fetched.elapsed_ms,
            },
            Err(error) => FetchOutcome::Failed {
                reason: error.fact.reason(),
                elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            },
        };
        recorder.fetch(what, url, outcome);
    }
    fetched
}

/// Errors tell strangers no causes; those of the configured federation the operator has to know.
pub(super) fn told(lane: Lane, error: &FetchError) {
    if lane == Lane::Configured && error.fact.cause().is_some() {
        log::warn!("event=federation.unreachable reason={:?}", error.reason());
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

    /// The anchors among these authority hints.
    pub(super) fn named_in(&self, hints: &[String]) -> impl Iterator<Item = &Usable> {
        let is_named = |top: &&Usable| hints.iter().any(|hint| hint == top.anchor.id.as_str());
        self.usable.iter().filter(is_named)
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
    pub(super) examiner: Examiner,
    pub(super) lane: Lane,
    pub(super) recheck: Recheck,
    fetched: AtomicUsize,
}

impl<'a> Discovery<'a> {
    pub(super) fn new(
        inner: Arc<Inner>,
        settings: &'a TrustSettings,
        subject: &'a EntityId,
        lane: Lane,
    ) -> Self {
        Self {
            examiner: Examiner::silent(inner.moment(settings)),
            inner,
            settings,
            subject,
            lane,
            recheck: Recheck::Cached,
            fetched: AtomicUsize::new(0),
        }
    }

    /// Writes down what it looks at.
    pub(super) fn recorded(mut self, recorder: &Recorder, recheck: Recheck) -> Self {
        self.examiner.recorder = recorder.clone();
        self.recheck = recheck;
        self
    }

    /// How caches are to be used.
    pub(super) const fn look(&self) -> (&Recorder, Recheck) {
        (&self.examiner.recorder, self.recheck)
    }

    pub(super) const fn recorder(&self) -> &Recorder {
        &self.examiner.recorder
    }

    /// Fetches everything.
    pub(super) async fn run(self) -> Result<Resolved, TrustError> {
        let (link, configuration) = self.configuration(self.subject).await?;
        let anchors = self.anchors(&configuration).await?;
        self.climb(link, configuration, &anchors).await
    }

    /// Fetches what is above an entity configuration that is at hand.
    pub(super) async fn run_from(self, configuration: &str) -> Result<Resolved, TrustError> {
        let link = Link {
            jws: configuration.to_owned(),
            url: None,
        };
        let examiner = self.examiner.of_subject();
        let configuration = examiner.configuration(self.subject, &link, None)?;
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
        let examiner = self.examiner.of_subject();
        let configuration = examiner.configuration(self.subject, &link(own), None)?;
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
        let valid = unverified.verify(
            (self.subject, &self.settings.entity_type),
            &top.anchor,
            &self.examiner,
        )?;
        self.resolved(top, valid)
    }

    /// The anchors that may end the chain. Before anything else is asked, the trust marks decide (SPID/CIE FE-1): without
    /// a mark of a required type not even the anchor is asked.
    async fn anchors(&self, subject: &EntityStatement) -> Result<Anchors, TrustError> {
        let candidates = marks::candidates(self, subject)?;
        let mut found = Anchors::default();
        // At once, so that one that does not answer costs its time and not that of all in a row.
        let looked = join_all(self.settings.anchors.iter().map(async |configured| {
            let look = self.look();
            let anchor = anchors::find(&self.inner, self.settings, configured, look).await;
            (configured, anchor)
        }));
        for (configured, anchor) in looked.await {
            let error = match anchor {
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
                    self.no_mark(Some(&anchor), checked.refused)
                }
            };
            found.unusable.push((configured.id.to_string(), error));
        }
        if found.usable.is_empty() {
            return Err(self.failure(found.unusable.into_iter().map(|(_, error)| error).collect()));
        }
        Ok(found)
    }

    /// That `anchor` takes none of the marks; `None`: whichever anchor.
    pub(super) fn no_mark(&self, anchor: Option<&Anchor>, refused: Vec<RefusedMark>) -> TrustError {
        TrustError::TrustMark {
            subject: self.subject.to_string(),
            anchor: anchor.map(|anchor| anchor.id.to_string()),
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
        let what = fmt::from_fn(|f| write!(f, "entity configuration of {entity}"));
        let document = self.fetch(self.lane, &url, &what).await?;
        let link = Link {
            jws: document.text,
            url: Some(url),
        };
        let examiner = match entity == self.subject {
            true => &self.examiner.of_subject(),
            false => &self.examiner,
        };
        let verified = examiner.configuration(entity, &link, None);
        let content_type = document.content_type.as_deref();
        let verified = verified.map_err(|error| Document::explained(content_type, error))?;
        Ok((link, verified))
    }

    /// Fetches a document within the budget of this resolution, of which a share is for anchors: however much the hints
    /// of strangers cost, a path that reached an anchor is ended there.
    pub(super) async fn fetch(
        &self,
        lane: Lane,
        url: &str,
        what: Named<'_>,
    ) -> Result<Document, TrustError> {
        let limit = self.inner.limits.fetches;
        let usable = match lane {
            Lane::Configured => limit,
            Lane::Known | Lane::Stranger(_) | Lane::Authenticator => {
                limit.saturating_sub(limit / ANCHORS_SHARE)
            }
        };
        let in_budget = |fetched: usize| (fetched < usable).then(|| fetched.saturating_add(1));
        let (order, counter) = (Ordering::SeqCst, &self.fetched);
        if counter.fetch_update(order, order, in_budget).is_err() {
            return Err(TrustError::TooManyFetches {
                subject: self.subject.to_string(),
                limit,
            });
        }
        let fetched = self.inner.document((lane, self.recorder()), what, url);
        fetched.await.map_err(|error| match error.fact {
            FetchFact::Busy => TrustError::Busy,
            _ => TrustError::Fetch {
                document: what.to_string(),
                error,
            },
        })
    }

    /// The result, when the metadata has the needed entity type.
    pub(super) fn resolved(&self, top: &Usable, valid: ValidChain) -> Result<Resolved, TrustError> {
        self.recorder().resolved(&valid.metadata);
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
            resolved_at: self.examiner.moment.now,
        })
    }
}
