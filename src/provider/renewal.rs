//! Resolving known RPs anew: before their chains end (SPID/CIE FE-4), and where mark issuers are asked, often enough to
//! notice that a mark was revoked (SPID/CIE TM-2).
//!
//! ```text
//! resolved ─┬─ first half of its life ─┬─ somewhere here, by the hash of its name ─┬─ RENEWAL_SECONDS ─┬─ ended
//!           0                         life / 2                                  latest               exp
//! ```
//!
//! An RP whose renewal fails keeps its chain, but what its mark issuers say of its marks is asked by a clock of its own: it
//! cannot evade a revocation by not answering.
//!
//! So 10,000 RPs whose chains end at the same second come due over hours, in the same order at every node. When is kept in
//! the database with how the last attempts failed: neither a restart nor another node that takes over begins anew.

use super::registered_keys::next_keys;
use super::{ClientError, Provider};
use crate::clock::UtcTime;
use crate::federation::{TrustError, TrustErrorCode, TrustMarkStatus};
use crate::model::{ClientId, IssuerId, Origin, RelyingParty, ResolvedTrust};
use crate::secret::sha256;
use crate::store::renewal::{self, Due, RenewalFailure, Schedule};
use crate::store::{DbConn, StoreError, client};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The first attempt is made this long before the chain ends, at the latest; for a short chain, after half of its life.
const RENEWAL_SECONDS: i64 = 900;
/// A revoked mark is noticed within this time.
const RECHECK_SECONDS: i64 = 3600;
/// Rows of an issuer that one round looks at, below each superior.
const LOOKED_AT: u32 = 1_000;
/// RPs resolved anew at once, and of these below one superior: who is slow has others wait for him alone.
const AT_ONCE: usize = 8;
const PER_SUPERIOR: usize = 4;
/// After this time a round begins nothing more; the next one goes on.
const ROUND: Duration = Duration::from_secs(50);
/// After a failure an RP is left alone for this time, twice as long after each further one, at most for
/// [`PAUSE_MAX_SECONDS`] or half of what is left of its chain.
const PAUSE_SECONDS: i64 = 300;
const PAUSE_MAX_SECONDS: i64 = 6 * 3600;

/// What became of a renewal.
#[derive(Debug)]
pub enum Renewal {
    /// The new chain is stored.
    Renewed,
    /// Its marks hold, or nobody could be asked; it is not its time to be resolved.
    Rechecked,
    /// The RP has no valid trust mark any more: it does not count from now on.
    Withdrawn(ClientError),
    /// The old chain counts until its end.
    Failed(ClientError),
}

/// How many RPs a round dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Resolved anew.
    pub renewed: usize,
    /// Asked about at their marks' issuers.
    pub rechecked: usize,
    /// Without a valid mark.
    pub withdrawn: usize,
    /// To be tried again later.
    pub failed: usize,
    /// Left for the next round.
    pub left: usize,
}

/// Resolves anew what is due, for all issuers of a process. Logins never wait for this.
pub async fn renew_all(providers: &[Arc<Provider>]) -> Round {
    let mut queues: BTreeMap<String, Vec<(Arc<Provider>, Due)>> = BTreeMap::new();
    for op in providers {
        match op.due().await {
            Ok(found) => {
                for due in found {
                    let queue = queues.entry(due.superior.clone()).or_default();
                    queue.push((Arc::clone(op), due));
                }
            }
            Err(error) => log::warn!("event=renewal.failed reason={error:?}"),
        }
    }
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let end = Instant::now() + ROUND;
    let queues: Vec<_> = queues
        .into_values()
        .map(|queue| renew_below_one_superior(queue, Arc::clone(&slots), end))
        .collect();
    let mut round = Round::default();
    for outcome in join_all(queues).await.into_iter().flatten() {
        *(match outcome {
            Some(Renewal::Renewed) => &mut round.renewed,
            Some(Renewal::Rechecked) => &mut round.rechecked,
            Some(Renewal::Withdrawn(_)) => &mut round.withdrawn,
            Some(Renewal::Failed(_)) => &mut round.failed,
            None => &mut round.left,
        }) += 1;
    }
    round
}

async fn renew_below_one_superior(
    queue: Vec<(Arc<Provider>, Due)>,
    slots: Arc<Semaphore>,
    end: Instant,
) -> Vec<Option<Renewal>> {
    let mut renewals = Vec::new();
    for (op, due) in queue {
        let slots = Arc::clone(&slots);
        renewals.push(async move {
            // Slots are given in the order of asking, so superiors take turns.
            let _slot = slots.acquire().await.ok()?;
            match Instant::now() < end {
                true => Some(op.renew_due(&due).await),
                false => None,
            }
        });
    }
    stream::iter(renewals)
        .buffer_unordered(PER_SUPERIOR)
        .collect()
        .await
}

