//! What is written down of a resolution: the data behind "why was this relying party refused?".

use super::*;
use crate::federation::evaluation::{
    Evaluated, Evaluation, FetchOutcome, StatementRecord, Verdict,
};

pub(super) async fn explained(world: &World) -> Evaluated {
    let resolver = world.resolver();
    resolver
        .explain(&world.settings, &id(RP), Recheck::Cached)
        .await
}

pub(super) fn statement<'a>(
    evaluation: &'a Evaluation,
    issuer: &str,
    subject: &str,
) -> &'a StatementRecord {
    let mut all = evaluation.statements.iter();
    all.find(|statement| statement.issuer == issuer && statement.subject == subject)
        .unwrap()
}

pub(super) fn broken(verdicts: &[Verdict]) -> Vec<(&str, &str)> {
    let broken = verdicts.iter().filter(|verdict| !verdict.holds);
    broken.map(|v| (v.check, v.says.as_str())).collect()
}

pub(super) fn last(verdicts: &[Verdict]) -> (&str, bool) {
    let last = verdicts.last().unwrap();
    (last.check, last.holds)
}

#[tokio::test]
async fn a_good_chain_two_levels_deep_is_written_down_whole() {
    let world = World::aggregated();
    let Evaluated {
        evaluation,
        outcome,
        keys,
    } = explained(&world).await;
    assert!(outcome.is_ok() && keys.unwrap().is_ok());
    let urls: Vec<&str> = evaluation.fetches.iter().map(|f| f.url.as_str()).collect();
    assert_eq!(urls, world.fetch.urls());
    let fetched = |f: &FetchOutcome| matches!(f, FetchOutcome::Fetched { status: 200, size_bytes, .. } if *size_bytes > 0);
    assert!(evaluation.fetches.iter().all(|f| fetched(&f.outcome)));
    assert_eq!(evaluation.statements.len(), 5);
    for statement in &evaluation.statements {
        assert_eq!(broken(&statement.verdicts), [], "{statement:?}");
        assert_eq!(statement.claims["sub"], json!(statement.subject));
    }
    let own = statement(&evaluation, RP, RP);
    let checks: Vec<&str> = own.verdicts.iter().map(|v| v.check).collect();
    let expected = [
        "form",
        "alg",
        "typ",
        "key",
        "signature",
        "iss",
        "sub",
        "time",
        "jwks",
        "attestation",
    ];
    assert_eq!(checks, expected);
    let attested = format!("it is verified by the keys that {SA} attests");
    assert_eq!(own.verdicts.last().unwrap().says, attested);
    let [path] = evaluation.paths.as_slice() else {
        panic!("{:?}", evaluation.paths)
    };
    assert_eq!(path.entities, [RP, SA, TA]);
    assert!(path.reaches_anchor && path.chosen && path.error.is_none());
    let [mark] = evaluation.trust_marks.as_slice() else {
        panic!("{:?}", evaluation.trust_marks)
    };
    assert!(mark.required && broken(&mark.verdicts).is_empty());
    let resolved = outcome.unwrap();
    assert_eq!(evaluation.final_metadata.as_ref(), Some(&resolved.metadata));
    assert_eq!(evaluation.left_out, 0);
}

#[tokio::test]
async fn of_a_diamond_both_paths_are_told_and_the_loop_too() {
    let world = World::aggregated();
    let (left, right) = ("https://left.example.it", "https://right.example.it");
    world.relying_party(&[left, right], nothing);
    for middle in [left, right] {
        world.configuration(middle, |claims| {
            claims.insert("authority_hints".into(), json!([SA, RP]));
        });
        world.statement(middle, RP, nothing);
    }
    world.statement(SA, left, |claims| {
        claims.insert("exp".into(), json!(NOW - 100));
    });
    world.statement(SA, right, nothing);
    let Evaluated {
        evaluation,
        outcome,
        ..
    } = explained(&world).await;
    assert!(outcome.is_ok());
    let told: Vec<(Vec<&str>, bool)> = evaluation
        .paths
        .iter()
        .map(|path| {
            let entities = path.entities.iter().map(String::as_str).collect();
            (entities, path.chosen)
        })
        .collect();
    let expected = [
        (vec![RP, left, RP], false),
        (vec![RP, right, RP], false),
        (vec![RP, left, SA], false),
        (vec![RP, right, SA, TA], true),
    ];
    assert_eq!(told, expected);
    let errors: Vec<&str> = evaluation
        .paths
        .iter()
        .filter_map(|path| path.error.as_deref())
        .collect();
    assert!(errors[0].contains("loop"), "{errors:?}");
    assert!(errors[2].contains("claim exp"), "{errors:?}");
    assert_eq!(
        last(&statement(&evaluation, SA, left).verdicts),
        ("time", false)
    );
}

