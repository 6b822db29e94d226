//! The configured trust anchors' entity configurations: cached, renewed once for all who wait, keys pinned.

use super::{Inner, TrustAnchor, TrustSettings};
use crate::clock::UtcTime;
use crate::federation::error::TrustError;
use crate::federation::evaluation::{Recheck, Recorder};
use crate::federation::examiner::{Examiner, Link, StatementKeys, Whose};
use crate::federation::fetch::{FetchFact, Lane};
use crate::federation::single_flight::SingleFlight;
use crate::federation::trust_chain::Anchor;
use crate::jose::{KeySet, PublicKey};
use futures_util::future::FutureExt;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Seconds for which an anchor's entity configuration is used without looking again.
const FRESH_SECONDS: i64 = 3600;
/// Seconds between attempts while the anchor cannot be reached, whether an old configuration still holds or not.
const RETRY_SECONDS: i64 = 30;
const RETRY: Duration = Duration::from_secs(RETRY_SECONDS.unsigned_abs());

type Key = (String, String);

#[derive(Clone)]
struct Cached {
    anchor: Anchor,
    fetched_at: UtcTime,
    fresh_until: UtcTime,
}

/// Anchors by identifier and pinned keys: issuers may pin different keys of one anchor.
pub(super) struct AnchorCache {
    cached: Mutex<HashMap<Key, Cached>>,
    flights: SingleFlight<Key, Result<Anchor, TrustError>>,
    first_seen: Mutex<HashMap<String, KeySet>>,
    /// Anchors that failed and have no configuration that holds, and until when (by [`crate::clock::Clock::elapsed`])
    /// nobody asks them again: one that is down must not hold up every login through the others.
    failed: Mutex<HashMap<Key, (Duration, TrustError)>>,
}

impl AnchorCache {
    pub(super) fn new() -> Self {
        Self {
            cached: Mutex::default(),
            flights: SingleFlight::new(),
            first_seen: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<Key, Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<Key, (Duration, TrustError)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the anchor failed a moment ago.
    fn failure(&self, key: &Key, now: Duration) -> Option<TrustError> {
        let failed = self.failed();
        let (until, error) = failed.get(key)?;
        (now < *until).then(|| error.clone())
    }

    fn first_seen(&self) -> MutexGuard<'_, HashMap<String, KeySet>> {
        self.first_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of an anchor in the caches.
pub(super) fn cache_key(anchor: &TrustAnchor) -> Key {
    let thumbprints = match &anchor.pinned_keys {
        Some(keys) => keys.keys().iter().map(PublicKey::thumbprint).collect(),
        None => Vec::new(),
    };
    (anchor.id.to_string(), thumbprints.join(" "))
}

/// An anchor from the cache, or fetched anew. Whoever writes down what happens fetches alone: what was done for another
/// is not what happened here.
pub(super) async fn find(
    inner: &Arc<Inner>,
    settings: &TrustSettings,
    anchor: &TrustAnchor,
    (recorder, recheck): (&Recorder, Recheck),
) -> Result<Anchor, TrustError> {
    if anchor.pinned_keys.is_none() && !settings.development {
        return Err(unusable(anchor, "it has no pinned keys".to_owned()));
    }
    let key = cache_key(anchor);
    let now = inner.clock.now();
    let old = inner.anchors.cached().get(&key).cloned();
    let usable = old.as_ref().filter(|cached| now < cached.fresh_until);
    if let Some(cached) = usable.filter(|_| recheck == Recheck::Cached) {
        cached.recorded(&inner.examiner(settings, recorder));
        return Ok(cached.anchor.clone());
    }
    let failure = inner.anchors.failure(&key, inner.clock.elapsed());
    if let Some(error) = failure.filter(|_| recheck == Recheck::Cached) {
        return Err(error);
    }
    let start = || {
        let inner = Arc::clone(inner);
        let (settings, anchor) = (settings.clone(), anchor.clone());
        async move { fetch(&inner, &settings, &anchor, &Recorder::silent()).await }.boxed()
    };
    let renewed = match recorder.is_writing() {
        true => fetch(inner, settings, anchor, recorder).await,
        false => inner.anchors.flights.run(key.clone(), start).await,
    };
    match (renewed, old) {
        (Ok(renewed), _) => {
            inner.anchors.failed().remove(&key);
            Ok(renewed)
        }
        // The old configuration holds until its exp: an anchor that is down for an hour stops nobody.
        (Err(_), Some(old)) if now < old.anchor.configuration.expires_at => {
            old.recorded(&inner.examiner(settings, recorder));
            let cached = Cached {
                fresh_until: now.plus_seconds(RETRY_SECONDS),
                ..old.clone()
            };
            inner.anchors.cached().insert(key, cached);
            Ok(old.anchor)
        }
        // Our own want of connections is no fact about the anchor.
        (Err(TrustError::Busy), _) => Err(TrustError::Busy),
        (Err(error), _) => {
            let until = inner.clock.elapsed().saturating_add(RETRY);
            inner.anchors.failed().insert(key, (until, error.clone()));
            Err(error)
        }
    }
}

impl Cached {
    fn recorded(&self, examiner: &Examiner) {
        if !examiner.recorder.is_writing() {
            return;
        }
        let configuration = &self.anchor.configuration;
        let link = Link {
            jws: configuration.jws.clone(),
            url: Some(self.anchor.id.configuration_url()),
        };
        examiner.believed(&self.anchor.id, &link, self.fetched_at);
    }
}

async fn fetch(
    inner: &Arc<Inner>,
    settings: &TrustSettings,
    anchor: &TrustAnchor,
    recorder: &Recorder,
) -> Result<Anchor, TrustError> {
    let url = anchor.id.configuration_url();
    let what = fmt::from_fn(|f| write!(f, "entity configuration of {}", anchor.id));
    let fetching = inner.document((Lane::Configured, recorder), &what, &url);
    let document = fetching.await;
    let document = document.map_err(|error| match error.fact {
        FetchFact::Busy => TrustError::Busy,
        _ => unusable(anchor, error.to_string()),
    })?;
    let seen = inner.anchors.first_seen().get(anchor.id.as_str()).cloned();
    let pinned = anchor.pinned_keys.clone().or(seen);
    let examiner = inner.examiner(settings, recorder);
    let link = Link {
        jws: document.text,
        url: Some(url),
    };
    let keys = pinned.as_ref().map(|keys| StatementKeys {
        keys,
        whose: Whose::Anchor,
    });
    let configuration = examiner.configuration(&anchor.id, &link, keys);
    let configuration = configuration.map_err(|error| unusable(anchor, error.reason()))?;
    let keys = pinned.unwrap_or_else(|| configuration.keys.clone());
    if anchor.pinned_keys.is_none() {
        let mut seen = inner.anchors.first_seen();
        seen.entry(anchor.id.to_string())
            .or_insert_with(|| keys.clone());
    }
    let now = examiner.moment.now;
    let fresh_until = configuration
        .expires_at
        .min(now.plus_seconds(FRESH_SECONDS));
    let found = Anchor {
        id: anchor.id.clone(),
        keys,
        configuration: Arc::new(configuration),
    };
    let cached = Cached {
        anchor: found.clone(),
        fetched_at: now,
        fresh_until,
    };
    inner.anchors.cached().insert(cache_key(anchor), cached);
    Ok(found)
}

fn unusable(anchor: &TrustAnchor, fact: String) -> TrustError {
    TrustError::Anchor {
        anchor: anchor.id.to_string(),
        fact,
    }
}
