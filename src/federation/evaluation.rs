//! The whole evaluation of a relying party as data, for people who ask why it was refused: every document asked for, what
//! each says, what held and what did not. `varco rp check` and the page `/check` draw it.
//!
//! A [`Recorder`] writes it while a resolution runs; without one nothing is written and nothing is computed for it. What
//! it writes of a document is bounded: [`Evaluation::left_out`] counts what was too much.

mod check;
mod recorder;
mod verdicts;

pub use check::Check;
pub use recorder::Recorder;
pub(super) use recorder::{DocumentRead, MarkSeen};

use super::error::TrustError;
use crate::clock::UtcTime;
use crate::jose::KeySet;
use serde::Serialize;
use serde_json::{Map, Value};

/// What was looked at, in order, until the outcome was clear.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluation {
    /// Every document that was asked for.
    pub fetches: Vec<FetchRecord>,
    /// Every statement that was read, once each.
    pub statements: Vec<StatementRecord>,
    /// Every trust mark that was looked at, once for each anchor.
    pub trust_marks: Vec<MarkRecord>,
    /// Every path that was followed.
    pub paths: Vec<PathRecord>,
    /// Every policy operator of the path that was chosen, or else of the last one whose signatures held.
    pub policies: Vec<PolicyRecord>,
    /// The metadata that the subject declares, with what its immediate superior puts over it, by entity type.
    pub declared_metadata: Option<Map<String, Value>>,
    /// The metadata after the policies.
    pub final_metadata: Option<Map<String, Value>>,
    /// A failure that is remembered and answers the next request without another look; then there is nothing else here.
    pub remembered: Option<Remembered>,
    /// How many claims, values and records were left out because they were too large or too many.
    pub left_out: usize,
}

/// A failure that is remembered for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// When it happened.
    pub since: UtcTime,
    /// From then on the relying party is looked up again.
    pub until: UtcTime,
}

/// Whether an evaluation may use what is known already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// As the next request of the relying party would find it: caches are used, a remembered failure too.
    Cached,
    /// Everything is asked for anew, and what is learnt replaces what was known.
    Fresh,
}

/// One document that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct FetchRecord {
    /// Such as `entity configuration of https://rp.example.it`.
    pub what: String,
    /// Its address.
    pub url: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: FetchOutcome,
}

/// What came of asking for a document.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum FetchOutcome {
    /// It was fetched now.
    Fetched {
        /// HTTP status.
        status: u16,
        /// Header `Content-Type`.
        content_type: Option<String>,
        /// Bytes of the body.
        size_bytes: usize,
        /// Milliseconds.
        elapsed_ms: u64,
    },
    /// It was there already.
    Cached {
        /// Since when.
        since: UtcTime,
    },
    /// It could not be had.
    Failed {
        /// The reason, with its cause.
        reason: String,
        /// Milliseconds.
        elapsed_ms: u64,
    },
}

/// One check and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The name of a [`Check`]; or `attestation`: verified again with the keys that a superior attests; or the name of a
    /// constraint, such as `max_path_length`, in the statement that demands it.
    pub check: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, such as `verified with kid 2xQ…` or `expired 3 hours ago`.
    pub says: String,
}

/// One entity statement.
#[derive(Clone, Debug, Serialize)]
pub struct StatementRecord {
    /// `entity configuration`, `subordinate statement` or `signed_jwks_uri`.
    pub kind: &'static str,
    /// Who should have issued it.
    pub issuer: String,
    /// Whom it should be about.
    pub subject: String,
    /// Where it came from; none when it came with a request.
    pub url: Option<String>,
    /// Bytes of the statement.
    pub size_bytes: usize,
    /// The decoded header; null when it is no JWS or too large to be shown.
    pub header: Value,
    /// The decoded payload; null when it is no JWS or too large to be shown.
    pub claims: Value,
    /// The checks, in order; the first that does not hold ends them. Attestations and constraints come after, one for each
    /// path that needed them.
    pub verdicts: Vec<Verdict>,
}

/// One trust mark, as one anchor sees it.
#[derive(Clone, Debug, Serialize)]
pub struct MarkRecord {
    /// Its type, as far as it can be read.
    pub mark_type: String,
    /// Its issuer, as far as it can be read.
    pub issuer: String,
    /// The anchor whose lists of issuers and owners count; none: it was not brought before any.
    pub anchor: Option<String>,
    /// Whether the provider asks for a mark of this type.
    pub required: bool,
    /// The decoded payload; null when it cannot be read or is too large to be shown.
    pub claims: Value,
    /// The checks, in order; the first that does not hold is the last.
    pub verdicts: Vec<Verdict>,
}

/// One path from the subject upwards.
#[derive(Clone, Debug, Serialize)]
pub struct PathRecord {
    /// The entities, the subject first; ends at an anchor when `reaches_anchor`.
    pub entities: Vec<String>,
    /// Whether a configured trust anchor is at its end.
    pub reaches_anchor: bool,
    /// Whether it is the one that was used.
    pub chosen: bool,
    /// Why it does not hold.
    pub error: Option<String>,
}

/// One operator of a metadata policy and its effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyRecord {
    /// `entity_type.parameter`.
    pub path: String,
    /// Such as `subset_of`; two joined by `/` when they may not stand together.
    pub operator: String,
    /// Its value after merging; null when the policies cannot be merged.
    pub value: Value,
    /// Who put it there, from the anchor down.
    pub issuers: Vec<String>,
    /// The parameter before; none: absent.
    pub before: Option<Value>,
    /// The parameter after; none: absent.
    pub after: Option<Value>,
    /// Why the metadata fails it; none: it holds.
    pub error: Option<String>,
}

/// An evaluation with its end.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// What was looked at.
    pub evaluation: Evaluation,
    /// What came of it.
    pub outcome: Result<std::sync::Arc<super::Resolved>, TrustError>,
    /// The relying party's protocol keys, when its chain holds: fetched now if they are not inline.
    pub keys: Option<Result<KeySet, TrustError>>,
}

impl FetchOutcome {
    fn bounded(mut self) -> Self {
        match &mut self {
            Self::Fetched { content_type, .. } => {
                *content_type = content_type.as_deref().map(cut);
            }
            Self::Failed { reason, .. } => *reason = cut(reason),
            Self::Cached { .. } => {}
        }
        self
    }
}

/// Characters of a text that others chose: addresses, identifiers.
const TEXT_MAX: usize = 500;

/// The beginning of a text that somebody else chose.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
