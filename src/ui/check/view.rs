//! From an examination to what the page and the command show.

use super::super::Locale;
use super::super::advice::{Advice, Message};
use super::super::pages::check::{
    CheckView, DocumentView, FetchView, KnownView, NodeView, PathView, PolicyView, RowView,
    StateView,
};
use crate::federation::evaluation::{
    Evaluation, FetchOutcome, FetchRecord, MarkRecord, PathRecord, PolicyRecord, StatementRecord,
    Verdict as Check,
};
use crate::profile::conformance::{Row, Verdict, count};
use crate::provider::{ClientError, Examination};
use serde_json::{Value, json};

/// Everything, in a language; technical texts are English.
#[must_use]
pub fn view(examination: &Examination, locale: Locale) -> CheckView {
    let evaluation = &examination.evaluation;
    let rp = examination.client_id.as_str();
    let renewal = examination.renewal_refusal.as_ref();
    let refusal = examination.refusal.as_ref().or(renewal);
    let advice = refusal.map(|error| Advice::on(rp, error));
    let told = advice.as_ref().map(|advice| advice.what.say(locale));
    let (what, renewal) = match (told, renewal) {
        (None, _) => (Message::accepted(rp).say(locale), None),
        (Some(told), None) => (told, None),
        (Some(told), Some(_)) => (Message::accepted_for_now(rp).say(locale), Some(told)),
    };
    let others = advice.as_ref().filter(|advice| advice.others > 0);
    CheckView {
        accepted: examination.refusal.is_none(),
        what,
        renewal,
        change: advice.as_ref().map(|advice| advice.change.say(locale)),
        others: others.map(|_| Message::others().say(locale)),
        reason: refusal.map(reason),
        checked_at: examination.checked_at.0,
        expires_at: examination.expires_at.map(|at| at.0),
        known: examination.known.as_ref().map(|row| KnownView {
            origin: row.origin,
            enabled: row.enabled,
            resolved_at: row.resolved_at.map(|at| at.0),
            expires_at: row.expires_at.map(|at| at.0),
        }),
        remembered: evaluation
            .remembered
            .map(|kept| (kept.since.0, kept.until.0)),
        left_out: evaluation.left_out,
        paths: evaluation
            .paths
            .iter()
            .map(|path| self::path(evaluation, path))
            .collect(),
        fetches: evaluation.fetches.iter().map(fetch).collect(),
        statements: evaluation.statements.iter().map(statement).collect(),
        marks: evaluation.trust_marks.iter().map(mark).collect(),
        policies: evaluation.policies.iter().map(policy).collect(),
        metadata: evaluation
            .final_metadata
            .as_ref()
            .map(|metadata| format!("{:#}", json!(metadata))),
        counts: Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict.as_str(), count(&examination.report, verdict)))
            .filter(|(_, count)| *count > 0)
            .collect(),
        report: rows(&examination.report),
    }
}

fn reason(error: &ClientError) -> String {
    format!("{}: {}", error.code().as_str(), error.reason())
}

fn path(evaluation: &Evaluation, path: &PathRecord) -> PathView {
    let top = path.entities.len().saturating_sub(1);
    let above = path.entities.iter().skip(1).map(Some).chain([None]);
    let mut nodes: Vec<NodeView> = path
        .entities
        .iter()
        .zip(above)
        .enumerate()
        .map(|(at, (entity, above))| NodeView {
            entity: entity.clone(),
            role: match at {
                0 => "rp",
                _ if at == top && path.reaches_anchor => "anchor",
                _ if at == top => "superior",
                _ => "intermediate",
            },
            configuration: state(evaluation, entity, entity),
            statement: above.and_then(|above| state(evaluation, above, entity)),
        })
        .collect();
    nodes.reverse();
    PathView {
        chosen: path.chosen,
        holds: path.reaches_anchor && path.error.is_none(),
        nodes,
        error: path.error.clone(),
    }
}

