//! `grant_type=refresh_token` (RFC 6749 §6, RFC 9700 §4.14, SPID/CIE TK-7).

use super::code::IdTokenLevel;
use super::issue::{self, Plan};
use super::{TokenEndpoint, TokenError};
use crate::endpoint::Decision;
use crate::model::{Redeemed, TokenId, TokenState};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::provider::Provider;
use crate::store::{DbConn, grant, token};

pub(super) fn rotate(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    id: &TokenId,
) -> Result<Decision<TokenEndpoint>, TokenError> {
    let now = op.now();
    let Some(grant) = token::find_status(tx, id)?
        .filter(|status| status.grant.issuer == op.issuer)
        .map(|status| status.grant)
    else {
        return Err(TokenError::UnknownRefreshToken);
    };
    let limit = op.settings.max_refresh;
    let used_up =
        op.profile.refresh.limited && limit > 0 && grant.refresh_count >= i64::from(limit);
    let spent = match token::rotate(tx, id, client.id())? {
        Redeemed::Now(spent) => spent,
        Redeemed::Before(spent) if spent.state == TokenState::Rotated => {
            // RFC 9700 §4.14.2: the RP or a thief holds a copy; nobody can tell which.
            grant::revoke(tx, &grant.id, now)?;
            return Ok(Decision::Refused(TokenError::RefreshTokenReused));
        }
        Redeemed::Before(_) | Redeemed::Unknown => return Err(TokenError::UnknownRefreshToken),
    };
    if used_up {
        return Ok(Decision::Refused(TokenError::RefreshLimit(limit)));
    }
    if grant.revoked_at.is_some() {
        return Ok(Decision::Refused(TokenError::GrantRevoked));
    }
    if now >= grant.expires_at {
        return Ok(Decision::Refused(TokenError::ConsentEnded));
    }
    // SPID/CIE TK-7: what was issued before stops working.
    token::revoke_live_of_grant(tx, &grant.id, None)?;
    grant::increment_refresh_count(tx, &grant.id)?;
    let asked_for_level = grant.request.acr_values.contains(&op.settings.refresh_acr);
    let plan = Plan {
        generation: spent.generation.saturating_add(1),
        id_token_level: (op.profile.refresh.id_token && asked_for_level)
            .then_some(IdTokenLevel::OfRefresh),
    };
    issue::issue(op, tx, client, grant, &plan)
}
