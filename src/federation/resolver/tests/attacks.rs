use super::*;

/// The refusal names this kind of document and this fact.
async fn broken(world: &World, kind: DocumentKind, fact: &str) {
    let error = refusal(world).await;
    let TrustError::BrokenLink(link) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(link.kind, kind, "{error}");
    assert!(link.fact.contains(fact), "{error}");
    assert_eq!(error.code(), TrustErrorCode::InvalidClient);
    assert!(
        error.reason().contains("fetched from https://"),
        "{}",
        error.reason()
    );
}

const CONFIGURATION: DocumentKind = DocumentKind::EntityConfiguration;
const STATEMENT: DocumentKind = DocumentKind::SubordinateStatement;

#[tokio::test]
async fn a_configuration_counts_only_for_the_entity_whose_address_was_fetched() {
    let world = World::new();
    let other = "https://other.example.it";
    let jws = world.configuration(other, nothing);
    world.publish(RP, &jws);
    broken(&world, CONFIGURATION, "claim iss").await;
    let claims = World::claims(RP, other);
    world.publish(
        RP,
        &signed("entity-statement+jwt", &Value::Object(claims), &key(RP)),
    );
    broken(&world, CONFIGURATION, "").await;
}

#[tokio::test]
async fn the_keys_of_the_subject_are_those_that_its_superior_attests() {
    // SPID/CIE FE-2: a stolen host with new keys is refused
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("jwks".into(), jwks("the registered key"));
    });
    broken(&world, CONFIGURATION, "no key with kid").await;
}

#[tokio::test]
async fn the_keys_of_an_intermediate_are_those_that_its_superior_attests() {
    // SPID/CIE FE-2
    let world = World::aggregated();
    world.statement(TA, SA, |claims| {
        claims.insert("jwks".into(), jwks("the registered key"));
    });
    broken(&world, CONFIGURATION, "no key with kid").await;
}

#[tokio::test]
async fn a_statement_signed_by_somebody_else_is_refused() {
    let world = World::new();
    let claims = Value::Object(World::claims(TA, RP));
    let forged = signed("entity-statement+jwt", &claims, &key("forger"));
    world
        .fetch
        .put(&statement_url(TA, RP), Page::Body(forged.into_bytes()));
    broken(&world, STATEMENT, "no key with kid").await;
}

#[tokio::test]
async fn a_statement_about_another_or_of_another_is_refused() {
    let world = World::new();
    let about_other = world.statement(TA, "https://other.example.it", nothing);
    world
        .fetch
        .put(&statement_url(TA, RP), Page::Body(about_other.into_bytes()));
    broken(&world, STATEMENT, "claim sub").await;
    let claims = Value::Object(World::claims(SA, RP));
    let of_other = signed("entity-statement+jwt", &claims, &key(TA));
    world
        .fetch
        .put(&statement_url(TA, RP), Page::Body(of_other.into_bytes()));
    broken(&world, STATEMENT, "claim iss").await;
}

#[tokio::test]
async fn anything_expired_or_without_an_end_or_from_the_future_is_refused() {
    let late = |claims: &mut Map<String, Value>| {
        claims.insert("exp".into(), json!(NOW - 30));
    };
    let world = World::new();
    world.relying_party(&[TA], late);
    broken(&world, CONFIGURATION, "claim exp").await;
    let world = World::new();
    world.statement(TA, RP, late);
    broken(&world, STATEMENT, "claim exp").await;
    let world = World::aggregated();
    world.statement(TA, SA, late);
    broken(&world, STATEMENT, "claim exp").await;
    let world = World::new();
    world.configuration(TA, late);
    let error = refusal(&world).await;
    assert_eq!(error.code(), TrustErrorCode::TemporarilyUnavailable);
    assert!(
        error
            .description()
            .starts_with("trust anchor https://ta.example.it"),
        "{error}"
    );
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.remove("exp");
    });
    broken(&world, STATEMENT, "claim exp is missing").await;
    world.statement(TA, RP, |claims| {
        claims.insert("iat".into(), json!(NOW + 31));
    });
    broken(&world, STATEMENT, "claim iat").await;
    world.statement(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW - 29));
    });
    assert!(resolve(&world).await.is_ok(), "within the leeway");
}

#[tokio::test]
async fn unsigned_and_symmetric_statements_are_refused() {
    // SPID/CIE AL-4
    for alg in ["none", "HS256"] {
        let world = World::new();
        let part =
            |json: &Value| data_encoding::BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let header = part(&json!({"alg": alg, "kid": key(RP).kid()}));
        let claims = part(&Value::Object(World::claims(RP, RP)));
        world.publish(RP, &format!("{header}.{claims}."));
        broken(&world, CONFIGURATION, "is not supported").await;
    }
}

#[tokio::test]
async fn unknown_critical_claims_are_refused() {
    // SPID/CIE FE-2
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("crit".into(), json!(["jti_registry"]));
        claims.insert("jti_registry".into(), json!(true));
    });
    broken(&world, STATEMENT, "crit names jti_registry").await;
}

