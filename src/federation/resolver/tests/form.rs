//! What OpenID Federation 1.0 §3.2 refuses beyond signatures, keys and times, and what §6.2 does instead of refusing.

use super::*;

async fn refused(world: &World, fact: &str) {
    let error = refusal(world).await;
    assert!(error.to_string().contains(fact), "{fact}: {error}");
}

#[tokio::test]
async fn crit_names_extensions_only_in_every_kind_of_statement() {
    // SPID/CIE FE-2, OIDC Federation §3.2 step 13
    for (named, fact) in [
        ("jti", "crit names jti, which is not understood"),
        ("metadata", "crit names metadata, which OpenID Federation"),
    ] {
        let critical = |claims: &mut Map<String, Value>| {
            claims.insert("crit".into(), json!([named]));
        };
        let world = World::aggregated();
        world.statement(SA, RP, critical);
        refused(&world, fact).await;
        world.statement(SA, RP, nothing);
        world.statement(TA, SA, critical);
        refused(&world, fact).await;
        world.statement(TA, SA, nothing);
        world.relying_party(&[SA], critical);
        refused(&world, fact).await;
        world.relying_party(&[SA], nothing);
        world.configuration(SA, |claims| {
            claims.insert("authority_hints".into(), json!([TA]));
            critical(claims);
        });
        refused(&world, fact).await;
        let world = World::new();
        world.configuration(TA, critical);
        refused(&world, fact).await;
    }
}

#[tokio::test]
async fn critical_policy_operators_are_extensions_and_none_is_understood() {
    // SPID/CIE FE-2, OIDC Federation §3.1.3
    for (named, fact) in [("regexp", "not understood"), ("subset_of", "standard")] {
        let critical = |claims: &mut Map<String, Value>| {
            claims.insert("metadata_policy_crit".into(), json!([named]));
        };
        let world = World::aggregated();
        world.statement(TA, SA, critical);
        refused(&world, fact).await;
        world.statement(TA, SA, nothing);
        world.statement(SA, RP, critical);
        refused(&world, fact).await;
    }
}

#[tokio::test]
async fn claims_that_steer_from_the_wrong_place_are_refused_and_noise_is_not() {
    // OIDC Federation §3.2 steps 14, 17 and 18
    let policy = |claims: &mut Map<String, Value>| {
        let policy = json!({"openid_relying_party": {"contacts": {"add": ["a@example.it"]}}});
        claims.insert("metadata_policy".into(), policy);
    };
    let world = World::aggregated();
    world.relying_party(&[SA], policy);
    refused(&world, "metadata_policy may only be in a subordinate").await;
    world.relying_party(&[SA], nothing);
    world.configuration(SA, |claims| {
        claims.insert("authority_hints".into(), json!([TA]));
        claims.insert("metadata_policy_crit".into(), json!(["regexp"]));
    });
    refused(&world, "metadata_policy_crit may only be in a").await;
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.insert("authority_hints".into(), json!([TA]));
    });
    refused(&world, "authority_hints may only be in an entity").await;
    // SPID/CIE FE-2: members that change nothing are tolerated wherever they stand.
    world.statement(TA, RP, |claims| {
        claims.insert("aud".into(), json!(OP));
        claims.insert("trust_anchor".into(), json!(TA));
        claims.insert("trust_marks".into(), json!([]));
        claims.insert("trust_mark_issuers".into(), json!({}));
    });
    world.relying_party(&[TA], |claims| {
        claims.insert("source_endpoint".into(), json!("https://x.example.it"));
        claims.insert("constraints".into(), json!({"max_path_length": 0}));
    });
    assert!(resolve(&world).await.is_ok());
}

#[tokio::test]
async fn a_statement_says_when_it_was_issued() {
    // OIDC Federation §3.1.1
    let world = World::new();
    world.statement(TA, RP, |claims| {
        claims.remove("iat");
    });
    refused(&world, "claim iat is missing").await;
}

#[tokio::test]
async fn a_superior_overrides_the_types_that_the_subject_has_and_adds_none() {
    // SPID/CIE FE-3, OIDC Federation §3.1.1
    let world = World::new();
    world.statement(TA, RP, |claims| {
        let metadata = json!({
            "openid_relying_party": {"client_name": "RP"},
            "openid_provider": {"issuer": RP},
        });
        claims.insert("metadata".into(), metadata);
    });
    let resolved = resolve(&world).await.unwrap();
    let types: Vec<&String> = resolved.metadata.keys().collect();
    assert_eq!(types, ["openid_relying_party"]);
    assert_eq!(
        resolved.metadata["openid_relying_party"]["client_name"],
        "RP"
    );
    world.relying_party(&[TA], |claims| {
        claims.insert("metadata".into(), json!({"federation_entity": {}}));
    });
    refused(&world, "has no metadata for openid_relying_party").await;
}