fn state(evaluation: &Evaluation, issuer: &str, subject: &str) -> Option<StateView> {
    let mut statements = evaluation.statements.iter().zip(1..);
    let is_it = |statement: &StatementRecord| {
        statement.issuer == issuer
            && statement.subject == subject
            && statement.kind != "signed_jwks_uri"
    };
    let (statement, number) = statements.find(|(statement, _)| is_it(statement))?;
    let fault = statement.verdicts.iter().find(|verdict| !verdict.holds);
    Some(StateView {
        holds: fault.is_none(),
        expires_at: expiry(&statement.claims),
        fault: fault.map(|verdict| format!("{}: {}", verdict.check, verdict.says)),
        number,
    })
}

fn expiry(claims: &Value) -> Option<i64> {
    claims.get("exp")?.as_i64()
}

fn fetch(record: &FetchRecord) -> FetchView {
    let (outcome, detail, since) = match &record.outcome {
        FetchOutcome::Fetched {
            status,
            content_type,
            size_bytes,
            elapsed_ms,
        } => {
            let kind = content_type.as_deref().unwrap_or("no content type");
            let detail = format!("HTTP {status}, {size_bytes} bytes, {elapsed_ms} ms, {kind}");
            ("fetched", detail, None)
        }
        FetchOutcome::Cached { since } => ("cached", String::new(), Some(since.0)),
        FetchOutcome::Failed { reason, elapsed_ms } => {
            ("failed", format!("{reason} ({elapsed_ms} ms)"), None)
        }
    };
    FetchView {
        what: record.what.clone(),
        url: record.url.clone(),
        outcome,
        detail,
        since,
    }
}

fn statement(record: &StatementRecord) -> DocumentView {
    let title = match record.issuer == record.subject {
        true => format!("{} of {}", record.kind, record.issuer),
        false => format!(
            "{} of {} about {}",
            record.kind, record.issuer, record.subject
        ),
    };
    let decoded = json!({ "header": record.header, "claims": record.claims });
    DocumentView {
        title,
        url: record.url.clone(),
        holds: holds(&record.verdicts),
        expires_at: expiry(&record.claims),
        required: false,
        verdicts: verdicts(&record.verdicts),
        json: format!("{decoded:#}"),
    }
}

fn mark(record: &MarkRecord) -> DocumentView {
    DocumentView {
        title: format!("{} of {}", record.mark_type, record.issuer),
        url: None,
        holds: holds(&record.verdicts),
        expires_at: expiry(&record.claims),
        required: record.required,
        verdicts: verdicts(&record.verdicts),
        json: format!("{:#}", record.claims),
    }
}

fn holds(verdicts: &[Check]) -> bool {
    verdicts.iter().all(|verdict| verdict.holds)
}

fn verdicts(verdicts: &[Check]) -> Vec<(&'static str, bool, String)> {
    let one = |verdict: &Check| (verdict.check, verdict.holds, verdict.says.clone());
    verdicts.iter().map(one).collect()
}

fn policy(record: &PolicyRecord) -> PolicyView {
    let show = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| "absent".to_owned(), Value::to_string)
    };
    PolicyView {
        path: record.path.clone(),
        operator: format!("{} {}", record.operator, record.value),
        issuers: record.issuers.join(", "),
        before: show(&record.before),
        after: show(&record.after),
        changed: record.before != record.after,
        error: record.error.clone(),
    }
}

/// The worst first; among equals, in the report's order.
fn rows(report: &[Row]) -> Vec<RowView> {
    let of = |verdict: Verdict| report.iter().filter(move |row| row.verdict == verdict);
    let sorted = Verdict::ALL.into_iter().flat_map(of);
    sorted
        .map(|row| RowView {
            verdict: row.verdict.as_str(),
            rule: row.rule,
            asks: row.asks,
            refuses_logins: row.refuses_logins,
            found: row.found.clone(),
            change: row.change.clone(),
            place: row.place.clone(),
            before_policies: row.before_policies.as_ref().map(Value::to_string),
        })
        .collect()
}
