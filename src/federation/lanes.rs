//! Who may have a connection: a global limit, reserves for the configured federation and for relying parties known
//! already, and shares of hosts and of sources.
//!
//! ```text
//! 32 connections = 8 configured + 8 known + 16 strangers; and 8 to authentication services
//! a stranger's:  leave of its source (3) ──► of its network (4) ──► of the host (5) ──► one of the 16
//! ```
//! Anybody can name hosts that never answer, and such a fetch keeps its connection until its time is over. What tells the
//! honest first login of an unknown relying party from a flood is neither the host nor the order of arrival, but where the
//! request comes from. So a source waits for itself first: one that floods holds three connections, and all that it asks
//! beyond waits for its own, in front of nobody else. A line with IPv6 has 256 sources or more, and together the share of
//! its network. To hold all sixteen takes four networks at once, and then others wait in turn, among at most three a
//! source. A host is asked last but one, since whoever waits for a slow host must hold no connection; each share is smaller
//! than the next, so that no source shuts its network to its neighbours and no network a host to the others.

use super::fetch::{FetchLimits, Lane, Network, Source};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Nobody may wait any longer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// What has a share of connections of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    /// A host, as the known lane sees it.
    KnownHost(String),
    /// A host, as strangers see it.
    Host(String),
    /// Whoever makes us fetch.
    Source(Source),
    /// The line, or lines, that it is on.
    Network(Network),
}

type Shares = Mutex<HashMap<Holder, Arc<Semaphore>>>;

/// The semaphores of the fetcher.
pub(super) struct Lanes {
    configured: Arc<Semaphore>,
    known: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    authenticators: Arc<Semaphore>,
    shares: Arc<Shares>,
    waiting: AtomicUsize,
    known_waiting: AtomicUsize,
    per_host: usize,
    per_network: usize,
    per_source: usize,
    queue: usize,
    known_queue: usize,
    queue_wait: Duration,
}

/// A connection's leave; given back when dropped.
pub(super) struct Permit {
    _connection: OwnedSemaphorePermit,
    _shares: Vec<Share>,
}

struct Share {
    shares: Arc<Shares>,
    holder: Holder,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    pub(super) fn new(limits: &FetchLimits) -> Self {
        let reserved = limits.configured_concurrency + limits.known_concurrency;
        let strangers = limits.concurrency.saturating_sub(reserved);
        Self {
            configured: Arc::new(Semaphore::new(limits.configured_concurrency.max(1))),
            known: Arc::new(Semaphore::new(limits.known_concurrency.max(1))),
            strangers: Arc::new(Semaphore::new(strangers.max(1))),
            authenticators: Arc::new(Semaphore::new(limits.authenticator_concurrency.max(1))),
            shares: Arc::default(),
            waiting: AtomicUsize::new(0),
            known_waiting: AtomicUsize::new(0),
            per_host: limits.per_host.max(1),
            per_network: limits.per_network.max(1),
            per_source: limits.per_source.max(1),
            queue: limits.queue,
            known_queue: limits.known_queue,
            queue_wait: limits.queue_wait,
        }
    }

    /// Waits for a connection's leave.
    pub(super) async fn enter(&self, lane: Lane, host: &str) -> Result<Permit, Busy> {
        let _waiting = match lane {
            // Both wait for no longer than anybody, and whoever makes us ask an authentication service is throttled.
            Lane::Configured | Lane::Authenticator => None,
            Lane::Known => Some(Waiting::start(&self.known_waiting, self.known_queue)?),
            Lane::Stranger(_) => Some(Waiting::start(&self.waiting, self.queue)?),
        };
        let entered = tokio::time::timeout(self.queue_wait, self.entering(lane, host)).await;
        entered.unwrap_or(Err(Busy))
    }

    async fn entering(&self, lane: Lane, host: &str) -> Result<Permit, Busy> {
        let host = host.to_owned();
        let (holders, connections) = match lane {
            Lane::Configured => (Vec::new(), &self.configured),
            Lane::Authenticator => (Vec::new(), &self.authenticators),
            Lane::Known => (vec![(Holder::KnownHost(host), self.per_host)], &self.known),
            Lane::Stranger(source) => {
                let holders = vec![
                    (Holder::Source(source), self.per_source),
                    (Holder::Network(source.network()), self.per_network),
                    (Holder::Host(host), self.per_host),
                ];
                (holders, &self.strangers)
            }
        };
        let mut shares = Vec::with_capacity(holders.len());
        for (holder, size) in holders {
            shares.push(self.share(holder, size).await?);
        }
        let connection = Arc::clone(connections).acquire_owned().await;
        Ok(Permit {
            _connection: connection.map_err(|_| Busy)?,
            _shares: shares,
        })
    }

