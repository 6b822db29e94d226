//! The last refusals of RPs, on their way to the database: what an RP's developer finds by the reference of an error page.
//!
//! ```text
//! refused request ─► Refusals::add: memory, bounded, never waits ─► every second: Refusals::flush ─► one transaction
//! ```
//!
//! Strangers cause refusals as fast as they like, in any RP's name. So no request waits for this, what does not fit is left
//! out and counted, and nobody takes the place of all others: a source has its share of what waits, an RP too, and names
//! that are not known here count by the minute, so that one source needs an hour to push others out of the table.

use super::{Provider, Shared};
use crate::federation::Source;
use crate::model::{ClientId, Refusal};
use crate::store::{Store, StoreError, refusal};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Refusals that wait: the rows of one flush.
const WAITING: usize = 256;
/// Of these, from one source.
const PER_SOURCE: usize = 32;
/// Of these, of one RP: as many as the table keeps.
const PER_CLIENT: usize = 20;
/// From one source in [`WINDOW`], when they name RPs that are not known.
const UNKNOWN_PER_SOURCE: usize = 20;
/// A minute by [`crate::clock::Clock::elapsed`].
const WINDOW: Duration = Duration::from_secs(60);
/// Bytes of a `client_id`, as of an entity identifier; a longer one is nobody's.
const CLIENT_ID_MAX: usize = 2_048;
/// Characters of what the RP was told.
const DESCRIPTION_MAX: usize = 1_000;
/// Characters of the reason.
const REASON_MAX: usize = 1_000;

/// What an endpoint refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The request's reference.
    pub reference: &'a str,
    /// Whom it named.
    pub unverified_client_id: &'a str,
    /// `token.refused`.
    pub event: &'a str,
    /// `error`.
    pub code: &'a str,
    /// `error_description`.
    pub description: &'a str,
    /// As in the log.
    pub reason: &'a str,
}

/// The refusals that are not in the database yet; shared by the issuers of a process.
#[derive(Default)]
pub struct Refusals {
    waiting: Mutex<Waiting>,
    /// What is being written. It stays when that fails or is interrupted, and is written again first.
    writing: tokio::sync::Mutex<Arc<[Refusal]>>,
}

#[derive(Default)]
struct Waiting {
    rows: VecDeque<(Source, Refusal)>,
    left_out: u64,
    unknown: HashMap<Source, usize>,
    unknown_since: Duration,
}

impl Waiting {
    fn add(&mut self, source: Source, known: bool, refusal: Refusal, now: Duration) -> bool {
        let of_source = self.rows.iter().filter(|(from, _)| *from == source).count();
        if of_source >= PER_SOURCE || !self.same_rp_makes_room(&refusal) {
            return self.leave_out();
        }
        if !known && !self.count_unknown(source, now) {
            return self.leave_out();
        }
        self.rows.push_back((source, refusal));
        true
    }

    /// The oldest of the same RP goes when it has its share, as it would in the table.
    fn same_rp_makes_room(&mut self, refusal: &Refusal) -> bool {
        let is_same = |(_, other): &(Source, Refusal)| {
            other.unverified_client_id == refusal.unverified_client_id
                && other.issuer == refusal.issuer
        };
        if self.rows.iter().filter(|row| is_same(row)).count() >= PER_CLIENT
            && let Some(oldest) = self.rows.iter().position(is_same)
        {
            self.rows.remove(oldest);
        }
        self.rows.len() < WAITING
    }

    /// There are never more sources here than refusals that were let in during the window.
    fn count_unknown(&mut self, source: Source, now: Duration) -> bool {
        if now.saturating_sub(self.unknown_since) >= WINDOW {
            self.unknown.clear();
            self.unknown_since = now;
        }
        let count = self.unknown.entry(source).or_default();
        let fits = *count < UNKNOWN_PER_SOURCE;
        if fits {
            *count = count.saturating_add(1);
        }
        fits
    }

    fn leave_out(&mut self) -> bool {
        self.left_out = self.left_out.saturating_add(1);
        false
    }
}

impl Refusals {
    /// Puts it among those that wait; false: it was left out. `known`: the RP is known here for sure.
    fn add(&self, source: Source, known: bool, refusal: Refusal, now: Duration) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.add(source, known, refusal, now)
    }

    fn take(&self) -> (Arc<[Refusal]>, u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = waiting.rows.drain(..).map(|(_, refusal)| refusal).collect();
        (rows, std::mem::take(&mut waiting.left_out))
    }

    /// Writes what waits; afterwards whatever was added before is in the database.
    ///
    /// # Errors
    /// The database's. When it is out of reach nothing is lost: the next flush tries again.
    pub async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let mut writing = self.writing.lock().await;
        if !writing.is_empty() {
            write(&mut writing, store).await?;
        }
        let (rows, left_out) = self.take();
        if left_out > 0 {
            log::warn!("event=refusals.left_out count={left_out}");
        }
        if rows.is_empty() {
            return Ok(());
        }
        *writing = rows;
        write(&mut writing, store).await
    }
}

