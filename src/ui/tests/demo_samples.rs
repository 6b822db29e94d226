//! The demonstration's pages with made-up data.

use super::samples::{Sample, Texts};
use crate::ui::*;

fn users(texts: Texts) -> Vec<DemoUser> {
    vec![DemoUser {
        username: texts.of("anna.rossi"),
        password: texts.of("correct-horse-battery"),
        name: texts.of("Anna Rossi"),
        code: Some(texts.of("123456")),
    }]
}

fn result(texts: Texts, error: Option<(String, String)>) -> DemoResultPage {
    let steps = StepKind::ALL
        .into_iter()
        .enumerate()
        .map(|(number, kind)| DemoStep {
            kind,
            ok: number != 11,
            detail: texts.of("POST http://127.0.0.1:8000/spid/token answered 200"),
            body: Some(texts.of(&format!(
                "{{\n  \"access_token\": \"{}\"\n}}",
                "eyJhbGciOiJSUzI1NiJ9".repeat(20)
            ))),
        });
    DemoResultPage {
        rp_name: texts.of("Servizio dimostrativo"),
        steps: steps.collect(),
        claims: vec![
            (texts.of("given_name"), texts.of("Anna")),
            (
                texts.of("https://attributes.eid.gov.it/fiscal_number"),
                texts.of("TINIT-RSSNNA80A41A952K"),
            ),
        ],
        actions: ActionKind::ALL
            .into_iter()
            .map(|kind| DemoAction {
                kind,
                action_url: texts.of("/rp/action"),
                name: texts.of("session"),
                value: texts.of("1"),
            })
            .collect(),
        csrf_token: Some(texts.of("csrf-6")),
        error,
        restart_url: texts.of("/rp"),
    }
}

/// Every page of the demonstration.
pub fn all(texts: Texts) -> Vec<Sample> {
    let home = DemoHomePage {
        links: DemoLinkKind::ALL
            .into_iter()
            .map(|kind| DemoLink {
                kind,
                url: texts.of("/rp"),
            })
            .collect(),
        users: users(texts),
    };
    let rp = DemoRpPage {
        rp_name: texts.of("Servizio dimostrativo"),
        subtitle: texts.of("Parte fidata di prova"),
        action_url: texts.of("/rp/login"),
        csrf_token: Some(texts.of("csrf-4")),
        level: Level::L2,
        attributes: [
            "given_name",
            "family_name",
            "https://attributes.eid.gov.it/fiscal_number",
            "email",
            "address",
        ]
        .into_iter()
        .map(|claim| DemoAttribute {
            claim: texts.of(claim),
            checked: true,
        })
        .collect(),
        options: DemoOptions {
            offline_access: true,
            ..DemoOptions::default()
        },
        users: users(texts),
        home_url: texts.of("/"),
    };
    let refused = Some((
        texts.of("access_denied"),
        texts.of("the user did not consent"),
    ));
    vec![
        Sample::new("demo-home", home),
        Sample::new("demo-rp", rp),
        Sample::new("demo-result", result(texts, None)),
        Sample::new("demo-result-error", result(texts, refused)),
    ]
}
