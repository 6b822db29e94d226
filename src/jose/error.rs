//! What can be wrong with a token, a key or a key set.

use crate::clock::UtcTime;
use std::fmt::Write;

/// A fact about a token, a key or a key set. `Display` is one line of printable ASCII without `"` and `\`, fit for an
/// OAuth `error_description` (RFC 6749 §5.2); foreign text in it is shortened to 120 characters. The fields hold the
/// foreign text as it came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// More bytes than the limit.
    #[error("{found} bytes exceed the limit of {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: usize,
        /// Bytes.
        found: usize,
    },
    /// JSON nested deeper than the limit.
    #[error("JSON is nested deeper than {limit} levels")]
    TooDeep {
        /// Levels of objects and arrays.
        limit: usize,
    },
    /// An object with two members of one name (RFC 7515 §4), or an extra header member that is set already.
    #[error("duplicate JSON member {}", ascii(.0))]
    DuplicateMember(String),
    /// Not JSON, or JSON of another shape; holds what the parser says.
    #[error("malformed JSON: {}", ascii(.0))]
    MalformedJson(String),
    /// A part that is not unpadded base64url (RFC 7515 §2).
    #[error("{0} is not base64url without padding")]
    NotBase64Url(&'static str),
    /// Not the compact serialization: wrong number of parts between full stops.
    #[error("the token has {found} parts separated by full stops, expected {expected}")]
    WrongPartCount {
        /// Three for a JWS, five for a JWE.
        expected: usize,
        /// Counted up to a bound.
        found: usize,
    },
    /// A header member of the wrong type.
    #[error("header {name} is not {expected}")]
    MalformedHeader {
        /// The header member.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A header member that must be there and is not.
    #[error("header {0} is missing")]
    MissingHeader(&'static str),
    /// `crit`, `b64` or `zip`: extensions that are not supported and must not be ignored (RFC 7515 §4.1.11).
    #[error("header {0} is not supported")]
    CriticalHeader(&'static str),
    /// `typ` is another one (explicit typing, RFC 8725 §3.11).
    #[error("header typ is {}, expected {}", or_absent(.found.as_deref()), ascii(.expected))]
    WrongType {
        /// The accepted values.
        expected: String,
        /// The header's value.
        found: Option<String>,
    },
    /// An `alg` or `enc` that does not exist here: `none`, `HS256`, `RSA1_5`, EdDSA, an invented one.
    #[error("algorithm {} is not supported", ascii(.found))]
    UnsupportedAlgorithm {
        /// The header's value.
        found: String,
    },
    /// An algorithm that exists here but is not accepted for this token.
    #[error("algorithm {found} is not accepted here, expected {expected}")]
    AlgorithmNotAllowed {
        /// The accepted names.
        expected: String,
        /// The header's value.
        found: &'static str,
    },
    /// No key of this `kid` in the set.
    #[error("no key with kid {}", ascii(.kid))]
    UnknownKey {
        /// The header's value.
        kid: String,
    },
    /// No `kid` in the header, and the set has no key, or several, that could be meant.
    #[error("header kid is missing and {suitable} keys could be meant")]
    AmbiguousKey {
        /// How many keys fit.
        suitable: usize,
    },
    /// The key does not fit the algorithm: type, curve, `use` or `alg` differ.
    #[error("key {} does not fit algorithm {algorithm}", or_absent(.kid.as_deref()))]
    UnsuitableKey {
        /// The key's `kid`.
        kid: Option<String>,
        /// The algorithm asked for.
        algorithm: &'static str,
    },
    /// A key that cannot be used at all.
    #[error("unusable key: {0}")]
    UnusableKey(&'static str),
    /// The signature is not of this key.
    #[error("the signature does not match")]
    SignatureMismatch,
    /// A claim of the wrong type.
    #[error("claim {name} is not {expected}")]
    MalformedClaim {
        /// The claim.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A claim that must be there and is not.
    #[error("claim {0} is missing")]
    MissingClaim(&'static str),
    /// `exp` has passed.
    #[error("claim exp {} has passed, it is {now} now", .at.0, now = .now.0)]
    Expired {
        /// `exp`, or what stands for it.
        at: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
    /// `nbf` is still to come.
    #[error("claim nbf {} is in the future, it is {now} now", .at.0, now = .now.0)]
    NotYetValid {
        /// `nbf`.
        at: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
    /// `iat` is still to come.
    #[error("claim iat {} is in the future, it is {now} now", .at.0, now = .now.0)]
    IssuedInFuture {
        /// `iat`.
        at: UtcTime,
        /// The time of the check.
        now: UtcTime,
    },
    /// From `iat` (or now) to `exp` is longer than allowed.
    #[error("claim exp is {seconds} seconds after the issue, at most {limit} are accepted")]
    LifetimeTooLong {
        /// Seconds accepted.
        limit: i64,
        /// Seconds found.
        seconds: i64,
    },
    /// `iss` is another one.
    #[error("claim iss is {}, expected {}", ascii(.found), ascii(.expected))]
    WrongIssuer {
        /// The issuer asked for.
        expected: String,
        /// The claim.
        found: String,
    },
    /// `sub` is another one.
    #[error("claim sub is {}, expected {}", ascii(.found), ascii(.expected))]
    WrongSubject {
        /// The subject asked for.
        expected: String,
        /// The claim.
        found: String,
    },
    /// `aud` contains none of the accepted values.
    #[error("claim aud is {}, expected {}", ascii(.found), ascii(.expected))]
    WrongAudience {
        /// The accepted values, separated by `, `.
        expected: String,
        /// The claim's values, separated by `, `.
        found: String,
    },
    /// Decryption failed. Every cause gives this one value, so that the answer tells an attacker nothing (RFC 7516 §11.5).
    #[error("decryption failed")]
    Decryption,
    /// openssl refused an operation on our own keys; the cause is for the log.
    #[error("cryptographic operation failed")]
    Crypto(String),
}

impl From<openssl::error::ErrorStack> for JoseError {
    fn from(stack: openssl::error::ErrorStack) -> Self {
        Self::Crypto(stack.to_string())
    }
}

const FOREIGN_TEXT_CHARACTERS: usize = 120;

/// Foreign text made harmless: printable ASCII without `"` and `\` (RFC 6749 §5.2), at most 120 characters.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(FOREIGN_TEXT_CHARACTERS));
    let mut characters = text.chars();
    for character in characters.by_ref().take(FOREIGN_TEXT_CHARACTERS) {
        out.push(match character {
            '"' => '\'',
            ' '..='[' | ']'..='~' => character,
            _ => '?',
        });
    }
    if characters.next().is_some() {
        out.truncate(FOREIGN_TEXT_CHARACTERS.saturating_sub(3));
        out.push_str("...");
    }
    if out.is_empty() {
        out.push_str("empty");
    }
    out
}

fn or_absent(text: Option<&str>) -> String {
    text.map_or_else(|| "absent".to_owned(), ascii)
}

/// `a, b, c`, cut where the message would be cut anyway: an `aud` of thousands of values is not copied.
pub(super) fn listing<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for value in values {
        let separator = if out.is_empty() { "" } else { ", " };
        let shortened: String = value.chars().take(FOREIGN_TEXT_CHARACTERS).collect();
        // Writing to a String cannot fail.
        let _ = write!(out, "{separator}{shortened}");
        if out.len() > 2 * FOREIGN_TEXT_CHARACTERS {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_short_line_of_ascii() {
        let kid = format!("a\"b\\c\r\nd\u{202e}è{}", "x".repeat(500));
        let message = JoseError::UnknownKey { kid }.to_string();
        assert!(
            message.starts_with("no key with kid a'b?c??d??xxx"),
            "{message}"
        );
        assert!(message.ends_with("xxx..."));
        assert!(message.len() < 140);
    }

    #[test]
    fn messages_name_what_was_found_and_what_was_expected() {
        let error = JoseError::WrongAudience {
            expected: listing(["https://op", "https://op/token"]),
            found: listing([]),
        };
        assert_eq!(
            error.to_string(),
            "claim aud is empty, expected https://op, https://op/token"
        );
    }
}
