use super::*;

#[tokio::test]
async fn a_relying_party_below_the_anchor_is_recognised() {
    // SPID/CIE FE-1, FE-2
    let world = World::new();
    let resolved = resolve(&world).await.unwrap();
    assert_eq!(resolved.anchor, id(TA));
    assert_eq!(resolved.chain.len(), 3);
    assert_eq!(resolved.expires_at, UtcTime(NOW + 3600));
    assert_eq!(resolved.trust_marks[0].mark_type, MARK);
    assert!(resolved.federation_keys.find(key(RP).kid()).is_some());
    let expected = [
        id(RP).configuration_url(),
        id(TA).configuration_url(),
        statement_url(TA, RP),
    ];
    assert_eq!(world.fetch.urls(), expected);
}

#[tokio::test]
async fn a_relying_party_below_an_intermediate_is_recognised() {
    // SPID/CIE FE-2
    let world = World::aggregated();
    let resolved = resolve(&world).await.unwrap();
    assert_eq!(resolved.chain.len(), 4);
}

#[tokio::test]
async fn noise_members_and_marks_in_subordinate_statements_are_tolerated() {
    // SPID/CIE FE-2, MD-4
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("trust_marks".into(), json!("noise"));
        claims.insert("noise".into(), json!({"a": [1, null]}));
        claims.insert("authority_hints".into(), json!(null));
    });
    assert!(resolve(&world).await.is_ok());
}

#[tokio::test]
async fn statements_are_accepted_with_or_without_a_typ_but_not_with_another() {
    // SPID/CIE MD-4
    for (typ, accepted) in [
        ("JWT", true),
        ("application/entity-statement+jwt", true),
        ("at+jwt", false),
    ] {
        let world = World::new();
        let claims = World::claims(TA, RP);
        let jws = signed(typ, &Value::Object(claims), &key(TA));
        world
            .fetch
            .put(&statement_url(TA, RP), Page::Body(jws.into_bytes()));
        assert_eq!(resolve(&world).await.is_ok(), accepted, "{typ}");
    }
}

#[tokio::test]
async fn overrides_of_the_immediate_superior_come_before_the_merged_policies() {
    // SPID/CIE FE-3
    let world = World::aggregated();
    world.statement(TA, SA, |claims| {
        let policy = json!({"grant_types": {"subset_of": ["authorization_code", "refresh_token"]}});
        claims.insert(
            "metadata_policy".into(),
            json!({"openid_relying_party": policy}),
        );
        claims.insert(
            "metadata".into(),
            json!({"openid_relying_party": {"client_name": "not for the leaf"}}),
        );
    });
    world.statement(SA, RP, |claims| {
        let policy = json!({"grant_types": {"subset_of": ["authorization_code"]}, "contacts": {"add": ["sa@example.it"]}});
        claims.insert("metadata_policy".into(), json!({"openid_relying_party": policy}));
        claims.insert("metadata".into(), json!({"openid_relying_party": {"client_name": "RP"}}));
    });
    let resolved = resolve(&world).await.unwrap();
    let metadata = &resolved.metadata["openid_relying_party"];
    assert_eq!(metadata["client_name"], "RP");
    assert_eq!(metadata["grant_types"], json!(["authorization_code"]));
    assert_eq!(metadata["contacts"], json!(["sa@example.it"]));
}

#[tokio::test]
async fn a_policy_failure_names_path_and_operator() {
    // SPID/CIE FE-3, FE-6
    let world = World::aggregated();
    let policy = |value: &str| json!({"openid_relying_party": {"client_name": {"value": value}}});
    world.statement(TA, SA, |claims| {
        claims.insert("metadata_policy".into(), policy("a"));
    });
    world.statement(SA, RP, |claims| {
        claims.insert("metadata_policy".into(), policy("b"));
    });
    let error = refusal(&world).await;
    assert_eq!(error.code(), TrustErrorCode::UnauthorizedClient);
    assert!(
        error
            .description()
            .contains("openid_relying_party.client_name: value: "),
        "{error}"
    );
    world.statement(SA, RP, |claims| {
        claims.insert(
            "metadata_policy".into(),
            json!({"x": {"y": {"regexp": "z"}}}),
        );
        claims.insert("metadata_policy_crit".into(), json!(["regexp"]));
    });
    let error = refusal(&world).await;
    assert!(
        error.description().contains("metadata_policy_crit: regexp"),
        "{error}"
    );
}

#[tokio::test]
async fn constraints_of_statements_and_of_the_anchors_configuration_hold() {
    // SPID/CIE FE-2
    let world = World::aggregated();
    let none_between = |claims: &mut Map<String, Value>| {
        claims.insert("constraints".into(), json!({"max_path_length": 0}));
    };
    world.statement(SA, RP, none_between);
    assert!(resolve(&world).await.is_ok());
    world.statement(TA, SA, none_between);
    let error = refusal(&world).await;
    assert!(error.description().contains("max_path_length"), "{error}");
    world.statement(TA, SA, nothing);
    world.configuration(TA, none_between);
    assert!(
        refusal(&world)
            .await
            .description()
            .contains("max_path_length")
    );
    world.configuration(TA, |claims| {
        claims.insert(
            "constraints".into(),
            json!({"allowed_leaf_entity_types": ["openid_provider"]}),
        );
    });
    let error = refusal(&world).await;
    assert_eq!(error.code(), TrustErrorCode::InvalidClient);
    assert!(
        error.description().contains("allowed_leaf_entity_types"),
        "{error}"
    );
}

