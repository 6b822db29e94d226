//! SPID/CIE FE-8: `/resolve` answers from what was resolved already.

use crate::harness::{Answer, Host, World, claims_of, header_of};
use serde_json::{Value, json};
use varco::clock::Clock;
use varco::config::ResolveResponseType;
use varco::demo::{LoginOptions, RelyingParty};
use varco::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
    Verified,
};

async fn ask(world: &World, profile: &str, parameters: &[(&str, &str)]) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let url = world.url(&format!("/{profile}/resolve?{query}"));
    world.browser().get(&url).await
}

async fn make_known(world: &World, profile: &'static str, rp: &RelyingParty) {
    let issuer = world.issuer(profile).await;
    let prepared = world.request_of(rp, &issuer, &LoginOptions::default());
    world.accepted(&prepared).await;
}

#[actix_web::test]
async fn what_was_resolved_is_told_signed_with_metadata_marks_and_chain() {
    // SPID/CIE FE-8
    let world = World::start();
    let rp = world.federation.aggregated_relying_party();
    let anchor = world.federation.trust_anchor().entity_id();
    for profile in ["spid", "cie"] {
        make_known(&world, profile, rp).await;
        let issuer = world.url(&format!("/{profile}/"));
        let parameters = [("sub", rp.entity_id()), ("trust_anchor", anchor)];
        let answer = ask(&world, profile, &parameters).await;
        assert_eq!(answer.status, 200, "SPID/CIE FE-8: {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/resolve-response+jwt"
        );
        let rings = world.provider(profile).rings();
        let keys = KeySet::from_json(rings.federation.published_jwks()).unwrap();
        let expectations = Expectations {
            kind: "resolve response",
            typ: TypRule::Exactly(&["resolve-response+jwt"]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(&issuer),
            subject: Some(rp.entity_id()),
            audience: None,
            now: world.clock.now(),
            leeway_seconds: 0,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let verified: Verified<Value> = Unverified::parse(&answer.body, 1_000_000)
            .unwrap()
            .verify(&keys, &expectations)
            .unwrap();
        let claims = verified.claims();
        let chain = claims["trust_chain"].as_array().unwrap();
        assert_eq!(chain.len(), 4, "SPID/CIE FE-8");
        let ends = chain
            .iter()
            .map(|one| claims_of(one.as_str().unwrap())["exp"].as_i64().unwrap());
        assert_eq!(
            claims["exp"].as_i64(),
            ends.min(),
            "the smallest exp of the chain"
        );
        let metadata = &claims["metadata"]["openid_relying_party"];
        let contacts = metadata["contacts"].to_string();
        assert!(
            contacts.contains("aggregatore@"),
            "after the policies: {contacts}"
        );
        let mark = claims["trust_marks"][0]["trust_mark"].as_str().unwrap();
        assert_eq!(claims_of(mark)["sub"], rp.entity_id());

        let again = ask(&world, profile, &parameters).await;
        assert_eq!(
            again.body, answer.body,
            "SPID/CIE FE-8: signed once a chain"
        );
        world.clock.advance_seconds(60);
        let again = ask(&world, profile, &parameters).await;
        assert_eq!(again.body, answer.body, "SPID/CIE FE-8");
        let id = varco::model::ClientId::new(rp.entity_id());
        world.provider(profile).renew(&id).await.unwrap();
        let renewed = ask(&world, profile, &parameters).await;
        assert_ne!(
            renewed.body, answer.body,
            "SPID/CIE FE-8: kept until the chain changes"
        );
    }
}

#[actix_web::test]
async fn parameters_have_historic_names_anchors_repeat_and_types_filter() {
    // SPID/CIE FE-8
    let world = World::start();
    let rp = world.rp();
    let anchor = world.federation.trust_anchor().entity_id();
    let other = "https://other.example.it";
    for profile in ["spid", "cie"] {
        make_known(&world, profile, rp).await;
        let sub = ("sub", rp.entity_id());
        for parameters in [
            vec![sub, ("anchor", anchor)],
            vec![sub, ("trust_anchor", other), ("trust_anchor", anchor)],
            vec![sub, ("anchor", other), ("trust_anchor", anchor)],
        ] {
            let answer = ask(&world, profile, &parameters).await;
            assert_eq!(answer.status, 200, "SPID/CIE FE-8: {}", answer.body);
        }
        for name in ["entity_type", "type"] {
            let filter = [sub, ("trust_anchor", anchor), (name, "federation_entity")];
            let answer = ask(&world, profile, &filter).await;
            let metadata = claims_of(&answer.body)["metadata"].clone();
            let types: Vec<&String> = metadata.as_object().unwrap().keys().collect();
            assert_eq!(types, ["federation_entity"], "SPID/CIE FE-8: {name}");
        }
        let both = [
            sub,
            ("trust_anchor", anchor),
            ("entity_type", "federation_entity"),
            ("entity_type", "openid_relying_party"),
        ];
        let metadata = claims_of(&ask(&world, profile, &both).await.body)["metadata"].clone();
        assert_eq!(metadata.as_object().unwrap().len(), 2, "SPID/CIE FE-8");
    }
}

#[actix_web::test]
async fn an_unknown_subject_is_not_found_and_nobody_is_asked() {
    // SPID/CIE FE-8, FE-6
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let anchor = world.federation.trust_anchor().entity_id();
    make_known(&world, "cie", world.rp()).await;
    for profile in ["spid", "cie"] {
        let unknown = [("sub", rp.entity_id()), ("trust_anchor", anchor)];
        let answer = ask(&world, profile, &unknown).await;
        assert_eq!(answer.status, 404, "SPID/CIE FE-8: {}", answer.body);
        assert_eq!(answer.error(), "not_found", "SPID/CIE FE-6");
        assert!(answer.description().contains("sub"));
        assert!(host.requests().is_empty(), "SPID/CIE FE-8: no discovery");
        // Another issuer's knowledge, or another anchor, is none.
        let other_anchor = [
            ("sub", world.rp().entity_id()),
            ("trust_anchor", "https://other.example.it"),
        ];
        assert_eq!(ask(&world, profile, &other_anchor).await.status, 404);
    }
    let known = [("sub", world.rp().entity_id()), ("anchor", anchor)];
    assert_eq!(ask(&world, "spid", &known).await.status, 404);
    assert_eq!(ask(&world, "cie", &known).await.status, 200);
    world.clock.advance_seconds(49 * 3600);
    let ended = ask(&world, "cie", &known).await;
    assert_eq!(ended.status, 404, "SPID/CIE FE-8: its chain has ended");
}

#[actix_web::test]
async fn missing_and_repeated_parameters_are_named() {
    // SPID/CIE FE-8, FE-6
    let world = World::start();
    let sub = ("sub", world.rp().entity_id());
    let anchor = ("anchor", world.federation.trust_anchor().entity_id());
    for (parameters, name) in [
        (vec![anchor], "sub"),
        (vec![sub], "trust_anchor"),
        (vec![], "sub"),
        (vec![sub, sub, anchor], "sub"),
    ] {
        for profile in ["spid", "cie"] {
            let answer = ask(&world, profile, &parameters).await;
            assert_eq!(answer.status, 400, "SPID/CIE FE-6: {}", answer.body);
            assert_eq!(answer.error(), "invalid_request");
            assert!(answer.description().contains(name), "{}", answer.body);
        }
    }
}

#[actix_web::test]
async fn the_drafts_type_is_a_switch() {
    // SPID/CIE FE-8
    let world = World::builder()
        .issuers(|settings| settings.resolve_response_typ = ResolveResponseType::EntityStatement)
        .start();
    let anchor = world.federation.trust_anchor().entity_id();
    make_known(&world, "spid", world.rp()).await;
    let parameters = [("sub", world.rp().entity_id()), ("anchor", anchor)];
    let answer = ask(&world, "spid", &parameters).await;
    assert_eq!(
        answer.header("content-type"),
        "application/entity-statement+jwt",
        "SPID/CIE FE-8"
    );
    assert_eq!(header_of(&answer.body)["typ"], "entity-statement+jwt");
}

#[actix_web::test]
async fn one_answer_serves_every_order_of_types_and_made_up_types_cost_no_signature() {
    // SPID/CIE FE-8
    let world = World::start();
    let anchor = world.federation.trust_anchor().entity_id();
    make_known(&world, "spid", world.rp()).await;
    let asked = async |types: &[&str]| {
        let mut parameters = vec![("sub", world.rp().entity_id()), ("anchor", anchor)];
        parameters.extend(types.iter().map(|kind| ("entity_type", *kind)));
        ask(&world, "spid", &parameters).await.body
    };
    let (one, other) = ("openid_relying_party", "federation_entity");
    let both = asked(&[one, other]).await;
    world.clock.advance_seconds(1);
    for types in [
        vec![other, one],
        vec![one, other, one],
        vec![],
        vec![one, other, "made up"],
    ] {
        assert_eq!(asked(&types).await, both, "{types:?}");
    }
    let none = asked(&["made up"]).await;
    assert!(claims_of(&none)["metadata"].as_object().unwrap().is_empty());
    world.clock.advance_seconds(1);
    assert_eq!(asked(&["another"]).await, none);
}

#[actix_web::test]
async fn a_mark_that_ends_first_ends_the_answer_and_is_left_out_of_the_next() {
    // SPID/CIE FE-8, OIDC Federation §8.3.2
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    let end = world.clock.now().plus_seconds(3600);
    let another = format!("{}another/", anchor.entity_id());
    let changes = json!({"exp": end});
    let short = anchor.trust_mark_with(&another, rp.entity_id(), changes.as_object().unwrap());
    let long = anchor.trust_mark(&mark_type, rp.entity_id(), "rp").unwrap();
    let marks = vec![(mark_type.clone(), long), (another, short.unwrap())];
    let rp = rp.with_trust_marks(marks);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    make_known(&world, "cie", &rp).await;
    let parameters = [("sub", rp.entity_id()), ("anchor", anchor.entity_id())];
    let first = claims_of(&ask(&world, "cie", &parameters).await.body);
    assert_eq!(first["trust_marks"].as_array().unwrap().len(), 2);
    assert_eq!(first["exp"], json!(end));
    world.clock.advance_seconds(3600);
    let second = claims_of(&ask(&world, "cie", &parameters).await.body);
    let marks = second["trust_marks"].as_array().unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0]["trust_mark_type"], json!(mark_type));
    assert!(second["exp"].as_i64() > first["exp"].as_i64());
}

