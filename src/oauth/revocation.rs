//! `/revocation` (RFC 7009, SPID/CIE RV-1, RV-2).

use super::token_query::{TokenQuery, TokenQueryEndpoint};
use crate::endpoint::Reply;
use crate::model::{TokenKind, TokenState, TokenStatus};
use crate::profile::Path;
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, grant, session, token};

/// The endpoint.
pub type RevocationEndpoint = TokenQueryEndpoint<Revocation>;

/// My token shall end.
pub struct Revocation;

impl TokenQuery for Revocation {
    const PATH: Path = Path::Revocation;
    const ANSWERED: &'static str = "revocation.answered";
    const REFUSED: &'static str = "revocation.refused";
    /// What was revoked, for the log alone: the answer is the same if there was nothing (RFC 7009 §2.2).
    type Found = Option<TokenKind>;

    fn process(
        op: &Provider,
        tx: &mut DbConn,
        token: Option<TokenStatus>,
    ) -> Result<Self::Found, StoreError> {
        if let Some(status) = &token {
            revoke(op, tx, status)?;
        }
        Ok(token.map(|status| status.token.kind))
    }

    fn answer(_op: &Provider, found: &Self::Found) -> (Reply, (&'static str, &'static str)) {
        let revoked = match found {
            None => "nothing",
            Some(TokenKind::Access) => "access_token",
            Some(TokenKind::Refresh) => "refresh_token",
        };
        let reply = Reply::bytes(200, "application/json", b"{}".to_vec())
            .header("Cache-Control", "no-store");
        (reply, ("revoked", revoked))
    }
}

/// SPID/CIE RV-2: what else ends is in the profile's table.
fn revoke(op: &Provider, tx: &mut DbConn, status: &TokenStatus) -> Result<(), StoreError> {
    let effects = op.profile.revocation;
    if status.token.state == TokenState::Rotated {
        // The RP wants the access to end, and its token lives on under another name.
        return grant::revoke(tx, &status.grant.id, op.now()).map(|_| ());
    }
    if !token::revoke(tx, &status.token.id)? {
        return Ok(());
    }
    let access = &status.grant;
    match status.token.kind {
        TokenKind::Access => {
            if effects.access_ends_refresh {
                token::revoke_live_of_grant(tx, &access.id, Some(TokenKind::Refresh))?;
            }
            if effects.access_ends_session {
                session::end(tx, &access.session, op.now())?;
            }
        }
        TokenKind::Refresh => {
            if effects.refresh_ends_access {
                token::revoke_live_of_grant(tx, &access.id, Some(TokenKind::Access))?;
            }
        }
    }
    if !token::has_live(tx, &access.id, op.now())? {
        // Nothing is left: the history says revoked, not active.
        grant::revoke(tx, &access.id, op.now())?;
    }
    Ok(())
}
