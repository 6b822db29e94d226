//! RPs in memory, with their keys decoded, and the proof that what is there is still true.
//!
//! A login takes a person half a minute and asks for its RP five times, so an RP stays in memory for minutes. But an
//! operator who switches an RP off must be obeyed by every node within two seconds, whichever process wrote it. So:
//!
//! ```text
//! varco rp disable ──► client row ──trigger──► client_change ◄── every node, twice a second: what changed in the last minute?
//!                                                                   └─► what was read before that counts no more
//! find: in memory, and (nodes asked less than 2 s ago, or it was read less than 2 s ago)?  yes: no query   no: one query
//! ```
//!
//! - For a minute every change is remembered, with when this node first saw it: what was read before does not count, also
//!   when it is put into memory later. What was read after that is the changed row: so a change costs one query, and no
//!   number of changes switches memory off. Looking back for a minute finds what took its time to commit.
//! - No answer from the database is no news: two seconds after the last poll that succeeded, memory is not believed any
//!   more. That is also the rule where nobody polls (commands, tests): what was read counts for two seconds.
//! - When polls were missed for half of that minute, or more changed than one answer holds, everything is dropped.
//! - When something was read is the time before the query, and of something written the time before the write.
//! - The bound is in bytes, because an RP takes from two to two hundred KiB; what was used least recently goes first. After
//!   some minutes an RP is read again in any case.

use super::{ClientError, KnownClient};
use crate::clock::Clock;
use crate::model::{ClientId, RelyingParty};
use moka::policy::EvictionPolicy;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is in memory is believed so long after it was read, or after the last poll: an operator's switch is obeyed by every
/// node within this time.
const BELIEVED: Duration = Duration::from_secs(2);
/// Every poll asks for what changed in so many seconds.
pub(super) const WINDOW_SECONDS: u32 = 60;
/// Polls that were missed for longer than this may have missed a change: half of the window.
const MAX_GAP: Duration = Duration::from_secs(30);
/// In any case an RP is read again after this time.
const MAX_AGE: Duration = Duration::from_secs(600);
/// Bytes of all RPs of an issuer in memory.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// What an RP takes beside its texts: so there are at most 16,384.
const BASE_BYTES: usize = 2048;
/// How long an RP whose metadata was refused is refused from memory; the resolver does the same for broken chains.
pub(super) const REFUSED: Duration = Duration::from_secs(30);
/// At most so many refusals are remembered.
const MAX_REFUSED: u64 = 10_000;

/// An RP, and when its row was read.
#[derive(Clone)]
struct Remembered {
    client: Arc<KnownClient>,
    /// By [`Clock::elapsed`].
    read_at: Duration,
    bytes: u32,
}

/// Who is known: RPs that may be used, and those that were refused a moment ago.
pub(in crate::provider) struct Memory {
    known: moka::future::Cache<ClientId, Remembered>,
    refused: moka::sync::Cache<ClientId, (Duration, ClientError)>,
    followed: Mutex<Followed>,
    /// Queries for one RP so far.
    queries: AtomicU64,
}

/// What polls said.
#[derive(Default)]
struct Followed {
    /// When the last poll that succeeded was begun.
    polled_at: Option<Duration>,
    /// What changed lately: the number of the last change, and when the poll that first saw it had ended.
    changed: HashMap<ClientId, (i64, Duration)>,
}

/// When a poll was made, by [`Clock::elapsed`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    /// Before it was asked.
    pub(super) begun_at: Duration,
    /// After it was answered.
    pub(super) ended_at: Duration,
}

/// What the memory of an issuer did, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStatistics {
    /// RPs in memory, about.
    pub in_memory: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
    /// Queries for one RP since the start.
    pub queries: u64,
}

impl Memory {
    /// Whether an RP is in memory: then it is known, at least until a moment ago.
    pub(in crate::provider) fn holds(&self, client_id: &ClientId) -> bool {
        self.known.contains_key(client_id)
    }

