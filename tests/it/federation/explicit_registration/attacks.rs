//! Requests that must not register anybody.

use super::{CHAIN, STATEMENT, chain_of, superiors_of, with_header};
use crate::harness::{Host, World, claims_of, signed};
use serde_json::{Value, json};
use varco::demo::RelyingParty;
use varco::model::ClientId;
use varco::store::client;

impl World {
    fn is_registered(&self, rp: &RelyingParty) -> bool {
        let issuer = self.provider("oidc").issuer.clone();
        let id = ClientId::new(rp.entity_id());
        let store = &self.app.shared.store;
        let found = store.read_blocking(|connection| client::find(connection, &issuer, &id));
        found.unwrap().is_some()
    }
}

/// §12.2.1, §12.2.2 step 2: what the request says of itself.
#[actix_web::test]
async fn a_request_with_a_wrong_claim_is_refused() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let (op, now) = (world.op(), world.now());
    for (claim, value, code, says) in [
        ("aud", Value::Null, "invalid_request", "aud must be"),
        (
            "aud",
            json!(world.url("/spid/")),
            "invalid_request",
            "aud must be",
        ),
        (
            "aud",
            json!([op, world.url("/spid/")]),
            "invalid_request",
            "aud must be",
        ),
        (
            "aud",
            json!(op.trim_end_matches('/')),
            "invalid_request",
            "aud must be",
        ),
        ("aud", json!([[op]]), "invalid_request", "aud must be"),
        (
            "iss",
            json!(world.rp().entity_id()),
            "invalid_request",
            "iss and sub",
        ),
        (
            "sub",
            json!(world.rp().entity_id()),
            "invalid_request",
            "iss and sub",
        ),
        ("sub", json!("rp"), "invalid_request", "sub"),
        ("sub", json!(7), "invalid_request", "sub"),
        ("iat", Value::Null, "invalid_request", "iat"),
        ("iat", json!(now + 3600), "invalid_trust_chain", "iat"),
        (
            "iat",
            json!(now - 86_400 - 30),
            "invalid_request",
            "iat must be less than a day ago",
        ),
        ("iat", json!(i64::MIN), "invalid_request", "iat"),
        ("exp", Value::Null, "invalid_request", "exp"),
        ("exp", json!(now - 3600), "invalid_trust_chain", "exp"),
        ("exp", json!(now - 1), "invalid_trust_chain", "ended on"),
        ("jwks", Value::Null, "invalid_request", "jwks"),
        (
            "authority_hints",
            json!([]),
            "invalid_request",
            "authority_hints",
        ),
        (
            "authority_hints",
            Value::Null,
            "invalid_request",
            "authority_hints",
        ),
        (
            "authority_hints",
            json!(["https://nobody.example.it"]),
            "invalid_trust_chain",
            "",
        ),
        (
            "metadata",
            json!({"openid_provider": {}}),
            "invalid_request",
            "openid_relying_party",
        ),
        ("crit", json!(["unheard_of"]), "invalid_trust_chain", "crit"),
        (
            "trust_marks",
            json!([]),
            "invalid_client",
            "trust_marks has none",
        ),
    ] {
        let request = rp
            .clone()
            .with_statement_claim(claim, value.clone())
            .registration_request(&op)
            .unwrap();
        // A claim that was set to null is not set by the helper either.
        let answer = world.post_registration(STATEMENT, request).await;
        let status = if code == "invalid_client" { 401 } else { 400 };
        assert_eq!(answer.status, status, "{claim} {value}: {}", answer.body);
        answer.is_refused(status, code, says);
    }
    assert!(!world.is_registered(&rp));
}

/// An entity configuration as everybody can fetch it is no request.
#[actix_web::test]
async fn what_an_rp_publishes_or_sends_elsewhere_registers_nobody() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let published = rp.entity_configuration().unwrap();
    let elsewhere = rp.registration_request("https://op.example.it").unwrap();
    for request in [published, elsewhere] {
        let answer = world.post_registration(STATEMENT, request.clone()).await;
        answer.is_refused(400, "invalid_request", "aud must be");
        let chain = [vec![request], superiors_of(&world, rp.entity_id())].concat();
        let answer = world
            .post_registration(CHAIN, json!(chain).to_string())
            .await;
        answer.is_refused(400, "invalid_request", "aud must be");
    }
    let request = rp.registration_request(&world.op()).unwrap();
    let claims = Value::Object(claims_of(&request));
    for typ in [
        None,
        Some("JWT"),
        Some("explicit-registration-response+jwt"),
    ] {
        let request = signed(typ, &claims, &rp.keys().federation);
        let answer = world.post_registration(STATEMENT, request).await;
        answer.is_refused(400, "invalid_request", "typ");
    }
}

/// The keys that count are those that the superior attests.
#[actix_web::test]
async fn foreign_keys_register_nobody() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let stranger = world.federation.aggregated_relying_party().keys();
    let request = rp.registration_request(&world.op()).unwrap();
    let claims = claims_of(&request);
    // Signed with a foreign key, the RP's own keys inside; then with the foreign key inside, which then fits.
    let wrong_signature = signed(
        Some("entity-statement+jwt"),
        &Value::Object(claims.clone()),
        &stranger.federation,
    );
    let mut swapped = claims.clone();
    swapped["jwks"] = crate::harness::public_keys(&[&stranger.federation]);
    let swapped = signed(
        Some("entity-statement+jwt"),
        &Value::Object(swapped),
        &stranger.federation,
    );
    let protocol_key = signed(
        Some("entity-statement+jwt"),
        &Value::Object(claims),
        &rp.keys().signing,
    );
    for request in [wrong_signature, swapped, protocol_key] {
        let answer = world.post_registration(STATEMENT, request.clone()).await;
        answer.is_refused(400, "invalid_trust_chain", "");
        let chain = [vec![request.clone()], superiors_of(&world, rp.entity_id())].concat();
        let answer = world
            .post_registration(CHAIN, json!(chain).to_string())
            .await;
        answer.is_refused(400, "invalid_trust_chain", "");
    }
    // What a stranger sends in an RP's name does not stand in the RP's way.
    world.register_rp(&rp).await;
}

