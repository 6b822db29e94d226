//! Why a registration is refused, and how that is said (OIDC Federation §12.2.4, §8.9, OIDC Registration §3.3).

use crate::clock::UtcTime;
use crate::endpoint::Reply;
use crate::federation::{EntityId, TrustError};
use crate::jose::JoseError;
use crate::model::ErrorCode;
use crate::oauth::documents::DocumentError;
use crate::provider::ClientError;
use crate::store::StoreError;

/// The fact.
#[derive(Debug)]
pub enum Fact {
    /// POST only.
    NotPost,
    /// There is no body.
    Empty,
    /// The posted chain is no array of texts.
    Chain(JoseError),
    /// The entity configuration cannot be read.
    Statement(JoseError),
    /// Its header's `typ` is another.
    Typ,
    /// A claim is missing or misshapen.
    Claim(&'static str, &'static str),
    /// `sub` is no entity identifier.
    Subject(String),
    /// `iss` and `sub` differ.
    PartiesDiffer,
    /// It was issued longer ago than a request is taken.
    Stale,
    /// `aud` is not this issuer alone.
    Audience(String),
    /// `peer_trust_chain` without `trust_chain`, or beside a posted chain.
    LonePeerChain,
    /// The chain about this issuer does not hold.
    PeerChain(ClientError),
    /// The RP is not trusted, or may not be registered.
    Client(ClientError),
    /// The chain's superior is not one of `authority_hints`.
    Superior(String),
    /// The chain holds within the clocks' tolerance only.
    Ended(UtcTime),
    /// A redirect URI cannot be used.
    RedirectUri(&'static str),
    /// Another member of the metadata cannot be registered.
    Metadata(String),
    /// The request was used before.
    Replayed,
    /// A later request was used before.
    Older,
    /// The RP is registered through another superior, which does not attest the key of this request.
    OtherSuperior {
        /// The superior of the registration.
        superior: String,
        /// When the registration ends.
        until: UtcTime,
    },
    /// The operator registered this RP by hand.
    OperatorsOwn,
    /// The registration is kept, but could not be answered.
    Signing(DocumentError),
    /// The database failed.
    Store(StoreError),
}

/// A refusal, and whom it is about, as far as that was said.
#[derive(Debug)]
pub struct RegistrationError {
    unverified_subject: Option<EntityId>,
    fact: Box<Fact>,
}

impl From<Fact> for RegistrationError {
    fn from(fact: Fact) -> Self {
        Self {
            unverified_subject: None,
            fact: Box::new(fact),
        }
    }
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Fact::Store(error).into()
    }
}

impl Fact {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotPost
            | Self::Empty
            | Self::Chain(_)
            | Self::Statement(_)
            | Self::Typ
            | Self::Claim(_, _)
            | Self::Subject(_)
            | Self::PartiesDiffer
            | Self::Stale
            | Self::Audience(_)
            | Self::LonePeerChain
            | Self::Replayed
            | Self::Older => ErrorCode::InvalidRequest,
            Self::Superior(_) | Self::Ended(_) => ErrorCode::InvalidTrustChain,
            Self::OtherSuperior { .. } | Self::OperatorsOwn => ErrorCode::InvalidClient,
            Self::RedirectUri(_) => ErrorCode::InvalidRedirectUri,
            Self::Metadata(_) => ErrorCode::InvalidClientMetadata,
            Self::Client(error) | Self::PeerChain(error) => code_of(error),
            Self::Signing(_) => ErrorCode::ServerError,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// One ASCII line for the RP's developer.
    fn description(&self) -> String {
        match self {
            Self::NotPost => "this endpoint takes POST only".into(),
            Self::Empty => "the body must be the RP's entity configuration, or a trust chain that begins with it".into(),
            Self::Chain(error) => format!("the body must be a JSON array of entity statements: {error}"),
            Self::Statement(error) => format!("entity configuration: {error}"),
            Self::Typ => "entity configuration: the header typ must be entity-statement+jwt".into(),
            Self::Claim(name, must) => format!("entity configuration: claim {name} {must}"),
            Self::Subject(what) => format!("entity configuration: sub {what}"),
            Self::PartiesDiffer => "entity configuration: iss and sub must be the same".into(),
            Self::Stale => "entity configuration: iat must be less than a day ago; sign a new one".into(),
            Self::Audience(own) => format!("entity configuration: aud must be {own} and nothing else"),
            Self::LonePeerChain => "header peer_trust_chain goes with the header trust_chain, and never with a posted trust chain".into(),
            Self::PeerChain(error) => format!("header peer_trust_chain: {error}"),
            Self::Client(error) => error.to_string(),
            Self::Superior(superior) => format!("the trust chain leads through {superior}, which is not one of authority_hints"),
            Self::Ended(end) => format!("the trust chain ended on {}", end.to_rfc3339()),
            Self::RedirectUri(must) => (*must).into(),
            Self::Metadata(what) => format!("RP metadata: {what}"),
            Self::Replayed => "this registration request was used before; sign a new one".into(),
            Self::Older => "a later registration request was used before; sign a new one".into(),
            Self::OtherSuperior { superior, until } => format!("this relying party is registered through {superior} until {}: through another superior, sign with a federation key that {superior} attested", until.to_rfc3339()),
            Self::OperatorsOwn => "this relying party was registered by the operator of this provider".into(),
            Self::Signing(_) => "the registration could not be signed".into(),
            Self::Store(_) => "the provider cannot reach its database; try again".into(),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::PeerChain(error) => format!("header peer_trust_chain: {}", error.reason()),
            Self::Signing(error) => error.to_string(),
            Self::Store(error) => error.to_string(),
            other => other.description(),
        }
    }
}