    pub(in crate::provider) fn new() -> Self {
        let known = moka::future::Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|_, remembered: &Remembered| remembered.bytes)
            // Not by frequency: an RP that is seen for the first time is needed for the rest of this login.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(MAX_AGE)
            .build();
        Self {
            known,
            refused: moka::sync::Cache::new(MAX_REFUSED),
            followed: Mutex::default(),
            queries: AtomicU64::new(0),
        }
    }

    /// The RP, when what is in memory can be believed at `now`.
    pub(super) async fn find(&self, id: &ClientId, now: Duration) -> Option<Arc<KnownClient>> {
        let found = self.known.get(id).await?;
        let confirmed_at = self.followed().confirmed(id, found.read_at)?;
        (now.saturating_sub(confirmed_at) < BELIEVED).then_some(found.client)
    }

    /// Keeps an RP whose row was read, or written, at `read_at` or later.
    pub(super) async fn keep(&self, client: Arc<KnownClient>, read_at: Duration) {
        let remembered = Remembered::new(client, read_at);
        let id = remembered.client.id().clone();
        self.known.insert(id, remembered).await;
    }

    /// Joins the registration of an RP that is under way, or does it: once for all who wait. What is in memory of it does
    /// not count any more, or nobody would register it.
    pub(super) async fn register(
        &self,
        id: &ClientId,
        clock: &dyn Clock,
        registration: impl Future<Output = Result<Arc<KnownClient>, ClientError>>,
    ) -> Result<Arc<KnownClient>, ClientError> {
        self.forget(id).await;
        // Before it is written: an operator's switch may come right after.
        let read_at = clock.elapsed();
        let remembered = async { Ok(Remembered::new(registration.await?, read_at)) };
        let registered = self.known.try_get_with(id.clone(), remembered).await;
        registered
            .map(|remembered| remembered.client)
            .map_err(|error: Arc<ClientError>| ClientError::clone(&error))
    }

    pub(in crate::provider) async fn forget(&self, id: &ClientId) {
        self.known.invalidate(id).await;
    }

    /// After a poll: what changed does not count as it was read before; `None`: too much to say.
    pub(super) async fn follow(&self, changed: Option<Vec<(ClientId, i64)>>, poll: Poll) {
        let before = self.followed().polled_at;
        let is_complete = before
            .is_some_and(|before| poll.begun_at.saturating_sub(before) < MAX_GAP)
            && changed.is_some();
        let changed: HashMap<ClientId, i64> = changed.unwrap_or_default().into_iter().collect();
        if is_complete {
            // What will not be remembered as changed any more must be gone before.
            let leaving = self.followed().leaving(&changed);
            for (id, seen_at) in leaving {
                let found = self.known.get(&id).await;
                if found.is_some_and(|found| found.read_at <= seen_at) {
                    self.forget(&id).await;
                }
            }
        } else {
            self.known.invalidate_all();
        }
        self.followed().follow(changed, poll);
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_query(&self) {
        self.queries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn statistics(&self) -> ClientStatistics {
        ClientStatistics {
            in_memory: self.known.entry_count(),
            bytes: self.known.weighted_size(),
            queries: self.queries.load(Ordering::Relaxed),
        }
    }

    pub(super) fn refuse(&self, client_id: &ClientId, now: Duration, error: &ClientError) {
        let is_verdict = match error {
            // Neither our own outage nor an operator's switch, which the row says, is a verdict on the RP.
            ClientError::Store(_) | ClientError::Disabled => false,
            ClientError::Trust(error) => !error.is_of_the_caller(),
            ClientError::Unknown
            | ClientError::Ended(_)
            | ClientError::RegistrationExpired(_)
            | ClientError::NotAnEntity(_)
            | ClientError::Metadata(_)
            | ClientError::Rule(_)
            | ClientError::Keys(_) => true,
        };
        if is_verdict {
            let until = now.saturating_add(REFUSED);
            self.refused
                .insert(client_id.clone(), (until, error.clone()));
        }
    }

    /// A refusal that counts still, and for how long.
    pub(super) fn refusal(
        &self,
        client_id: &ClientId,
        now: Duration,
    ) -> Option<(ClientError, Duration)> {
        let (until, error) = self.refused.get(client_id)?;
        (now < until).then(|| (error, until.saturating_sub(now)))
    }

    /// The metadata that were refused are not refused any more.
    pub(super) fn accept(&self, client_id: &ClientId) {
        self.refused.invalidate(client_id);
    }
}

impl Followed {
    /// The changes that are not among these any more.
    fn leaving(&self, changed: &HashMap<ClientId, i64>) -> Vec<(ClientId, Duration)> {
        let seen = self.changed.iter();
        let leaving = seen.filter(|(id, _)| !changed.contains_key(*id));
        leaving
            .map(|(id, (_, seen_at))| (id.clone(), *seen_at))
            .collect()
    }

    fn follow(&mut self, changed: HashMap<ClientId, i64>, poll: Poll) {
        let mut seen = std::mem::take(&mut self.changed);
        let changed = changed.into_iter().map(|(id, number)| {
            let known = seen.remove(&id).filter(|(seen, _)| *seen == number);
            (id, known.unwrap_or((number, poll.ended_at)))
        });
        self.changed = changed.collect();
        // Last, so that nothing old is believed because of this poll.
        self.polled_at = Some(poll.begun_at);
    }

    /// When what was read at `read_at` was last known to be true; `None` when it changed after that.
    fn confirmed(&self, id: &ClientId, read_at: Duration) -> Option<Duration> {
        let changed = self.changed.get(id);
        if changed.is_some_and(|(_, seen_at)| read_at <= *seen_at) {
            return None;
        }
        Some(
            self.polled_at
                .map_or(read_at, |polled_at| polled_at.max(read_at)),
        )
    }
}

impl Remembered {
    fn new(client: Arc<KnownClient>, read_at: Duration) -> Self {
        let bytes = u32::try_from(bytes_of(&client.party)).unwrap_or(u32::MAX);
        Self {
            client,
            read_at,
            bytes,
        }
    }
}

/// About what an RP takes in memory. JSON values take about four times their text, and so do decoded keys.
fn bytes_of(party: &RelyingParty) -> usize {
    let mut values = Counted(0);
    // Writing to a counter cannot fail, and what could not be written would weigh nothing.
    let _counted = serde_json::to_writer(&mut values, &party.metadata);
    let _counted = serde_json::to_writer(&mut values, &party.jwks);
    let mut texts = party.client_id.as_str().len();
    if let Some(trust) = party.origin.trust() {
        let _counted = serde_json::to_writer(&mut values, &trust.metadata);
        let statements = trust.chain.iter().map(String::len);
        let marks = trust.trust_marks.iter().map(|mark| mark.jwt.len());
        texts = statements.chain(marks).fold(texts, usize::saturating_add);
    }
    let values = values.0.saturating_mul(4);
    values.saturating_add(texts).saturating_add(BASE_BYTES)
}

/// How many bytes were written.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
