//! What can go wrong in the demonstration.

use crate::jose::JoseError;
use std::path::PathBuf;

/// What went wrong. `Display` is plain English for the developer who looks at the demonstration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemoError {
    /// The base URL is not `http(s)://host[:port]` without path.
    #[error("the base URL `{0}` is not http(s)://host[:port] without a path")]
    BaseUrl(String),
    /// A key file cannot be used.
    #[error("key file {}: {reason}", path.display())]
    KeyFile {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of the data folder cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key, a token or a key set is wrong.
    #[error("{0}")]
    Jose(#[from] JoseError),
    /// A token is wrong, with its kind.
    #[error("{token}: {source}")]
    Token {
        /// `id_token`, `userinfo` …
        token: &'static str,
        /// The fact.
        source: JoseError,
    },
    /// A claim of a token, or a member of an answer, is missing or of the wrong type.
    #[error("{token}: {claim} is missing or not {expected}")]
    Missing {
        /// `id_token`, `token response`, `provider metadata` …
        token: &'static str,
        /// The claim or member.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A claim differs from what the relying party asked for.
    #[error("{token}: {claim} is `{found}`, expected `{expected}`")]
    Mismatch {
        /// `id_token`, `authorization response`, `userinfo` …
        token: &'static str,
        /// The claim or parameter.
        claim: &'static str,
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// The provider answered with an error (RFC 6749 §4.1.2.1, §5.2).
    #[error("the provider answered {error}: {description}")]
    Refused {
        /// `error`
        error: String,
        /// `error_description`; may be empty.
        description: String,
    },
    /// An HTTP exchange failed.
    #[error("{url}: {reason}")]
    Http {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A metadata policy refuses the metadata, or cannot be merged.
    #[error("metadata policy: {0}")]
    Policy(String),
}

impl DemoError {
    pub(super) fn token(token: &'static str) -> impl Fn(JoseError) -> Self {
        move |source| Self::Token { token, source }
    }
}
