//! `/revocation` (RFC 7009, SPID/CIE RV-1, RV-2).

use super::client_auth::{self, AuthenticatedClient, ClientAuthError};
use super::token_query::{self, Asked, TokenQueryError};
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Note, Reply};
use crate::model::{ClientId, Params, TokenKind, TokenState, TokenStatus};
use crate::profile::Path;
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, grant, session, token};

/// The endpoint.
pub struct RevocationEndpoint;

/// The answer is the same whether there was something to revoke or not (RFC 7009 §2.2).
#[derive(Debug)]
pub struct Revoked {
    client_id: String,
    kind: Option<TokenKind>,
}

impl Endpoint for RevocationEndpoint {
    type Request = Params;
    type Client = AuthenticatedClient;
    type Accepted = Asked;
    type Response = Revoked;
    type Error = TokenQueryError;

    const ACCESS: Access = Access::Write;

    fn parse_request(_op: &Provider, inbound: &Inbound) -> Result<Params, TokenQueryError> {
        token_query::parse(inbound)
    }

    fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
        client_auth::unverified_client(inbound)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        _request: &Params,
    ) -> Result<AuthenticatedClient, TokenQueryError> {
        token_query::authenticate(op, inbound, Path::Revocation).await
    }

    fn post_parse_request(
        op: &Provider,
        _inbound: &Inbound,
        params: Params,
        _client: &AuthenticatedClient,
    ) -> Result<Asked, TokenQueryError> {
        token_query::accept(op, &params)
    }

    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, TokenQueryError> {
        if !call.client().spend(op, tx)? {
            return Ok(Decision::Refused(TokenQueryError::Client(
                ClientAuthError::Replayed,
            )));
        }
        let found = token_query::own_token(op, tx, call.client(), call.request())?;
        if let Some(status) = &found {
            revoke(op, tx, status)?;
        }
        Ok(Decision::Granted(Revoked {
            client_id: call.client().id().to_string(),
            kind: found.map(|status| status.token.kind),
        }))
    }

    fn do_response(
        _op: &Provider,
        _caller: &Caller,
        outcome: Result<Revoked, TokenQueryError>,
    ) -> Reply {
        match outcome {
            Ok(revoked) => Reply::bytes(200, "application/json", b"{}".to_vec())
                .header("Cache-Control", "no-store")
                .noted(
                    Note::new(log::Level::Info, "revocation.answered")
                        .with("client_id", revoked.client_id)
                        .with(
                            "revoked",
                            match revoked.kind {
                                None => "nothing",
                                Some(TokenKind::Access) => "access_token",
                                Some(TokenKind::Refresh) => "refresh_token",
                            },
                        ),
                ),
            Err(error) => error.into_reply("revocation.refused"),
        }
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
