//! Signed and encrypted JSON (JWS, JWE, JWK): the only user of biscuit and of openssl's ciphers.
//!
//! ```text
//! incoming   token ─► Unverified::parse ─► verify(&KeySet, &Expectations) ─► Verified<C>
//!            token ─► decrypt(keys, allowed algorithms) ─► Decrypted{plaintext, cty}   (mostly a token again)
//! outgoing   sign(&SignHeader, claims, &PrivateKey)      encrypt(&EncryptHeader, &PublicKey, plaintext)
//! ```
//!
//! biscuit parses one JWK at a time and computes thumbprints; it never sees an incoming token, because it panics on
//! hostile ones (`exp` of `i64::MAX`, a key whose type does not fit) and ignores `crit`. openssl does every operation
//! on keys, with keys decoded once.
//!
//! - [`algorithm`]: the algorithms that exist here (RFC 7518). `none`, `HS*` and `RSA1_5` have no variant, so that no
//!   allow-list can contain them. One more algorithm: a variant there, what the compiler then asks for in `signature.rs`, `key_agreement.rs` or `content.rs`.
//! - [`json`]: parsing bounded in size and depth, duplicate members refused (RFC 7515 §4).
//! - [`jwks`]: public keys and key sets (RFC 7517), read key by key.
//! - [`mod@sign`], [`unverified`], [`verify`]: JWS (RFC 7515) and the claims of JWT (RFC 7519).
//! - [`mod@encrypt`], [`mod@decrypt`]: JWE compact serialization (RFC 7516).
//! - [`keyring`]: an issuer's own keys: next, current, retired; and their encryption at rest.

pub mod algorithm;
mod content;
pub mod decrypt;
pub mod encrypt;
mod error;
pub mod json;
mod jwk;
pub mod jwks;
mod key_agreement;
mod key_kind;
pub mod keyring;
mod registered_claims;
pub mod sign;
mod signature;
pub mod unverified;
pub mod verify;

#[cfg(test)]
mod tests;

pub use algorithm::{ContentEncryption, KeyManagementAlgorithm, SignatureAlgorithm};
pub use decrypt::{Decrypted, decrypt};
pub use encrypt::{EncryptHeader, encrypt};
pub use error::JoseError;
pub use json::{MAX_DEPTH, parse_bounded};
pub use jwks::{KeyKind, KeySet, KeyUse, PublicKey, SkippedKey};
pub use keyring::{KeyEncryptionKey, KeyState, Ring, RingKey, RingName};
pub use sign::{PrivateKey, SignHeader, sign};
pub use unverified::{Header, Unverified, shown};
pub use verify::{Authentic, Expectations, ExpiryRule, IssuedAtRule, TypRule, Verified};

/// base64url without padding (RFC 7515 §2), strict: no padding, no white space, no set trailing bits.
fn decode_base64url(text: &str, part: &'static str) -> Result<Vec<u8>, JoseError> {
    data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| JoseError::NotBase64Url(part))
}

fn encode_base64url(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}
