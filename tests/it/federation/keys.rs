//! Keys while the process runs: published before they sign, verified until the last token ends, never a restart.
//! SPID/CIE AL-5, AL-6, FE-11.

use crate::harness::{World, claims_of, header_of};
use serde_json::Value;
use varco::clock::Clock;
use varco::demo::LoginOptions;
use varco::jose::{KeyEncryptionKey, RingName};
use varco::keys::{self, Change, When};

fn rotate(world: &World, profile: &str, ring: RingName, immediately: bool) -> Vec<Change> {
    let op = world.provider(profile);
    let when = match immediately {
        true => When::Immediately,
        false => When::Soonest,
    };
    let changes = keys::rotate(
        &op.shared.store,
        (&op.settings, &op.shared.key_encryption_key),
        (ring, when),
        world.clock.now(),
        |_, _| Ok(()),
    );
    // As the background poll does.
    op.reload_keys().unwrap();
    changes.unwrap()
}

fn advance(world: &World, profile: &str, seconds: i64) {
    world.clock.advance_seconds(seconds);
    world.provider(profile).reload_keys().unwrap();
}

/// The key that signs for an RP with RS256.
fn successor(changes: &[Change]) -> String {
    let signs = |change: &&Change| change.kind.starts_with("RSA") && change.usage == "sig";
    changes.iter().find(signs).unwrap().kid.clone()
}

async fn published(world: &World, profile: &str) -> Vec<String> {
    let answer = world
        .browser()
        .get(&world.url(&format!("/{profile}/jwks.json")))
        .await;
    kids(&answer.json())
}

fn kids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn entity_configuration(world: &World, profile: &str) -> String {
    let url = world.url(&format!("/{profile}/.well-known/openid-federation"));
    world.browser().get(&url).await.body
}

async fn signer_of_a_login(world: &World, profile: &'static str) -> (String, String) {
    let issuer = world.issuer(profile).await;
    let tokens = world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let header = header_of(tokens.answer.id_token.as_deref().unwrap());
    let kid = header["kid"].as_str().unwrap().to_owned();
    (kid, tokens.answer.access_token)
}

#[actix_web::test]
async fn a_protocol_key_is_published_before_it_signs_and_verifies_until_its_tokens_end() {
    for profile in ["spid", "cie"] {
        let world = World::start();
        let lifetimes = world.provider(profile).settings.lifetimes;
        let (old, _) = signer_of_a_login(&world, profile).await;
        assert!(published(&world, profile).await.contains(&old));

        let new = successor(&rotate(&world, profile, RingName::Protocol, false));
        let both = published(&world, profile).await;
        assert!(both.contains(&old) && both.contains(&new), "{both:?}");
        let claims = claims_of(&entity_configuration(&world, profile).await);
        let inline = kids(&claims["metadata"]["openid_provider"]["jwks"]);
        assert!(inline.contains(&new), "SPID/CIE MD-3: {inline:?}");
        let (signer, _) = signer_of_a_login(&world, profile).await;
        assert_eq!(signer, old, "published, not signing yet");

        advance(&world, profile, lifetimes.entity_configuration - 5);
        let (signer, last_token) = signer_of_a_login(&world, profile).await;
        assert_eq!(signer, old);
        advance(&world, profile, 5);
        let (signer, _) = signer_of_a_login(&world, profile).await;
        assert_eq!(
            signer, new,
            "signs after one lifetime of the entity configuration"
        );
        let issuer = world.issuer(profile).await;
        let answer = world.userinfo(&issuer, &last_token).await;
        assert_eq!(
            answer.status, 200,
            "the old token still verifies: {}",
            answer.body
        );

        advance(&world, profile, lifetimes.refresh_token + 601);
        let left = published(&world, profile).await;
        assert!(!left.contains(&old) && left.contains(&new), "{left:?}");
    }
}

