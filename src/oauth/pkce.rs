//! PKCE (RFC 7636), method S256 only.

use crate::secret;
use data_encoding::BASE64URL_NOPAD;

/// Whether `verifier` is what `challenge` was made of (RFC 7636 §4.6).
#[must_use]
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    secret::equal(challenge_of(verifier).as_bytes(), challenge.as_bytes())
}

/// `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
#[must_use]
pub fn challenge_of(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&secret::sha256(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_verifies() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(verifier, challenge));
        assert!(!verifies(&verifier.replace('d', "e"), challenge));
    }
}