impl Provider {
    /// The RPs of this issuer that are to be resolved anew, or whose marks are to be asked about: those that did not fail
    /// first, then the most urgent.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due(&self) -> Result<Vec<Due>, StoreError> {
        let (issuer, now) = (self.issuer.clone(), self.now());
        let marks = self.asks_mark_issuers();
        self.shared
            .store
            .write(move |tx| {
                renewal::adopt(tx, &issuer, now, (RENEWAL_SECONDS, RECHECK_SECONDS))?;
                renewal::search_due(tx, &issuer, now, marks, LOOKED_AT)
            })
            .await
    }

    /// Resolves an RP anew. Whatever could not be reached or does not hold keeps the old chain until its end; only a
    /// verdict on its marks ends it at once. One that fails and has to wait is asked about at its marks' issuer alone.
    pub async fn renew_due(&self, due: &Due) -> Renewal {
        let client_id = &due.client_id;
        let outcome = match due.failures > 0 && self.now() < due.due_at {
            true => self.recheck(due).await,
            false => match self.renew(client_id).await {
                Ok(_) => Renewal::Renewed,
                Err(error) => self.after_failure(due, error).await,
            },
        };
        match &outcome {
            Renewal::Renewed => log::info!("event=chain.renewed client_id={client_id:?}"),
            Renewal::Rechecked => log::debug!("event=chain.rechecked client_id={client_id:?}"),
            Renewal::Withdrawn(error) => {
                let reason = error.reason();
                log::warn!("event=rp.withdrawn client_id={client_id:?} reason={reason:?}");
            }
            Renewal::Failed(error) => log::warn!(
                "event=chain.not_renewed client_id={client_id:?} until={} failures={} reason={:?}",
                due.expires_at.to_rfc3339(),
                due.failures.saturating_add(1),
                error.reason()
            ),
        }
        outcome
    }

    /// Asks about the marks that are kept of an RP.
    async fn recheck(&self, due: &Due) -> Renewal {
        let refused = match self.kept_trust(due).await {
            Ok(Some(kept)) => self.refusal_of_marks(due, &kept).await,
            Ok(None) => None,
            Err(error) => return Renewal::Failed(error),
        };
        match refused {
            None => Renewal::Rechecked,
            Some(refused) => self.withdraw(due, refused).await,
        }
    }

    async fn after_failure(&self, due: &Due, error: ClientError) -> Renewal {
        // Our own outage, or an operator's switch, is no failure of the RP.
        if matches!(error, ClientError::Store(_) | ClientError::Disabled) {
            return Renewal::Failed(error);
        }
        if self.asks_mark_issuers() {
            let refused = match self.kept_trust(due).await {
                Ok(None) => None,
                Ok(Some(kept)) if loses_its_mark(&error, &kept) => {
                    return self.withdraw(due, error).await;
                }
                // What failed came before its marks, perhaps because the RP wants it so.
                Ok(Some(kept)) => self.refusal_of_marks(due, &kept).await,
                Err(failure) => return Renewal::Failed(failure),
            };
            if let Some(refused) = refused {
                return self.withdraw(due, refused).await;
            }
        }
        // That we have too much to do is no failure of the RP either: the next round goes on.
        if matches!(&error, ClientError::Trust(error) if **error == TrustError::Busy) {
            return Renewal::Failed(error);
        }
        let now = self.now();
        let failure = RenewalFailure {
            since: now,
            description: error.to_string(),
        };
        let (row, next) = (due.clone(), now.plus_seconds(pause(due, now)));
        self.note(move |tx| renewal::postpone(tx, &row, &failure, next))
            .await;
        Renewal::Failed(error)
    }

    async fn kept_trust(&self, due: &Due) -> Result<Option<ResolvedTrust>, ClientError> {
        let row = due.clone();
        let found: Result<Option<RelyingParty>, StoreError> = self
            .shared
            .store
            .read(move |connection| client::find(connection, &row.issuer, &row.client_id))
            .await;
        Ok(found?.and_then(|party| match party.origin {
            Origin::Federation(trust) => Some(trust),
            Origin::Explicit(_) | Origin::Registered => None,
        }))
    }

    /// Why none of the kept marks holds any more, as their issuers say. Issuers that cannot be asked are asked again soon.
    async fn refusal_of_marks(&self, due: &Due, kept: &ResolvedTrust) -> Option<ClientError> {
        let (trust, subject) = self.subject(&due.client_id).ok()?;
        let jwts: Vec<String> = kept
            .trust_marks
            .iter()
            .map(|mark| mark.jwt.clone())
            .collect();
        let resolver = &self.shared.resolver;
        let anchor = &kept.trust_anchor;
        let pause = match resolver
            .check_kept_marks(trust, &subject, anchor, &jwts)
            .await
        {
            Ok(()) => self.marks_pause(&due.client_id),
            Err(error) => {
                let error = ClientError::Trust(Arc::new(error));
                if loses_its_mark(&error, kept) {
                    return Some(error);
                }
                let (client_id, reason) = (&due.client_id, error.reason());
                log::warn!("event=marks.not_asked client_id={client_id:?} reason={reason:?}");
                PAUSE_SECONDS
            }
        };
        let (row, next) = (due.clone(), self.now().plus_seconds(pause));
        self.note(move |tx| renewal::postpone_marks(tx, &row, next))
            .await;
        None
    }

    async fn withdraw(&self, due: &Due, refused: ClientError) -> Renewal {
        let row = due.clone();
        let store = &self.shared.store;
        let withdrawn: Result<bool, StoreError> =
            store.write(move |tx| client::withdraw(tx, &row)).await;
        match withdrawn {
            Ok(true) => Renewal::Withdrawn(refused),
            // It was resolved anew meanwhile, or switched off.
            Ok(false) => Renewal::Failed(refused),
            Err(failure) => Renewal::Failed(failure.into()),
        }
    }

    async fn note(
        &self,
        write: impl FnOnce(&mut DbConn) -> Result<(), StoreError> + Send + 'static,
    ) {
        if let Err(failure) = self.shared.store.write(write).await {
            log::warn!("event=renewal.failed reason={failure:?}");
        }
    }

    /// When an RP that was just resolved is resolved again; `None` for one that renews itself.
    pub(super) fn schedule(&self, party: &RelyingParty) -> Option<Schedule> {
        let trust = match &party.origin {
            Origin::Federation(trust) => trust,
            Origin::Explicit(_) => return None,
            Origin::Registered => return next_keys(party),
        };
        let resolved_at = party.updated_at;
        let spread = Spread::of(&party.issuer, &party.client_id);
        let due_at = spread.before_the_end(resolved_at, trust.expires_at);
        let recheck = self.marks_pause(&party.client_id);
        Some(Schedule {
            issuer: party.issuer.clone(),
            client_id: party.client_id.clone(),
            superior: super::clients::superior_in(&trust.chain),
            resolved_at,
            due_at: match self.asks_mark_issuers() {
                true => due_at.min(resolved_at.plus_seconds(recheck)),
                false => due_at,
            },
            // Also where the operator has no issuer asked yet.
            marks_due_at: resolved_at.plus_seconds(RECHECK_SECONDS),
        })
    }

    /// Seconds after which the marks of an RP are asked about again.
    fn marks_pause(&self, client_id: &ClientId) -> i64 {
        let spread = Spread::of(&self.issuer, client_id);
        spread.part_of(RECHECK_SECONDS / 2) + RECHECK_SECONDS / 2
    }

    fn asks_mark_issuers(&self) -> bool {
        self.trust.as_ref().is_some_and(|trust| {
            trust.trust_mark_status == TrustMarkStatus::Dynamic
                && !trust.required_trust_marks.is_empty()
        })
    }
}

