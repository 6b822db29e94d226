use super::{ClientId, IssuerId};
use crate::clock::UtcTime;

/// A request that named a relying party and was refused. No personal data, and nothing that could be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reference that the answer carried (`X-Request-Id`, the error page).
    pub reference: String,
    /// Who refused.
    pub issuer: IssuerId,
    /// Whom the request named; nobody proved it.
    pub unverified_client_id: ClientId,
    /// When.
    pub refused_at: UtcTime,
    /// Where: `authorization.refused`.
    pub event: String,
    /// `error`, as answered.
    pub code: String,
    /// `error_description`, as answered.
    pub description: String,
    /// Everything that is known, as in the log.
    pub reason: String,
}

impl Refusal {
    /// The endpoint that refused: `authorization`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.event.strip_suffix(".refused").unwrap_or(&self.event)
    }
}