#[tokio::test]
async fn an_intermediate_that_claims_the_anchors_name_changes_no_key() {
    let world = World::aggregated();
    let resolver = world.resolver();
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    // The intermediate serves a document that names the anchor as itself, with its own keys.
    let poison = signed(
        "entity-statement+jwt",
        &Value::Object(World::configuration_claims(TA)),
        &key(SA),
    );
    world.publish(SA, &poison);
    world.statement(SA, TA, |claims| {
        claims.insert("jwks".into(), jwks(SA));
    });
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_err()
    );
    let anchor = resolver
        .anchor(&world.settings, &world.settings.anchors[0])
        .await
        .unwrap();
    assert!(anchor.keys.find(key(SA).kid()).is_none());
    // Even at the anchor's own address other keys are refused once the cache ends.
    world.publish(TA, &poison);
    world.clock.advance_seconds(3601);
    let error = resolver
        .anchor(&world.settings, &world.settings.anchors[0])
        .await
        .unwrap_err();
    assert!(error.description().contains("no key with kid"), "{error}");
}

#[tokio::test]
async fn an_anchor_that_publishes_further_keys_does_not_make_them_trusted() {
    let world = World::new();
    world.configuration(TA, |claims| {
        claims.insert(
            "jwks".into(),
            json!({"keys": [jwks(TA)["keys"][0], jwks("thief")["keys"][0]]}),
        );
    });
    let claims = Value::Object(World::claims(TA, RP));
    let forged = signed("entity-statement+jwt", &claims, &key("thief"));
    world
        .fetch
        .put(&statement_url(TA, RP), Page::Body(forged.into_bytes()));
    broken(&world, STATEMENT, "no key with kid").await;
}

#[tokio::test]
async fn an_anchor_without_pinned_keys_is_for_development_where_the_first_keys_stay() {
    let mut world = World::new();
    world.settings.anchors[0].pinned_keys = None;
    let error = refusal(&world).await;
    assert!(error.description().contains("no pinned keys"), "{error}");
    world.settings.development = true;
    let resolver = world.resolver();
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    let mut claims = World::configuration_claims(TA);
    claims.insert("jwks".into(), jwks("thief"));
    world.publish(
        TA,
        &signed(
            "entity-statement+jwt",
            &Value::Object(claims),
            &key("thief"),
        ),
    );
    world.clock.advance_seconds(3600);
    assert!(
        resolver
            .anchor(&world.settings, &world.settings.anchors[0])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn documents_that_are_no_statements_are_refused_with_a_reason() {
    let deep = {
        let claims = format!(
            "{{\"iss\":\"x\",\"a\":{}{}}}",
            "[".repeat(5000),
            "]".repeat(5000)
        );
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        format!(
            "{}.{}.{}",
            encode("{\"alg\":\"ES256\",\"kid\":\"k\"}"),
            encode(&claims),
            encode("s")
        )
    };
    let twice = {
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let claims = encode("{\"iss\":\"a\",\"iss\":\"b\"}");
        format!(
            "{}.{claims}.{}",
            encode("{\"alg\":\"ES256\",\"kid\":\"k\"}"),
            encode("s")
        )
    };
    for (body, fact) in [
        (b"<html>not found</html>".to_vec(), "parts"),
        (Vec::new(), "parts"),
        (b"\xff\xfe.a.b".to_vec(), "base64url"),
        (deep.into_bytes(), "nested deeper"),
        (twice.into_bytes(), "duplicate JSON member iss"),
    ] {
        let world = World::new();
        world
            .fetch
            .put(&id(RP).configuration_url(), Page::Body(body));
        broken(&world, CONFIGURATION, fact).await;
    }
}

#[tokio::test]
async fn an_entity_without_the_needed_type_is_refused() {
    // SPID/CIE FE-3
    let world = World::new();
    world.relying_party(&[TA], |claims| {
        claims.insert("metadata".into(), json!({"openid_provider": {}}));
    });
    let error = refusal(&world).await;
    assert_eq!(
        error.description(),
        "https://rp.example.it/ has no metadata for openid_relying_party"
    );
}

#[tokio::test]
async fn superiors_without_an_endpoint_or_with_a_foreign_name_lead_nowhere() {
    let world = World::aggregated();
    world.configuration(SA, |claims| {
        claims.insert("metadata".into(), json!({"federation_entity": {}}));
    });
    assert!(
        refusal(&world)
            .await
            .description()
            .contains("federation_fetch_endpoint")
    );
    world.relying_party(&["http://ta.example.it", "file:///etc/passwd"], nothing);
    let error = refusal(&world).await;
    assert_eq!(error.code(), TrustErrorCode::InvalidClient, "{error}");
    world.relying_party(&[], nothing);
    assert!(
        refusal(&world)
            .await
            .description()
            .contains("authority_hints is missing or empty")
    );
    // A hint that differs from the anchor's identifier in one slash is another entity.
    world.relying_party(&["https://ta.example.it/"], nothing);
    assert!(resolve(&world).await.is_err());
}
