//! SPID/CIE FE-2, FE-5, FE-7, FE-9: chains that hold.

use crate::harness::{CONFIGURATION, Host, World, claims_of, public_keys, signed};
use serde_json::{Value, json};
use varco::demo::{DemoKeys, LoginOptions, RelyingPartyKeys};
use varco::jose::{KeyKind, KeyUse, PrivateKey};
use varco::model::ClientId;
use varco::provider::Discovery;

/// The chain by which an issuer knows an RP.
async fn chain_of(world: &World, profile: &str, id: &str) -> Vec<String> {
    let known = world
        .provider(profile)
        .find_client(&ClientId::new(id), Discovery::Never)
        .await
        .unwrap();
    known.party.origin.trust().unwrap().chain.clone()
}

#[actix_web::test]
async fn an_rp_below_an_intermediate_logs_in_with_its_elliptic_curves() {
    // SPID/CIE FE-2, FE-7, AL-1, AL-2
    let world = World::start();
    let rp = world.federation.aggregated_relying_party();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let tokens = world.login(rp, &issuer, &LoginOptions::default()).await;
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        let subject = tokens.id_token["sub"].as_str().unwrap();
        let claims = rp
            .open_userinfo(&issuer.metadata, &answer.body, subject)
            .unwrap();
        assert_eq!(claims["given_name"], "Ada");
        let chain = chain_of(&world, profile, rp.entity_id()).await;
        assert_eq!(chain.len(), 4, "SPID/CIE FE-2");
        let about: Vec<Value> = chain
            .iter()
            .map(|one| claims_of(one)["sub"].clone())
            .collect();
        let intermediate = world.federation.intermediate().entity_id();
        let anchor = world.federation.trust_anchor().entity_id();
        assert_eq!(
            about,
            [rp.entity_id(), rp.entity_id(), intermediate, anchor].map(Value::from)
        );
    }
}

#[actix_web::test]
async fn the_shortest_path_wins_and_a_dead_superior_hides_nothing() {
    // SPID/CIE FE-7
    let world = World::start();
    let host = Host::start();
    let dead = host.url("/dead/");
    let intermediate = world.federation.intermediate().entity_id();
    let anchor = world.federation.trust_anchor().entity_id();
    let rp = world
        .stranger(&host, "/rp/")
        .with_statement_claim("authority_hints", json!([dead, intermediate, anchor]));
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        world
            .accepted(&world.request_of(&rp, &issuer, &LoginOptions::default()))
            .await;
        let chain = chain_of(&world, profile, rp.entity_id()).await;
        assert_eq!(chain.len(), 3, "SPID/CIE FE-7");
    }
}

#[actix_web::test]
async fn a_trust_chain_in_the_request_saves_every_fetch_of_the_rp() {
    // SPID/CIE FE-5
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let rp = world.stranger(&host, "/rp/");
    let own = rp.entity_configuration().unwrap();
    let statement = anchor
        .statement_about(rp.entity_id(), None)
        .unwrap()
        .unwrap();
    let top = anchor.entity_configuration().unwrap();
    let chains = [
        json!([own, statement, top]),
        json!([own, statement]), // the anchor's own configuration may be left out
    ];
    for (profile, chain) in ["spid", "cie"].into_iter().zip(chains) {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_header("trust_chain", chain);
        let prepared = world.request_of(&rp, &issuer, &options);
        world.accepted(&prepared).await;
    }
    assert!(
        host.requests().is_empty(),
        "SPID/CIE FE-5: nothing was published at all"
    );
}

#[actix_web::test]
async fn a_trust_chain_that_does_not_hold_proves_nothing() {
    // SPID/CIE FE-5: full verification; then as without it.
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let rp = world.stranger(&host, "/rp/");
    let own = rp.entity_configuration().unwrap();
    let forged = {
        let honest = anchor
            .statement_about(rp.entity_id(), None)
            .unwrap()
            .unwrap();
        let typ = Some("entity-statement+jwt");
        signed(
            typ,
            &Value::Object(claims_of(&honest)),
            &rp.keys().federation,
        )
    };
    anchor.expel(rp.entity_id());
    let chains = [
        json!([own, forged]),
        json!([own]),
        json!(["x", "y"]),
        json!([own, own, own]),
    ];
    for chain in chains {
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let options = LoginOptions::default().with_header("trust_chain", chain.clone());
            let prepared = world.request_of(&rp, &issuer, &options);
            let mut program = world.browser();
            program
                .headers
                .push(("accept", "application/json".to_owned()));
            let answer = program.get(&prepared.url).await;
            assert_eq!(answer.status, 400, "SPID/CIE FE-5: {}", answer.body);
            assert!(
                ["invalid_client", "temporarily_unavailable"].contains(&answer.error().as_str()),
                "{}",
                answer.body
            );
            world.clock.advance_seconds(31); // what failed is remembered for 30 s
        }
    }
}

