use super::IssuerId;
use crate::clock::UtcTime;
use crate::jose::RingName;

/// A key as the database holds it: private part sealed with the key-encryption key.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// Whose.
    pub issuer: IssuerId,
    /// Of which ring.
    pub ring: RingName,
    /// `sig` or `enc`.
    pub usage: String,
    /// `RSA-2048`, `P-256` …
    pub kind: String,
    /// PKCS#8 DER, sealed (AES-256-GCM, the kid as associated data).
    pub sealed: Vec<u8>,
    /// Public JWK as JSON text.
    pub public_jwk: String,
    /// When it was made, and published.
    pub created_at: UtcTime,
    /// From when it signs.
    pub activates_at: UtcTime,
    /// From when it no longer signs.
    pub retired_at: Option<UtcTime>,
    /// From when nothing needs it: leaves the published sets, becomes a historical key.
    pub ends_at: Option<UtcTime>,
}