/// A number by which things that happen to begin together are told apart in time: the same at every node.
pub(super) struct Spread(u32);

impl Spread {
    pub(super) fn of(issuer: &IssuerId, name: impl std::fmt::Display) -> Self {
        let hash = sha256(format!("{issuer} {name}").as_bytes());
        let [a, b, c, d, ..] = hash;
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    /// Somewhere from 0 to below `seconds`.
    pub(super) fn part_of(&self, seconds: i64) -> i64 {
        let part = (i128::from(self.0) * i128::from(seconds.max(0))) >> 32;
        i64::try_from(part).unwrap_or_default()
    }

    /// A point in the second half of a life, [`RENEWAL_SECONDS`] before its end or earlier.
    fn before_the_end(&self, begin: UtcTime, end: UtcTime) -> UtcTime {
        let half = end.seconds_since(begin).max(0) / 2;
        let latest = half.min(RENEWAL_SECONDS);
        end.plus_seconds(-latest - self.part_of(half - latest))
    }
}

/// Seconds until the next attempt after one more failure.
fn pause(due: &Due, now: UtcTime) -> i64 {
    let half = match due.expires_at.seconds_since(now) {
        left @ 1.. => left / 2,
        // Keys that count no more: nothing hurries.
        _ => PAUSE_MAX_SECONDS,
    };
    let doubled = PAUSE_SECONDS << due.failures.min(16);
    doubled.min(PAUSE_MAX_SECONDS).min(half)
}

fn loses_its_mark(error: &ClientError, kept: &ResolvedTrust) -> bool {
    matches!(error, ClientError::Trust(error) if denies_marks(error, &kept.trust_anchor))
}

/// The anchor looked at the marks, and takes none: what other anchors make of them is no matter.
fn denies_marks(error: &TrustError, anchor: &str) -> bool {
    error.code() == TrustErrorCode::UnauthorizedClient
        && match error {
            TrustError::TrustMark { anchor: by, .. } => by.as_deref().is_none_or(|by| by == anchor),
            TrustError::NoPath { failures, .. } => {
                failures.iter().any(|failure| denies_marks(failure, anchor))
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::{Check, Defect, RefusedMark};
    use crate::model::ClientId;

    const DAY: i64 = 86_400;

    fn ending_in(seconds: i64, failures: u32) -> Due {
        Due {
            issuer: IssuerId::new("https://op.example.it"),
            client_id: ClientId::new("https://rp.example.it"),
            superior: "https://ta.example.it".to_owned(),
            resolved_at: UtcTime(0),
            due_at: UtcTime(0),
            expires_at: UtcTime(seconds),
            failures,
        }
    }

    #[test]
    fn ten_thousand_chains_that_end_together_are_renewed_spread_over_half_their_life() {
        // SPID/CIE FE-4
        let issuer = IssuerId::new("https://op.example.it");
        for (life, most_a_minute) in [(DAY, 30), (2 * DAY, 20), (3600, 900)] {
            let end = UtcTime(life);
            let mut minutes: BTreeMap<i64, u32> = BTreeMap::new();
            for number in 0..10_000 {
                let rp = ClientId::new(format!("https://rp-{number}.example.it"));
                let due = Spread::of(&issuer, &rp).before_the_end(UtcTime(0), end);
                assert!(
                    due.0 >= life / 2 && due.0 <= life - RENEWAL_SECONDS,
                    "{due:?}"
                );
                *minutes.entry(due.0 / 60).or_default() += 1;
            }
            let most = minutes.values().max().unwrap();
            assert!(*most <= most_a_minute, "{life}: {most} in one minute");
        }
    }

    #[test]
    fn a_short_chain_is_renewed_after_half_its_life_and_an_ended_one_at_once() {
        for (life, earliest, latest) in [(1800, 900, 900), (600, 300, 300), (0, 0, 0), (-5, -5, -5)]
        {
            for hash in [0, u32::MAX] {
                let due = Spread(hash).before_the_end(UtcTime(0), UtcTime(life));
                assert!((earliest..=latest).contains(&due.0), "{life}: {due:?}");
            }
        }
    }

    #[test]
    fn an_rp_that_fails_is_left_alone_ever_longer_but_tried_again_before_its_end() {
        for (left, failures, expected) in [
            (DAY, 0, 300),
            (DAY, 1, 600),
            (DAY, 3, 2400),
            (30 * DAY, 60, PAUSE_MAX_SECONDS),
            (600, 0, 300),
            (600, 5, 300),
            (120, 0, 60),
            (1, 0, 0),
            (-1, 0, 300),
            (-1, 60, PAUSE_MAX_SECONDS),
        ] {
            let due = ending_in(left, failures);
            assert_eq!(pause(&due, UtcTime(0)), expected, "{left} {failures}");
        }
    }

    #[test]
    fn only_a_verdict_on_marks_denies_them() {
        let by = |anchor: Option<&str>, temporary| TrustError::TrustMark {
            subject: "https://rp.example.it".into(),
            anchor: anchor.map(str::to_owned),
            required: vec!["https://ta.example.it/public/".into()],
            refused: vec![RefusedMark {
                mark_type: "https://ta.example.it/public/".into(),
                issuer: "https://ta.example.it".into(),
                fact: "its issuer says that its status is revoked".into(),
                defect: Defect::Inactive,
                check: Check::Status,
                temporary,
            }],
        };
        let (ta, other) = ("https://ta.example.it", "https://other.example.it");
        let mark = |temporary| by(Some(ta), temporary);
        let denies = |error: &TrustError| denies_marks(error, ta);
        let paths = |failures| TrustError::NoPath {
            subject: "https://rp.example.it".into(),
            failures,
        };
        let hintless = TrustError::NoAuthorityHints {
            entity: "https://rp.example.it".into(),
        };
        assert!(denies(&mark(false)));
        assert!(denies(&by(None, false)), "it has none to show to anybody");
        assert!(denies(&paths(vec![hintless.clone(), mark(false)])));
        assert!(!denies(&mark(true)), "its issuer is out of reach");
        assert!(!denies(&paths(vec![mark(true), mark(false)])));
        assert!(!denies(&hintless));
        assert!(
            !denies(&by(Some(other), false)),
            "the anchor of another path"
        );
        assert!(!denies(&paths(vec![by(Some(other), false), hintless])));
    }
}
