use super::{AuthorizationRequest, InteractionId, IssuerId, SecretHash, SessionId};
use crate::clock::UtcTime;

/// One authorization request on its way: Started → Authenticated → Answered.
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
    /// This session logged in; only it may consent.
    Authenticated {
        /// The session.
        session: SessionId,
    },
    /// The RP has its answer; nothing more can happen.
    Answered,
}
