//! Random values: the only module that asks openssl for random bytes.

use data_encoding::BASE64URL_NOPAD;

/// Fills an array with random bytes from openssl's generator.
///
/// # Panics
/// When the operating system gives no randomness: nothing this program does is safe then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    fill(&mut out);
    out
}

/// As [`bytes`], with a length known at run time.
#[must_use]
pub fn byte_vec(length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    fill(&mut out);
    out
}

/// 256 random bits as 43 base64url characters: codes, cookies, session ids.
#[must_use]
pub fn token() -> String {
    BASE64URL_NOPAD.encode(&bytes::<32>())
}

/// 128 random bits as 22 base64url characters: row keys that are no secret. People copy them into commands, so that none
/// begins with a hyphen, as options do.
#[must_use]
pub fn identifier() -> String {
    loop {
        let drawn = BASE64URL_NOPAD.encode(&bytes::<16>());
        if !drawn.starts_with('-') {
            return drawn;
        }
    }
}

/// A version 4 UUID (RFC 9562), the form SPID/CIE TK-4 asks of `jti`.
#[must_use]
pub fn uuid4() -> String {
    uuid::Builder::from_random_bytes(bytes())
        .into_uuid()
        .to_string()
}

fn fill(out: &mut [u8]) {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the one place that asks for randomness; without it the process must stop"
    )]
    openssl::rand::rand_bytes(out).expect("the system's random generator works");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_no_option_of_a_command() {
        // One in 64 would be.
        for _ in 0..4_096 {
            let drawn = identifier();
            assert_eq!(drawn.len(), 22);
            assert!(!drawn.starts_with('-'), "{drawn}");
        }
    }
}
