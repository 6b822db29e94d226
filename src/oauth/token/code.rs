//! `grant_type=authorization_code` (SPID/CIE TK-2).

use super::issue::{self, Plan};
use super::{CodeRequest, TokenEndpoint, TokenError};
use crate::endpoint::Decision;
use crate::model::{CodeHash, Grant, Redeemed};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::pkce;
use crate::provider::Provider;
use crate::store::{DbConn, authorization_code, grant};

type Check = fn(&CodeRequest, &Grant) -> Result<(), TokenError>;

/// What must hold of a code that was just spent, in order. A failure keeps it spent.
static CHECKS: &[Check] = &[redirect_uri_is_the_same, code_verifier_fits, grant_is_live];

pub(super) fn redeem(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    request: &CodeRequest,
) -> Result<Decision<TokenEndpoint>, TokenError> {
    let now = op.now();
    let hash = CodeHash::of(request.code.expose());
    let (found, grant) = match authorization_code::redeem(tx, &hash, client.id())? {
        // Under another issuer's address: neither spent (the transaction is rolled back) nor a second use.
        Redeemed::Now((_, found)) | Redeemed::Before((_, found)) if found.issuer != op.issuer => {
            return Err(TokenError::UnknownCode);
        }
        Redeemed::Now(found) => found,
        Redeemed::Before((_, found)) => {
            // RFC 6749 §4.1.2: whoever has the code twice may have stolen it.
            grant::revoke(tx, &found.id, now)?;
            return Ok(Decision::Refused(TokenError::CodeReused));
        }
        Redeemed::Unknown => return Ok(Decision::Refused(TokenError::UnknownCode)),
    };
    if now >= found.expires_at {
        return Ok(Decision::Refused(TokenError::ExpiredCode));
    }
    // It would live for longer than it may: the clock went back.
    if grant.created_at.is_of_the_future(now) {
        return Ok(Decision::Refused(TokenError::CodeOfTheFuture));
    }
    if let Err(error) = CHECKS.iter().try_for_each(|check| check(request, &grant)) {
        return Ok(Decision::Refused(error));
    }
    issue::issue(
        op,
        tx,
        client,
        grant,
        &Plan {
            generation: 0,
            id_token_level: Some(IdTokenLevel::OfGrant),
        },
    )
}

/// Which level the id_token states.
#[derive(Clone, Copy, Debug)]
pub(super) enum IdTokenLevel {
    /// The one really used.
    OfGrant,
    /// `issuer.refresh_acr` (SPID/CIE TK-7).
    OfRefresh,
}

fn redirect_uri_is_the_same(request: &CodeRequest, grant: &Grant) -> Result<(), TokenError> {
    match &request.redirect_uri {
        Some(sent) if *sent != grant.request.destination.redirect_uri => {
            Err(TokenError::RedirectUriMismatch)
        }
        _ => Ok(()),
    }
}

/// RFC 7636 §4.6; every profile requires a challenge.
fn code_verifier_fits(request: &CodeRequest, grant: &Grant) -> Result<(), TokenError> {
    match &grant.request.code_challenge {
        Some(challenge) if pkce::verifies(request.code_verifier.expose(), challenge) => Ok(()),
        _ => Err(TokenError::CodeVerifierMismatch),
    }
}

fn grant_is_live(_request: &CodeRequest, grant: &Grant) -> Result<(), TokenError> {
    if grant.revoked_at.is_some() {
        return Err(TokenError::GrantRevoked);
    }
    Ok(())
}
