//! What failed a moment ago is not tried again at once: a relying party that is down costs one resolution in 30 s.

use crate::federation::error::TrustError;
use crate::federation::evaluation::Remembered;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

type Key = (String, String);

#[derive(Default)]
struct Table {
    errors: HashMap<Key, Negative>,
    /// In the order of insertion, which is the order of expiry: all live equally long.
    order: VecDeque<(Key, Duration)>,
}

struct Negative {
    error: TrustError,
    /// What is said of it.
    remembered: Remembered,
    /// By [`crate::clock::Clock::elapsed`]: a clock that is set back must not make it live longer.
    until: Duration,
}

/// Failures by issuer and subject, bounded in number and time; each is bounded in size ([`TrustError::bounded`]).
pub(super) struct Negatives {
    table: Mutex<Table>,
    capacity: usize,
}

impl Negatives {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            table: Mutex::default(),
            capacity,
        }
    }

    pub(super) fn find(&self, key: &Key, now: Duration) -> Option<(TrustError, Remembered)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.errors.get(key)?;
        (now < known.until).then(|| (known.error.clone(), known.remembered))
    }

    /// What failed before holds now.
    pub(super) fn forget(&self, key: &Key) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.errors.remove(key); // `order` drops its entry in time
    }

    /// Remembers a failure from `now` until then.
    pub(super) fn insert(
        &self,
        key: Key,
        (error, remembered): (TrustError, Remembered),
        (now, until): (Duration, Duration),
    ) {
        if self.capacity == 0 {
            return;
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.errors.get_mut(&key)
            && known.until >= until
        {
            known.error = error; // another caller of the same resolution was here first, or this is a second look
            return;
        }
        // What has ended goes; of what has not, the oldest when there is too much.
        while table.order.len() >= self.capacity
            || table.order.front().is_some_and(|(_, end)| *end <= now)
        {
            let Some((oldest, its_end)) = table.order.pop_front() else {
                break;
            };
            // A later failure of the same key has an entry of its own.
            if table
                .errors
                .get(&oldest)
                .is_some_and(|known| known.until <= its_end)
            {
                table.errors.remove(&oldest);
            }
        }
        table.order.push_back((key.clone(), until));
        let known = Negative {
            error,
            remembered,
            until,
        };
        table.errors.insert(key, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UtcTime;

    fn insert(negatives: &Negatives, name: &str, now: u64, until: u64) {
        let remembered = Remembered {
            since: UtcTime(0),
            until: UtcTime(0),
        };
        let key = ("op".to_owned(), name.to_owned());
        let times = (Duration::from_secs(now), Duration::from_secs(until));
        negatives.insert(key, (TrustError::Busy, remembered), times);
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes_first() {
        let negatives = Negatives::new(2);
        let key = |name: &str| ("op".to_owned(), name.to_owned());
        for (name, until) in [("a", 10), ("b", 11), ("a", 12), ("c", 13)] {
            insert(&negatives, name, 9, until);
            insert(&negatives, name, 9, until);
        }
        let found = |name| negatives.find(&key(name), Duration::from_secs(9)).is_some();
        assert_eq!([found("a"), found("b"), found("c")], [true, false, true]);
        assert!(negatives.find(&key("c"), Duration::from_secs(13)).is_none());
        assert!(negatives.table.lock().unwrap().errors.len() <= 2);
    }

    #[test]
    fn what_has_ended_is_dropped_by_the_next_failure() {
        let negatives = Negatives::new(10_000);
        for (name, now) in [("a", 0), ("b", 10), ("a", 30), ("c", 45)] {
            insert(&negatives, name, now, now + 30);
        }
        let table = negatives.table.lock().unwrap();
        let mut left: Vec<&str> = table.errors.keys().map(|(_, name)| name.as_str()).collect();
        left.sort_unstable();
        assert_eq!((left, table.order.len()), (vec!["a", "c"], 2));
    }
}
