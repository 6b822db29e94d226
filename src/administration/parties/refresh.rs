//! Asking now for what a relying party publishes, instead of when its chain is renewed.

use super::{PartyError, PartyKey, tell};
use crate::federation::evaluation::{Recheck, Recorder};
use crate::model::{Actor, Origin, RelyingParty};
use crate::profile::RegistrationType;
use crate::provider::{ClientError, Examination, Provider};
use crate::store::{StoreError, client};
use serde_json::json;

/// Whether others are asked about this RP: not where an operator wrote everything down, nor where it registers itself.
#[must_use]
pub fn can_refresh(op: &Provider, party: &RelyingParty) -> bool {
    let is_automatic = op.profile.federation.registration == RegistrationType::Automatic;
    match &party.origin {
        Origin::Federation(_) => is_automatic,
        Origin::Explicit(_) => false,
        Origin::Registered => party.metadata.jwks_uri.is_some(),
    }
}

/// Why what was looked at now does not do; none: it does, and logins use it from here on. While the old chain counts,
/// logins go on all the same.
#[must_use]
pub fn failure(examination: &Examination) -> Option<&ClientError> {
    let refusal = examination.renewal_refusal.as_ref();
    refusal.or(examination.refusal.as_ref())
}

/// Resolves an RP's trust chain, or fetches the keys of one that an operator registered with their address, now. When that
/// fails the old ones count until they end. Whoever waits can read meanwhile what `recorder` writes.
///
/// # Errors
/// `Unknown`, `NothingToAsk`, `Busy`. That the RP is refused is no error.
pub async fn refresh(
    op: &Provider,
    actor: &Actor,
    (key, recorder): (&PartyKey, &Recorder),
) -> Result<Examination, PartyError> {
    let store = &op.shared.store;
    let wanted = key.clone();
    let found = store
        .read(move |conn| client::find(conn, &wanted.issuer, &wanted.client_id))
        .await?;
    let found = found.ok_or(PartyError::Unknown)?;
    if !can_refresh(op, &found) {
        return Err(PartyError::NothingToAsk);
    }
    let examination = op
        .examine_to(&key.client_id, Recheck::Fresh, recorder)
        .await;
    let examination = examination.map_err(|_| PartyError::Busy)?;
    let (actor, key, now) = (actor.clone(), key.clone(), op.now());
    let is = json!({ "accepted": failure(&examination).is_none() });
    store
        .write(move |tx| -> Result<(), StoreError> {
            tell(tx, &actor, ("rp.refresh", &key), (None, Some(is)), now)
        })
        .await?;
    Ok(examination)
}