    /// One of the connections that this holder may have.
    async fn share(&self, holder: Holder, size: usize) -> Result<Share, Busy> {
        let mut share = Share {
            shares: Arc::clone(&self.shares),
            holder: holder.clone(),
            permit: None,
        };
        let semaphore = {
            let mut shares = self.shares();
            let fresh = || Arc::new(Semaphore::new(size));
            Arc::clone(shares.entry(holder).or_insert_with(fresh))
        };
        share.permit = Some(semaphore.acquire_owned().await.map_err(|_| Busy)?);
        Ok(share)
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<Holder, Arc<Semaphore>>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        self.permit = None;
        // Only the map holds it: nobody uses the share or waits for it.
        if shares
            .get(&self.holder)
            .is_some_and(|s| Arc::strong_count(s) == 1)
        {
            shares.remove(&self.holder);
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn start(count: &'a AtomicUsize, queue: usize) -> Result<Self, Busy> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::SeqCst) >= queue {
            return Err(Busy);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::FutureExt;
    use std::net::Ipv4Addr;

    fn from(last: u8) -> Lane {
        Lane::Stranger(Source::of(Ipv4Addr::new(192, 0, 2, last).into()))
    }

    fn lanes() -> Lanes {
        Lanes::new(&FetchLimits {
            concurrency: 6,
            configured_concurrency: 1,
            known_concurrency: 1,
            per_host: 2,
            per_network: 3,
            per_source: 2,
            queue: 1,
            known_queue: 1,
            queue_wait: Duration::from_secs(3600),
            ..FetchLimits::default()
        })
    }

    /// A leave that is there without waiting.
    fn at_once(lanes: &Lanes, lane: Lane, host: &str) -> Option<Permit> {
        lanes.enter(lane, host).now_or_never().map(Result::unwrap)
    }

    #[tokio::test]
    async fn a_host_takes_no_more_than_its_share_and_the_others_go_on() {
        let lanes = lanes();
        let _slow: Vec<_> = [1, 2]
            .map(|n| at_once(&lanes, from(n), "slow").unwrap())
            .into();
        assert!(at_once(&lanes, from(3), "slow").is_none());
        assert!(at_once(&lanes, from(3), "other").is_some());
    }

    #[tokio::test]
    async fn a_source_takes_no_more_than_its_share_and_the_others_go_on() {
        let lanes = lanes();
        let held: Vec<_> = ["a", "b"]
            .map(|host| at_once(&lanes, from(1), host).unwrap())
            .into();
        let mut waiting = Box::pin(lanes.enter(from(1), "c"));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        let other = at_once(&lanes, from(2), "c");
        assert!(other.is_some(), "not behind the one that floods");
        drop(held);
        assert!(at_once(&lanes, from(1), "c").is_some());
    }

    #[tokio::test]
    async fn all_the_sources_of_one_line_have_the_share_of_its_network() {
        let lanes = lanes();
        let link = |n: u16| {
            let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, 1, n, 0, 0, 0, 1);
            Lane::Stranger(Source::of(address.into()))
        };
        let _held: Vec<_> = [1, 2, 3]
            .map(|n| at_once(&lanes, link(n), &n.to_string()).unwrap())
            .into();
        assert!(at_once(&lanes, link(4), "4").is_none());
        assert!(at_once(&lanes, from(1), "4").is_some());
    }

    #[tokio::test]
    async fn strangers_cannot_starve_the_configured_federation() {
        let lanes = lanes();
        let held: Vec<_> = (0_u8..4)
            .map(|n| at_once(&lanes, from(n), &n.to_string()).unwrap())
            .collect();
        assert!(at_once(&lanes, from(9), "z").is_none());
        assert!(at_once(&lanes, Lane::Configured, "anchor").is_some());
        assert!(at_once(&lanes, Lane::Known, "0").is_some());
        drop(held);
    }

    #[tokio::test]
    async fn an_authentication_service_that_hangs_starves_nobody_but_itself() {
        let lanes = lanes();
        let _hanging: Vec<_> = (0..8)
            .map(|_| at_once(&lanes, Lane::Authenticator, "idp").unwrap())
            .collect();
        assert!(at_once(&lanes, Lane::Authenticator, "idp").is_none());
        assert!(at_once(&lanes, Lane::Configured, "anchor").is_some());
        assert!(at_once(&lanes, Lane::Known, "idp").is_some());
        assert!(at_once(&lanes, from(1), "idp").is_some());
    }

    #[tokio::test]
    async fn who_waits_is_counted_and_whoever_comes_when_the_queue_is_full_is_told_at_once() {
        let lanes = lanes();
        let _held: Vec<_> = [1, 2]
            .map(|n| at_once(&lanes, from(n), "slow").unwrap())
            .into();
        let mut waiting = Box::pin(lanes.enter(from(3), "slow"));
        assert!(waiting.as_mut().now_or_never().is_none());
        let refused = lanes.enter(from(4), "slow").now_or_never().unwrap();
        assert_eq!(refused.err(), Some(Busy));
    }

    #[tokio::test]
    async fn who_is_known_waits_in_a_queue_of_its_own_that_ends_as_well() {
        let lanes = lanes();
        let _held = at_once(&lanes, Lane::Known, "a").unwrap();
        let mut waiting = Box::pin(lanes.enter(Lane::Known, "b"));
        assert!(waiting.as_mut().now_or_never().is_none());
        let refused = lanes.enter(Lane::Known, "c").now_or_never().unwrap();
        assert_eq!(refused.err(), Some(Busy));
        assert!(at_once(&lanes, from(1), "d").is_some());
    }

    #[tokio::test]
    async fn shares_that_nobody_uses_are_forgotten() {
        let lanes = lanes();
        drop(at_once(&lanes, from(1), "a").unwrap());
        let _held: Vec<_> = [2, 3]
            .map(|n| at_once(&lanes, from(n), "b").unwrap())
            .into();
        assert!(at_once(&lanes, from(4), "b").is_none());
        assert_eq!(lanes.shares().len(), 5, "host b, two sources and networks");
        assert_eq!(lanes.waiting.load(Ordering::SeqCst), 0);
    }
}
