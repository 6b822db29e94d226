//! The error page.

use super::{Link, Page};
use serde::Serialize;

/// Says in plain words what happened and what to do next, with the reference that finds the log line.
#[derive(Clone, Debug, Serialize)]
pub struct RefusalPage {
    /// Chooses the explanation.
    pub kind: RefusalKind,
    /// The error code for developers (`invalid_request`); empty when there is none.
    pub error: String,
    /// Its ASCII description in English, for developers; empty when there is none.
    pub error_description: String,
    /// The reference that finds the log line.
    pub reference: String,
    /// Where the developers of the relying party see more of it (development only).
    pub check_url: Option<String>,
    /// Where to try again.
    pub retry_url: Option<String>,
    /// Back to the relying party, when its address is verified.
    pub back_to_rp: Option<Link>,
}

impl Page for RefusalPage {
    const TEMPLATE: &'static str = "refusal.html";
}

/// What happened, as far as the visitor is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The relying party's request is wrong.
    InvalidRequest,
    /// The relying party is not a member of a federation that is trusted here (chain invalid).
    UntrustedRp,
    /// The relying party or its federation did not answer.
    RpUnreachable,
    /// The relying party is known but may not do this (trust mark, policy, disabled).
    RpNotAuthorized,
    /// The same request was presented twice.
    Replay,
    /// The browser's cookie is gone.
    LostCookie,
    /// The login took too long.
    InteractionExpired,
    /// The login was already answered, perhaps in another tab or by the "back" button.
    AlreadyAnswered,
    /// No such page.
    NotFound,
    /// The operator's role does not allow it.
    Forbidden,
    /// The request's method does not fit the address.
    MethodNotAllowed,
    /// Too many requests at once.
    ServerBusy,
    /// Something is broken here.
    ServerError,
    /// The form was not made for this browser, or its token is too old.
    CsrfMismatch,
    /// What was sent is too large.
    TooLarge,
    /// The database does not answer.
    DatabaseDown,
    /// The account has no means for the level that the relying party asks for.
    LevelNotReachable,
}

impl RefusalKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::InvalidRequest,
        Self::UntrustedRp,
        Self::RpUnreachable,
        Self::RpNotAuthorized,
        Self::Replay,
        Self::LostCookie,
        Self::InteractionExpired,
        Self::AlreadyAnswered,
        Self::NotFound,
        Self::Forbidden,
        Self::MethodNotAllowed,
        Self::ServerBusy,
        Self::ServerError,
        Self::CsrfMismatch,
        Self::TooLarge,
        Self::DatabaseDown,
        Self::LevelNotReachable,
    ];
}
