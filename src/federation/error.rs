//! Why a relying party is not trusted: the fact, the link of the chain it belongs to, and the code it gets on the wire.

mod defect;

pub use defect::Defect;

use super::entity_id::EntityIdError;
use super::evaluation::Check;
use super::fetch::FetchError;
use super::metadata_policy::PolicyError;
use std::fmt;

/// The error codes of SPID/CIE FE-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustErrorCode {
    /// The chain could not be reached: later it may.
    TemporarilyUnavailable,
    /// The chain does not hold.
    InvalidClient,
    /// Policy or trust mark failure.
    UnauthorizedClient,
    /// The request itself is malformed.
    InvalidRequest,
}

impl TrustErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidRequest => "invalid_request",
        }
    }
}

/// The kinds of signed documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// What an entity says of itself.
    EntityConfiguration,
    /// What a superior says of a subordinate.
    SubordinateStatement,
    /// A relying party's `signed_jwks_uri`.
    SignedJwks,
}

impl DocumentKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntityConfiguration => "entity configuration",
            Self::SubordinateStatement => "subordinate statement",
            Self::SignedJwks => "signed_jwks_uri",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A document that does not hold: one link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} of {issuer} about {subject}: {fact}")]
pub struct BrokenLink {
    /// What it is.
    pub kind: DocumentKind,
    /// Who should have issued it.
    pub issuer: String,
    /// Whom it should be about.
    pub subject: String,
    /// Where it was fetched; none for a chain that came with the request.
    pub url: Option<String>,
    /// The header's `kid`.
    pub kid: Option<String>,
    /// What is wrong.
    pub fact: String,
    /// Of which kind it is.
    pub defect: Defect,
}

/// A trust mark that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("trust mark {mark_type} of {issuer}: {fact}")]
pub struct RefusedMark {
    /// Its type, as far as it is known.
    pub mark_type: String,
    /// Its issuer, as far as it is known.
    pub issuer: String,
    /// What is wrong.
    pub fact: String,
    /// Of which kind it is.
    pub defect: Defect,
    /// Whether only something unreachable stood in the way.
    pub temporary: bool,
    /// The check that it failed.
    pub check: Check,
}

/// Why a relying party is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Too many resolutions are under way.
    #[error("too many relying parties are being looked up, try again")]
    Busy,
    /// The whole resolution took too long.
    #[error("the trust chain of {subject} could not be resolved within {seconds} s")]
    TimedOut {
        /// The relying party.
        subject: String,
        /// The limit.
        seconds: u64,
    },
    /// A document could not be fetched.
    #[error("{document} at {error}")]
    Fetch {
        /// Which document, such as `entity configuration of https://rp.example.it`.
        document: String,
        /// Address and fact.
        error: FetchError,
    },
    /// A document does not hold.
    #[error("{0}")]
    BrokenLink(Box<BrokenLink>),
    /// An entity identifier is malformed.
    #[error("entity identifier {id} {fact}")]
    EntityId {
        /// The text.
        id: String,
        /// The rule it breaks.
        fact: EntityIdError,
    },
    /// No trust mark of a required type holds (SPID/CIE FE-1).
    #[error("no valid trust mark of {subject}: {}", marks(.required, .refused))]
    TrustMark {
        /// The relying party.
        subject: String,
        /// The trust anchor that takes none of its marks; `None` when there was none to show to any.
        anchor: Option<String>,
        /// The types of which one is needed.
        required: Vec<String>,
        /// The marks of these types, and why each was refused; empty when there is none.
        refused: Vec<RefusedMark>,
    },
    /// A metadata policy cannot be merged, or the metadata breaks it (SPID/CIE FE-3).
    #[error("metadata policy of {issuer}: {error}")]
    Policy {
        /// Whose policy; the anchor's for the merged one.
        issuer: String,
        /// Path, operator, reason.
        error: PolicyError,
    },
    /// A constraint of a superior is broken (SPID/CIE FE-2).
    #[error("constraint {constraint} of {issuer}: {fact}")]
    Constraint {
        /// Whose constraint.
        issuer: String,
        /// Its name, such as `max_path_length`.
        constraint: &'static str,
        /// What breaks it.
        fact: String,
    },
    /// The subject has no metadata of the needed entity type.
    #[error("{subject} has no metadata for {entity_type}")]
    EntityType {
        /// The relying party.
        subject: String,
        /// Such as `openid_relying_party`.
        entity_type: String,
    },
    /// A superior does not say where its statements are.
    #[error(
        "entity configuration of {entity}: metadata.federation_entity.federation_fetch_endpoint is missing"
    )]
    NoFetchEndpoint {
        /// The superior.
        entity: String,
    },
    /// No authority hints at all, in an entity that is no anchor.
    #[error("entity configuration of {entity}: authority_hints is missing or empty")]
    NoAuthorityHints {
        /// The entity.
        entity: String,
    },
    /// More authority hints than the limit.
    #[error(
        "entity configuration of {entity}: {found} authority_hints, at most {limit} are followed"
    )]
    TooManyHints {
        /// The entity.
        entity: String,
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// More fetches than the limit.
    #[error("the trust chain of {subject} needs more than {limit} fetches")]
    TooManyFetches {
        /// The relying party.
        subject: String,
        /// The limit.
        limit: usize,
    },
    /// All paths end before they reach a configured trust anchor, without an error.
    #[error("no authority_hints of {subject} lead to a configured trust anchor")]
    NoAnchor {
        /// The relying party.
        subject: String,
    },
    /// Several paths, each with its own failure.
    #[error("no path of {subject} to a configured trust anchor holds: {}", list(.failures))]
    NoPath {
        /// The relying party.
        subject: String,
        /// One failure a path, nearest first.
        failures: Vec<TrustError>,
    },
    /// A configured trust anchor cannot be used.
    #[error("trust anchor {anchor}: {fact}")]
    Anchor {
        /// The anchor.
        anchor: String,
        /// Why.
        fact: String,
    },
    /// The trust chain that came with the request does not lead from subject to anchor (SPID/CIE FE-5).
    #[error("header trust_chain: {0}")]
    ProvidedChain(String),
    /// The relying party's keys cannot be had (SPID/CIE FE-9).
    #[error("metadata {member} of {subject}: {fact}")]
    RpKeys {
        /// The relying party.
        subject: String,
        /// `jwks`, `jwks_uri` or `signed_jwks_uri`.
        member: &'static str,
        /// Why.
        fact: String,
        /// What made a fetch fail, for the log.
        cause: Option<String>,
        /// Whether it may work later.
        temporary: bool,
    },
}