#[actix_web::test]
async fn a_new_federation_key_signs_everything_at_once() {
    // SPID/CIE FE-8, AL-5
    let world = World::start();
    let anchor = world.federation.trust_anchor().entity_id();
    make_known(&world, "spid", world.rp()).await;
    let parameters = [("sub", world.rp().entity_id()), ("anchor", anchor)];
    let signers = async || {
        let resolved = ask(&world, "spid", &parameters).await.body;
        let mut signers = vec![header_of(&resolved)["kid"].clone()];
        for path in [".well-known/openid-federation", "jwks.jose"] {
            let url = world.url(&format!("/spid/{path}"));
            signers.push(header_of(&world.browser().get(&url).await.body)["kid"].clone());
        }
        signers
    };
    let before = signers().await;
    let op = world.provider("spid");
    let changes = varco::keys::rotate(
        &op.shared.store,
        (&op.settings, &op.shared.key_encryption_key),
        (
            varco::jose::RingName::Federation,
            varco::keys::When::Immediately,
        ),
        world.clock.now(),
        |_, _| Ok(()),
    );
    changes.unwrap();
    op.reload_keys().unwrap();
    let after = signers().await;
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before, after);
    }
    assert!(after.iter().all(|kid| *kid == after[0]), "{after:?}");
}