#[tokio::test]
async fn an_expired_statement_fails_at_its_time_and_nothing_after_it_is_judged() {
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW - 100));
    });
    let Evaluated {
        evaluation,
        outcome,
        keys,
    } = explained(&world).await;
    assert!(outcome.is_err() && keys.is_none());
    let verdicts = &statement(&evaluation, TA, RP).verdicts;
    let expected = format!("claim exp {} has passed, it is {NOW} now", NOW - 100);
    assert_eq!(broken(verdicts), [("time", expected.as_str())]);
    assert_eq!(last(verdicts), ("time", false));
    let [path] = evaluation.paths.as_slice() else {
        panic!("{:?}", evaluation.paths)
    };
    assert!(path.reaches_anchor && !path.chosen);
    assert!(evaluation.final_metadata.is_none());
}

#[tokio::test]
async fn each_fault_of_a_statement_is_at_its_check() {
    type Bend = fn(&mut Map<String, Value>);
    let claims: [(Bend, &str); 6] = [
        (|c| drop(c.insert("iss".into(), json!(SA))), "iss"),
        (|c| drop(c.insert("sub".into(), json!(SA))), "sub"),
        (|c| drop(c.insert("iat".into(), json!("now"))), "time"),
        (|c| drop(c.insert("crit".into(), json!(["x"]))), "crit"),
        (
            |c| drop(c.insert("jwks".into(), json!({"keys": []}))),
            "jwks",
        ),
        (
            |c| drop(c.insert("metadata".into(), json!("none"))),
            "claims",
        ),
    ];
    for (bend, check) in claims {
        let world = World::new();
        world.statement(TA, RP, bend);
        let evaluation = explained(&world).await.evaluation;
        let statement = evaluation.statements.last().unwrap();
        assert_eq!(last(&statement.verdicts), (check, false));
    }
    let claims = Value::Object(World::claims(TA, RP));
    let forged = |typ, name: &str| signed(typ, &claims, &key(name));
    let mut swapped = forged("entity-statement+jwt", TA);
    swapped.replace_range(swapped.len() - 8..swapped.len() - 4, "AAAA");
    for (jws, check) in [
        (forged("entity-statement+jwt", "thief"), "key"),
        (forged("at+jwt", TA), "typ"),
        (swapped, "signature"),
        ("no statement".to_owned(), "form"),
    ] {
        let world = World::new();
        let page = Page::Body(jws.into_bytes());
        world.fetch.put(&statement_url(TA, RP), page);
        let evaluation = explained(&world).await.evaluation;
        let statement = evaluation.statements.last().unwrap();
        assert_eq!(last(&statement.verdicts), (check, false));
    }
}

#[tokio::test]
async fn keys_that_the_superior_does_not_attest_are_told_apart_from_a_bad_signature() {
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("jwks".into(), jwks("another"));
    });
    let evaluation = explained(&world).await.evaluation;
    let verdicts = &statement(&evaluation, RP, RP).verdicts;
    assert_eq!(last(verdicts), ("attestation", false));
    let says = &verdicts.last().unwrap().says;
    assert!(says.starts_with("no key with kid "), "{says}");
    assert!(says.ends_with(&format!("(with the keys that {TA} attests)")));
}

#[tokio::test]
async fn a_broken_constraint_stands_at_the_statement_that_demands_it() {
    let world = World::aggregated();
    world.statement(TA, SA, |claims| {
        let constraints = json!({"max_path_length": 0, "allowed_entity_types": []});
        claims.insert("constraints".into(), constraints);
    });
    world.statement(SA, RP, |claims| {
        claims.insert("constraints".into(), json!({"max_path_length": 0}));
    });
    let evaluation = explained(&world).await.evaluation;
    let verdicts = &statement(&evaluation, TA, SA).verdicts;
    let fact = "1 intermediates, at most 0 are allowed";
    assert_eq!(broken(verdicts), [("max_path_length", fact)]);
    world.statement(TA, SA, nothing);
    let evaluation = explained(&world).await.evaluation;
    let verdicts = &statement(&evaluation, SA, RP).verdicts;
    assert_eq!(last(verdicts), ("max_path_length", true));
}

