//! Every way the authorization endpoint says no.

use super::answer::{self, Answer};
use crate::endpoint::{Caller, Note, Reply, Trouble};
use crate::jose::JoseError;
use crate::model::{ClientId, Destination, ErrorCode, ParamError};
use crate::profile::Violation;
use crate::provider::{ClientError, Provider};
use crate::store::StoreError;

/// A refusal, before or after the destination was verified.
#[derive(Debug)]
pub struct AuthorizationError {
    fact: Box<Fact>,
    client_id: Option<ClientId>,
    destination: Option<Destination>,
}

/// What is wrong.
#[derive(Debug)]
pub enum Fact {
    /// The parameters cannot be read.
    Parameters(ParamError),
    /// A member is missing, forbidden or misshapen.
    Member(Violation),
    /// The RP cannot be recognised.
    Client(ClientError),
    /// The request object does not verify.
    RequestObject(JoseError),
    /// `redirect_uri` is missing.
    RedirectUriMissing,
    /// `redirect_uri` is not one of the RP's.
    RedirectUriNotRegistered,
    /// `scope` outside and inside differ (SPID/CIE AZ-3).
    ScopesDiffer,
    /// `code_challenge` outside and inside differ.
    ChallengesDiffer,
    /// `scope` lacks `openid` (SPID/CIE AZ-7).
    OpenidMissing,
    /// A scope that the issuer or the RP does not have.
    UnknownScope(String),
    /// `prompt` is none of the profile's (SPID/CIE AZ-6).
    UnsupportedPrompt(&'static [&'static str]),
    /// `prompt=none`, but somebody has to log in.
    LoginRequired,
    /// `prompt=none`, but somebody has to consent.
    ConsentRequired,
    /// No requested level can be reached (SPID/CIE AZ-8).
    LevelUnreachable,
    /// A member of `claims` has the wrong shape.
    Claims(&'static str),
    /// The request object was used before (SPID/CIE AZ-5).
    Replayed,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for AuthorizationError {
    fn from(error: StoreError) -> Self {
        Self::before(Fact::Store(error))
    }
}

impl Fact {
    /// The wire's code (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6, SPID/CIE AZ-12, FE-6).
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Parameters(_)
            | Self::RedirectUriMissing
            | Self::RedirectUriNotRegistered
            | Self::ScopesDiffer
            | Self::ChallengesDiffer
            | Self::UnsupportedPrompt(_)
            | Self::Claims(_) => ErrorCode::InvalidRequest,
            Self::Member(violation) => violation.code,
            Self::Client(error) => error.code(),
            Self::RequestObject(_) | Self::Replayed => ErrorCode::InvalidRequestObject,
            Self::OpenidMissing | Self::UnknownScope(_) => ErrorCode::InvalidScope,
            Self::LoginRequired => ErrorCode::LoginRequired,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::LevelUnreachable => ErrorCode::AccessDenied,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// One ASCII line for the RP's developer.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Parameters(error) => error.to_string(),
            Self::Member(violation) => violation.description.clone(),
            Self::Client(error) => error.to_string(),
            Self::RequestObject(error) => format!("request object: {error}"),
            Self::RedirectUriMissing => "redirect_uri is missing".into(),
            Self::RedirectUriNotRegistered => {
                "redirect_uri is not one of the redirect_uris in the RP metadata; they are compared exactly".into()
            }
            Self::ScopesDiffer => "parameter scope differs from scope in the request object".into(),
            Self::ChallengesDiffer => {
                "parameter code_challenge differs from code_challenge in the request object".into()
            }
            Self::OpenidMissing => "scope must contain openid".into(),
            Self::UnknownScope(scope) => format!("scope {} is not supported", ascii(scope)),
            Self::UnsupportedPrompt(choices) => {
                format!("prompt must be one of: {}", choices.join(", "))
            }
            Self::LoginRequired => "prompt is none, but the user has to log in".into(),
            Self::ConsentRequired => "prompt is none, but the user has to consent".into(),
            Self::LevelUnreachable => {
                "acr_values: this provider cannot authenticate at any of the requested levels".into()
            }
            Self::Claims(what) => format!("claims: {what}"),
            Self::Replayed => {
                "request object: it was used before; send a new one for every login".into()
            }
            Self::Store(_) => "the provider cannot reach its database; try again".into(),
        }
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::Client(error) => match error.code() {
                ErrorCode::TemporarilyUnavailable if matches!(error, ClientError::Store(_)) => {
                    Trouble::Unavailable
                }
                ErrorCode::TemporarilyUnavailable => Trouble::RpUnreachable,
                ErrorCode::UnauthorizedClient => Trouble::RpNotAuthorized,
                _ => Trouble::UntrustedRp,
            },
            Self::RequestObject(_) => Trouble::UntrustedRp,
            Self::Replayed => Trouble::Replay,
            Self::Store(_) => Trouble::Unavailable,
            _ => Trouble::InvalidRequest,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::Member(violation) => format!("{} ({})", violation.description, violation.source),
            Self::Store(error) => error.to_string(),
            other => other.description(),
        }
    }
}

/// Foreign text on the wire: printable ASCII without quotes, shortened (RFC 6749 §4.1.2.1).
fn ascii(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic() && *c != '"' && *c != '\\')
        .take(60)
        .collect()
}

impl AuthorizationError {
    /// Nothing is known of where to send it: a page.
    #[must_use]
    pub fn before(fact: Fact) -> Self {
        Self {
            fact: Box::new(fact),
            client_id: None,
            destination: None,
        }
    }

    /// A page as well, but the log knows whom it is about.
    #[must_use]
    pub fn about(client_id: &ClientId, fact: Fact) -> Self {
        Self {
            fact: Box::new(fact),
            client_id: Some(client_id.clone()),
            destination: None,
        }
    }

    /// The RP is told, at a verified destination.
    #[must_use]
    pub fn after(destination: Destination, client_id: &ClientId, fact: Fact) -> Self {
        Self {
            fact: Box::new(fact),
            client_id: Some(client_id.clone()),
            destination: Some(destination),
        }
    }

    /// The fact.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.fact
    }

    pub(super) fn into_reply(self, op: &Provider, caller: &Caller) -> Reply {
        let code = self.fact.code();
        let description = self.fact.description();
        let outage = matches!(self.fact.trouble(), Trouble::Unavailable);
        let level = if outage {
            log::Level::Error
        } else {
            log::Level::Warn
        };
        let mut note = Note::refused(
            level,
            "authorization.refused",
            code,
            &*description,
            self.fact.reason(),
        );
        if let Some(client_id) = &self.client_id {
            note = note.with("client_id", client_id.as_str());
        }
        let reply = match &self.destination {
            Some(destination) if !outage => {
                answer::send(op, destination, Answer::Error(code, description))
            }
            _ => Reply::refusal(code, description, self.fact.trouble(), caller.wants_json),
        };
        reply.noted(note)
    }
}
