//! What operators look into, which takes as long as others do: relying parties, and what superiors attest of us.

use crate::clock::UtcTime;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// The evaluation, everything asked for anew.
    Fresh,
    /// The evaluation, as the next login would see it.
    Cached,
    /// As fresh, of a relying party that is known: an operator wants logins to use what is found.
    Refresh,
    /// What the superiors of the issuer itself attest.
    Superiors,
}

/// A check of one relying party, or of the issuer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpCheck {
    /// The key.
    pub id: String,
    /// What is wanted.
    pub kind: CheckKind,
    /// The issuer's identifier.
    pub issuer: String,
    /// The relying party, as it was typed; of [`CheckKind::Superiors`] the issuer's own entity identifier.
    pub client_id: String,
    /// Who began it.
    pub actor: String,
    /// What was asked for so far, JSON.
    pub steps: String,
    /// What came of it, JSON.
    pub result: Option<String>,
    /// Until when the node that does it is alive, as far as others know.
    pub lease_until: UtcTime,
    /// When it began.
    pub created_at: UtcTime,
    /// When it ended.
    pub finished_at: Option<UtcTime>,
    /// When it is forgotten.
    pub expires_at: UtcTime,
}

impl RpCheck {
    /// Whether a node is at it.
    #[must_use]
    pub fn is_running(&self, now: UtcTime) -> bool {
        self.finished_at.is_none() && now < self.lease_until
    }
}
