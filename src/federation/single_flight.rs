//! Work that many ask for at once is done once.
//!
//! The future is shared by all who wait for it and is driven by whichever of them is polled: when the first caller goes
//! away, the others go on. When all have gone, the work stops.

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Table<K, V> = HashMap<K, WeakShared<BoxFuture<'static, V>>>;

/// At this many entries the ones that nobody waits for are swept out.
const SWEEP_AT: usize = 1024;

/// Work under way, by key.
pub(super) struct SingleFlight<K, V: Clone>(Mutex<Table<K, V>>);

impl<K: Hash + Eq + Clone, V: Clone> SingleFlight<K, V> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Joins the work under way for `key`, or starts it.
    pub(super) async fn run(&self, key: K, start: impl FnOnce() -> BoxFuture<'static, V>) -> V {
        let shared = self.join(&key, start);
        let value = shared.clone().await;
        drop(shared);
        self.forget_finished(&key);
        value
    }

    fn join(
        &self,
        key: &K,
        start: impl FnOnce() -> BoxFuture<'static, V>,
    ) -> Shared<BoxFuture<'static, V>> {
        let mut table = self.table();
        let running = table.get(key).and_then(WeakShared::upgrade);
        if let Some(running) = running.filter(|shared| shared.peek().is_none()) {
            return running;
        }
        if table.len() >= SWEEP_AT {
            table.retain(|_, weak| weak.upgrade().is_some_and(|shared| shared.peek().is_none()));
        }
        let shared = start().shared();
        if let Some(weak) = shared.downgrade() {
            table.insert(key.clone(), weak);
        }
        shared
    }

    fn forget_finished(&self, key: &K) {
        let mut table = self.table();
        let finished = table.get(key).is_some_and(|weak| match weak.upgrade() {
            Some(shared) => shared.peek().is_some(),
            None => true,
        });
        if finished {
            table.remove(key);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn fifty_callers_do_the_work_once_and_the_first_may_leave() {
        let flights: SingleFlight<&str, usize> = SingleFlight::new();
        let started = Arc::new(AtomicUsize::new(0));
        let (open, gate) = tokio::sync::oneshot::channel::<()>();
        let gate = std::sync::Mutex::new(Some(gate));
        let work = || {
            let started = Arc::clone(&started);
            let gate = gate.lock().unwrap().take();
            async move {
                let count = started.fetch_add(1, Ordering::SeqCst);
                gate.unwrap().await.unwrap();
                count
            }
            .boxed()
        };
        let mut first = Box::pin(flights.run("key", work));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut others: Vec<_> = (0..50).map(|_| Box::pin(flights.run("key", work))).collect();
        for other in &mut others {
            assert!(futures_util::poll!(other).is_pending());
        }
        drop(first);
        open.send(()).unwrap();
        for other in others {
            assert_eq!(other.await, 0);
        }
        assert_eq!(started.load(Ordering::SeqCst), 1);
        assert!(flights.table().is_empty());
    }
}
