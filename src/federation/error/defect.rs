//! Kinds of defects of signed documents.

use crate::clock::UtcTime;
use crate::jose::JoseError;

/// What kind of defect a signed document has: what there is to do about it depends on this, not on the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// `exp` has passed.
    Expired(UtcTime),
    /// `iat` or `nbf` is still to come.
    InFuture(UtcTime),
    /// The signature is not of the key.
    Signature,
    /// No key, or several, that could have signed it.
    UnknownKey,
    /// The algorithm is none that is accepted.
    Algorithm,
    /// `iss`, `sub` or `aud` is somebody else.
    Party,
    /// It cannot be read, or a member misses or is not understood.
    Form,
    /// The superior does not know the subordinate.
    NoMember,
    /// A trust mark whose issuer the anchor does not list for its type.
    Unlisted,
    /// A trust mark without the consent of its type's owner.
    Delegation,
    /// A trust mark that its issuer says is not active.
    Inactive,
    /// What is needed to verify it cannot be had.
    Unreachable,
}

impl From<&JoseError> for Defect {
    fn from(error: &JoseError) -> Self {
        match error {
            JoseError::Expired { at, .. } => Self::Expired(*at),
            JoseError::NotYetValid { at, .. } | JoseError::IssuedInFuture { at, .. } => {
                Self::InFuture(*at)
            }
            JoseError::SignatureMismatch => Self::Signature,
            JoseError::UnknownKey { .. }
            | JoseError::AmbiguousKey { .. }
            | JoseError::UnsuitableKey { .. }
            | JoseError::UnusableKey(_) => Self::UnknownKey,
            JoseError::UnsupportedAlgorithm { .. } | JoseError::AlgorithmNotAllowed { .. } => {
                Self::Algorithm
            }
            JoseError::WrongIssuer { .. }
            | JoseError::WrongSubject { .. }
            | JoseError::WrongAudience { .. } => Self::Party,
            JoseError::TooLarge { .. }
            | JoseError::TooDeep { .. }
            | JoseError::DuplicateMember(_)
            | JoseError::MalformedJson(_)
            | JoseError::NotBase64Url(_)
            | JoseError::WrongPartCount { .. }
            | JoseError::MalformedHeader { .. }
            | JoseError::MissingHeader(_)
            | JoseError::CriticalHeader(_)
            | JoseError::WrongType { .. }
            | JoseError::MalformedClaim { .. }
            | JoseError::MissingClaim(_)
            | JoseError::LifetimeTooLong { .. }
            | JoseError::Decryption
            | JoseError::Crypto(_) => Self::Form,
        }
    }
}
