//! RPs in memory: those that may be used, those that were refused a moment ago, those whose keys were looked up.

use super::{ClientError, KnownClient};
use crate::clock::UtcTime;
use crate::model::ClientId;
use std::sync::Arc;
use std::time::Duration;

/// How long an RP is used from memory: an operator's switch is obeyed by every node within this time.
const MEMORY: Duration = Duration::from_secs(2);
/// How long an RP whose metadata was refused is refused from memory; the resolver does the same for broken chains.
const REFUSED_SECONDS: i64 = 30;
/// An unknown `kid` makes an RP's keys be looked up anew at most this often.
const LOOK_UP_SECONDS: i64 = 60;
/// At most so many RPs are kept in memory.
const MAX_CLIENTS: u64 = 10_000;
/// RPs in memory: those that may be used, and those that were refused a moment ago.
pub(in crate::provider) struct Memory {
    pub(super) known: moka::future::Cache<ClientId, Arc<KnownClient>>,
    refused: moka::sync::Cache<ClientId, (UtcTime, ClientError)>,
    /// When an RP's keys were last looked up anew because of an unknown `kid`.
    looked_up: moka::sync::Cache<ClientId, UtcTime>,
}

impl Memory {
    pub(in crate::provider) fn new() -> Self {
        let known = moka::future::Cache::builder()
            .max_capacity(MAX_CLIENTS)
            .time_to_live(MEMORY)
            .build();
        Self {
            known,
            refused: moka::sync::Cache::new(MAX_CLIENTS),
            looked_up: moka::sync::Cache::new(MAX_CLIENTS),
        }
    }

    pub(super) fn refuse(&self, client_id: &ClientId, now: UtcTime, error: &ClientError) {
        // Our own outage is no verdict on the RP.
        if !matches!(error, ClientError::Store(_)) {
            let until = now.plus_seconds(REFUSED_SECONDS);
            self.refused
                .insert(client_id.clone(), (until, error.clone()));
        }
    }

    /// Whether the keys may be looked up anew: once a minute an RP, whoever asks.
    pub(super) fn may_look_up(&self, client_id: &ClientId, now: UtcTime) -> bool {
        let recently = self
            .looked_up
            .get(client_id)
            .is_some_and(|at| now < at.plus_seconds(LOOK_UP_SECONDS));
        if !recently {
            self.looked_up.insert(client_id.clone(), now);
        }
        !recently
    }

    pub(super) fn refusal(&self, client_id: &ClientId, now: UtcTime) -> Option<ClientError> {
        let (until, error) = self.refused.get(client_id)?;
        (now < until).then_some(error)
    }
}
