//! Resolution of trust: from a relying party's identifier to its verified metadata (SPID/CIE FE-1 to FE-7).
//!
//! Callers that ask for the same relying party at once share one resolution; what failed is remembered for a short time;
//! strangers have a bounded number of resolutions, of which one source has a small share, and every one has bounds in
//! time, fetches and depth.

mod anchors;
mod climb;
mod discovery;
mod kept_marks;
mod mark_issuer;
mod marks;
mod negative;
mod own_marks;
mod rp_keys;
#[cfg(test)]
mod tests;

use super::entity_id::EntityId;
use super::entity_statement::{Moment, unverified_parties};
use super::error::TrustError;
use super::evaluation::{Evaluated, Recheck, Recorder, Remembered};
use super::examiner::Examiner;
use super::fetch::{Fetch, Lane, Source};
use super::single_flight::SingleFlight;
use super::trust_mark::{TrustMarkStatus, ValidMark};
use crate::clock::{Clock, UtcTime};
use crate::jose::KeySet;
use discovery::Discovery;
use futures_util::future::FutureExt;
use negative::Negatives;
pub use rp_keys::KeyOwner;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A configured trust anchor.
#[derive(Clone, Debug)]
pub struct TrustAnchor {
    /// Its identifier.
    pub id: EntityId,
    /// Its keys. Without them the anchor is refused outside development; in development the first keys seen are kept
    /// for the life of the process.
    pub pinned_keys: Option<KeySet>,
}

/// What one issuer asks of relying parties.
#[derive(Clone, Debug)]
pub struct TrustSettings {
    /// The issuer on whose behalf is resolved; resolutions are shared per issuer.
    pub issuer_entity_id: EntityId,
    /// The anchors that are trusted.
    pub anchors: Vec<TrustAnchor>,
    /// One valid mark of any of these types suffices; empty: none is needed (SPID/CIE FE-1).
    pub required_trust_marks: Vec<String>,
    /// Whether mark issuers are asked.
    pub trust_mark_status: TrustMarkStatus,
    /// Seconds by which clocks may differ.
    pub leeway_seconds: i64,
    /// The same for what the relying party itself writes.
    pub subject_leeway_seconds: i64,
    /// Admits http on loopback hosts and anchors without pinned keys.
    pub development: bool,
    /// The entity type whose metadata is needed, such as `openid_relying_party`.
    pub entity_type: String,
}

/// The limits of resolutions (SPID/CIE FE-2).
#[derive(Clone, Debug)]
pub struct ResolutionLimits {
    /// For one resolution as a whole.
    pub total: Duration,
    /// Authority hints of one entity.
    pub authority_hints: usize,
    /// Fetches of one resolution; cached documents of the configured federation do not count.
    pub fetches: usize,
    /// Intermediates between subject and anchor.
    pub depth: usize,
    /// Trust marks of one entity that are looked at.
    pub trust_marks: usize,
    /// Resolutions of strangers at a time.
    pub concurrent: usize,
    /// Of these, on behalf of one [`super::Network`].
    pub per_network: usize,
    /// Of these, on behalf of one [`Source`].
    pub per_source: usize,
    /// Seconds for which a failure is remembered.
    pub negative_seconds: i64,
    /// Failures remembered.
    pub negatives: usize,
}

impl Default for ResolutionLimits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(10),
            authority_hints: 20,
            fetches: 30,
            depth: 6,
            trust_marks: 16,
            concurrent: 512,
            per_network: 16,
            per_source: 8,
            negative_seconds: 30,
            negatives: 10_000,
        }
    }
}

/// A relying party whose trust chain holds.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The relying party.
    pub subject: EntityId,
    /// The anchor at the end of its chain.
    pub anchor: EntityId,
    /// Subject's entity configuration, subordinate statements, anchor's entity configuration, in compact serialization.
    pub chain: Vec<String>,
    /// Final metadata by entity type.
    pub metadata: Map<String, Value>,
    /// The marks that hold for this anchor.
    pub trust_marks: Vec<ValidMark>,
    /// The subject's federation keys, as its superior attests them.
    pub federation_keys: KeySet,
    /// The smallest `exp` of the chain; earlier when the last required trust mark ends before. Within the leeway it may
    /// lie in the past.
    pub expires_at: UtcTime,
    /// When it was resolved.
    pub resolved_at: UtcTime,
}

impl Resolved {
    /// The immediate superior in the chain.
    #[must_use]
    pub fn superior(&self) -> Option<String> {
        let statement = self.chain.get(1)?;
        let (issuer, _) = unverified_parties(statement).ok()?;
        Some(issuer)
    }
}

type Outcome = Result<Arc<Resolved>, TrustError>;
type FlightKey = (String, String, Lane);

/// Resolves relying parties. One per process; every issuer has its own [`TrustSettings`].
pub struct Resolver {
    inner: Arc<Inner>,
    flights: SingleFlight<FlightKey, Outcome>,
}

