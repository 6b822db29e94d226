//! SPID/CIE FE-2, FE-3, FE-6: every way a chain can break, and what the RP's developer is told.

use crate::harness::{
    CONFIGURATION, Host, World, claims_of, keep_log, logged, signed, signed_with,
};
use serde_json::{Map, Value, json};
use varco::demo::{DemoKeys, LoginOptions, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyKind, PrivateKey, SignatureAlgorithm};

const STATEMENT: Option<&str> = Some("entity-statement+jwt");

/// Refused alike by both issuers.
async fn refused(world: &World, rp: &RelyingParty, error: &str, fact: &str) {
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(rp, &issuer, &LoginOptions::default());
        world.shown(&prepared, error, fact).await;
    }
}

async fn accepted(world: &World, rp: &RelyingParty) {
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(rp, &issuer, &LoginOptions::default());
        world.accepted(&prepared).await;
    }
}

#[actix_web::test]
async fn what_cannot_be_reached_is_temporarily_unavailable_and_named() {
    // SPID/CIE FE-6
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/down/");
    host.fail(&format!("/down/{CONFIGURATION}"), 503);
    let url = host.url(&format!("/down/{CONFIGURATION}"));
    refused(&world, &rp, "temporarily_unavailable", &url).await;

    let dead = Host::start().url("/sa/");
    let rp = world.stranger(&host, "/orphan/").with_superior(&dead);
    host.publish("/orphan/", &rp.entity_configuration().unwrap());
    let fact = format!("entity configuration of {dead}");
    refused(&world, &rp, "temporarily_unavailable", &fact).await;

    let world = World::start();
    let rp = world.stranger(&host, "/late/");
    host.publish("/late/", &rp.entity_configuration().unwrap());
    let query: String = url::form_urlencoded::byte_serialize(rp.entity_id().as_bytes()).collect();
    host.fail(&format!("/fetch?sub={query}"), 500);
    world.change_anchor(|claims| {
        claims["metadata"]["federation_entity"]["federation_fetch_endpoint"] =
            json!(host.url("/fetch"));
    });
    refused(&world, &rp, "temporarily_unavailable", "HTTP status 500").await;
}

#[actix_web::test]
async fn a_configuration_that_does_not_hold_is_an_invalid_client_and_the_link_is_named() {
    // SPID/CIE FE-2, FE-6
    let world = World::start();
    let host = Host::start();
    let now = varco::clock::Clock::now(&*world.clock).0;
    type Change = fn(Map<String, Value>, i64) -> Map<String, Value>;
    let cases: [(&str, Change, &str); 7] = [
        (
            "expired",
            |claims, now| changed(claims, "exp", json!(now - 31)),
            "claim exp",
        ),
        (
            "from-tomorrow",
            |claims, now| changed(claims, "iat", json!(now + 86_400)),
            "claim iat",
        ),
        (
            "timeless",
            |claims, _| changed(claims, "exp", Value::Null),
            "claim exp is missing",
        ),
        (
            "somebody-elses",
            |claims, _| changed(claims, "sub", json!("https://other.example.it/")),
            "claim sub",
        ),
        (
            "signed-by-others",
            |claims, _| changed(claims, "jwks", json!({"keys": []})),
            "entity configuration of",
        ),
        (
            "critical",
            |claims, _| {
                let claims = changed(claims, "crit", json!(["something"]));
                changed(claims, "something", json!(1))
            },
            "crit",
        ),
        (
            "without-superior",
            |claims, _| changed(claims, "authority_hints", Value::Null),
            "authority_hints",
        ),
    ];
    for (name, change, fact) in cases {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        let claims = claims_of(&rp.entity_configuration().unwrap());
        let claims = change(claims, now);
        host.publish(
            &path,
            &signed(STATEMENT, &Value::Object(claims), &rp.keys().federation),
        );
        refused(&world, &rp, "invalid_client", fact).await;
    }
    let rp = world.stranger(&host, "/tampered/");
    let mut text = rp.entity_configuration().unwrap();
    text.truncate(text.len() - 20);
    host.publish("/tampered/", &text);
    refused(&world, &rp, "invalid_client", rp.entity_id()).await;
    host.put(&format!("/html/{CONFIGURATION}"), "text/html", "<html>");
    let rp = world.stranger(&host, "/html/");
    refused(&world, &rp, "invalid_client", "text/html").await;
}

fn changed(mut claims: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    if value.is_null() {
        claims.shift_remove(name);
    } else {
        claims.insert(name.to_owned(), value);
    }
    claims
}