#[tokio::test]
async fn the_shortest_valid_path_wins_and_a_dead_superior_hides_nothing() {
    // SPID/CIE FE-7
    let world = World::aggregated();
    world.relying_party(&["https://dead.example.it", SA, TA], nothing);
    world.statement(TA, RP, nothing);
    assert_eq!(resolve(&world).await.unwrap().chain.len(), 3);
    world.fetch.put(
        &statement_url(TA, RP),
        Page::Fails(FetchFact::Status { code: 404 }),
    );
    assert_eq!(resolve(&world).await.unwrap().chain.len(), 4);
}

#[tokio::test]
async fn the_second_of_two_federations_is_found() {
    // SPID/CIE FE-7
    let mut world = World::new();
    let other = "https://other-ta.example.it";
    world.configuration(other, nothing);
    world.settings.anchors.insert(
        0,
        TrustAnchor {
            id: id(other),
            pinned_keys: Some(key_set(other)),
        },
    );
    world.relying_party(&[other, TA], nothing);
    // The mark is the first anchor's: the other one does not know its issuer.
    assert_eq!(resolve(&world).await.unwrap().anchor, id(TA));
}

#[tokio::test]
async fn loops_end_and_diamonds_are_fetched_once() {
    // SPID/CIE FE-2
    let world = World::aggregated();
    let (left, right) = ("https://left.example.it", "https://right.example.it");
    world.relying_party(&[left, right], nothing);
    for middle in [left, right] {
        world.configuration(middle, |claims| {
            claims.insert("authority_hints".into(), json!([SA, RP, left, right]));
        });
        world.statement(middle, RP, nothing);
    }
    world.statement(SA, left, |claims| {
        claims.insert("exp".into(), json!(NOW - 100));
    });
    world.statement(SA, right, nothing);
    let resolved = resolve(&world).await.unwrap();
    assert_eq!(resolved.chain.len(), 5);
    let urls = world.fetch.urls();
    for url in &urls {
        assert_eq!(
            urls.iter().filter(|other| *other == url).count(),
            1,
            "{url}"
        );
    }
}

#[tokio::test]
async fn the_smallest_exp_of_chain_and_mark_counts() {
    // SPID/CIE FE-4
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW + 600));
    });
    assert_eq!(
        resolve(&world).await.unwrap().expires_at,
        UtcTime(NOW + 600)
    );
    world.relying_party(&[TA], |claims| {
        let short = mark(TA, RP, |mark| {
            mark.insert("exp".into(), json!(NOW + 60));
        });
        claims.insert("trust_marks".into(), json!([short]));
    });
    assert_eq!(resolve(&world).await.unwrap().expires_at, UtcTime(NOW + 60));
}

#[tokio::test]
async fn a_renewal_uses_a_lane_of_its_own_and_passes_remembered_failures() {
    // SPID/CIE FE-4
    let world = World::new();
    world
        .fetch
        .put(&id(RP).configuration_url(), Page::Fails(FetchFact::Busy));
    let resolver = world.resolver();
    world.fetch.put(
        &id(RP).configuration_url(),
        Page::Fails(FetchFact::Dns("gone".into())),
    );
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_err()
    );
    world.relying_party(&[TA], nothing);
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_err()
    );
    world.fetch.forget_calls();
    assert!(resolver.renew(&world.settings, &id(RP)).await.is_ok());
    assert!(!world.fetch.lanes().contains(&Lane::Stranger(HERE)));
}

#[tokio::test]
async fn keys_come_inline_signed_or_plain() {
    // SPID/CIE FE-9
    let world = World::new();
    let resolver = world.resolver();
    let keys = async |metadata: Value| {
        let federation_keys = key_set(RP);
        let owner = KeyOwner {
            subject: &id(RP),
            metadata: metadata.as_object().unwrap(),
            federation_keys: &federation_keys,
        };
        resolver
            .fetch_rp_keys(&world.settings, Lane::Known, owner)
            .await
    };
    assert!(keys(json!({"jwks": jwks("p")})).await.is_ok());
    let url = "https://rp.example.it/jwks";
    world
        .fetch
        .put(url, Page::Body(jwks("p").to_string().into_bytes()));
    assert!(keys(json!({"jwks_uri": url})).await.is_ok());
    let mut claims = World::claims(RP, RP);
    claims.insert("keys".into(), jwks("p")["keys"].clone());
    let put = |signer: &str, claims: &Map<String, Value>| {
        let jws = signed("jwk-set+jwt", &Value::Object(claims.clone()), &key(signer));
        world.fetch.put(url, Page::Body(jws.into_bytes()));
    };
    put(RP, &claims);
    assert!(keys(json!({"signed_jwks_uri": url})).await.is_ok());
    put("thief", &claims);
    assert!(keys(json!({"signed_jwks_uri": url})).await.is_err());
    claims.insert("sub".into(), json!("https://other.example.it"));
    put(RP, &claims);
    let error = keys(json!({"signed_jwks_uri": url})).await.unwrap_err();
    assert!(error.description().contains("claim sub"), "{error}");
    let error = keys(json!({})).await.unwrap_err();
    assert!(
        error
            .description()
            .starts_with("metadata jwks of https://rp.example.it/: is missing"),
        "{error}"
    );
    assert!(keys(json!({"jwks": {"keys": []}})).await.is_err());
}
