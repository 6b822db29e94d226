//! When the keys are fetched of an RP that an operator registered with their address (OIDC Registration §2, `jwks_uri`): at
//! once, then within every hour by the renewals of [`super::renewal`], and when it signs with a key that is not known
//! (`clients/key_look_up.rs`).

use super::renewal::Spread;
use crate::clock::UtcTime;
use crate::model::RelyingParty;
use crate::store::renewal::Schedule;

/// A key that is no longer at the address is noticed within this time.
const RECHECK_SECONDS: i64 = 3600;

/// That the keys of an RP that an operator registered are to be fetched at `due_at`; `None` where they are not elsewhere.
/// Those of one host take turns, as RPs below one superior do.
#[must_use]
pub fn keys_due(party: &RelyingParty, due_at: UtcTime) -> Option<Schedule> {
    let address = party.metadata.jwks_uri.as_deref()?;
    let host = url::Url::parse(address).map(|url| url.origin().ascii_serialization());
    Some(Schedule {
        issuer: party.issuer.clone(),
        client_id: party.client_id.clone(),
        superior: host.unwrap_or_default(),
        resolved_at: party.updated_at,
        due_at,
        marks_due_at: UtcTime(i64::MAX),
    })
}

/// When those are fetched again that were found just now.
pub(super) fn next_keys(party: &RelyingParty) -> Option<Schedule> {
    let half = RECHECK_SECONDS / 2;
    let pause = half + Spread::of(&party.issuer, &party.client_id).part_of(half);
    keys_due(party, party.updated_at.plus_seconds(pause))
}
