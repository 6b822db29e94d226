//! Telling people that a consent of theirs ends soon, once each.

use super::{Provider, Shared};
use crate::mail::Letter;
use crate::store::{StoreError, grant, login_event};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// So long before the end people are told.
pub const CONSENT_NOTICE_SECONDS: i64 = 14 * 86_400;
/// Consents of one transaction: a larger one stalls logins.
const BATCH: u32 = 50;
/// A turn begins nothing more after this time; the next one goes on.
const TURN: Duration = Duration::from_secs(50);

/// One turn; returns how many letters were queued. Only consents to offline access are told of: nothing else outlives the
/// login by more than minutes.
///
/// # Errors
/// The database's.
pub async fn tell_of_ending_consents(
    shared: &Shared,
    providers: &[Arc<Provider>],
) -> Result<u64, StoreError> {
    let end = Instant::now() + TURN;
    let mut told = 0_u64;
    while Instant::now() < end {
        let (found, letters) = batch(shared, providers.to_vec()).await?;
        told = told.saturating_add(letters);
        if found < BATCH {
            break;
        }
    }
    Ok(told)
}

/// How many consents were looked at, and how many letters queued.
async fn batch(shared: &Shared, providers: Vec<Arc<Provider>>) -> Result<(u32, u64), StoreError> {
    let now = shared.clock.now();
    shared
        .store
        .write(move |tx| {
            let (mut found, mut letters) = (0, 0);
            for ending in grant::ending_untold(tx, now, CONSENT_NOTICE_SECONDS, BATCH)? {
                found += 1;
                if !grant::note_end_told(tx, &ending.id, now)? {
                    continue;
                }
                // An issuer that is configured no more has nobody to write in its name.
                let Some(op) = providers.iter().find(|op| op.issuer == ending.issuer) else {
                    continue;
                };
                let name = login_event::rp_name_of(tx, &ending.id)?;
                let letter = Letter::ConsentExpiring {
                    rp_name: name.unwrap_or_else(|| ending.client_id.to_string()),
                    until: ending.expires_at,
                    grant: ending.id,
                };
                op.queue_mail_to(tx, &ending.account, &letter)?;
                letters += 1;
            }
            Ok((found, letters))
        })
        .await
}
