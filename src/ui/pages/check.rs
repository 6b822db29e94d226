//! `/check`: why a relying party is accepted or refused (development only). The technical texts are English.

use super::Page;
use serde::Serialize;

/// The form, and what came of the last check.
#[derive(Clone, Debug, Serialize)]
pub struct CheckPage {
    /// Where the form posts to.
    pub action_url: String,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// What is in the field.
    pub entity_id: String,
    /// What came of it.
    pub result: Option<CheckView>,
    /// The refusal whose reference was asked for.
    pub kept: Option<KeptView>,
    /// A reference was asked for, and is not kept.
    pub unknown_reference: bool,
    /// The last refusals of the relying party, the newest first.
    pub last: Vec<KeptView>,
}

/// A refusal of before.
#[derive(Clone, Debug, Serialize)]
pub struct KeptView {
    /// Its reference.
    pub reference: String,
    /// Where it is shown by itself.
    pub url: String,
    /// When.
    pub refused_at: i64,
    /// `authorization`, `token`, ….
    pub endpoint: String,
    /// Whom the request named.
    pub client_id: String,
    /// Error and description, as answered.
    pub answered: String,
    /// Everything that is known.
    pub reason: String,
}

impl Page for CheckPage {
    const TEMPLATE: &'static str = "check.html";
}

/// A relying party, examined.
#[derive(Clone, Debug, Serialize)]
pub struct CheckView {
    /// Whether it would be accepted now.
    pub accepted: bool,
    /// What happened.
    pub what: String,
    /// Why a renewal would fail of what is accepted for now.
    pub renewal: Option<String>,
    /// What to change; none when nothing fails.
    pub change: Option<String>,
    /// That there are other failures.
    pub others: Option<String>,
    /// The error code and everything that is known, for the log.
    pub reason: Option<String>,
    /// When.
    pub checked_at: i64,
    /// Until when the chain holds.
    pub expires_at: Option<i64>,
    /// What is kept of it.
    pub known: Option<KnownView>,
    /// Since when and until when the failure is remembered: nothing was looked at.
    pub remembered: Option<(i64, i64)>,
    /// How many records were left out because they were too large or too many.
    pub left_out: usize,
    /// Every path upwards.
    pub paths: Vec<PathView>,
    /// Every document asked for.
    pub fetches: Vec<FetchView>,
    /// Every statement.
    pub statements: Vec<DocumentView>,
    /// Every trust mark.
    pub marks: Vec<DocumentView>,
    /// Every policy operator.
    pub policies: Vec<PolicyView>,
    /// The metadata after the policies, pretty-printed.
    pub metadata: Option<String>,
    /// How many rows of the report have each verdict, the worst first.
    pub counts: Vec<(&'static str, usize)>,
    /// The report, the worst rows first.
    pub report: Vec<RowView>,
}

/// What is kept of a relying party.
#[derive(Clone, Debug, Serialize)]
pub struct KnownView {
    /// `federation`, `explicit` or `registered`.
    pub origin: &'static str,
    /// Whether an operator lets it in.
    pub enabled: bool,
    /// When its chain was resolved.
    pub resolved_at: Option<i64>,
    /// Until when it counts.
    pub expires_at: Option<i64>,
}

/// One path, the anchor first.
#[derive(Clone, Debug, Serialize)]
pub struct PathView {
    /// Whether it is the one that was used.
    pub chosen: bool,
    /// Whether it holds.
    pub holds: bool,
    /// The entities from the top down.
    pub nodes: Vec<NodeView>,
    /// Why it does not hold.
    pub error: Option<String>,
}

/// One entity of a path.
#[derive(Clone, Debug, Serialize)]
pub struct NodeView {
    /// Its identifier.
    pub entity: String,
    /// `anchor`, `intermediate`, `superior` (a top that is no anchor) or `rp`.
    pub role: &'static str,
    /// Its entity configuration.
    pub configuration: Option<StateView>,
    /// What the entity above says of it.
    pub statement: Option<StateView>,
}

/// Whether a statement holds, and until when.
#[derive(Clone, Debug, Serialize)]
pub struct StateView {
    /// Whether every check holds.
    pub holds: bool,
    /// Claim `exp`.
    pub expires_at: Option<i64>,
    /// The check that fails.
    pub fault: Option<String>,
    /// The number of the statement in its list, from 1.
    pub number: usize,
}

/// One document that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct FetchView {
    /// What it is.
    pub what: String,
    /// Where.
    pub url: String,
    /// `fetched`, `cached` or `failed`.
    pub outcome: &'static str,
    /// Status, size and time, or the reason.
    pub detail: String,
    /// Since when it is in the cache.
    pub since: Option<i64>,
}

/// A signed document with its checks.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentView {
    /// Such as `subordinate statement of https://ta.example.it about https://rp.example.it`.
    pub title: String,
    /// Where it came from.
    pub url: Option<String>,
    /// Whether every check holds.
    pub holds: bool,
    /// Claim `exp`.
    pub expires_at: Option<i64>,
    /// The provider asks for such a trust mark.
    pub required: bool,
    /// The checks: name, whether it holds, what was found.
    pub verdicts: Vec<(&'static str, bool, String)>,
    /// Header and claims, pretty-printed.
    pub json: String,
}

/// One policy operator.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyView {
    /// `entity_type.parameter`.
    pub path: String,
    /// Operator and value.
    pub operator: String,
    /// By whom.
    pub issuers: String,
    /// The parameter before.
    pub before: String,
    /// The parameter after.
    pub after: String,
    /// Whether it changed it.
    pub changed: bool,
    /// Why it fails.
    pub error: Option<String>,
}

/// One row of the report.
#[derive(Clone, Debug, Serialize)]
pub struct RowView {
    /// `pass`, `warning`, `fail` or `not_applicable`.
    pub verdict: &'static str,
    /// The clauses.
    pub rule: &'static str,
    /// What is asked.
    pub asks: &'static str,
    /// Whether logins are refused for it.
    pub refuses_logins: bool,
    /// What was found.
    pub found: String,
    /// What to change.
    pub change: Option<String>,
    /// Which member of the entity configuration.
    pub place: String,
    /// What it was before the policies.
    pub before_policies: Option<String>,
}
