//! What `varco rp check --json` prints.

use super::super::Locale;
use super::super::advice::Advice;
use crate::federation::evaluation::Evaluation;
use crate::profile::conformance::Row;
use crate::provider::Examination;
use serde::Serialize;

/// One document with everything; the sentences are English. Times are seconds since 1970 unless they are texts.
#[derive(Debug, Serialize)]
pub struct CheckDocument<'a> {
    /// The issuer that was asked.
    pub issuer: &'a str,
    /// The relying party.
    pub client_id: &'a str,
    /// When, as `2026-01-31T09:00:00Z`.
    pub checked_at: String,
    /// Whether a login of it would be accepted now.
    pub accepted: bool,
    /// Until when its chain holds, as `checked_at`; null without a chain that holds.
    pub expires_at: Option<String>,
    /// Why it is refused; null when it is accepted.
    pub refusal: Option<RefusalDocument>,
    /// The conformance report.
    pub report: &'a [Row],
    /// Every fetch, statement, trust mark, path and policy operator.
    #[serde(flatten)]
    pub evaluation: &'a Evaluation,
}

/// Why a relying party is refused.
#[derive(Debug, Serialize)]
pub struct RefusalDocument {
    /// The code on the wire: `invalid_client`.
    pub error: &'static str,
    /// What happened, one sentence.
    pub what: String,
    /// What to change and where.
    pub change: String,
    /// How many other failures there are.
    pub other_failures: usize,
    /// Everything that is known.
    pub reason: String,
}

impl<'a> CheckDocument<'a> {
    /// The document of an examination.
    #[must_use]
    pub fn of(issuer: &'a str, examination: &'a Examination) -> Self {
        let client_id = examination.client_id.as_str();
        let refusal = examination.refusal.as_ref().map(|error| {
            let advice = Advice::on(client_id, error);
            RefusalDocument {
                error: error.code().as_str(),
                what: advice.what.say(Locale::En),
                change: advice.change.say(Locale::En),
                other_failures: advice.others,
                reason: error.reason(),
            }
        });
        Self {
            issuer,
            client_id,
            checked_at: examination.checked_at.to_rfc3339(),
            accepted: refusal.is_none(),
            expires_at: examination.expires_at.map(|at| at.to_rfc3339()),
            refusal,
            report: &examination.report,
            evaluation: &examination.evaluation,
        }
    }
}