#[actix_web::test]
async fn a_trust_chain_in_the_hands_of_another_registers_nobody() {
    // SPID/CIE FE-5: chains are public; only the RP's own signature makes one count.
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let rp = world.stranger(&host, "/rp/");
    let chain = json!([
        rp.entity_configuration().unwrap(),
        anchor
            .statement_about(rp.entity_id(), None)
            .unwrap()
            .unwrap(),
    ]);
    let keys = RelyingPartyKeys {
        signing: PrivateKey::generate(KeyKind::P256).unwrap(),
        ..rp.keys().clone()
    };
    let thief = world.stranger_with(&host, "/rp/", keys);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_header("trust_chain", chain.clone());
        let prepared = world.request_of(&thief, &issuer, &options);
        let answer = world.browser().get(&prepared.url).await;
        assert_eq!(answer.status, 400, "SPID/CIE FE-5: {}", answer.body);
        let found = world
            .provider(profile)
            .find_client(&ClientId::new(rp.entity_id()), Discovery::Never)
            .await;
        assert!(found.is_err(), "SPID/CIE FE-5: nothing was stored");
    }
}

#[actix_web::test]
async fn keys_by_jwks_uri_and_signed_jwks_uri_are_honoured() {
    // SPID/CIE FE-9
    let world = World::start();
    let host = Host::start();
    let now = varco::clock::Clock::now(&*world.clock).0;
    for member in ["jwks_uri", "signed_jwks_uri"] {
        let path = format!("/{member}/");
        let rp = world.stranger(&host, &path);
        let keys = json!([
            rp.keys().signing.public_jwk(KeyUse::Signature, None),
            rp.keys().encryption.public_jwk(KeyUse::Encryption, None),
        ]);
        let address = format!("{path}keys");
        if member == "jwks_uri" {
            let body = json!({ "keys": keys }).to_string();
            host.put(&address, "application/json", &body);
        } else {
            let claims =
                json!({"iss": rp.entity_id(), "sub": rp.entity_id(), "iat": now, "keys": keys});
            let body = signed(Some("jwk-set+jwt"), &claims, &rp.keys().federation);
            host.put(&address, "application/jwk-set+jwt", &body);
        }
        let rp = rp
            .with_metadata("jwks", Value::Null)
            .with_metadata(member, host.url(&address));
        host.publish(&path, &rp.entity_configuration().unwrap());
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let options = LoginOptions::default();
            let tokens = world.login(&rp, &issuer, &options).await;
            let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
            assert_eq!(answer.status, 200, "SPID/CIE FE-9: {}", answer.body);
        }
        assert!(host.requests().contains(&address));
    }
}

#[actix_web::test]
async fn keys_that_cannot_be_had_or_are_signed_by_others_are_refused_by_name() {
    // SPID/CIE FE-9, FE-10
    let world = World::start();
    let host = Host::start();
    let other = DemoKeys::generate_fast().unwrap().intermediate;
    let claims = public_keys(&[&other]);
    let forged = signed(Some("jwk-set+jwt"), &claims, &other);
    host.put("/forged", "application/jwk-set+jwt", &forged);
    host.put("/empty", "application/json", "{\"keys\": []}");
    host.fail("/down", 502);
    let cases = [
        (
            "signed_jwks_uri",
            "/forged",
            "invalid_client",
            "signed_jwks_uri",
        ),
        ("jwks_uri", "/empty", "invalid_client", "jwks_uri"),
        ("jwks_uri", "/down", "temporarily_unavailable", "jwks_uri"),
    ];
    for (position, (member, address, error, fact)) in cases.into_iter().enumerate() {
        let path = format!("/rp-{position}/");
        let rp = world
            .stranger(&host, &path)
            .with_metadata("jwks", Value::Null)
            .with_metadata(member, host.url(address));
        host.publish(&path, &rp.entity_configuration().unwrap());
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
            world.shown(&prepared, error, fact).await;
        }
    }
}

#[actix_web::test]
async fn an_identifier_without_a_final_slash_is_the_same_kind_of_address() {
    // SPID/CIE MD-4
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp");
    let path = format!("/rp/{CONFIGURATION}");
    let own = rp.entity_configuration().unwrap();
    host.put(&path, "application/entity-statement+jwt", &own);
    let issuer = world.issuer("spid").await;
    let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&prepared).await;
    assert_eq!(host.requests(), [path], "SPID/CIE MD-4");
}