async fn write(rows: &mut Arc<[Refusal]>, store: &Store) -> Result<(), StoreError> {
    let batch = rows.clone();
    let written = store.write(move |tx| refusal::insert(tx, &batch)).await;
    // What the database refuses now it refuses always.
    if !matches!(&written, Err(error) if error.is_unavailable()) {
        *rows = Arc::default();
    }
    written
}

impl Shared {
    /// Writes the refusals that wait.
    ///
    /// # Errors
    /// As [`Refusals::flush`].
    pub async fn flush_refusals(&self) -> Result<(), StoreError> {
        self.refusals.flush(&self.store).await
    }
}

impl Provider {
    /// Keeps a refusal for the RP's developers; never waits. False: it was left out, because it names nobody or because
    /// there are too many.
    pub fn keep_refusal(&self, source: Source, refused: &Refused<'_>) -> bool {
        let id = refused.unverified_client_id;
        if id.is_empty() || id.len() > CLIENT_ID_MAX {
            return false;
        }
        let client_id = ClientId::new(id);
        let known = self.clients.holds(&client_id);
        let shortened = |text: &str, most: usize| text.chars().take(most).collect();
        let refusal = Refusal {
            reference: refused.reference.to_owned(),
            issuer: self.issuer.clone(),
            unverified_client_id: client_id,
            refused_at: self.now(),
            event: refused.event.to_owned(),
            code: refused.code.to_owned(),
            description: shortened(refused.description, DESCRIPTION_MAX),
            reason: shortened(refused.reason, REASON_MAX),
        };
        let now = self.shared.clock.elapsed();
        self.shared.refusals.add(source, known, refusal, now)
    }

    /// The refusal of this reference, also when it is not in the database yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_refusal(&self, reference: &str) -> Result<Option<Refusal>, StoreError> {
        self.shared.flush_refusals().await?;
        let (issuer, reference) = (self.issuer.clone(), reference.to_owned());
        let store = &self.shared.store;
        store
            .read(move |connection| refusal::find(connection, &issuer, &reference))
            .await
    }

    /// The last refusals of an RP, the newest first, also those that are not in the database yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_refusals(&self, client_id: &ClientId) -> Result<Vec<Refusal>, StoreError> {
        self.shared.flush_refusals().await?;
        let (issuer, client_id) = (self.issuer.clone(), client_id.clone());
        let store = &self.shared.store;
        store
            .read(move |connection| refusal::search(connection, &issuer, &client_id))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UtcTime;
    use crate::model::IssuerId;
    use std::net::Ipv4Addr;

    const NOW: Duration = Duration::from_secs(1_000);

    fn from(last: u8) -> Source {
        Source::of(Ipv4Addr::new(192, 0, 2, last).into())
    }

    fn refusal(client_id: &str, reference: usize) -> Refusal {
        Refusal {
            reference: reference.to_string(),
            issuer: IssuerId::new("https://op.example.it/"),
            unverified_client_id: ClientId::new(client_id),
            refused_at: UtcTime(0),
            event: "token.refused".to_owned(),
            code: "invalid_client".to_owned(),
            description: String::new(),
            reason: String::new(),
        }
    }

    #[test]
    fn a_source_that_makes_up_names_leaves_room_for_the_others() {
        let refusals = Refusals::default();
        let made_up = |n: usize, now| {
            let one = refusal(&format!("https://made-up-{n}.example"), n);
            refusals.add(from(1), false, one, now)
        };
        let let_in = (0..5_000).filter(|n| made_up(*n, NOW)).count();
        assert_eq!(let_in, UNKNOWN_PER_SOURCE);
        assert!(refusals.add(from(2), false, refusal("https://honest.example", 9), NOW));
        let (rows, left_out) = refusals.take();
        assert_eq!((rows.len(), left_out), (let_in + 1, 4_980));
        // The minute goes on after a flush.
        assert!(!made_up(5_000, NOW + WINDOW - Duration::from_secs(1)));
        assert!(made_up(5_001, NOW + WINDOW));
    }

    #[test]
    fn known_names_from_one_source_do_not_fill_the_queue_and_all_sources_together_neither() {
        let refusals = Refusals::default();
        let add = |source: u8, n: usize| {
            let one = refusal(&format!("https://rp-{n}.example"), n);
            refusals.add(from(source), true, one, NOW)
        };
        assert_eq!((0..100).filter(|n| add(1, *n)).count(), PER_SOURCE);
        let others = (2..200_u8).filter(|source| {
            let n = usize::from(*source);
            add(*source, 100 + n) && add(*source, 400 + n)
        });
        assert_eq!(others.count(), (WAITING - PER_SOURCE) / 2);
        assert_eq!(refusals.take().0.len(), WAITING);
    }

    #[test]
    fn the_newest_of_one_rp_take_the_place_of_its_oldest() {
        let refusals = Refusals::default();
        for n in 0..50_u8 {
            let one = refusal("https://rp.example", n.into());
            assert!(refusals.add(from(n), true, one, NOW));
        }
        let (rows, left_out) = refusals.take();
        let references: Vec<&str> = rows.iter().map(|row| row.reference.as_str()).collect();
        let last: Vec<String> = (30..50).map(|n: u8| n.to_string()).collect();
        assert_eq!(references, last);
        assert_eq!(left_out, 0);
    }
}
