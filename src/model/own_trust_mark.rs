use super::IssuerId;
use crate::clock::UtcTime;

/// A trust mark of one of our issuers that its mark issuer gave on request (OIDC Federation §8.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTrustMark {
    /// Whose it is.
    pub issuer: IssuerId,
    /// `trust_mark_type`.
    pub mark_type: String,
    /// Claim `iss`.
    pub mark_issuer: String,
    /// The mark in compact serialization.
    pub jwt: String,
    /// Claim `iat`.
    pub issued_at: UtcTime,
    /// Claim `exp`; none when it does not expire.
    pub expires_at: Option<UtcTime>,
    /// When it was given.
    pub obtained_at: UtcTime,
}
