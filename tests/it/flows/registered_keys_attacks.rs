//! Addresses of keys that hang, break, lie, or lead into our own network.

use super::registered_keys::{Party, key};
use crate::harness::{HERE, Host, World, public_keys};
use std::sync::Arc;
use std::time::Duration;
use varco::federation::{FetchLimits, HttpFetcher, ResolutionLimits};
use varco::jose::KeyUse;
use varco::model::ClientId;
use varco::provider::{ClientError, Discovery};

const KEYS: &str = "/keys";

#[actix_web::test]
async fn what_is_wrong_at_the_address_is_said_to_whoever_signs_with_a_key_from_there() {
    let world = World::start();
    let key = key();
    let mut private = key.public_jwk(KeyUse::Signature, None);
    private["d"] = "AAAA".into();
    let private = serde_json::json!({ "keys": [private] }).to_string();
    let good = public_keys(&[&key]).to_string();
    let large = format!("{{\"x\":\"{}\",\"keys\":[]}}", "x".repeat(300 * 1024));
    let json = |text: &str| {
        let text = text.to_owned();
        move |host: &Host| host.put(KEYS, "application/json", &text)
    };
    let raw = |text: String| move |host: &Host| host.answer_raw(KEYS, text.clone().into_bytes());
    let half = format!("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{good}");
    let encoded =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}".to_owned();
    type Serve = Box<dyn Fn(&Host)>;
    let cases: [(Serve, u16, &str, &str); 12] = [
        (
            Box::new(|host: &Host| host.fail(KEYS, 500)),
            503,
            "temporarily_unavailable",
            "HTTP status 500",
        ),
        (
            Box::new(|host: &Host| host.fail(KEYS, 404)),
            503,
            "temporarily_unavailable",
            "HTTP status 404",
        ),
        (Box::new(json("<html>")), 401, "invalid_client", "jwks_uri"),
        (Box::new(json("[]")), 401, "invalid_client", "jwks_uri"),
        (
            Box::new(json("{\"keys\": []}")),
            401,
            "invalid_client",
            "it holds no key",
        ),
        (
            Box::new(json("{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}")),
            401,
            "invalid_client",
            "no usable key",
        ),
        (
            Box::new(json(&private)),
            401,
            "invalid_client",
            "no usable key",
        ),
        (Box::new(json(&large)), 401, "invalid_client", "larger than"),
        (
            Box::new(raw(half)),
            503,
            "temporarily_unavailable",
            "jwks_uri",
        ),
        (
            Box::new(raw(encoded)),
            401,
            "invalid_client",
            "Content-Encoding",
        ),
        (
            Box::new(raw("whatever\r\n\r\n".to_owned())),
            503,
            "temporarily_unavailable",
            "not HTTP",
        ),
        (
            Box::new(|host: &Host| host.redirect(KEYS, KEYS)),
            401,
            "invalid_client",
            "redirects",
        ),
    ];
    for (serve, status, error, says) in cases {
        let party = Party::new(&world);
        serve(&party.host);
        let answer = party.token(&world, &key).await;
        assert!(answer.body.contains(says), "{says}: {}", answer.body);
        answer.is_refused(status, error, "jwks_uri");
        // Also while nobody asks again.
        let asked = party.host.requests().len();
        party
            .token(&world, &key)
            .await
            .is_refused(status, error, "jwks_uri");
        assert_eq!(party.host.requests().len(), asked, "{says}");
        // Mended, and the pause over.
        party.publish(&[&key]);
        world.clock.advance_seconds(10);
        let answer = party.token(&world, &key).await;
        assert_eq!(answer.status, 200, "{says}: {}", answer.body);
        // All of them come from one source, which has its share.
        world.clock.advance_seconds(60);
    }
}

#[actix_web::test]
async fn an_address_that_hangs_is_given_up_and_those_who_wait_share_one_fetch() {
    let world = World::start();
    let party = Party::new(&world);
    party.host.hold(KEYS);
    let limits = FetchLimits {
        per_fetch: Duration::from_millis(200),
        ..FetchLimits::default()
    };
    let fetcher = HttpFetcher::new(limits, true, None).unwrap();
    let node = world.node_with(Arc::new(fetcher), ResolutionLimits::default());
    let op = node.provider("oidc");
    let id = ClientId::new(party.client.id.as_str());
    let known = op.find_client(&id, Discovery::Never).await.unwrap();
    let looks = (0..8).map(|_| op.look_up_keys(&known, HERE));
    for looked in futures_util::future::join_all(looks).await {
        let error = looked.unwrap_err();
        assert!(matches!(error, ClientError::Trust(_)), "{error}");
        assert!(
            error
                .to_string()
                .contains("no complete answer within 200 ms"),
            "{error}"
        );
    }
    assert_eq!(party.host.requests().len(), 1);
}

#[actix_web::test]
async fn an_address_never_leads_into_our_own_network() {
    let world = World::start();
    let key = key();
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/keys",
        "https://2852039166/keys",
        "https://0/keys",
    ] {
        let party = Party::at(&world, Host::start(), url);
        let answer = party.token(&world, &key).await;
        answer.is_refused(401, "invalid_client", "not at an address that is allowed");
    }
    world.clock.advance_seconds(60);
    // Nor by a redirect: nobody is asked there.
    let inside = Host::start();
    inside.put(KEYS, "application/json", &public_keys(&[&key]).to_string());
    for to in [inside.url(KEYS), "http://169.254.169.254/keys".to_owned()] {
        let party = Party::new(&world);
        party.host.redirect(KEYS, &to);
        let answer = party.token(&world, &key).await;
        answer.is_refused(401, "invalid_client", "redirected to another host");
    }
    assert!(inside.requests().is_empty());

    // Outside development this machine is as far away.
    let party = Party::at(
        &world,
        Host::start(),
        &inside.url(KEYS).replace("http:", "https:"),
    );
    let fetcher = HttpFetcher::new(FetchLimits::default(), false, None).unwrap();
    let node = world.node_with(Arc::new(fetcher), ResolutionLimits::default());
    let op = node.provider("oidc");
    let id = ClientId::new(party.client.id.as_str());
    let known = op.find_client(&id, Discovery::Never).await.unwrap();
    let error = op.look_up_keys(&known, HERE).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not at an address that is allowed"),
        "{error}"
    );
    assert!(inside.requests().is_empty());
}

#[actix_web::test]
async fn forged_assertions_make_nobody_fetch_at_will_and_delay_no_honest_one() {
    let world = World::start();
    let party = Party::new(&world);
    let (honest, attacker) = (key(), key());
    party.publish(&[&honest]);
    let answer = party.token(&world, &honest).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for _ in 0..20 {
        world.clock.advance_seconds(3);
        let answer = party.token(&world, &attacker).await;
        answer.is_refused(401, "invalid_client", "no key with kid");
    }
    let asked = party.host.requests().len();
    assert!(asked <= 6, "5, 10, 20, 40 s: {asked}");
    party.host.hold(KEYS);
    let answer = party.token(&world, &honest).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        party.host.requests().len(),
        asked,
        "a known key asks nobody"
    );
}
