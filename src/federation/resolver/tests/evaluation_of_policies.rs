//! What is written down of metadata policies.

use super::evaluation::explained;
use super::*;
use crate::federation::evaluation::Evaluated;

#[tokio::test]
async fn policy_operators_are_told_with_their_effect_until_one_fails() {
    let world = World::aggregated();
    world.statement(TA, SA, |claims| {
        let policy = json!({
            "grant_types": {"subset_of": ["authorization_code", "refresh_token"]},
            "redirect_uris": {"essential": true},
        });
        claims.insert(
            "metadata_policy".into(),
            json!({"openid_relying_party": policy}),
        );
    });
    world.statement(SA, RP, |claims| {
        let policy = json!({
            "grant_types": {"subset_of": ["authorization_code"]},
            "contacts": {"add": ["sa@example.it"], "superset_of": ["sa@example.it"]},
            "client_name": {"essential": true},
            "logo_uri": {"default": "https://sa.example.it/logo.svg"},
        });
        claims.insert(
            "metadata_policy".into(),
            json!({"openid_relying_party": policy}),
        );
    });
    let Evaluated {
        evaluation,
        outcome,
        ..
    } = explained(&world).await;
    assert_eq!(
        outcome.unwrap_err().code(),
        TrustErrorCode::UnauthorizedClient
    );
    let told: Vec<_> = evaluation
        .policies
        .iter()
        .map(|record| {
            let name = record.path.trim_start_matches("openid_relying_party.");
            let changes = record.before != record.after;
            (
                name,
                record.operator.as_str(),
                record.issuers.len(),
                changes,
                record.error.is_some(),
            )
        })
        .collect();
    let expected = [
        ("grant_types", "subset_of", 2, true, false),
        ("redirect_uris", "essential", 1, false, false),
        ("contacts", "add", 1, true, false),
        ("contacts", "superset_of", 1, false, false),
        ("client_name", "essential", 1, false, true),
    ];
    assert_eq!(told, expected);
    let first = &evaluation.policies[0];
    assert_eq!(first.issuers, [TA, SA]);
    assert_eq!(first.value, json!(["authorization_code"]));
    assert_eq!(
        first.before,
        Some(json!(["authorization_code", "refresh_token"]))
    );
    assert_eq!(first.after, Some(json!(["authorization_code"])));
    assert!(evaluation.declared_metadata.is_some() && evaluation.final_metadata.is_none());
}

#[tokio::test]
async fn policies_that_cannot_be_merged_are_told_with_all_who_wrote_them() {
    let world = World::aggregated();
    let policy = |value: &str| json!({"openid_relying_party": {"client_name": {"value": value}}});
    for (superior, subject) in [(TA, SA), (SA, RP)] {
        world.statement(superior, subject, |claims| {
            claims.insert("metadata_policy".into(), policy(superior));
        });
    }
    let evaluation = explained(&world).await.evaluation;
    let [record] = evaluation.policies.as_slice() else {
        panic!("{:?}", evaluation.policies)
    };
    assert_eq!(record.issuers, [TA, SA]);
    assert!(record.error.as_ref().unwrap().contains("differs"));
}
