//! What introspection and revocation share: an RP asks about one token (RFC 7662 §2.1, RFC 7009 §2.1).

use super::bearer;
use super::client_auth::{self, AuthenticatedClient, ClientAuthError};
use crate::endpoint::{Inbound, Method, Note, Reply};
use crate::model::{ErrorCode, ParamError, Params, TokenId, TokenStatus};
use crate::profile::{Path, Violation};
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, token};
use serde_json::{Map, Value};

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
    pub id: Option<TokenId>,
}

/// Reads the form of a query.
///
/// # Errors
/// It is no POST, or its parameters cannot be read.
pub fn parse(inbound: &Inbound) -> Result<Params, TokenQueryError> {
    if inbound.method != Method::Post {
        return Err(TokenQueryError::NotPost);
    }
    inbound.form.clone().map_err(TokenQueryError::Parameters)
}

/// Authenticates the RP at an endpoint.
///
/// # Errors
/// Why it is not who it says.
pub async fn authenticate(
    op: &Provider,
    inbound: &Inbound,
    endpoint: Path,
) -> Result<AuthenticatedClient, TokenQueryError> {
    client_auth::authenticate(op, inbound, endpoint)
        .await
        .map_err(TokenQueryError::Client)
}

/// Checks the message and verifies the token's signature.
///
/// # Errors
/// A member is missing or misshapen.
pub fn accept(op: &Provider, params: &Params) -> Result<Asked, TokenQueryError> {
    op.profile
        .token_query
        .check(&as_text_members(params), false)
        .map_err(TokenQueryError::Member)?;
    Ok(Asked {
        id: params
            .get("token")
            .and_then(|token| bearer::either(op, token)),
    })
}

/// The token's row, if it was issued by this issuer to the caller.
///
/// # Errors
/// The database failed.
pub fn own_token(
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

    /// The answer, with a line for the log.
    #[must_use]
    pub fn into_reply(self, event: &'static str) -> Reply {
        let code = self.code();
        let level = if code.status() >= 500 {
            log::Level::Error
        } else {
            log::Level::Warn
        };
        let description = self.description();
        let reason = self.reason();
        let mut reply = Reply::error(code, &description).noted(Note::refused(
            level,
            event,
            code,
            description,
            reason,
        ));
        if matches!(self, Self::NotPost) {
            reply.status = 405;
            reply = reply.header("Allow", "POST");
        }
        reply
    }
}
