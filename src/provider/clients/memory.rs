//! RPs in memory, with their keys decoded, and the proof that what is there is still true.
//!
//! A login takes a person half a minute and asks for its RP five times, so an RP stays in memory for minutes. But an
//! operator who switches an RP off must be obeyed by every node within two seconds, whichever process wrote it. So:
//!
//! ```text
//! varco rp disable ──► client row ──trigger──► client_change ◄── every node, every second: what changed in the last minute?
//!                                                                   └─► those are dropped from memory
//! find: in memory, and (nodes asked less than 2 s ago, or it was read less than 2 s ago)?  yes: no query   no: one query
//! ```
//!
//! - What changed in the last minute is dropped at *every* poll of that minute. So nothing slips through: neither a row that
//!   was read before the change and put into memory after the poll, nor a transaction that took its time to commit.
//! - No answer from the database is no news: two seconds after the last poll that succeeded, memory is not believed any
//!   more. That is also the rule where nobody polls (commands, tests): what was read counts for two seconds.
//! - When polls were missed for half of that minute, or more changed than one answer holds, everything is dropped.
//! - The bound is in bytes, because an RP takes from two to two hundred KiB; what was used least recently goes first. After
//!   some minutes an RP is read again in any case.

use super::{ClientError, KnownClient};
use crate::clock::{Clock, UtcTime};
use crate::model::{ClientId, RelyingParty};
use moka::policy::EvictionPolicy;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What is in memory is believed so long after it was read, or after the last poll: an operator's switch is obeyed by every
/// node within this time.
const BELIEVED: Duration = Duration::from_secs(2);
/// What changed in so many seconds is dropped at every poll.
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
const REFUSED_SECONDS: i64 = 30;
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
    refused: moka::sync::Cache<ClientId, (UtcTime, ClientError)>,
    /// When the last poll that succeeded was begun.
    polled_at: Mutex<Option<Duration>>,
    /// Queries for one RP so far.
    queries: AtomicU64,
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
            polled_at: Mutex::default(),
            queries: AtomicU64::new(0),
        }
    }

    /// The RP, when what is in memory can be believed at `now`.
    pub(super) async fn find(&self, id: &ClientId, now: Duration) -> Option<Arc<KnownClient>> {
        let found = self.known.get(id).await?;
        let confirmed_at = match self.polled_at() {
            Some(polled_at) => polled_at.max(found.read_at),
            None => found.read_at,
        };
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
        // It was written a moment before.
        let remembered = async { Ok(Remembered::new(registration.await?, clock.elapsed())) };
        let registered = self.known.try_get_with(id.clone(), remembered).await;
        registered
            .map(|remembered| remembered.client)
            .map_err(|error: Arc<ClientError>| ClientError::clone(&error))
    }

    pub(in crate::provider) async fn forget(&self, id: &ClientId) {
        self.known.invalidate(id).await;
    }

    /// After a poll that was begun at `polled_at`: drops what changed; `None`: too much to say.
    pub(super) async fn follow(&self, changed: Option<&[ClientId]>, polled_at: Duration) {
        let followed = self
            .polled_at()
            .is_some_and(|before| polled_at.saturating_sub(before) < MAX_GAP);
        match changed {
            Some(changed) if followed => {
                for id in changed {
                    self.forget(id).await;
                }
            }
            _ => self.known.invalidate_all(),
        }
        // Last, so that nothing old is believed because of this poll.
        *self
            .polled_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(polled_at);
    }

    fn polled_at(&self) -> Option<Duration> {
        *self
            .polled_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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

    pub(super) fn refuse(&self, client_id: &ClientId, now: UtcTime, error: &ClientError) {
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
            let until = now.plus_seconds(REFUSED_SECONDS);
            self.refused
                .insert(client_id.clone(), (until, error.clone()));
        }
    }

    /// A refusal that counts still, with when it happened and until when it counts.
    pub(super) fn refusal(
        &self,
        client_id: &ClientId,
        now: UtcTime,
    ) -> Option<(ClientError, UtcTime, UtcTime)> {
        let (until, error) = self.refused.get(client_id)?;
        (now < until).then(|| (error, until.plus_seconds(-REFUSED_SECONDS), until))
    }

    /// The metadata that were refused are not refused any more.
    pub(super) fn accept(&self, client_id: &ClientId) {
        self.refused.invalidate(client_id);
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