fn code_of(error: &ClientError) -> ErrorCode {
    match error {
        ClientError::Trust(error) => code_of_trust(error),
        ClientError::Metadata(_) | ClientError::Rule(_) | ClientError::Keys(_) => {
            ErrorCode::InvalidClientMetadata
        }
        ClientError::Unknown
        | ClientError::Disabled
        | ClientError::RegistrationExpired(_)
        | ClientError::Ended(_)
        | ClientError::NotAnEntity(_) => ErrorCode::InvalidClient,
        ClientError::Store(_) => ErrorCode::TemporarilyUnavailable,
    }
}

/// What cannot be reached was named by the request: only our own trouble, and our anchor's, is temporary.
fn code_of_trust(error: &TrustError) -> ErrorCode {
    match error {
        TrustError::Busy | TrustError::Anchor { .. } => ErrorCode::TemporarilyUnavailable,
        TrustError::TrustMark { .. } => ErrorCode::InvalidClient,
        TrustError::Policy { .. } => ErrorCode::InvalidMetadata,
        TrustError::EntityType { .. } | TrustError::RpKeys { .. } => {
            ErrorCode::InvalidClientMetadata
        }
        TrustError::NoPath { failures, .. } => {
            let codes: Vec<ErrorCode> = failures.iter().map(code_of_trust).collect();
            [
                ErrorCode::TemporarilyUnavailable,
                ErrorCode::InvalidMetadata,
                ErrorCode::InvalidClient,
            ]
            .into_iter()
            .find(|code| codes.contains(code))
            .unwrap_or(ErrorCode::InvalidTrustChain)
        }
        TrustError::TimedOut { .. }
        | TrustError::Fetch { .. }
        | TrustError::BrokenLink(_)
        | TrustError::EntityId { .. }
        | TrustError::Constraint { .. }
        | TrustError::NoFetchEndpoint { .. }
        | TrustError::NoAuthorityHints { .. }
        | TrustError::TooManyHints { .. }
        | TrustError::TooManyFetches { .. }
        | TrustError::NoAnchor { .. }
        | TrustError::ProvidedChain(_) => ErrorCode::InvalidTrustChain,
    }
}

impl RegistrationError {
    pub(super) fn about(subject: &EntityId, fact: Fact) -> Self {
        Self {
            unverified_subject: Some(subject.clone()),
            fact: Box::new(fact),
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        let fact = &*self.fact;
        let description = ascii(&fact.description());
        let reply = Reply::refused(
            "registration.refused",
            fact.code(),
            &description,
            fact.reason(),
        );
        let reply = match &self.unverified_subject {
            Some(subject) => reply.noted_also("client_id", subject.as_str()),
            None => reply,
        };
        if matches!(fact, Fact::NotPost) {
            return reply.only_by("POST");
        }
        reply
    }
}

/// `error_description` (RFC 6749 §5.2); it may quote what a stranger wrote.
fn ascii(text: &str) -> String {
    text.chars()
        .take(400)
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}
