//! Every way the token endpoint says no (SPID/CIE TK-8).

use crate::endpoint::Reply;
use crate::jose::JoseError;
use crate::model::{ErrorCode, ParamError};
use crate::oauth::client_auth::ClientAuthError;
use crate::profile::Violation;
use crate::store::StoreError;

/// What is wrong.
#[derive(Debug)]
pub enum TokenError {
    /// RFC 6749 §3.2: POST only.
    NotPost,
    /// The parameters cannot be read.
    Parameters(ParamError),
    /// `grant_type` is missing.
    GrantTypeMissing,
    /// `grant_type` is not offered.
    UnsupportedGrantType,
    /// A member is missing or misshapen.
    Member(Violation),
    /// Client authentication failed.
    Client(ClientAuthError),
    /// The code is unknown, or another client's.
    UnknownCode,
    /// The code has expired; it is spent now.
    ExpiredCode,
    /// The code was issued at a time that has not come; it is spent now.
    CodeOfTheFuture,
    /// The code was used before: what it issued is revoked now.
    CodeReused,
    /// `redirect_uri` differs; the code is spent now.
    RedirectUriMismatch,
    /// `code_verifier` does not fit; the code is spent now.
    CodeVerifierMismatch,
    /// The user or the RP revoked the access.
    GrantRevoked,
    /// The consent has ended.
    ConsentEnded,
    /// The person may no longer log in.
    AccountDisabled,
    /// The refresh token does not verify.
    RefreshToken(JoseError),
    /// The refresh token is unknown, revoked, or another client's.
    UnknownRefreshToken,
    /// The refresh token was used before: its whole family is revoked now.
    RefreshTokenReused,
    /// `issuer.max_refresh` is reached.
    RefreshLimit(u32),
    /// The RP asks for an algorithm that cannot be served.
    Unserviceable(&'static str),
    /// openssl failed.
    Signing(JoseError),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TokenError {
    /// The wire's code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotPost | Self::Parameters(_) | Self::GrantTypeMissing => {
                ErrorCode::InvalidRequest
            }
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::Member(violation) => violation.code,
            Self::Client(error) => error.code(),
            Self::UnknownCode
            | Self::ExpiredCode
            | Self::CodeOfTheFuture
            | Self::CodeReused
            | Self::RedirectUriMismatch
            | Self::CodeVerifierMismatch
            | Self::GrantRevoked
            | Self::ConsentEnded
            | Self::AccountDisabled
            | Self::RefreshToken(_)
            | Self::UnknownRefreshToken
            | Self::RefreshTokenReused
            | Self::RefreshLimit(_) => ErrorCode::InvalidGrant,
            Self::Unserviceable(_) => ErrorCode::UnauthorizedClient,
            Self::Signing(_) => ErrorCode::ServerError,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// One ASCII line for the RP's developer.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::NotPost => "the token endpoint takes POST only".into(),
            Self::Parameters(error) => error.to_string(),
            Self::GrantTypeMissing => "parameter grant_type is missing".into(),
            Self::UnsupportedGrantType => "grant_type is not supported by this provider".into(),
            Self::Member(violation) => violation.description.clone(),
            Self::Client(error) => error.description(),
            Self::UnknownCode => "code is unknown, or was issued to another client".into(),
            Self::ExpiredCode => "code has expired".into(),
            Self::CodeOfTheFuture => {
                "code was issued at a time that has not come: the clock of the provider went back"
                    .into()
            }
            Self::CodeReused => "code was used before; the tokens it issued are revoked".into(),
            Self::RedirectUriMismatch => {
                "redirect_uri differs from that of the authorization request".into()
            }
            Self::CodeVerifierMismatch => {
                "code_verifier does not fit the code_challenge of the authorization request".into()
            }
            Self::GrantRevoked => "the access was revoked by the user or the client".into(),
            Self::ConsentEnded => "the consent of the user has ended".into(),
            Self::AccountDisabled => "the account of the user is disabled".into(),
            Self::RefreshToken(error) => format!("refresh_token: {error}"),
            Self::UnknownRefreshToken => {
                "refresh_token is revoked, unknown, or was issued to another client".into()
            }
            Self::RefreshTokenReused => {
                "refresh_token was used before; all tokens of this access are revoked".into()
            }
            Self::RefreshLimit(limit) => {
                format!("tokens of this access can be refreshed {limit} times only")
            }
            Self::Unserviceable(what) => (*what).into(),
            Self::Signing(_) => "the provider could not sign the answer".into(),
            Self::Store(_) => "the provider cannot reach its database; try again".into(),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::Member(violation) => format!("{} ({})", violation.description, violation.source),
            Self::Signing(error) => error.to_string(),
            Self::Store(error) => error.to_string(),
            other => other.description(),
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        let mut reply = Reply::refused(
            "token.refused",
            self.code(),
            &self.description(),
            self.reason(),
        );
        if matches!(&self, Self::Client(error) if error.challenges_basic()) {
            reply = reply.header("WWW-Authenticate", "Basic realm=\"token\"");
        }
        if matches!(self, Self::NotPost) {
            reply = reply.only_by("POST");
        }
        reply
    }
}