impl TrustError {
    /// The code on the wire (SPID/CIE FE-6).
    #[must_use]
    pub fn code(&self) -> TrustErrorCode {
        use TrustErrorCode::{
            InvalidClient, InvalidRequest, TemporarilyUnavailable, UnauthorizedClient,
        };
        let unless_temporary = |temporary: bool, code| match temporary {
            true => TemporarilyUnavailable,
            false => code,
        };
        match self {
            Self::Busy | Self::TimedOut { .. } | Self::Anchor { .. } => TemporarilyUnavailable,
            Self::Fetch { error, .. } => unless_temporary(error.fact.is_temporary(), InvalidClient),
            Self::TrustMark { refused, .. } => {
                let temporary = refused.iter().any(|mark| mark.temporary);
                unless_temporary(temporary, UnauthorizedClient)
            }
            Self::RpKeys { temporary, .. } => unless_temporary(*temporary, InvalidClient),
            Self::Policy { .. } => UnauthorizedClient,
            Self::EntityId { .. } => InvalidRequest,
            Self::NoPath { failures, .. } => {
                let has = |code| failures.iter().any(|failure| failure.code() == code);
                if has(TemporarilyUnavailable) {
                    TemporarilyUnavailable
                } else if has(UnauthorizedClient) {
                    UnauthorizedClient
                } else {
                    InvalidClient
                }
            }
            Self::BrokenLink(_)
            | Self::Constraint { .. }
            | Self::EntityType { .. }
            | Self::NoFetchEndpoint { .. }
            | Self::NoAuthorityHints { .. }
            | Self::TooManyHints { .. }
            | Self::TooManyFetches { .. }
            | Self::NoAnchor { .. }
            | Self::ProvidedChain(_) => InvalidClient,
        }
    }

    /// Whether this says how much whoever asked has under way, and nothing of the relying party: what waits for a share of
    /// connections may run out of time for that alone. Not to be remembered, and nobody else's answer.
    #[must_use]
    pub const fn is_of_the_caller(&self) -> bool {
        matches!(self, Self::Busy | Self::TimedOut { .. })
    }

