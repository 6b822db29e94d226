//! Why an RP is refused.

use crate::clock::UtcTime;
use crate::federation::{EntityIdError, TrustError, TrustErrorCode};
use crate::jose::JoseError;
use crate::model::ErrorCode;
use crate::profile::metadata::MisshapenMetadata;
use crate::profile::{MetadataFacts, Rule};
use crate::store::StoreError;
use crate::store::renewal::RenewalFailure;
use std::fmt;
use std::sync::Arc;

/// Why an RP is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no such client, and none can be found.
    #[error("client_id is not known to this provider")]
    Unknown,
    /// An operator switched it off.
    #[error("the relying party was disabled by the operator of this provider")]
    Disabled,
    /// It was known until its chain ended, which could not be renewed (SPID/CIE FE-4).
    #[error("{0}")]
    Ended(Arc<EndedChain>),
    /// An explicit registration has ended (OIDC Federation §12.2.6).
    #[error("the registration of this client expired on {}; it has to register again", .0.to_rfc3339())]
    RegistrationExpired(UtcTime),
    /// SPID/CIE FE-1.
    #[error("client_id {0}")]
    NotAnEntity(EntityIdError),
    /// The chain, a trust mark or a policy fails.
    #[error("{}", .0.description())]
    Trust(Arc<TrustError>),
    /// A metadata member has the wrong type.
    #[error("{0}")]
    Metadata(MisshapenMetadata),
    /// Final metadata breaks a rule of the profile (SPID/CIE FE-10).
    #[error("RP metadata: {}", .0.says)]
    Rule(&'static Rule<MetadataFacts>),
    /// The stored key set cannot be read.
    #[error("RP jwks: {0}")]
    Keys(Arc<JoseError>),
    /// The database failed.
    #[error("the provider cannot reach its database")]
    Store(Arc<StoreError>),
}

/// A trust chain that ended and what became of the attempts to renew it.
#[derive(Clone, Debug)]
pub struct EndedChain {
    /// When it ended.
    pub ended_at: UtcTime,
    /// How renewal in the background failed, if it did.
    pub failure: Option<RenewalFailure>,
    /// How the attempt failed that was made for this request, if one was made.
    pub refusal: Option<ClientError>,
}

impl fmt::Display for EndedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its trust chain ended at {}", self.ended_at.to_rfc3339())?;
        if let Some(failure) = &self.failure {
            write!(
                f,
                " and could not be renewed since {}",
                failure.since.to_rfc3339()
            )?;
        }
        match (&self.refusal, &self.failure) {
            (Some(refusal), _) => write!(f, ": {refusal}"),
            (None, Some(failure)) => write!(f, ": {}", failure.description),
            (None, None) => Ok(()),
        }
    }
}

impl From<StoreError> for ClientError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl ClientError {
    /// SPID/CIE FE-6.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown | Self::RegistrationExpired(_) | Self::NotAnEntity(_) | Self::Keys(_) => {
                ErrorCode::InvalidClient
            }
            Self::Ended(ended) => match &ended.refusal {
                Some(refusal) => refusal.code(),
                None => ErrorCode::InvalidClient,
            },
            Self::Disabled | Self::Metadata(_) => ErrorCode::UnauthorizedClient,
            Self::Rule(rule) => rule.code,
            Self::Trust(error) => match error.code() {
                TrustErrorCode::TemporarilyUnavailable => ErrorCode::TemporarilyUnavailable,
                TrustErrorCode::InvalidClient => ErrorCode::InvalidClient,
                TrustErrorCode::UnauthorizedClient => ErrorCode::UnauthorizedClient,
                TrustErrorCode::InvalidRequest => ErrorCode::InvalidRequest,
            },
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// The whole reason, for the log.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Trust(error) => error.reason(),
            Self::Rule(rule) => format!("{} ({})", rule.says, rule.source),
            Self::Store(error) => error.to_string(),
            Self::Ended(ended) => match &ended.refusal {
                Some(refusal) => format!("{ended} ({})", refusal.reason()),
                None => ended.to_string(),
            },
            other => other.to_string(),
        }
    }
}