struct Inner {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    limits: ResolutionLimits,
    anchors: anchors::AnchorCache,
    marks: marks::MarkCache,
    negatives: Negatives,
    running: Running,
}

impl Resolver {
    /// A resolver with empty caches.
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>, limits: ResolutionLimits) -> Self {
        let inner = Inner {
            fetch,
            clock,
            anchors: anchors::AnchorCache::new(),
            marks: marks::MarkCache::new(),
            negatives: Negatives::new(limits.negatives),
            running: Running::default(),
            limits,
        };
        Self {
            inner: Arc::new(inner),
            flights: SingleFlight::new(),
        }
    }

    /// The network that it asks.
    #[must_use]
    pub fn network(&self) -> Arc<dyn Fetch> {
        Arc::clone(&self.inner.fetch)
    }

    /// Resolves a relying party that asks for something, from `source`. `provided_chain` is the request's `trust_chain`
    /// header: when it holds, nothing that the relying party names is fetched; when it does not, it is passed over
    /// (SPID/CIE FE-5).
    ///
    /// # Errors
    /// Why the relying party is not trusted; `Busy` when `source`, or all together, have their share already.
    pub async fn resolve(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        source: Source,
        provided_chain: Option<&[String]>,
    ) -> Outcome {
        let Some(chain) = provided_chain else {
            return self.resolve_fetching(settings, subject, source).await;
        };
        let refused = match self
            .resolve_provided(settings, subject, source, chain)
            .await
        {
            Ok(resolved) => return Ok(resolved),
            Err(refused) => refused,
        };
        let fetched = self.resolve_fetching(settings, subject, source).await;
        fetched.map_err(|error| match error {
            TrustError::Busy => TrustError::Busy,
            error if error == refused => error,
            error => TrustError::NoPath {
                subject: subject.to_string(),
                failures: vec![refused, error],
            },
        })
    }

    async fn resolve_fetching(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        source: Source,
    ) -> Outcome {
        let key = (settings.issuer_entity_id.to_string(), subject.to_string());
        let now = self.inner.clock.elapsed();
        if let Some((error, _)) = self.inner.negatives.find(&key, now) {
            return Err(error);
        }
        let outcome = self.fly(settings, subject, Lane::Stranger(source)).await;
        if let Err(error) = &outcome {
            self.remember(key, error);
        }
        outcome
    }

    fn remember(&self, key: (String, String), error: &TrustError) {
        if !error.is_of_the_caller() {
            let seconds = self.inner.limits.negative_seconds;
            let (since, now) = (self.inner.clock.now(), self.inner.clock.elapsed());
            let until = now.saturating_add(Duration::from_secs(seconds.unsigned_abs()));
            let remembered = Remembered {
                since,
                until: since.plus_seconds(seconds),
            };
            let failure = (error.clone(), remembered);
            self.inner.negatives.insert(key, failure, (now, until));
        }
    }

    /// Resolves a relying party from an entity configuration that it presents, whatever it publishes: the request of an
    /// explicit registration (OIDC Federation §12.2.2). Bounded as for strangers from `source`, but shared with nobody and remembered
    /// for nobody: what somebody presents in another's name must not decide about the other.
    ///
    /// # Errors
    /// Why the relying party is not trusted.
    pub async fn resolve_presented(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        source: Source,
        configuration: &str,
    ) -> Outcome {
        let lane = Lane::Stranger(source);
        let _running = self.inner.running.start(&self.inner.limits, lane)?;
        let discovery = Discovery::new(Arc::clone(&self.inner), settings, subject, lane);
        self.inner
            .bounded(subject, discovery.run_from(configuration))
            .await
    }

    /// Verifies a provided chain without fetching anything that the relying party names (SPID/CIE FE-5).
    ///
    /// # Errors
    /// The link of the chain that does not hold; `Busy` as for [`Resolver::resolve`].
    pub async fn resolve_provided(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        source: Source,
        chain: &[String],
    ) -> Outcome {
        let lane = Lane::Stranger(source);
        let _running = self.inner.running.start(&self.inner.limits, lane)?;
        let discovery = Discovery::new(Arc::clone(&self.inner), settings, subject, lane);
        self.inner
            .bounded(subject, discovery.use_provided(chain))
            .await
    }

    /// Resolves anew a relying party that is known already, in lanes that strangers cannot block and past remembered
    /// failures: the background renewal of SPID/CIE FE-4.
    ///
    /// # Errors
    /// Why the relying party is not trusted (any longer).
    pub async fn renew(&self, settings: &TrustSettings, subject: &EntityId) -> Outcome {
        self.fly(settings, subject, Lane::Known).await
    }

    /// Resolves for a person who wants to know why, and writes everything down, up to the relying party's protocol keys.
    /// [`Recheck::Cached`] ends at a failure that is remembered, as the next request would.
    pub async fn explain(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        recheck: Recheck,
    ) -> Evaluated {
        self.explain_to(settings, subject, (recheck, &Recorder::writing()))
            .await
    }

    /// As [`Resolver::explain`], for somebody who looks on: what is written can be read while it is.
    pub async fn explain_to(
        &self,
        settings: &TrustSettings,
        subject: &EntityId,
        (recheck, recorder): (Recheck, &Recorder),
    ) -> Evaluated {
        let key = (settings.issuer_entity_id.to_string(), subject.to_string());
        let remembered = self.inner.negatives.find(&key, self.inner.clock.elapsed());
        if let Some((error, remembered)) = remembered.filter(|_| recheck == Recheck::Cached) {
            recorder.remembered(remembered);
            return Evaluated {
                evaluation: recorder.taken(),
                outcome: Err(error),
                keys: None,
            };
        }
        let discovery = Discovery::new(Arc::clone(&self.inner), settings, subject, Lane::Known);
        let discovery = discovery.recorded(recorder, recheck);
        let outcome = self.inner.bounded(subject, discovery.run()).await;
        match &outcome {
            Ok(_) => self.inner.negatives.forget(&key),
            Err(error) if recheck == Recheck::Fresh => self.remember(key, error),
            Err(_) => {}
        }
        let keys = match &outcome {
            Ok(resolved) => self.explain_keys(settings, resolved, recorder).await,
            Err(_) => None,
        };
        Evaluated {
            evaluation: recorder.taken(),
            outcome,
            keys,
        }
    }

    /// The anchor's entity configuration, cached and verified with its pinned keys: for `doctor` and the desk.
    ///
    /// # Errors
    /// Why the anchor cannot be used.
    pub async fn anchor(
        &self,
        settings: &TrustSettings,
        anchor: &TrustAnchor,
    ) -> Result<super::Anchor, TrustError> {
        let look = (&Recorder::silent(), Recheck::Cached);
        anchors::find(&self.inner, settings, anchor, look).await
    }

    async fn fly(&self, settings: &TrustSettings, subject: &EntityId, lane: Lane) -> Outcome {
        // A source shares its own resolutions only: one that has spent its share must not make others wait or fail.
        let key = (
            settings.issuer_entity_id.to_string(),
            subject.to_string(),
            lane,
        );
        let start = || {
            let inner = Arc::clone(&self.inner);
            let (settings, subject) = (settings.clone(), subject.clone());
            async move {
                let _running = inner.running.start(&inner.limits, lane)?;
                let discovery = Discovery::new(Arc::clone(&inner), &settings, &subject, lane);
                inner.bounded(&subject, discovery.run()).await
            }
            .boxed()
        };
        self.flights.run(key, start).await
    }
}

