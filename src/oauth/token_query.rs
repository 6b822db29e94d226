//! What introspection and revocation share: an RP asks about one token (RFC 7662 §2.1, RFC 7009 §2.1).

use super::bearer;
use super::client_auth::{self, AuthenticatedClient, ClientAuthError};
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Method, Note, Reply};
use crate::model::{ClientId, ErrorCode, ParamError, Params, TokenId, TokenStatus};
use crate::profile::{Path, Violation};
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, token};
use serde_json::{Map, Value};
use std::marker::PhantomData;

/// Why an RP is not answered.
#[derive(Debug)]
pub enum TokenQueryError {
    /// POST only (SPID/CIE IN-1, RV-1).
    NotPost,
    /// The parameters cannot be read.
    Parameters(ParamError),
    /// A member is missing or misshapen.
    Member(Violation),
    /// Client authentication failed.
    Client(ClientAuthError),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for TokenQueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The token that is asked about.
#[derive(Debug)]
pub struct Asked {
    /// `None`: no token that we signed and that has not expired.
    id: Option<TokenId>,
}

/// What an RP may ask about one of its tokens; each is an [`Endpoint`] through [`TokenQueryEndpoint`].
pub trait TokenQuery: Send + Sync + 'static {
    /// Its address.
    const PATH: Path;
    /// The event of the log when it is answered.
    const ANSWERED: &'static str;
    /// The event of the log when it is refused.
    const REFUSED: &'static str;
    /// What was found or done.
    type Found: Send + Sync + 'static;

    /// Looks at the token, in the transaction that spends the client assertion. `None`: no token of this RP.
    ///
    /// # Errors
    /// The database failed.
    fn process(
        op: &Provider,
        tx: &mut DbConn,
        token: Option<TokenStatus>,
    ) -> Result<Self::Found, StoreError>;

    /// The answer, with what its line of the log says.
    fn answer(op: &Provider, found: &Self::Found) -> (Reply, (&'static str, &'static str));
}

/// The endpoint of a query. Authenticated RPs only, about their own tokens only (RFC 7662 §2.1, RFC 7009 §2.1).
pub struct TokenQueryEndpoint<Q>(PhantomData<Q>);

/// A query's outcome, and whose it is.
#[derive(Debug)]
pub struct Answered<F> {
    client_id: String,
    found: F,
}

impl<Q: TokenQuery> Endpoint for TokenQueryEndpoint<Q> {
    type Request = Params;
    type Client = AuthenticatedClient;
    type Accepted = Asked;
    type Response = Answered<Q::Found>;
    type Error = TokenQueryError;

    // The assertion's jti is spent.
    const ACCESS: Access = Access::Write;

    fn parse_request(_op: &Provider, inbound: &Inbound) -> Result<Params, TokenQueryError> {
        if inbound.method != Method::Post {
            return Err(TokenQueryError::NotPost);
        }
        inbound.form.clone().map_err(TokenQueryError::Parameters)
    }

    fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
        client_auth::unverified_client(inbound)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        _request: &Params,
    ) -> Result<AuthenticatedClient, TokenQueryError> {
        client_auth::authenticate(op, inbound, Q::PATH)
            .await
            .map_err(TokenQueryError::Client)
    }

    fn post_parse_request(
        op: &Provider,
        _inbound: &Inbound,
        params: Params,
        _client: &AuthenticatedClient,
    ) -> Result<Asked, TokenQueryError> {
        op.profile
            .token_query
            .check(&as_text_members(&params), false)
            .map_err(TokenQueryError::Member)?;
        Ok(Asked {
            id: params
                .get("token")
                .and_then(|token| bearer::either(op, token)),
        })
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
        let token = own_token(op, tx, call.client(), call.request())?;
        Ok(Decision::Granted(Answered {
            client_id: call.client().id().to_string(),
            found: Q::process(op, tx, token)?,
        }))
    }

    fn do_response(
        op: &Provider,
        _caller: &Caller,
        outcome: Result<Self::Response, TokenQueryError>,
    ) -> Reply {
        match outcome {
            Ok(answered) => {
                let (reply, (name, value)) = Q::answer(op, &answered.found);
                reply.noted(
                    Note::new(log::Level::Info, Q::ANSWERED)
                        .with("client_id", answered.client_id)
                        .with(name, value),
                )
            }
            Err(error) => error.into_reply(Q::REFUSED),
        }
    }
}

/// The token's row, if it was issued by this issuer to the caller.
fn own_token(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    asked: &Asked,
) -> Result<Option<TokenStatus>, StoreError> {
    let Some(id) = &asked.id else {
        return Ok(None);
    };
    let status = token::find_status(tx, id)?;
    Ok(status.filter(|status| {
        status.token.client_id == *client.id() && status.grant.issuer == op.issuer
    }))
}

/// Parameters as JSON texts, for the tables.
#[must_use]
pub fn as_text_members(params: &Params) -> Map<String, Value> {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value.to_owned())))
        .collect()
}

impl TokenQueryError {
    /// The wire's code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotPost | Self::Parameters(_) => ErrorCode::InvalidRequest,
            Self::Member(violation) => violation.code,
            Self::Client(error) => error.code(),
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::NotPost => "this endpoint takes POST only".into(),
            Self::Parameters(error) => error.to_string(),
            Self::Member(violation) => violation.description.clone(),
            Self::Client(error) => error.description(),
            Self::Store(_) => "the provider cannot reach its database; try again".into(),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::Store(error) => error.to_string(),
            other => other.description(),
        }
    }

    fn into_reply(self, event: &'static str) -> Reply {
        let reply = Reply::refused(event, self.code(), &self.description(), self.reason());
        if matches!(self, Self::NotPost) {
            return reply.only_by("POST");
        }
        reply
    }
}