#[tokio::test]
async fn a_constraint_fails_only_when_it_takes_the_type_that_is_needed() {
    // OIDC Federation §6.2.3
    for (allowed, holds, says) in [
        ("openid_relying_party", true, "takes away oauth_client"),
        ("oauth_client", false, "takes away openid_relying_party"),
    ] {
        let world = World::new();
        world.relying_party(&[TA], |claims| {
            let metadata = claims.get_mut("metadata").unwrap();
            metadata["oauth_client"] = json!({"client_name": "RP"});
        });
        world.statement(TA, RP, |claims| {
            let constraints = json!({"allowed_entity_types": [allowed]});
            claims.insert("constraints".into(), constraints);
        });
        let evaluated = explained(&world).await;
        assert_eq!(evaluated.outcome.is_ok(), holds);
        let verdicts = &statement(&evaluated.evaluation, TA, RP).verdicts;
        assert_eq!(last(verdicts), ("allowed_entity_types", holds));
        assert_eq!(verdicts.last().unwrap().says, says);
    }
}

#[tokio::test]
async fn what_is_too_large_or_too_deep_is_bounded_and_counted() {
    let world = World::new();
    let page = |body: Vec<u8>| world.fetch.put(&statement_url(TA, RP), Page::Body(body));
    page(vec![b'x'; 10 * 1024 * 1024]);
    let evaluation = explained(&world).await.evaluation;
    let refused = evaluation.fetches.last().unwrap();
    assert!(
        matches!(&refused.outcome, FetchOutcome::Failed { reason, .. } if reason.contains("larger"))
    );
    assert_eq!(evaluation.statements.len(), 2);

    world.statement(TA, RP, |claims| {
        claims.insert("noise".into(), json!("x".repeat(100_000)));
    });
    let evaluation = explained(&world).await.evaluation;
    let large = statement(&evaluation, TA, RP);
    assert_eq!((&large.claims, evaluation.left_out), (&Value::Null, 1));
    assert!(large.size_bytes > 100_000 && broken(&large.verdicts).is_empty());

    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let header = encode(r#"{"alg":"ES256","typ":"entity-statement+jwt"}"#);
    page(format!("{header}.{}.AAAA", encode(&deep)).into_bytes());
    let evaluation = explained(&world).await.evaluation;
    let statement = statement(&evaluation, TA, RP);
    assert_eq!(statement.claims, Value::Null);
    assert_eq!(last(&statement.verdicts), ("signature", false));

    world.statement(TA, RP, |claims| {
        let parameters = (0..900).map(|n| (n.to_string(), json!({"default": "x".repeat(20)})));
        let parameters: Map<String, Value> = parameters.collect();
        claims.insert(
            "metadata_policy".into(),
            json!({"openid_relying_party": parameters}),
        );
    });
    let evaluation = explained(&world).await.evaluation;
    assert_eq!(evaluation.policies.len(), 500);
    assert!(evaluation.left_out >= 400);
    assert!(serde_json::to_string(&evaluation).unwrap().len() < 1024 * 1024);
}

#[tokio::test]
async fn what_was_seen_before_the_time_was_up_is_there() {
    let mut world = World::aggregated();
    world.limits.total = Duration::from_millis(20);
    world.fetch.put(&statement_url(SA, RP), Page::Stalls);
    let Evaluated {
        evaluation,
        outcome,
        ..
    } = explained(&world).await;
    assert!(matches!(outcome, Err(TrustError::TimedOut { .. })));
    assert_eq!(evaluation.statements.len(), 3);
}

#[tokio::test]
async fn the_protocol_keys_are_looked_at_too() {
    let world = World::new();
    let url = "https://rp.example.it/jwks.jose";
    world.relying_party(&[TA], |claims| {
        let metadata = json!({"signed_jwks_uri": url});
        claims.insert("metadata".into(), json!({"openid_relying_party": metadata}));
    });
    let mut claims = World::claims(RP, RP);
    claims.insert("keys".into(), jwks("p")["keys"].clone());
    for (signer, check, holds) in [(RP, "jwks", true), ("thief", "key", false)] {
        let jws = signed("jwk-set+jwt", &Value::Object(claims.clone()), &key(signer));
        world.fetch.put(url, Page::Body(jws.into_bytes()));
        let evaluated = explained(&world).await;
        assert_eq!(evaluated.keys.unwrap().is_ok(), holds);
        let set = evaluated.evaluation.statements.last().unwrap();
        assert_eq!(set.kind, "signed_jwks_uri");
        assert_eq!(last(&set.verdicts), (check, holds));
        assert_eq!(evaluated.evaluation.fetches.last().unwrap().url, url);
    }
}