    /// With little of every text that others chose, and few of many failures: errors are kept for a while, and what they
    /// hold must not depend on who made them. The code stays what it is.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        let mut failures_left = FAILURES_MAX;
        self.bound(&mut failures_left);
        self
    }

    fn bound(&mut self, failures_left: &mut usize) {
        let code = self.code();
        match self {
            Self::Busy => {}
            Self::TimedOut { subject, .. }
            | Self::TooManyFetches { subject, .. }
            | Self::NoAnchor { subject } => cut(subject),
            Self::Fetch { document, error } => {
                cut(document);
                cut(&mut error.url);
                error.fact.texts().into_iter().for_each(cut);
            }
            Self::BrokenLink(link) => {
                cut(&mut link.issuer);
                cut(&mut link.subject);
                link.url.iter_mut().for_each(cut);
                link.kid.iter_mut().for_each(cut);
                cut(&mut link.fact);
            }
            Self::EntityId { id, .. } => cut(id),
            Self::TrustMark {
                subject, refused, ..
            } => {
                cut(subject);
                keep_few(refused, MARKS_MAX, |mark| mark.temporary);
                for mark in refused {
                    cut(&mut mark.mark_type);
                    cut(&mut mark.issuer);
                    cut(&mut mark.fact);
                }
            }
            Self::Policy { issuer, error } => {
                cut(issuer);
                cut(&mut error.path);
                cut(&mut error.operator);
                cut(&mut error.reason);
            }
            Self::Constraint { issuer, fact, .. } => {
                cut(issuer);
                cut(fact);
            }
            Self::EntityType {
                subject,
                entity_type,
            } => {
                cut(subject);
                cut(entity_type);
            }
            Self::NoFetchEndpoint { entity }
            | Self::NoAuthorityHints { entity }
            | Self::TooManyHints { entity, .. } => cut(entity),
            Self::NoPath { subject, failures } => {
                cut(subject);
                let kept = (*failures_left).max(1);
                keep_few(failures, kept, |failure| failure.code() == code);
                *failures_left = failures_left.saturating_sub(failures.len());
                for failure in failures {
                    failure.bound(failures_left);
                }
            }
            Self::Anchor { anchor, fact } => {
                cut(anchor);
                cut(fact);
            }
            Self::ProvidedChain(fact) => cut(fact),
            Self::RpKeys {
                subject,
                fact,
                cause,
                ..
            } => {
                cut(subject);
                cut(fact);
                cause.iter_mut().for_each(cut);
            }
        }
    }

    /// One line of printable ASCII without `"` and `\` that names the claim or the link, at most 300 characters: an
    /// `error_description` (RFC 6749 §5.2).
    #[must_use]
    pub fn description(&self) -> String {
        ascii_line(&self.to_string(), DESCRIPTION_MAX)
    }

    /// Everything that is known, for the log: which URL, which entity, which key id, which policy operator.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::BrokenLink(link) => {
                let url = link.url.as_deref().unwrap_or("the request's trust_chain");
                let kid = link.kid.as_deref().unwrap_or("none");
                format!("{link}; fetched from {url}, kid {kid}")
            }
            Self::Fetch { document, error } => format!("{document} at {}", error.reason()),
            Self::RpKeys {
                cause: Some(cause), ..
            } => format!("{self} ({cause})"),
            Self::NoPath { subject, failures } => {
                let reasons: Vec<String> = failures.iter().map(Self::reason).collect();
                format!("no path of {subject} holds: {}", reasons.join("; "))
            }
            other => other.to_string(),
        }
    }
}

const DESCRIPTION_MAX: usize = 300;
/// Characters of one text in an error.
const TEXT_MAX: usize = 200;
/// Failures in an error, those within its failures counted too.
const FAILURES_MAX: usize = 8;
/// Refused marks in an error.
const MARKS_MAX: usize = 4;

/// The beginning of a text that somebody else chose.
fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
        text.truncate(end);
        text.push_str("...");
        text.shrink_to_fit();
    }
}

/// The first `count`, and among them the first that decides, wherever it was.
fn keep_few<T>(list: &mut Vec<T>, count: usize, decides: impl Fn(&T) -> bool) {
    if let Some(found) = list.iter().position(decides).filter(|at| *at >= count) {
        list.swap(count.saturating_sub(1), found);
    }
    list.truncate(count);
    list.shrink_to_fit();
}

fn ascii_line(text: &str, max: usize) -> String {
    text.chars()
        .take(max)
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

fn list(failures: &[TrustError]) -> String {
    let all: Vec<String> = failures.iter().map(ToString::to_string).collect();
    all.join("; ")
}

fn marks(required: &[String], refused: &[RefusedMark]) -> String {
    if refused.is_empty() {
        return format!("trust_marks has none of {}", required.join(", "));
    }
    let all: Vec<String> = refused.iter().map(ToString::to_string).collect();
    all.join("; ")
}

#[cfg(test)]
mod tests;
