//! Who may have a connection: a global limit, a reserve for the configured federation, a limit per host.

use super::fetch::{FetchLimits, Lane};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Nobody may wait any longer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// The semaphores of the fetcher.
pub(super) struct Lanes {
    configured: Arc<Semaphore>,
    known: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    waiting: AtomicUsize,
    per_host: usize,
    queue: usize,
    queue_wait: Duration,
}

/// A connection's leave; given back when dropped.
pub(super) struct Permit<'a> {
    _connection: OwnedSemaphorePermit,
    _host: Option<HostPermit<'a>>,
}

struct HostPermit<'a> {
    lanes: &'a Lanes,
    host: String,
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
            hosts: Mutex::default(),
            waiting: AtomicUsize::new(0),
            per_host: limits.per_host.max(1),
            queue: limits.queue,
            queue_wait: limits.queue_wait,
        }
    }

    /// Waits for a connection's leave.
    pub(super) async fn enter(&self, lane: Lane, host: &str) -> Result<Permit<'_>, Busy> {
        let _waiting = match lane {
            Lane::Configured | Lane::Known => None,
            Lane::Stranger => Some(Waiting::start(self)?),
        };
        let entering = async {
            match lane {
                Lane::Configured => self.enter_configured().await,
                Lane::Known => self.enter_bounded(&self.known, format!("known {host}")).await,
                Lane::Stranger => self.enter_bounded(&self.strangers, host.to_owned()).await,
            }
        };
        let entered = tokio::time::timeout(self.queue_wait, entering).await;
        entered.unwrap_or(Err(Busy))
    }

    async fn enter_configured(&self) -> Result<Permit<'_>, Busy> {
        let connection = Arc::clone(&self.configured).acquire_owned().await;
        Ok(Permit {
            _connection: connection.map_err(|_| Busy)?,
            _host: None,
        })
    }

    /// First the host's leave, then a connection's: who waits for a slow host holds nobody else up.
    async fn enter_bounded(
        &self,
        connections: &Arc<Semaphore>,
        host: String,
    ) -> Result<Permit<'_>, Busy> {
        let mut of_host = HostPermit {
            lanes: self,
            host: host.clone(),
            permit: None,
        };
        let semaphore = {
            let mut hosts = self.hosts();
            let fresh = || Arc::new(Semaphore::new(self.per_host));
            Arc::clone(hosts.entry(host).or_insert_with(fresh))
        };
        of_host.permit = Some(semaphore.acquire_owned().await.map_err(|_| Busy)?);
        let connection = Arc::clone(connections).acquire_owned().await;
        Ok(Permit {
            _connection: connection.map_err(|_| Busy)?,
            _host: Some(of_host),
        })
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HostPermit<'_> {
    fn drop(&mut self) {
        let mut hosts = self.lanes.hosts();
        self.permit = None;
        // Only the map holds it: nobody uses the host or waits for it.
        if hosts.get(&self.host).is_some_and(|s| Arc::strong_count(s) == 1) {
            hosts.remove(&self.host);
        }
    }
}

struct Waiting<'a>(&'a Lanes);

impl<'a> Waiting<'a> {
    fn start(lanes: &'a Lanes) -> Result<Self, Busy> {
        let waiting = Self(lanes);
        let before = lanes.waiting.fetch_add(1, Ordering::SeqCst);
        if before >= lanes.queue {
            return Err(Busy);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes() -> Lanes {
        Lanes::new(&FetchLimits {
            concurrency: 4,
            configured_concurrency: 1,
            known_concurrency: 1,
            per_host: 1,
            queue: 1,
            queue_wait: Duration::from_millis(20),
            ..FetchLimits::default()
        })
    }

    #[tokio::test]
    async fn a_host_takes_no_more_than_its_share_and_the_others_go_on() {
        let lanes = lanes();
        let _slow = lanes.enter(Lane::Stranger, "slow").await.unwrap();
        assert!(lanes.enter(Lane::Stranger, "slow").await.is_err());
        assert!(lanes.enter(Lane::Stranger, "other").await.is_ok());
    }

    #[tokio::test]
    async fn strangers_cannot_starve_the_configured_federation() {
        let lanes = lanes();
        let _one = lanes.enter(Lane::Stranger, "a").await.unwrap();
        let _two = lanes.enter(Lane::Stranger, "b").await.unwrap();
        assert!(lanes.enter(Lane::Stranger, "c").await.is_err());
        assert!(lanes.enter(Lane::Configured, "anchor").await.is_ok());
        assert!(lanes.enter(Lane::Known, "a").await.is_ok());
    }

    #[tokio::test]
    async fn hosts_that_nobody_uses_are_forgotten() {
        let lanes = lanes();
        drop(lanes.enter(Lane::Stranger, "a").await.unwrap());
        let _held = lanes.enter(Lane::Stranger, "b").await.unwrap();
        assert!(lanes.enter(Lane::Stranger, "b").await.is_err());
        assert_eq!(lanes.hosts().len(), 1);
        assert_eq!(lanes.waiting.load(Ordering::SeqCst), 0);
    }
}
