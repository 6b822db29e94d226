//! The busiest RPs of a time. With many RPs, summing up a year of counters takes longer than anybody who opens the dashboard
//! should wait: a task of every node does it beside the requests, and pages show what it found last.
//!
//! ```text
//! every few minutes: login_count::busiest ─► keep ─► of ─► dashboard
//!                                           (few counters: nothing is kept, the dashboard sums up on the spot)
//! ```

use crate::clock::UtcTime;
use crate::store::login_count::BusyClient;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What is older is not shown: the task has stopped, or the clock jumped.
const KEPT_SECONDS: i64 = 900;
/// So many counters are summed up on the spot, where the answer is that of the moment.
const ON_THE_SPOT: i64 = 2_000;

/// What was summed up last, by the name of the time.
#[derive(Default)]
pub struct BusiestClients(Mutex<BTreeMap<&'static str, Kept>>);

struct Kept {
    at: UtcTime,
    clients: Vec<BusyClient>,
}

impl BusiestClients {
    /// Keeps what was found, if it took so many counters that nobody should wait for them.
    pub fn keep(
        &self,
        name: &'static str,
        (clients, counters): (Vec<BusyClient>, i64),
        now: UtcTime,
    ) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters > ON_THE_SPOT {
            all.insert(name, Kept { at: now, clients });
        } else {
            all.remove(name);
        }
    }

    /// What is known; `None`: it has to be, and can be, summed up now.
    #[must_use]
    pub fn of(&self, name: &str, now: UtcTime) -> Option<Vec<BusyClient>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(name)?;
        let age = now.seconds_since(kept.at);
        (0..KEPT_SECONDS)
            .contains(&age)
            .then(|| kept.clients.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_kept_for_a_while_and_what_does_not_is_not() {
        let now = UtcTime(1_800_000_000);
        let known = BusiestClients::default();
        let one = || {
            vec![BusyClient {
                client_id: "https://rp.example.it".into(),
                issuer: "https://op.example.it/".into(),
                number: 7,
            }]
        };
        known.keep("year", (one(), ON_THE_SPOT + 1), now);
        known.keep("day", (one(), ON_THE_SPOT), now);
        assert_eq!(known.of("day", now), None);
        assert_eq!(known.of("month", now), None);
        let at = |seconds: i64| known.of("year", now.plus_seconds(seconds));
        assert_eq!(at(0), Some(one()));
        assert_eq!(at(KEPT_SECONDS - 1), Some(one()));
        assert_eq!(at(KEPT_SECONDS), None);
        assert_eq!(at(-1), None, "the clock jumped");
        known.keep("year", (Vec::new(), 3), now);
        assert_eq!(at(0), None, "it takes no longer any more");
    }
}
