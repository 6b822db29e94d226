//! The checks of signed documents, in the order in which they are made. Whoever knows at which one a document failed knows
//! that those before it held: verdicts are drawn from the one verification that there is, never made a second time.

use crate::jose::JoseError;

/// One check of a statement or a trust mark. The order is that of verification (see [`crate::jose`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// It can be read at all; a mark's types agree.
    Form,
    /// The anchor lets a mark's issuer issue its type.
    Listed,
    /// The anchor's word about the owner of a mark's type is understood.
    Owner,
    /// The keys of a mark's issuer can be had.
    IssuerKeys,
    /// `alg` is accepted.
    Algorithm,
    /// `typ` is the document's.
    Typ,
    /// There is one key that it names.
    Key,
    /// The signature is of that key.
    Signature,
    /// The payload is JSON within bounds.
    Payload,
    /// `iss`.
    Issuer,
    /// `sub`.
    Subject,
    /// `iat`, `nbf`, `exp`.
    Time,
    /// Claims have the types that they must have.
    Claims,
    /// `crit` names nothing that is not understood.
    Critical,
    /// A subordinate statement has no `authority_hints`.
    Hints,
    /// `jwks` has a usable key.
    Jwks,
    /// `constraints` can be read.
    Constraints,
    /// The configuration of a member of a chain states no policy.
    Policy,
    /// The owner of a mark's type lets its issuer issue it.
    Delegation,
    /// The issuer of a mark says that it is active.
    Status,
}

/// Those of an entity statement.
pub(super) const OF_STATEMENTS: [Check; 15] = [
    Check::Form,
    Check::Algorithm,
    Check::Typ,
    Check::Key,
    Check::Signature,
    Check::Payload,
    Check::Issuer,
    Check::Subject,
    Check::Time,
    Check::Claims,
    Check::Critical,
    Check::Hints,
    Check::Jwks,
    Check::Constraints,
    Check::Policy,
];

/// Those of a trust mark.
pub(super) const OF_MARKS: [Check; 14] = [
    Check::Form,
    Check::Listed,
    Check::Owner,
    Check::IssuerKeys,
    Check::Algorithm,
    Check::Typ,
    Check::Key,
    Check::Signature,
    Check::Payload,
    Check::Issuer,
    Check::Subject,
    Check::Time,
    Check::Delegation,
    Check::Status,
];

impl Check {
    /// Its name in a [`super::Verdict`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Listed => "listed issuer",
            Self::Owner => "owner",
            Self::IssuerKeys => "issuer keys",
            Self::Algorithm => "alg",
            Self::Typ => "typ",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Payload => "payload",
            Self::Issuer => "iss",
            Self::Subject => "sub",
            Self::Time => "time",
            Self::Claims => "claims",
            Self::Critical => "crit",
            Self::Hints => "authority_hints",
            Self::Jwks => "jwks",
            Self::Constraints => "constraints",
            Self::Policy => "metadata_policy",
            Self::Delegation => "delegation",
            Self::Status => "status",
        }
    }

    /// The check that a JWS failed once it was taken apart; `json` is what its JSON was read for.
    #[must_use]
    pub fn failed_by(error: &JoseError, json: Self) -> Self {
        match error {
            JoseError::UnsupportedAlgorithm { .. } | JoseError::AlgorithmNotAllowed { .. } => {
                Self::Algorithm
            }
            JoseError::WrongType { .. } => Self::Typ,
            JoseError::MissingHeader(_)
            | JoseError::UnknownKey { .. }
            | JoseError::AmbiguousKey { .. }
            | JoseError::UnsuitableKey { .. }
            | JoseError::UnusableKey(_) => Self::Key,
            JoseError::SignatureMismatch | JoseError::Decryption | JoseError::Crypto(_) => {
                Self::Signature
            }
            JoseError::TooLarge { .. }
            | JoseError::TooDeep { .. }
            | JoseError::DuplicateMember(_)
            | JoseError::MalformedJson(_) => json,
            JoseError::NotBase64Url(_)
            | JoseError::WrongPartCount { .. }
            | JoseError::MalformedHeader { .. }
            | JoseError::CriticalHeader(_) => Self::Form,
            JoseError::WrongIssuer { .. } => Self::Issuer,
            JoseError::WrongSubject { .. } => Self::Subject,
            JoseError::WrongAudience { .. } => Self::Subject,
            JoseError::Expired { .. }
            | JoseError::NotYetValid { .. }
            | JoseError::IssuedInFuture { .. }
            | JoseError::LifetimeTooLong { .. } => Self::Time,
            JoseError::MissingClaim(name) | JoseError::MalformedClaim { name, .. } => {
                Self::of_claim(name)
            }
        }
    }

    fn of_claim(name: &str) -> Self {
        match name {
            "iss" => Self::Issuer,
            "sub" => Self::Subject,
            "iat" | "nbf" | "exp" => Self::Time,
            "jwks" => Self::Jwks,
            _ => Self::Claims,
        }
    }
}