#[actix_web::test]
async fn a_chain_that_does_not_hold_registers_nobody() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let right = chain_of(&world, &rp);
    let (own, about, anchor) = (&right[0], &right[1], &right[2]);
    let other = superiors_of(&world, world.rp().entity_id());
    let code = "invalid_trust_chain";
    for (chain, code) in [
        (json!([own]), code),
        (json!([own, anchor]), code),
        (json!([own, other[0], anchor]), code),
        (json!([own, about, about, anchor]), code),
        (json!([own, own, own, own]), code),
        (json!([about, own, anchor]), "invalid_request"),
        (json!([]), "invalid_request"),
        (json!([own, 7]), "invalid_request"),
        (json!({"keys": right}), "invalid_request"),
        (json!([own, "x", anchor]), code),
        (Value::Array(vec![json!(own); 200]), "invalid_request"),
    ] {
        let body = chain.to_string();
        let answer = world.post_registration(CHAIN, body.clone()).await;
        if body.len() > 320 * 1024 {
            assert_eq!(answer.status, 413);
        } else {
            assert_eq!(answer.error(), code, "{body}: {}", answer.body);
            assert_eq!(answer.status, 400);
        }
        let header = with_header(&rp, own, &json!({"trust_chain": chain}));
        let answer = world.post_registration(STATEMENT, header).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
    }
    assert!(!world.is_registered(&rp));
    // An RP that no superior knows, and one that has no chain at all.
    world.federation.trust_anchor().expel(rp.entity_id());
    let answer = world.ask_to_register(&rp).await;
    answer.is_refused(400, "invalid_trust_chain", "does not know this subordinate");
}

/// What cannot be reached was named by the request: that is no outage of ours.
#[actix_web::test]
async fn superiors_that_fail_are_the_requests_fault() {
    let world = World::start();
    let host = Host::start();
    let rp = world.plain_rp("rp-explicit");
    host.fail("/sa/.well-known/openid-federation", 503);
    let answer = world
        .ask_to_register(&rp.clone().with_superior(&host.url("/sa/")))
        .await;
    answer.is_refused(400, "invalid_trust_chain", "503");
    // Remembered for nobody: the next request is judged by itself.
    world.register_rp(&rp).await;
}

#[actix_web::test]
async fn bodies_of_any_other_kind_are_refused() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let request = rp.registration_request(&world.op()).unwrap();
    for content_type in [
        "application/json",
        "application/jwt",
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let answer = world.post_registration(content_type, request.clone()).await;
        answer.is_refused(415, "invalid_request", "application/trust-chain+json");
    }
    let deep = "[".repeat(5_000);
    let twice = "{\"a\":1,\"a\":2}";
    for body in [
        "",
        " ",
        "x",
        "a.b.c",
        "....",
        deep.as_str(),
        twice,
        "null",
        "\u{0}",
    ] {
        for content_type in [STATEMENT, CHAIN] {
            let answer = world.post_registration(content_type, body).await;
            answer.is_refused(400, "invalid_request", "");
        }
    }
    let answer = world.post_registration(STATEMENT, vec![0xff, 0xfe]).await;
    answer.is_refused(400, "invalid_request", "");
    for size in [300 * 1024, 10 * 1024 * 1024] {
        let answer = world.post_registration(STATEMENT, "x".repeat(size)).await;
        assert!([400, 413].contains(&answer.status), "{}", answer.status);
    }
    let upper = "Application/Entity-Statement+JWT; charset=utf-8";
    let answer = world.post_registration(upper, request).await;
    world.registered(&rp, &answer);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = world
            .send(method, &world.url("/oidc/registration"), &[], "")
            .await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "POST");
    }
}

/// Explicit registration is not automatic registration: an unknown RP is not looked up, and the Italian federations
/// have no such endpoint (SPID/CIE FE-11).
#[actix_web::test]
async fn nobody_is_registered_without_asking_and_nowhere_else() {
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let page = world.browser().get(&world.plain_request(&rp)).await;
    crate::harness::assert_shown(&page, "invalid_client", "not known");
    let refused = world.token_with_secret(&rp, "x", "x").await;
    refused.is_refused(401, "invalid_client", "not known");
    assert!(host.requests().is_empty());
    let plain = World::builder()
        .issuers(|settings| {
            if settings.id.ends_with("/oidc/") {
                settings.trust_anchors.clear();
            }
        })
        .start();
    let addresses = ["/spid/registration", "/cie/registration"].map(|path| world.url(path));
    for url in addresses.into_iter().chain([
        plain.url("/oidc/registration"),
        plain.url("/oidc/resolve"),
        plain.url("/oidc/jwks.jose"),
        plain.url("/oidc/.well-known/openid-federation"),
    ]) {
        for method in ["GET", "POST"] {
            let header = [("content-type", STATEMENT)];
            let answer = world.send(method, &url, &header, "").await;
            assert_eq!(answer.status, 404, "{method} {url}");
        }
    }
}
