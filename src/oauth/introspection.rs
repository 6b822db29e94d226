//! `/introspection` (RFC 7662, SPID/CIE IN-1).

use super::client_auth::{self, AuthenticatedClient, ClientAuthError};
use super::token_query::{self, Asked, TokenQueryError};
use crate::clock::UtcTime;
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Note, Reply};
use crate::model::{ClientId, Params, TokenKind, TokenStatus};
use crate::profile::Path;
use crate::provider::Provider;
use crate::store::DbConn;
use serde::Serialize;

/// The endpoint.
pub struct IntrospectionEndpoint;

/// The token, when it is active and the caller's.
#[derive(Debug)]
pub struct Introspected {
    client_id: String,
    active: Option<Box<TokenStatus>>,
}

/// RFC 7662 §2.2.
#[derive(Serialize)]
struct IntrospectionResponse<'a> {
    active: bool,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    scope: String,
    exp: UtcTime,
    sub: &'a str,
    client_id: &'a str,
    iss: &'a str,
    aud: String,
}

impl Endpoint for IntrospectionEndpoint {
    type Request = Params;
    type Client = AuthenticatedClient;
    type Accepted = Asked;
    type Response = Introspected;
    type Error = TokenQueryError;

    // The assertion's jti is spent.
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
        token_query::authenticate(op, inbound, Path::Introspection).await
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
        let status = token_query::own_token(op, tx, call.client(), call.request())?;
        Ok(Decision::Granted(Introspected {
            client_id: call.client().id().to_string(),
            active: status
                .filter(|status| status.is_active(op.now()))
                .map(Box::new),
        }))
    }

    fn do_response(
        op: &Provider,
        _caller: &Caller,
        outcome: Result<Introspected, TokenQueryError>,
    ) -> Reply {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => return error.into_reply("introspection.refused"),
        };
        let details = answer
            .active
            .as_ref()
            .filter(|_| op.profile.introspection_details)
            .map(|status| Details {
                scope: status.grant.request.scope.join(" "),
                exp: status.token.expires_at,
                sub: &status.grant.subject,
                client_id: status.grant.client_id.as_str(),
                iss: &op.settings.id,
                aud: op.url(match status.token.kind {
                    TokenKind::Access => Path::Userinfo,
                    TokenKind::Refresh => Path::Token,
                }),
            });
        let active = answer.active.is_some();
        Reply::json(200, &IntrospectionResponse { active, details }).noted(
            Note::new(log::Level::Info, "introspection.answered")
                .with("client_id", answer.client_id)
                .with("active", active.to_string()),
        )
    }
}