#[tokio::test]
async fn an_entity_of_two_types_keeps_the_one_that_is_allowed() {
    // SPID/CIE FE-2, OIDC Federation §6.2.3
    let world = World::aggregated();
    let allow = |allowed: Value| {
        move |claims: &mut Map<String, Value>| {
            claims.insert(
                "constraints".into(),
                json!({"allowed_entity_types": allowed}),
            );
        }
    };
    world.relying_party(&[SA], |claims| {
        let relying_party = claims["metadata"]["openid_relying_party"].clone();
        let metadata = json!({
            "openid_relying_party": relying_party,
            "openid_provider": {"issuer": RP},
            "federation_entity": {"organization_name": "RP"},
        });
        claims.insert("metadata".into(), metadata);
    });
    world.statement(TA, SA, allow(json!(["openid_relying_party"])));
    let resolved = resolve(&world).await.unwrap();
    let types: Vec<&String> = resolved.metadata.keys().collect();
    assert_eq!(types, ["openid_relying_party", "federation_entity"]);
    // Each superior's constraint counts on its own.
    world.statement(SA, RP, allow(json!(["openid_provider"])));
    let fact = "allowed_entity_types of https://sa.example.it: entity type openid_relying_party";
    refused(&world, fact).await;
}

#[tokio::test]
async fn names_are_constrained_for_everything_below_and_not_for_the_superior_itself() {
    // SPID/CIE FE-2, OIDC Federation §6.2.2
    let world = World::aggregated();
    let permit = |host: &'static str| {
        move |claims: &mut Map<String, Value>| {
            let names = json!({"naming_constraints": {"permitted": [host]}});
            claims.insert("constraints".into(), names);
        }
    };
    world.statement(SA, RP, permit("rp.example.it"));
    assert!(resolve(&world).await.is_ok());
    world.statement(TA, SA, permit("rp.example.it"));
    refused(&world, "https://sa.example.it is not allowed").await;
    world.statement(TA, SA, permit("sa.example.it"));
    refused(&world, "https://rp.example.it/ is not allowed").await;
}

#[tokio::test]
async fn a_provided_chain_is_the_path_that_the_subject_names_and_has_no_loop() {
    // SPID/CIE FE-5, OIDC Federation §3.2 step 6
    let world = World::aggregated();
    let other = "https://other.example.it";
    let own = world.relying_party(&[SA], nothing);
    let unnamed = [
        own.clone(),
        world.statement(other, RP, nothing),
        world.statement(TA, other, nothing),
    ];
    let around = [
        own.clone(),
        world.statement(SA, RP, nothing),
        world.statement(other, SA, nothing),
        world.statement(SA, other, nothing),
        world.statement(TA, SA, nothing),
    ];
    let above = [
        own,
        world.statement(SA, RP, nothing),
        world.statement(TA, SA, nothing),
        world.statement(other, TA, nothing),
        world.statement(TA, other, nothing),
    ];
    for (chain, fact) in [
        (&unnamed[..], "do not name https://other.example.it"),
        (&around, "has https://sa.example.it twice"),
        (&above, "has https://ta.example.it twice"),
    ] {
        let outcome = world
            .resolver()
            .resolve_provided(&world.settings, &id(RP), HERE, chain)
            .await;
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains(fact), "{fact}: {error}");
    }
}

#[tokio::test]
async fn a_superior_with_many_superiors_does_not_hide_the_other_path() {
    // SPID/CIE FE-7: the fetches of one resolution are shared by its paths
    let world = World::aggregated();
    let (greedy, middle) = ("https://greedy.example.it", "https://middle.example.it");
    world.relying_party(&[greedy, SA], nothing);
    let many: Vec<String> = (0..20)
        .map(|n| format!("https://many-{n}.example.it"))
        .collect();
    world.configuration(greedy, |claims| {
        claims.insert("authority_hints".into(), json!(many));
    });
    world.statement(greedy, RP, nothing);
    for one in &many {
        world.configuration(one, |claims| {
            claims.insert("authority_hints".into(), json!([TA]));
        });
        world.statement(one, greedy, nothing);
    }
    world.configuration(SA, |claims| {
        claims.insert("authority_hints".into(), json!([middle]));
    });
    world.configuration(middle, |claims| {
        claims.insert("authority_hints".into(), json!([TA]));
    });
    world.statement(middle, SA, nothing);
    world.statement(TA, middle, nothing);
    let resolved = resolve(&world).await.unwrap();
    assert_eq!(resolved.chain.len(), 5);
    assert!(world.fetch.urls().len() <= 31);
}

#[tokio::test]
async fn a_superior_named_twenty_times_is_one_superior() {
    let world = World::aggregated();
    let middle = "https://middle.example.it";
    world.relying_party(&[SA; 20], nothing);
    world.configuration(SA, |claims| {
        claims.insert("authority_hints".into(), json!([SA, RP, middle, middle]));
    });
    world.configuration(middle, |claims| {
        claims.insert("authority_hints".into(), json!([TA]));
    });
    world.statement(middle, SA, nothing);
    world.statement(TA, middle, nothing);
    assert_eq!(resolve(&world).await.unwrap().chain.len(), 5);
    assert_eq!(world.fetch.urls().len(), 7);
}

#[tokio::test]
async fn an_anchor_that_does_not_take_the_marks_may_be_an_intermediate_of_one_that_does() {
    // SPID/CIE FE-7, OIDC Federation §4.1
    let mut world = World::new();
    let national = "https://national.example.it";
    world.settings.anchors.insert(
        0,
        TrustAnchor {
            id: id(national),
            pinned_keys: Some(key_set(national)),
        },
    );
    world.configuration(national, |claims| {
        claims.insert("authority_hints".into(), json!([TA]));
    });
    world.relying_party(&[national], nothing);
    world.statement(national, RP, nothing);
    world.statement(TA, national, nothing);
    let resolved = resolve(&world).await.unwrap();
    assert_eq!((resolved.chain.len(), resolved.anchor.as_str()), (4, TA));
}
