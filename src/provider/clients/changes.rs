//! Following what changed in the database: see [`super::memory`].

use super::memory::{Poll, WINDOW_SECONDS};
use crate::model::{ClientId, IssuerId};
use crate::provider::{Provider, Shared};
use crate::store::client_change::Change;
use crate::store::{StoreError, client_change};
use std::sync::Arc;

/// When more RPs than this changed within the window, all are dropped: many times what renewals write, and about 3 MB.
const MAX_CHANGES: u32 = 20_000;

/// Asks which RPs changed lately, for these issuers' memory: twice a second in every node.
///
/// # Errors
/// The database's: then memory is believed no longer than two seconds after the last call that succeeded.
pub async fn follow_changes(
    shared: &Shared,
    providers: &[Arc<Provider>],
) -> Result<(), StoreError> {
    let begun_at = shared.clock.elapsed();
    let changes = shared
        .store
        .read(|connection| {
            client_change::search(connection, WINDOW_SECONDS, MAX_CHANGES.saturating_add(1))
        })
        .await?;
    let poll = Poll {
        begun_at,
        ended_at: shared.clock.elapsed(),
    };
    let too_many = u32::try_from(changes.len()).map_or(true, |count| count > MAX_CHANGES);
    for op in providers {
        let changed = (!too_many).then(|| of_issuer(&changes, &op.issuer));
        op.clients.follow(changed, poll).await;
    }
    Ok(())
}

fn of_issuer(changes: &[Change], issuer: &IssuerId) -> Vec<(ClientId, i64)> {
    let own = changes.iter().filter(|change| change.issuer == *issuer);
    own.map(|change| (change.client_id.clone(), change.number))
        .collect()
}
