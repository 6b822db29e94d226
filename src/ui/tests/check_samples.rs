//! `/check` with made-up data.

use super::samples::{Sample, Texts};
use crate::ui::*;

const AT: i64 = 1_768_469_400;
const RP: &str = "https://servizi.comune.esempio.bz.it/openid/relying-party";
const TA: &str = "https://registry.example.it";

fn state(texts: Texts, fault: Option<&str>) -> Option<StateView> {
    Some(StateView {
        holds: fault.is_none(),
        expires_at: Some(AT),
        fault: fault.map(|fault| texts.of(fault)),
        number: 1,
    })
}

fn paths(texts: Texts, refused: bool) -> Vec<PathView> {
    let fault = refused.then_some("time: claim exp 1768460000 has passed");
    let anchor = NodeView {
        entity: texts.of(TA),
        role: "anchor",
        configuration: state(texts, None),
        statement: None,
    };
    let intermediate = NodeView {
        entity: texts.of("https://aggregator.example.it"),
        role: "intermediate",
        configuration: None,
        statement: state(texts, fault),
    };
    let rp = NodeView {
        entity: texts.of(RP),
        role: "rp",
        configuration: state(texts, fault),
        statement: None,
    };
    let alone = NodeView {
        role: "superior",
        statement: state(texts, None),
        ..intermediate.clone()
    };
    let nodes = vec![anchor, intermediate, rp.clone()];
    let first = PathView {
        chosen: !refused,
        holds: !refused,
        nodes,
        error: refused.then(|| texts.of("the statement has expired")),
    };
    let second = PathView {
        chosen: false,
        holds: true,
        nodes: vec![alone, rp],
        error: None,
    };
    vec![first, second]
}

fn documents(texts: Texts) -> Vec<DocumentView> {
    [true, false]
        .into_iter()
        .map(|holds| DocumentView {
            title: texts.of(&format!("entity configuration of {RP}")),
            url: Some(texts.of(RP)),
            holds,
            expires_at: holds.then_some(AT),
            required: holds,
            verdicts: vec![
                ("signature", true, texts.of("verified with kid 2xQ")),
                ("time", holds, texts.of("claim exp 1768460000")),
            ],
            json: texts.of(&format!("{{\n  \"jwks\": \"{}\"\n}}", "eyJ".repeat(200))),
        })
        .collect()
}

fn report(texts: Texts) -> Vec<RowView> {
    ["fail", "warning", "pass", "not_applicable"]
        .into_iter()
        .map(|verdict| RowView {
            verdict,
            rule: "SPID/CIE FE-10",
            asks: "redirect_uris must not be empty",
            refuses_logins: true,
            found: texts.of("[]"),
            change: (verdict != "pass").then(|| texts.of("list every redirect URI in full")),
            place: texts.of("metadata.openid_relying_party.redirect_uris"),
            before_policies: Some(texts.of("[\"https://rp.example.it/callback\"]")),
        })
        .collect()
}

fn policies(texts: Texts) -> Vec<PolicyView> {
    [(false, None), (true, None), (false, Some("is not among"))]
        .into_iter()
        .map(|(changed, error)| PolicyView {
            path: texts.of("openid_relying_party.grant_types"),
            operator: texts.of("subset_of [\"authorization_code\",\"refresh_token\"]"),
            issuers: texts.of(TA),
            before: texts.of("[\"authorization_code\",\"implicit\"]"),
            after: texts.of("[\"authorization_code\"]"),
            changed,
            error: error.map(|error| texts.of(error)),
        })
        .collect()
}

fn fetches(texts: Texts) -> Vec<FetchView> {
    [("fetched", None), ("cached", Some(AT)), ("failed", None)]
        .into_iter()
        .map(|(outcome, since)| FetchView {
            what: texts.of(&format!("entity configuration of {RP}")),
            url: texts.of(&format!("{RP}/.well-known/openid-federation")),
            outcome,
            detail: texts.of("HTTP 200, 2817 bytes, 12 ms, application/entity-statement+jwt"),
            since,
        })
        .collect()
}

fn page(texts: Texts, result: Option<CheckView>) -> CheckPage {
    CheckPage {
        action_url: texts.of("/spid/check"),
        csrf_token: texts.of("csrf-9"),
        entity_id: texts.of(RP),
        kept: result.is_none().then(|| kept(texts)),
        unknown_reference: result.is_none(),
        last: vec![kept(texts), kept(texts)],
        result,
    }
}

pub(super) fn kept(texts: Texts) -> KeptView {
    KeptView {
        reference: texts.of("b1f6Qx2mT9"),
        url: texts.of("/spid/check?reference=b1f6Qx2mT9"),
        refused_at: AT,
        endpoint: texts.of("authorization"),
        client_id: texts.of(RP),
        answered: texts.of("invalid_client: entity configuration: claim exp has passed"),
        reason: texts.of("entity configuration: claim exp 1768460000 has passed"),
    }
}

pub(super) fn result(texts: Texts, refused: bool) -> CheckView {
    CheckView {
        accepted: !refused,
        what: texts.of("The subordinate statement expired on 20 November 2026 at 10:00 UTC."),
        renewal: (!refused).then(|| texts.of("Your entity configuration has expired.")),
        change: refused.then(|| texts.of("Ask the operator to publish a new one.")),
        others: refused.then(|| texts.of("There are other failures too.")),
        reason: refused.then(|| texts.of("invalid_client: claim exp has passed")),
        checked_at: AT,
        expires_at: (!refused).then_some(AT),
        known: Some(KnownView {
            origin: if refused { "federation" } else { "registered" },
            enabled: !refused,
            resolved_at: refused.then_some(AT),
            expires_at: refused.then_some(AT),
        }),
        remembered: refused.then_some((AT, AT)),
        left_out: usize::from(refused),
        paths: paths(texts, refused),
        fetches: fetches(texts),
        statements: documents(texts),
        marks: documents(texts),
        policies: policies(texts),
        metadata: Some(texts.of("{\n  \"openid_relying_party\": {}\n}")),
        counts: vec![
            ("fail", 1),
            ("warning", 1),
            ("pass", 1),
            ("not_applicable", 1),
        ],
        report: report(texts),
    }
}

/// The form alone, refused and accepted.
pub fn all(texts: Texts) -> Vec<Sample> {
    vec![
        Sample::new("check", page(texts, None)),
        Sample::new("check-refused", page(texts, Some(result(texts, true)))),
        Sample::new("check-accepted", page(texts, Some(result(texts, false)))),
    ]
}
