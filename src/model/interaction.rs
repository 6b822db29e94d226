use super::{
    AccountId, AuthorizationRequest, InteractionId, IssuerId, Methods, SecretHash, SessionId,
};
use crate::clock::UtcTime;
use serde::{Deserialize, Serialize};

/// One authorization request on its way: Started → (PartlyProven →) Authenticated → Answered.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// The key, part of page addresses.
    pub id: InteractionId,
    /// The issuer that was asked.
    pub issuer: IssuerId,
    /// Hash of the cookie of the browser that started it.
    pub browser: SecretHash,
    /// What was asked, verified.
    pub request: AuthorizationRequest,
    /// How far it has come.
    pub state: InteractionState,
    /// When it began.
    pub created_at: UtcTime,
    /// When it ends, answered or not.
    pub expires_at: UtcTime,
}

/// How far an interaction has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InteractionState {
    /// Nobody has logged in for it.
    Started,
    /// Somebody proved a part of what the level needs; nobody has logged in for it.
    PartlyProven(PartialProof),
    /// This session logged in; only it may consent.
    Authenticated {
        /// The session.
        session: SessionId,
    },
    /// The RP has its answer; nothing more can happen.
    Answered,
}

/// What was proven of a login that needs more. It lives on this side only: no page carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialProof {
    /// Who.
    pub account: AccountId,
    /// By which methods.
    pub methods: Methods,
    /// When the person proved it: for a session, when that began.
    pub authenticated_at: UtcTime,
    /// Until when it counts.
    pub until: UtcTime,
    /// The single sign-on session that proved it, which must still be alive; absent: it was proven for this login.
    pub session: Option<SessionId>,
    /// Hash of the stored password: a change of the password ends it.
    pub password: SecretHash,
}
