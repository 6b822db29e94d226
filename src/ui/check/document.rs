//! What `varco rp check --json` prints.

use super::super::Locale;
use super::super::advice::Advice;
use crate::federation::evaluation::Evaluation;
use crate::model::Refusal;
use crate::profile::conformance::Row;
use crate::provider::{ClientError, Examination, KnownRow};
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
    /// Whether its next login would be accepted.
    pub accepted: bool,
    /// Until when its chain holds, as `checked_at`; null without a chain that holds.
    pub expires_at: Option<String>,
    /// Why it is refused; null when it is accepted.
    pub refusal: Option<RefusalDocument>,
    /// The last refusals of requests that named it, the newest first.
    pub last_refusals: Vec<KeptDocument<'a>>,
    /// Why what was asked for anew fails, although logins go on with what is known until that ends; else null.
    pub renewal_would_fail: Option<RefusalDocument>,
    /// What is kept of it; null when it is not known.
    pub known: Option<&'a KnownRow>,
    /// The conformance report.
    pub report: &'a [Row],
    /// Every fetch, statement, trust mark, path and policy operator.
    #[serde(flatten)]
    pub evaluation: &'a Evaluation,
}

/// A refusal of before.
#[derive(Debug, Serialize)]
pub struct KeptDocument<'a> {
    /// Its reference.
    pub reference: &'a str,
    /// Whom the request named; nobody proved it.
    pub client_id: &'a str,
    /// When, as `2026-01-31T09:00:00Z`.
    pub refused_at: String,
    /// `authorization`, `token`, ….
    pub endpoint: &'a str,
    /// `error`, as answered.
    pub error: &'a str,
    /// `error_description`, as answered.
    pub error_description: &'a str,
    /// Everything that is known.
    pub reason: &'a str,
}

impl<'a> KeptDocument<'a> {
    /// The document of a refusal.
    #[must_use]
    pub fn of(refusal: &'a Refusal) -> Self {
        Self {
            reference: &refusal.reference,
            client_id: refusal.unverified_client_id.as_str(),
            refused_at: refusal.refused_at.to_rfc3339(),
            endpoint: refusal.endpoint(),
            error: &refusal.code,
            error_description: &refusal.description,
            reason: &refusal.reason,
        }
    }
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
    pub fn of(issuer: &'a str, examination: &'a Examination, last: &'a [Refusal]) -> Self {
        let client_id = examination.client_id.as_str();
        let document = |error: &ClientError| {
            let advice = Advice::on(client_id, error);
            RefusalDocument {
                error: error.code().as_str(),
                what: advice.what.say(Locale::En),
                change: advice.change.say(Locale::En),
                other_failures: advice.others,
                reason: error.reason(),
            }
        };
        let refusal = examination.refusal.as_ref().map(document);
        Self {
            issuer,
            client_id,
            checked_at: examination.checked_at.to_rfc3339(),
            accepted: refusal.is_none(),
            expires_at: examination.expires_at.map(|at| at.to_rfc3339()),
            refusal,
            last_refusals: last.iter().map(KeptDocument::of).collect(),
            renewal_would_fail: examination.renewal_refusal.as_ref().map(document),
            known: examination.known.as_ref(),
            report: &examination.report,
            evaluation: &examination.evaluation,
        }
    }
}
