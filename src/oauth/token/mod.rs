//! `/token` (RFC 6749 §3.2, OIDC Core §3.1.3, SPID/CIE TK-1 to TK-8).

mod code;
mod error;
mod issue;
mod refresh;

pub use error::TokenError;
pub use issue::Granted;

use super::client_auth::{self, AuthenticatedClient};
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Method, Reply};
use crate::model::{ClientId, Params, TokenId};
use crate::profile::{Message, Path};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::DbConn;
use serde::Serialize;

/// The endpoint.
pub struct TokenEndpoint;

/// What is asked.
#[derive(Debug)]
pub enum TokenRequest {
    /// `grant_type=authorization_code`.
    Code(CodeRequest),
    /// `grant_type=refresh_token`, the token's signature verified.
    Refresh(TokenId),
}

/// RFC 6749 §4.1.3.
#[derive(Debug)]
pub struct CodeRequest {
    /// The code.
    pub code: Secret<String>,
    /// RFC 7636 §4.5.
    pub code_verifier: Secret<String>,
    /// Compared when sent (SPID/CIE TK-2).
    pub redirect_uri: Option<String>,
}

/// RFC 6749 §5.1, OIDC Core §3.1.3.3.
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
}

impl Endpoint for TokenEndpoint {
    type Request = Params;
    type Client = AuthenticatedClient;
    type Accepted = TokenRequest;
    type Response = Granted;
    type Error = TokenError;

    const ACCESS: Access = Access::Write;

    fn parse_request(op: &Provider, inbound: &Inbound) -> Result<Params, TokenError> {
        if inbound.method != Method::Post {
            return Err(TokenError::NotPost);
        }
        let params = inbound.form.clone().map_err(TokenError::Parameters)?;
        message(op, &params)?;
        Ok(params)
    }

    fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
        client_auth::unverified_client(inbound)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        _request: &Params,
    ) -> Result<AuthenticatedClient, TokenError> {
        client_auth::authenticate(op, inbound, Path::Token)
            .await
            .map_err(TokenError::Client)
    }

    fn post_parse_request(
        op: &Provider,
        _inbound: &Inbound,
        params: Params,
        _client: &AuthenticatedClient,
    ) -> Result<TokenRequest, TokenError> {
        let members = super::token_query::as_text_members(&params);
        message(op, &params)?
            .check(&members, false)
            .map_err(TokenError::Member)?;
        let text = |name: &str| params.get(name).unwrap_or_default().to_owned();
        if params.get("grant_type") == Some("refresh_token") {
            return super::bearer::refresh_token(op, &text("refresh_token"))
                .map(TokenRequest::Refresh)
                .map_err(TokenError::RefreshToken);
        }
        Ok(TokenRequest::Code(CodeRequest {
            code: Secret::new(text("code")),
            code_verifier: Secret::new(text("code_verifier")),
            redirect_uri: params.get("redirect_uri").map(str::to_owned),
        }))
    }

    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, TokenError> {
        if !call.client().spend(op, tx)? {
            return Ok(Decision::Refused(TokenError::Client(
                client_auth::ClientAuthError::Replayed,
            )));
        }
        match call.request() {
            TokenRequest::Code(request) => code::redeem(op, tx, call.client(), request),
            TokenRequest::Refresh(id) => refresh::rotate(op, tx, call.client(), id),
        }
    }

    fn do_response(op: &Provider, _caller: &Caller, outcome: Result<Granted, TokenError>) -> Reply {
        match outcome.and_then(|granted| granted_reply(op, &granted)) {
            Ok(reply) => reply,
            Err(error) => error.into_reply(),
        }
    }
}

/// The table of the grant type; SPID/CIE TK-8 for any other.
fn message(op: &Provider, params: &Params) -> Result<&'static Message, TokenError> {
    match params.get("grant_type") {
        None => Err(TokenError::GrantTypeMissing),
        Some("authorization_code") => Ok(op.profile.code_request),
        Some("refresh_token") => op
            .profile
            .refresh_request
            .ok_or(TokenError::UnsupportedGrantType),
        Some(_) => Err(TokenError::UnsupportedGrantType),
    }
}

fn granted_reply(op: &Provider, granted: &Granted) -> Result<Reply, TokenError> {
    let response = granted.sign(op).map_err(TokenError::Signing)?;
    let body = TokenResponse {
        access_token: response.access_token,
        token_type: "Bearer",
        expires_in: granted.expires_in(),
        id_token: response.id_token,
        refresh_token: response.refresh_token,
        scope: granted.scope(),
    };
    Ok(Reply::json(200, &body)
        // RFC 6749 §5.1
        .header("Pragma", "no-cache")
        .noted(granted.note()))
}
