//! The configured trust anchors' entity configurations: cached, renewed once for all who wait, keys pinned.

use super::{Inner, TrustAnchor, TrustSettings};
use crate::clock::UtcTime;
use crate::federation::entity_statement::EntityStatement;
use crate::federation::error::{DocumentKind, TrustError};
use crate::federation::fetch::Lane;
use crate::federation::single_flight::SingleFlight;
use crate::federation::trust_chain::{Anchor, Link, broken};
use crate::jose::{KeySet, PublicKey};
use futures_util::future::FutureExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seconds for which an anchor's entity configuration is used without looking again.
const FRESH_SECONDS: i64 = 3600;
/// Seconds between attempts while the anchor cannot be reached and the old configuration still holds.
const RETRY_SECONDS: i64 = 30;

type Key = (String, String);

#[derive(Clone)]
struct Cached {
    anchor: Anchor,
    fresh_until: UtcTime,
}

/// Anchors by identifier and pinned keys: issuers may pin different keys of one anchor.
pub(super) struct AnchorCache {
    cached: Mutex<HashMap<Key, Cached>>,
    flights: SingleFlight<Key, Result<Anchor, TrustError>>,
    first_seen: Mutex<HashMap<String, KeySet>>,
}

impl AnchorCache {
    pub(super) fn new() -> Self {
        Self {
            cached: Mutex::default(),
            flights: SingleFlight::new(),
            first_seen: Mutex::default(),
        }
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<Key, Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first_seen(&self) -> MutexGuard<'_, HashMap<String, KeySet>> {
        self.first_seen.lock().unwrap_or_else(PoisonError::into_inner)
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

/// An anchor from the cache, or fetched anew.
pub(super) async fn find(
    inner: &Arc<Inner>,
    settings: &TrustSettings,
    anchor: &TrustAnchor,
) -> Result<Anchor, TrustError> {
    if anchor.pinned_keys.is_none() && !settings.development {
        return Err(unusable(anchor, "it has no pinned keys".to_owned()));
    }
    let key = cache_key(anchor);
    let now = inner.clock.now();
    let old = inner.anchors.cached().get(&key).cloned();
    if let Some(cached) = old.as_ref().filter(|cached| now < cached.fresh_until) {
        return Ok(cached.anchor.clone());
    }
    let start = || {
        let inner = Arc::clone(inner);
        let (settings, anchor) = (settings.clone(), anchor.clone());
        async move { fetch(&inner, &settings, &anchor).await }.boxed()
    };
    let renewed = inner.anchors.flights.run(key.clone(), start).await;
    match (renewed, old) {
        (Ok(renewed), _) => Ok(renewed),
        // The old configuration holds until its exp: an anchor that is down for an hour stops nobody.
        (Err(_), Some(old)) if now < old.anchor.configuration.expires_at => {
            let cached = Cached {
                anchor: old.anchor.clone(),
                fresh_until: now.plus_seconds(RETRY_SECONDS),
            };
            inner.anchors.cached().insert(key, cached);
            Ok(old.anchor)
        }
        (Err(error), _) => Err(error),
    }
}

async fn fetch(
    inner: &Arc<Inner>,
    settings: &TrustSettings,
    anchor: &TrustAnchor,
) -> Result<Anchor, TrustError> {
    let url = anchor.id.configuration_url();
    let document = inner.document(Lane::Configured, &url).await;
    let document = document.map_err(|error| unusable(anchor, error.to_string()))?;
    let seen = inner.anchors.first_seen().get(anchor.id.as_str()).cloned();
    let pinned = anchor.pinned_keys.clone().or(seen);
    let moment = inner.moment(settings);
    let link = Link {
        jws: document.text,
        url: Some(url),
    };
    let configuration =
        EntityStatement::verify_configuration(&link.jws, &anchor.id, pinned.as_ref(), moment)
            .map_err(|fault| {
                let about = (anchor.id.as_str(), anchor.id.as_str());
                let link = broken(DocumentKind::EntityConfiguration, about, &link, fault);
                unusable(anchor, link.reason())
            })?;
    let keys = pinned.unwrap_or_else(|| configuration.keys.clone());
    if anchor.pinned_keys.is_none() {
        let mut seen = inner.anchors.first_seen();
        seen.entry(anchor.id.to_string()).or_insert_with(|| keys.clone());
    }
    let fresh_until = configuration.expires_at.min(moment.now.plus_seconds(FRESH_SECONDS));
    let found = Anchor {
        id: anchor.id.clone(),
        keys,
        configuration: Arc::new(configuration),
    };
    let cached = Cached {
        anchor: found.clone(),
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
