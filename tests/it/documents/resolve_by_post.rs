//! SPID/CIE FE-8: a POST to `/resolve` comes from the relying party itself and may have it discovered.

use crate::harness::{Answer, CONFIGURATION, Host, World, claims_of, replaced, with_assertion};
use serde_json::{Value, json};
use varco::clock::Clock;
use varco::demo::RelyingParty;

/// Asks about `sub` as `rp`, with an assertion of these claims.
async fn ask(world: &World, rp: &RelyingParty, sub: &str, claims: &Value) -> Answer {
    let assertion = rp.sign_protocol_token(claims).unwrap();
    let anchor = world.federation.trust_anchor().entity_id();
    let fields = [
        ("sub", sub),
        ("trust_anchor", "https://other.example.it"),
        ("trust_anchor", anchor),
        ("entity_type", "openid_relying_party"),
    ];
    let form = with_assertion(rp, &assertion, &fields);
    world.post(&world.url("/cie/resolve"), &form).await
}

#[actix_web::test]
async fn an_unknown_rp_that_authenticates_itself_is_discovered_and_told() {
    // SPID/CIE FE-8
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.url("/cie/");
    let claims = world.assertion_claims(&rp, &issuer);
    let answer = ask(&world, &rp, rp.entity_id(), &claims).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        "application/resolve-response+jwt"
    );
    let told = claims_of(&answer.body);
    assert_eq!(told["sub"], rp.entity_id());
    let types: Vec<&String> = told["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(types, ["openid_relying_party"]);
    assert_eq!(host.requests(), [format!("/rp/{CONFIGURATION}")]);
    // The same assertion again is a replay; a new one is answered from what is known.
    let again = ask(&world, &rp, rp.entity_id(), &claims).await;
    again.is_refused(401, "invalid_client", "jti");
    let claims = world.assertion_claims(&rp, &issuer);
    let known = ask(&world, &rp, rp.entity_id(), &claims).await;
    assert_eq!(known.body, answer.body, "signed once");
    assert_eq!(host.requests().len(), 1);
}

#[actix_web::test]
async fn who_asks_by_post_proves_to_be_the_subject_to_this_provider() {
    // SPID/CIE FE-8, TK-1
    let world = World::start();
    let rp = world.rp();
    let issuer = world.url("/cie/");
    let right = world.assertion_claims(rp, &issuer);
    let good = ask(&world, rp, rp.entity_id(), &right).await;
    assert_eq!(good.status, 200, "{}", good.body);
    // As an audience only the entity identifier counts here.
    for audience in ["/cie/token", "/cie/resolve", "/spid/"] {
        let claims = world.assertion_claims(rp, &world.url(audience));
        let answer = ask(&world, rp, rp.entity_id(), &claims).await;
        answer.is_refused(401, "invalid_client", "aud");
    }
    let mut ended = world.assertion_claims(rp, &issuer);
    ended["exp"] = json!(world.clock.now().0 - 31);
    let answer = ask(&world, rp, rp.entity_id(), &ended).await;
    answer.is_refused(401, "invalid_client", "exp");
    // Nobody asks about others, and nobody signs for others.
    let other = world.federation.aggregated_relying_party();
    let claims = world.assertion_claims(rp, &issuer);
    let answer = ask(&world, rp, other.entity_id(), &claims).await;
    answer.is_refused(400, "invalid_request", "sub is not");
    let claims = world.assertion_claims(rp, &issuer);
    let assertion = other.sign_protocol_token(&claims).unwrap();
    let anchor = world.federation.trust_anchor().entity_id();
    let fields = [("sub", rp.entity_id()), ("trust_anchor", anchor)];
    let form = with_assertion(rp, &assertion, &fields);
    let url = world.url("/cie/resolve");
    let answer = world.post(&url, &form).await;
    answer.is_refused(401, "invalid_client", "client_assertion");
    for name in ["client_assertion", "client_assertion_type"] {
        let answer = world.post(&url, &replaced(form.clone(), name, "")).await;
        answer.is_refused(401, "invalid_client", name);
    }
    let twice: Vec<(String, String)> = form.iter().chain(&form[..1]).cloned().collect();
    let answer = world.post(&url, &twice).await;
    answer.is_refused(400, "invalid_request", "sub");
}

#[actix_web::test]
async fn strangers_who_are_no_members_are_refused_with_the_reason() {
    // SPID/CIE FE-1, FE-8
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/").with_trust_marks(Vec::new());
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.url("/cie/");
    for _ in 0..3 {
        let claims = world.assertion_claims(&rp, &issuer);
        let answer = ask(&world, &rp, rp.entity_id(), &claims).await;
        answer.is_refused(401, "invalid_client", "trust mark");
    }
    assert_eq!(host.requests().len(), 1, "its failure is remembered");
    // Who asks about another is not even looked up.
    let asking = world.stranger(&host, "/asking/");
    let claims = world.assertion_claims(&asking, &issuer);
    let answer = ask(&world, &asking, rp.entity_id(), &claims).await;
    answer.is_refused(400, "invalid_request", "sub is not");
    assert_eq!(host.requests().len(), 1);
}