#[actix_web::test]
async fn a_superiors_statement_that_does_not_hold_is_named() {
    // SPID/CIE FE-2, FE-6
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let now = varco::clock::Clock::now(&*world.clock).0;
    let cases = [
        ("expired", json!({"exp": now - 31}), "claim exp"),
        ("future", json!({"iat": now + 3600}), "claim iat"),
        (
            "about-another",
            json!({"sub": "https://other.example.it/"}),
            "claim sub",
        ),
        (
            "by-another",
            json!({"iss": "https://other.example.it/"}),
            "claim iss",
        ),
        (
            "critical",
            json!({"crit": ["something"], "something": 1}),
            "crit",
        ),
        (
            "critical-operator",
            json!({"metadata_policy_crit": ["never_heard_of"]}),
            "never_heard_of",
        ),
        (
            "not-this-leaf",
            json!({"constraints": {"allowed_leaf_entity_types": ["openid_provider"]}}),
            "allowed_leaf_entity_types",
        ),
        (
            "not-this-name",
            json!({"constraints": {"naming_constraints": {"permitted": ["example.it"]}}}),
            "naming_constraints",
        ),
    ];
    for (name, members, fact) in cases {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        host.publish(&path, &rp.entity_configuration().unwrap());
        anchor.change(rp.entity_id(), |subordinate| {
            subordinate.extra = members.as_object().unwrap().clone();
        });
        let error = match name {
            // A policy that cannot be understood is a policy failure.
            "critical-operator" => "unauthorized_client",
            _ => "invalid_client",
        };
        refused(&world, &rp, error, fact).await;
    }
}

#[actix_web::test]
async fn an_unknown_subordinate_and_keys_that_nobody_attests_are_invalid() {
    // SPID/CIE FE-2, FE-6
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let rp = world.stranger(&host, "/expelled/");
    host.publish("/expelled/", &rp.entity_configuration().unwrap());
    anchor.expel(rp.entity_id());
    let fact = "the superior does not know this subordinate";
    refused(&world, &rp, "invalid_client", fact).await;

    let rp = world.stranger(&host, "/other-keys/");
    host.publish("/other-keys/", &rp.entity_configuration().unwrap());
    let others = anchor.jwks();
    anchor.change(rp.entity_id(), |subordinate| subordinate.jwks = others);
    let fact = format!(
        "entity configuration of {0} about {0}: no key with kid",
        rp.entity_id()
    );
    refused(&world, &rp, "invalid_client", &fact).await;
}

#[actix_web::test]
async fn a_chain_longer_than_the_anchor_allows_is_refused() {
    // SPID/CIE FE-2: constraints in the anchor's own configuration count as if in its statements.
    let world = World::start();
    world.change_anchor(|claims| {
        claims.insert("constraints".to_owned(), json!({"max_path_length": 0}));
    });
    let rp = world.federation.aggregated_relying_party();
    refused(&world, rp, "invalid_client", "max_path_length").await;
    accepted(&world, world.rp()).await;
}

#[actix_web::test]
async fn an_intermediate_that_may_not_have_relying_parties_has_none() {
    // SPID/CIE FE-2: allowed_entity_types
    let world = World::start();
    let intermediate = world.federation.intermediate().entity_id().to_owned();
    world
        .federation
        .trust_anchor()
        .change(&intermediate, |subordinate| {
            subordinate.constraints = Some(json!({"allowed_entity_types": ["oauth_resource"]}));
        });
    let rp = world.federation.aggregated_relying_party();
    refused(&world, rp, "invalid_client", "allowed_entity_types").await;
}

#[actix_web::test]
async fn limits_on_size_redirects_and_hints_hold() {
    // SPID/CIE FE-2
    let world = World::start();
    let host = Host::start();
    let rp = world
        .stranger(&host, "/huge/")
        .with_statement_claim("noise", "x".repeat(300 * 1024));
    host.publish("/huge/", &rp.entity_configuration().unwrap());
    refused(&world, &rp, "invalid_client", "larger than 262144 bytes").await;

    let elsewhere = Host::start();
    let rp = world.stranger(&host, "/moved/");
    elsewhere.publish("/moved/", &rp.entity_configuration().unwrap());
    let path = format!("/moved/{CONFIGURATION}");
    host.redirect(&path, &elsewhere.url(&path));
    refused(&world, &rp, "invalid_client", "redirected to another host").await;
    assert!(elsewhere.requests().is_empty(), "SPID/CIE FE-2");

    let rp = world.stranger(&host, "/same-host/");
    host.publish("/elsewhere/", &rp.entity_configuration().unwrap());
    let here = host.url(&format!("/elsewhere/{CONFIGURATION}"));
    host.redirect(&format!("/same-host/{CONFIGURATION}"), &here);
    accepted(&world, &rp).await;

    let path = format!("/loop/{CONFIGURATION}");
    host.redirect(&path, &host.url(&path));
    let rp = world.stranger(&host, "/loop/");
    host.forget_requests();
    refused(&world, &rp, "invalid_client", "more than 3 redirects").await;
    assert_eq!(host.requests().len(), 2 * 4, "SPID/CIE FE-2");

    let hints: Vec<String> = (0..21).map(|n| host.url(&format!("/hint-{n}/"))).collect();
    let rp = world
        .stranger(&host, "/many/")
        .with_statement_claim("authority_hints", json!(hints));
    host.publish("/many/", &rp.entity_configuration().unwrap());
    host.forget_requests();
    refused(&world, &rp, "invalid_client", "21 authority_hints").await;
    assert_eq!(host.requests().len(), 2, "SPID/CIE FE-2");
}

