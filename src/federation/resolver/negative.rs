//! What failed a moment ago is not tried again at once: a relying party that is down costs one resolution in 30 s.

use crate::clock::UtcTime;
use crate::federation::error::TrustError;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

type Key = (String, String);

#[derive(Default)]
struct Table {
    errors: HashMap<Key, (TrustError, UtcTime)>,
    /// In the order of insertion, which is the order of expiry: all live equally long.
    order: VecDeque<(Key, UtcTime)>,
}

/// Failures by issuer and subject, bounded in number and time.
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

    pub(super) fn find(&self, key: &Key, now: UtcTime) -> Option<TrustError> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let (error, until) = table.errors.get(key)?;
        (now < *until).then(|| error.clone())
    }

    pub(super) fn insert(&self, key: Key, error: TrustError, until: UtcTime) {
        if self.capacity == 0 {
            return;
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        while table.order.len() >= self.capacity {
            let Some((oldest, its_end)) = table.order.pop_front() else { break };
            // A later failure of the same key has an entry of its own.
            if table.errors.get(&oldest).is_some_and(|(_, until)| *until <= its_end) {
                table.errors.remove(&oldest);
            }
        }
        table.order.push_back((key.clone(), until));
        table.errors.insert(key, (error, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes_first() {
        let negatives = Negatives::new(2);
        let key = |name: &str| ("op".to_owned(), name.to_owned());
        for (name, until) in [("a", 10), ("b", 11), ("a", 12), ("c", 13)] {
            negatives.insert(key(name), TrustError::Busy, UtcTime(until));
        }
        let found = |name| negatives.find(&key(name), UtcTime(9)).is_some();
        assert_eq!([found("a"), found("b"), found("c")], [true, false, true]);
        assert!(negatives.find(&key("c"), UtcTime(13)).is_none());
        assert!(negatives.table.lock().unwrap().errors.len() <= 2);
    }
}