impl Inner {
    fn moment(&self, settings: &TrustSettings) -> Moment {
        Moment {
            now: self.clock.now(),
            leeway_seconds: settings.leeway_seconds,
            subject_leeway_seconds: settings.subject_leeway_seconds,
        }
    }

    fn examiner(&self, settings: &TrustSettings, recorder: &Recorder) -> Examiner {
        Examiner {
            moment: self.moment(settings),
            recorder: recorder.clone(),
        }
    }

    async fn bounded(
        &self,
        subject: &EntityId,
        work: impl Future<Output = Result<Resolved, TrustError>>,
    ) -> Outcome {
        match tokio::time::timeout(self.limits.total, work).await {
            Ok(outcome) => outcome.map(Arc::new).map_err(TrustError::bounded),
            Err(_) => Err(TrustError::TimedOut {
                subject: subject.to_string(),
                seconds: self.limits.total.as_secs(),
            }
            .bounded()),
        }
    }
}

/// The resolutions of strangers under way, by source.
#[derive(Default)]
struct Running(Mutex<HashMap<Source, usize>>);

/// One of them.
struct Counted<'a>(Option<(&'a Running, Source)>);

impl Running {
    fn start(&self, limits: &ResolutionLimits, lane: Lane) -> Result<Counted<'_>, TrustError> {
        let Lane::Stranger(source) = lane else {
            return Ok(Counted(None));
        };
        let mut running = self.table();
        let own = running.get(&source).copied().unwrap_or_default();
        let neighbours = running
            .iter()
            .filter(|(other, _)| other.network() == source.network());
        let of_network: usize = neighbours.map(|(_, count)| count).sum();
        let is_full = own >= limits.per_source || of_network >= limits.per_network;
        if is_full || running.values().sum::<usize>() >= limits.concurrent {
            return Err(TrustError::Busy);
        }
        running.insert(source, own.saturating_add(1));
        Ok(Counted(Some((self, source))))
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Source, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let Some((running, source)) = self.0 else {
            return;
        };
        let mut running = running.table();
        if let Some(own) = running.get_mut(&source) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                running.remove(&source);
            }
        }
    }
}
