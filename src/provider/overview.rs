//! What the desk's overview would sum up anew for everybody who opens it, where there is so much of it that somebody would
//! wait. Where there is little nothing is kept, and pages show what is there at the moment.
//!
//! ```text
//! a task of every node,    login_count::busiest ──────────► keep_busiest ─► busiest
//! every few minutes:       login_count::series, refusals ─► keep_past ────► past: the bars that have ended
//!                                                              ▲
//! the first page when another bar began ───────────────────────┘   (the bar of the moment is summed up for every page)
//! ```

use crate::clock::UtcTime;
use crate::store::login_count::{BusyClient, LoginSum, RefusalSum};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is older is not shown: the task has stopped, or the clock jumped.
const KEPT_SECONDS: i64 = 900;
/// So many counters are summed up on the spot.
const ON_THE_SPOT: i64 = 2_000;
/// So many sums are read on the spot.
const FEW_SUMS: usize = 200;

/// What was summed up last, by the name of the time that is looked at.
#[derive(Default)]
pub struct OverviewSums {
    busiest: Sums<Vec<BusyClient>>,
    past: Sums<Arc<Past>>,
}

/// Bars that have ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Past {
    /// From when until when.
    pub times: (UtcTime, UtcTime),
    /// The logins.
    pub logins: Vec<LoginSum>,
    /// The refusals.
    pub refusals: Vec<RefusalSum>,
}

impl OverviewSums {
    /// Keeps the busiest RPs, if it took so many counters that nobody should wait for them.
    pub fn keep_busiest(
        &self,
        name: &'static str,
        (clients, counters): (Vec<BusyClient>, i64),
        now: UtcTime,
    ) {
        let worth = counters > ON_THE_SPOT;
        self.busiest.keep(name, worth.then_some(clients), now);
    }

    /// The busiest RPs; `None`: they have to be, and can be, summed up now.
    #[must_use]
    pub fn busiest(&self, name: &str, now: UtcTime) -> Option<Vec<BusyClient>> {
        self.busiest.of(name, now)
    }

    /// Keeps bars that have ended, if they are many.
    pub fn keep_past(&self, name: &'static str, past: &Arc<Past>, now: UtcTime) {
        let worth = past.logins.len().saturating_add(past.refusals.len()) > FEW_SUMS;
        self.past.keep(name, worth.then(|| Arc::clone(past)), now);
    }

    /// The bars of these times; `None`: they have to be summed up now.
    #[must_use]
    pub fn past(&self, name: &str, times: (UtcTime, UtcTime), now: UtcTime) -> Option<Arc<Past>> {
        let known = self.past.of(name, now)?;
        (known.times == times).then_some(known)
    }
}

/// Something by name, with the time it was summed up at.
struct Sums<T>(Mutex<BTreeMap<&'static str, (UtcTime, T)>>);

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Sums<T> {
    fn keep(&self, name: &'static str, sums: Option<T>, now: UtcTime) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sums {
            Some(sums) => all.insert(name, (now, sums)),
            None => all.remove(name),
        };
    }

    fn of(&self, name: &str, now: UtcTime) -> Option<T> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, sums) = all.get(name)?;
        let age = now.seconds_since(*at);
        (0..KEPT_SECONDS).contains(&age).then(|| sums.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcTime = UtcTime(1_800_000_000);

    #[test]
    fn what_takes_long_is_kept_for_a_while_and_what_does_not_is_not() {
        let known = OverviewSums::default();
        let one = || {
            vec![BusyClient {
                client_id: "https://rp.example.it".into(),
                issuer: "https://op.example.it/".into(),
                number: 7,
            }]
        };
        known.keep_busiest("year", (one(), ON_THE_SPOT + 1), NOW);
        known.keep_busiest("day", (one(), ON_THE_SPOT), NOW);
        assert_eq!(known.busiest("day", NOW), None);
        assert_eq!(known.busiest("month", NOW), None);
        let at = |seconds: i64| known.busiest("year", NOW.plus_seconds(seconds));
        assert_eq!(at(0), Some(one()));
        assert_eq!(at(KEPT_SECONDS - 1), Some(one()));
        assert_eq!(at(KEPT_SECONDS), None);
        assert_eq!(at(-1), None, "the clock jumped");
        known.keep_busiest("year", (Vec::new(), 3), NOW);
        assert_eq!(at(0), None, "it takes no longer any more");
    }

    #[test]
    fn bars_that_have_ended_are_kept_for_a_while_where_they_are_many() {
        let known = OverviewSums::default();
        let times = (NOW.plus_seconds(-3_600), NOW);
        let past = |number: usize| {
            let sum = LoginSum {
                bucket_at: times.0,
                issuer: "https://op.example.it/".into(),
                acr: "L1".into(),
                result: "granted".into(),
                number: 1,
            };
            Arc::new(Past {
                times,
                logins: vec![sum; number],
                refusals: Vec::new(),
            })
        };
        let many = past(FEW_SUMS + 1);
        known.keep_past("year", &many, NOW);
        known.keep_past("day", &past(FEW_SUMS), NOW);
        assert_eq!(known.past("day", times, NOW), None, "read on the spot");
        let at = |seconds: i64| known.past("year", times, NOW.plus_seconds(seconds));
        assert_eq!(at(KEPT_SECONDS - 1), Some(many));
        assert_eq!(at(KEPT_SECONDS), None);
        let other = (times.0, NOW.plus_seconds(1));
        assert_eq!(known.past("year", other, NOW), None, "another bar began");
    }
}