#[actix_web::test]
async fn a_key_that_was_stolen_ends_at_once() {
    let world = World::start();
    let (old, token) = signer_of_a_login(&world, "cie").await;
    let op = world.provider("cie");
    let retire = |now: bool| {
        keys::retire(
            &op.shared.store,
            &op.settings,
            (&old, now),
            world.clock.now(),
            |_, _| Ok(()),
        )
    };
    let error = retire(true).unwrap_err().to_string();
    assert!(
        error.contains(&old) && error.contains("keys rotate"),
        "{error}"
    );
    let new = successor(&rotate(&world, "cie", RingName::Protocol, true));
    retire(true).unwrap();
    op.reload_keys().unwrap();
    assert!(!published(&world, "cie").await.contains(&old));
    let issuer = world.issuer("cie").await;
    let answer = world.userinfo(&issuer, &token).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(signer_of_a_login(&world, "cie").await.0, new);
}

#[actix_web::test]
async fn a_federation_key_waits_until_its_superior_attests_it_and_ends_in_the_historical_keys() {
    // SPID/CIE FE-11, AL-6
    for profile in ["spid", "cie"] {
        let world = World::start();
        let history = world.url(&format!(
            "/{profile}/.well-known/openid-federation-historical-jwks"
        ));
        let endpoint = |claims: &serde_json::Map<String, Value>| {
            claims["metadata"]["federation_entity"]["federation_historical_keys_endpoint"].clone()
        };
        let first = entity_configuration(&world, profile).await;
        let old = header_of(&first)["kid"].as_str().unwrap().to_owned();
        assert_eq!(endpoint(&claims_of(&first)), Value::Null);
        let none = world.browser().get(&history).await;
        assert_eq!(none.status, 404, "SPID/CIE FE-11: {}", none.body);
        assert_eq!(none.error(), "not_found");

        let changes = rotate(&world, profile, RingName::Federation, false);
        let new = changes[0].kid.clone();
        let shown = entity_configuration(&world, profile).await;
        assert_eq!(header_of(&shown)["kid"], old.as_str(), "not attested yet");
        let jwks = claims_of(&shown)["jwks"].clone();
        assert!(kids(&jwks).contains(&new), "shown to the superior");

        let issuer = world.provider(profile).settings.id.clone();
        world.federation.attest_provider(&issuer, jwks);
        rotate(&world, profile, RingName::Federation, false);
        let signed = entity_configuration(&world, profile).await;
        assert_eq!(header_of(&signed)["kid"], new.as_str());
        world.issuer(profile).await; // an outsider still finds us trustworthy
        let protocol = published(&world, profile).await;
        assert!(!protocol.contains(&new), "SPID/CIE AL-6");

        let lifetime = world
            .provider(profile)
            .settings
            .lifetimes
            .entity_configuration;
        let retired_at = world.clock.now();
        advance(&world, profile, lifetime + 601);
        let claims = claims_of(&entity_configuration(&world, profile).await);
        assert_eq!(endpoint(&claims), history.as_str(), "SPID/CIE FE-11");
        assert!(!kids(&claims["jwks"]).contains(&old));
        let answer = world.browser().get(&history).await;
        assert_eq!(answer.status, 200, "SPID/CIE FE-11: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/jwk-set+jwt");
        let header = header_of(&answer.body);
        assert_eq!(
            (&header["typ"], &header["kid"]),
            (&"jwk-set+jwt".into(), &new.clone().into())
        );
        let claims = claims_of(&answer.body);
        assert_eq!(claims["iss"], issuer.as_str());
        let keys = claims["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["kid"], old.as_str());
        let ended = keys[0]["exp"].as_i64().unwrap();
        assert!(ended > retired_at.0 && ended <= world.clock.now().0);
        assert!(keys[0].get("d").is_none());
    }
}

#[actix_web::test]
async fn a_process_with_the_wrong_key_file_says_what_to_do() {
    let world = World::start();
    let open = |change: fn(&mut varco::config::ServerSettings)| {
        let mut settings = world.app.shared.server.clone();
        change(&mut settings);
        match varco::launch::open(settings, false, world.clock.clone()) {
            Ok(_) => panic!("it started"),
            Err(message) => message,
        }
    };
    let wrong = open(|settings| settings.key = Some(KeyEncryptionKey::generate().to_text()));
    for part in [
        "cannot be opened",
        "key_file",
        "VARCO_KEY",
        "--replace-lost",
    ] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
    let missing = open(|settings| settings.key_file = "/nowhere/varco.key".into());
    for part in ["/nowhere/varco.key", "keys init"] {
        assert!(missing.contains(part), "{part}: {missing}");
    }
}