#[actix_web::test]
async fn noise_marks_in_statements_and_older_types_are_tolerated() {
    // SPID/CIE FE-2, MD-4
    let world = World::start();
    let host = Host::start();
    let anchor = world.federation.trust_anchor();
    let rp = world
        .stranger(&host, "/noisy/")
        .with_statement_claim("noise", json!({"a": [1, 2]}));
    host.publish("/noisy/", &rp.entity_configuration().unwrap());
    anchor.change(rp.entity_id(), |subordinate| {
        subordinate.extra.insert(
            "trust_marks".to_owned(),
            json!([{"id": "x", "trust_mark": "y"}]),
        );
        subordinate.extra.insert("noise".to_owned(), json!("x"));
    });
    accepted(&world, &rp).await;
    for typ in [None, Some("JWT"), STATEMENT] {
        let path = format!("/typ-{}/", typ.unwrap_or("none").replace('+', "-"));
        let rp = world.stranger(&host, &path);
        let claims = claims_of(&rp.entity_configuration().unwrap());
        let text = signed(typ, &Value::Object(claims), &rp.keys().federation);
        host.publish(&path, &text);
        accepted(&world, &rp).await;
    }
}

#[actix_web::test]
async fn a_client_id_that_is_no_address_is_refused_without_any_call() {
    // SPID/CIE FE-1: https, or http on loopback with the development switch.
    let world = World::start();
    for id in ["http://rp.example.it/", "rp", "ftp://127.0.0.1/"] {
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let options = LoginOptions::default()
                .with_claim("client_id", id)
                .with_claim("iss", id)
                .with_parameter("client_id", id);
            let prepared = world.request(&issuer, &options);
            world.shown(&prepared, "invalid_client", "client_id").await;
        }
    }
}

#[actix_web::test]
async fn statements_with_any_of_the_six_algorithms_are_accepted() {
    // SPID/CIE MD-4, AL-1
    let world = World::start();
    let host = Host::start();
    let usual = DemoKeys::generate_fast().unwrap().relying_party;
    let rsa = PrivateKey::generate(KeyKind::Rsa(2048)).unwrap();
    let p521 = PrivateKey::generate(KeyKind::P521).unwrap();
    for (name, key) in [
        ("RS256", &rsa),
        ("RS512", &rsa),
        ("PS256", &rsa),
        ("PS512", &rsa),
        ("ES256", &usual.federation),
        ("ES512", &p521),
    ] {
        let path = format!("/{}/", name.to_ascii_lowercase());
        let keys = RelyingPartyKeys {
            federation: key.clone(),
            ..usual.clone()
        };
        let rp = world.stranger_with(&host, &path, keys);
        let claims = Value::Object(claims_of(&rp.entity_configuration().unwrap()));
        let algorithm = SignatureAlgorithm::parse(name).unwrap();
        host.publish(&path, &signed_with(algorithm, STATEMENT, &claims, key));
        accepted(&world, &rp).await;
    }
}

#[actix_web::test]
async fn an_rp_that_uses_one_key_for_everything_is_accepted_with_a_warning() {
    // SPID/CIE AL-6
    keep_log();
    let world = World::start();
    let host = Host::start();
    let usual = DemoKeys::generate_fast().unwrap().relying_party;
    let keys = RelyingPartyKeys {
        federation: usual.signing.clone(),
        ..usual
    };
    let rp = world.stranger_with(&host, "/rp/", keys);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    accepted(&world, &rp).await;
    let warnings = logged(&["WARN", rp.entity_id(), "AL-6"]);
    assert_eq!(warnings.len(), 2, "SPID/CIE AL-6: one for each issuer");
}
