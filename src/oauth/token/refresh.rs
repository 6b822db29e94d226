//! `grant_type=refresh_token` (RFC 6749 §6, RFC 9700 §4.14, SPID/CIE TK-7).

use super::code::IdTokenLevel;
use super::issue::{self, Plan};
use super::{TokenEndpoint, TokenError};
use crate::endpoint::Decision;
use crate::mail::Letter;
use crate::model::{Grant, Redeemed, TokenId, TokenState};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, account, grant, token};

type Check = fn(&Provider, &Grant) -> Result<(), TokenError>;

/// What must hold before a refresh token is spent, in order.
static CHECKS: &[Check] = &[grant_is_live, consent_has_not_ended, limit_is_not_reached];

fn grant_is_live(_op: &Provider, grant: &Grant) -> Result<(), TokenError> {
    match grant.revoked_at {
        Some(_) => Err(TokenError::GrantRevoked),
        None => Ok(()),
    }
}

fn consent_has_not_ended(op: &Provider, grant: &Grant) -> Result<(), TokenError> {
    if op.now() < grant.expires_at {
        Ok(())
    } else {
        Err(TokenError::ConsentEnded)
    }
}

/// SPID/CIE TK-7; 0 is without limit.
fn limit_is_not_reached(op: &Provider, grant: &Grant) -> Result<(), TokenError> {
    let limit = op.settings.max_refresh;
    if op.profile.refresh.limited && limit > 0 && grant.refresh_count >= i64::from(limit) {
        Err(TokenError::RefreshLimit(limit))
    } else {
        Ok(())
    }
}

pub(super) fn rotate(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    id: &TokenId,
) -> Result<Decision<TokenEndpoint>, TokenError> {
    let now = op.now();
    let unknown = || Ok(Decision::Refused(TokenError::UnknownRefreshToken));
    let Some(status) = token::find_status(tx, id)?.filter(|status| {
        status.grant.issuer == op.issuer && status.token.client_id == *client.id()
    }) else {
        return unknown();
    };
    let grant = status.grant;
    // A refusal that is no theft leaves the token as it is: trying again must not look like a second use.
    if status.token.state == TokenState::Live
        && let Err(error) = CHECKS.iter().try_for_each(|check| check(op, &grant))
    {
        return Ok(Decision::Refused(error));
    }
    let spent = match token::rotate(tx, id, client.id())? {
        Redeemed::Now(spent) => spent,
        Redeemed::Before(spent) if spent.state == TokenState::Rotated => {
            // RFC 9700 §4.14.2: the RP or a thief holds a copy; nobody can tell which.
            grant::revoke(tx, &grant.id, now)?;
            return Ok(Decision::Refused(TokenError::RefreshTokenReused));
        }
        Redeemed::Before(_) | Redeemed::Unknown => return unknown(),
    };
    // SPID/CIE TK-7: what was issued before stops working.
    token::revoke_live_of_grant(tx, &grant.id, None)?;
    grant::increment_refresh_count(tx, &grant.id)?;
    tell(op, tx, client, &grant)?;
    let asked_for_level = grant.request.acr_values.contains(&op.settings.refresh_acr);
    let plan = Plan {
        generation: spent.generation.saturating_add(1),
        id_token_level: (op.profile.refresh.id_token && asked_for_level)
            .then_some(IdTokenLevel::OfRefresh),
    };
    issue::issue(op, tx, client, grant, &plan)
}

/// SPID/CIE AZ-10: people are told that access which outlives their session is used, and how to withdraw it.
fn tell(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    grant: &Grant,
) -> Result<(), StoreError> {
    if !grant.offline_access {
        return Ok(());
    }
    let languages = account::languages(tx, &grant.account)?;
    let letter = Letter::OfflineAccessUsed {
        client_id: client.id().clone(),
        rp_name: client
            .client()
            .name(languages.for_mails().unwrap_or_default()),
    };
    op.queue_mail_to(tx, &grant.account, &letter)?;
    Ok(())
}
