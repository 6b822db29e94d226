use super::{AccountId, InteractionId, SecretHash};
use crate::clock::UtcTime;

/// A login that waits for the identity provider's own authentication service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalLogin {
    /// Which login; it has at most one of these.
    pub interaction: InteractionId,
    /// What the service knows it by (RFC 8417 §2.2, `txn`); new with every attempt.
    pub transaction: String,
    /// Who is to confirm.
    pub account: AccountId,
    /// Hash of the cookie of the browser that began it.
    pub browser: SecretHash,
    /// The level that is asked for.
    pub level: String,
    /// The number that is shown here and there.
    pub number: String,
    /// How far it has come.
    pub state: ExternalState,
    /// What went wrong when the service was last asked.
    pub trouble: Option<ExternalTrouble>,
    /// How often it was asked.
    pub requests: i64,
    /// When it may be asked again.
    pub next_request_at: UtcTime,
    /// When it began.
    pub created_at: UtcTime,
    /// When nobody waits any longer.
    pub expires_at: UtcTime,
}

impl ExternalLogin {
    /// Whether the service does not answer at the moment.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(
            self.trouble,
            Some(ExternalTrouble::Unreachable | ExternalTrouble::Untrustworthy)
        )
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalState {
    /// Nobody has answered.
    Waiting,
    /// The person confirmed; the browser has not come for it yet.
    Approved,
    /// The person refused.
    Denied,
    /// The service does not know the person, or cannot reach them.
    Unavailable,
    /// The approval was spent, once.
    Redeemed,
}

/// What went wrong when the service was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalTrouble {
    /// No answer, or one that says that it cannot answer.
    Unreachable,
    /// An answer that proves nothing.
    Untrustworthy,
    /// An answer that says no, to somebody who has proven nothing yet: not even that is told.
    Refused,
}
