//! Background tasks that one node at a time does.

use super::Shared;
use crate::random;
use crate::store::{StoreError, lease};

/// A node that has ended is replaced after this time. Every task begins nothing more after 50 seconds of a turn, and what
/// it began has bounds of its own.
const LEASE_SECONDS: i64 = 180;

/// A task as this node knows it.
#[derive(Debug)]
pub struct Task {
    name: &'static str,
    holder: String,
}

impl Task {
    /// The task of that name; all nodes use the same one.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            holder: random::identifier(),
        }
    }

    /// Whether it is this node's turn; not when the database cannot say.
    pub async fn is_ours(&self, shared: &Shared) -> bool {
        let (name, holder, now) = (self.name, self.holder.clone(), shared.clock.now());
        let acquired: Result<bool, StoreError> = shared
            .store
            .write(move |tx| lease::acquire(tx, name, &holder, now, LEASE_SECONDS))
            .await;
        acquired.unwrap_or_else(|error| {
            log::warn!("event=housekeeping.skipped task={name} reason={error:?}");
            false
        })
    }
}
