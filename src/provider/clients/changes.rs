//! Following what changed in the database: see [`super::memory`].

use super::memory::WINDOW_SECONDS;
use crate::model::{ClientId, IssuerId};
use crate::provider::{Provider, Shared};
use crate::store::{StoreError, client_change};
use std::sync::Arc;

/// When more RPs than this changed within the window, all are dropped.
const MAX_CHANGES: u32 = 1_000;

/// Asks which RPs changed lately and drops them from these issuers' memory: once a second in every node.
///
/// # Errors
/// The database's: then memory is believed no longer than two seconds after the last call that succeeded.
pub async fn follow_changes(
    shared: &Shared,
    providers: &[Arc<Provider>],
) -> Result<(), StoreError> {
    let polled_at = shared.clock.elapsed();
    let changes = shared
        .store
        .read(|connection| {
            client_change::search(connection, WINDOW_SECONDS, MAX_CHANGES.saturating_add(1))
        })
        .await?;
    let too_many = u32::try_from(changes.len()).map_or(true, |count| count > MAX_CHANGES);
    for op in providers {
        let changed = (!too_many).then(|| of_issuer(&changes, &op.issuer));
        op.clients.follow(changed.as_deref(), polled_at).await;
    }
    Ok(())
}

fn of_issuer(changes: &[(IssuerId, ClientId)], issuer: &IssuerId) -> Vec<ClientId> {
    let own = changes.iter().filter(|(of, _)| of == issuer);
    own.map(|(_, id)| id.clone()).collect()
}
