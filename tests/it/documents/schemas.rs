//! `/schemas/*.json`: the message schemas of each profile are the rules that are enforced, not a second opinion.

use crate::harness::{Issuer, World};
use serde_json::{Value, json};
use varco::demo::LoginOptions;

const MESSAGES: [&str; 6] = [
    "authorization-request",
    "request-object",
    "token-request-authorization-code",
    "token-request-refresh-token",
    "client-assertion",
    "token-query",
];

async fn schema(world: &World, profile: &str, name: &str) -> Value {
    let url = world.url(&format!("/{profile}/schemas/{name}.json"));
    let answer = world.browser().get(&url).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/schema+json");
    answer.json()
}

fn required(schema: &Value) -> Vec<String> {
    let names = schema["required"].as_array().unwrap();
    names
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn every_message_of_a_profile_is_served_as_a_json_schema() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let index = world.url(&format!("/{profile}/schemas/"));
        let index = world.browser().get(&index).await.json();
        let listed = index["schemas"].as_array().unwrap();
        assert_eq!(listed.len(), MESSAGES.len(), "{index}");
        for name in MESSAGES {
            let url = world.url(&format!("/{profile}/schemas/{name}.json"));
            assert!(listed.contains(&json!(url)), "{url}");
            let schema = schema(&world, profile, name).await;
            assert_eq!(schema["$id"], url.as_str());
            let draft = "https://json-schema.org/draft/2020-12/schema";
            assert_eq!(schema["$schema"], draft);
            assert_eq!(schema["type"], "object");
            let properties = schema["properties"].as_object().unwrap();
            for name in required(&schema) {
                assert!(
                    properties.contains_key(&name),
                    "{name} is required and not described"
                );
            }
            for (name, property) in properties {
                let known = ["type", "const", "enum", "oneOf", "not"];
                let constrains = known.iter().any(|keyword| property.get(keyword).is_some());
                assert!(constrains, "{name}: {property}");
                let source = property["$comment"].as_str().unwrap();
                assert!(
                    source.starts_with("SPID/CIE ") || source.starts_with("RFC "),
                    "{source}"
                );
            }
        }
        let none = world.url(&format!("/{profile}/schemas/nothing.json"));
        assert_eq!(world.browser().get(&none).await.status, 404);
    }
}

#[actix_web::test]
async fn what_the_schema_of_the_request_object_requires_is_required() {
    // SPID/CIE AZ-4
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let schema = schema(&world, profile, "request-object").await;
        let required = required(&schema);
        assert!(required.contains(&"nonce".to_owned()), "{required:?}");
        for name in &required {
            let options = LoginOptions::default().without_claim(name);
            assert_refused(&world, &issuer, &options, name).await;
        }
        for name in schema["properties"].as_object().unwrap().keys() {
            if !required.contains(name) && name != "exp" {
                let options = LoginOptions::default().without_claim(name);
                world.accepted(&world.request(&issuer, &options)).await;
            }
        }
    }
}

#[actix_web::test]
async fn values_that_the_schema_of_the_request_object_excludes_are_refused() {
    // SPID/CIE AZ-4
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let schema = schema(&world, profile, "request-object").await;
        for (name, property) in schema["properties"].as_object().unwrap() {
            // An object is a wrong value for everything except claims, a text is wrong there.
            let wrong = match property["type"].as_str() {
                Some("object") => json!("x"),
                _ => json!({"a": 1}),
            };
            let options = LoginOptions::default().with_claim(name, wrong);
            assert_refused(&world, &issuer, &options, name).await;
        }
    }
}

#[actix_web::test]
async fn what_the_schema_of_the_parameters_requires_or_forbids_is_so() {
    // SPID/CIE AZ-2, AZ-3
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let schema = schema(&world, profile, "authorization-request").await;
        let required = required(&schema);
        let expected = match profile {
            "spid" => true,
            _ => false, // recommended only
        };
        assert_eq!(
            required.contains(&"client_id".to_owned()),
            expected,
            "SPID/CIE AZ-3"
        );
        for (name, property) in schema["properties"].as_object().unwrap() {
            if property.get("not").is_some() {
                let options = LoginOptions::default().with_parameter(name, "https://x");
                assert_refused(&world, &issuer, &options, name).await;
            } else {
                let options = LoginOptions::default().without_parameter(name);
                if required.contains(name) {
                    assert_refused(&world, &issuer, &options, name).await;
                } else {
                    world.accepted(&world.request(&issuer, &options)).await;
                }
            }
        }
    }
}

#[actix_web::test]
async fn what_the_schemas_of_the_token_endpoint_require_is_required() {
    // SPID/CIE TK-1, TK-2, TK-8
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let message = "token-request-authorization-code";
        let required = required(&schema(&world, profile, message).await);
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        for name in &required {
            let mut fields = world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            fields.retain(|(field, _)| field != name);
            let answer = world.post(&issuer.metadata.token_endpoint, &fields).await;
            assert!(
                (400..402).contains(&answer.status),
                "{name}: {}",
                answer.status
            );
            assert!(
                answer.description().contains(name.as_str()),
                "{name}: {}",
                answer.body
            );
        }
        // Nothing of that has spent the code.
        world.redeem(world.rp(), &issuer, prepared, &code).await;
    }
}

#[actix_web::test]
async fn what_the_schema_of_client_assertions_requires_is_required() {
    // SPID/CIE TK-1
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let required = required(&schema(&world, profile, "client-assertion").await);
        let rp = world.rp();
        let endpoint = &issuer.metadata.introspection_endpoint;
        for name in &required {
            let honest = rp.client_assertion(endpoint).unwrap();
            let mut claims = crate::harness::claims_of(&honest);
            claims.shift_remove(name);
            let assertion = rp.sign_protocol_token(&Value::Object(claims)).unwrap();
            let mut fields = rp
                .introspection_request(&issuer.metadata, &tokens.answer.access_token)
                .unwrap();
            for (field, value) in &mut fields {
                if field == "client_assertion" {
                    value.clone_from(&assertion);
                }
            }
            let answer = world.post(endpoint, &fields).await;
            assert_eq!(answer.status, 401, "SPID/CIE TK-1: {name}: {}", answer.body);
            assert!(
                answer.description().contains(name.as_str()),
                "{name}: {}",
                answer.body
            );
        }
        let required = self::required(&schema(&world, profile, "token-query").await);
        for name in &required {
            let mut fields = rp
                .introspection_request(&issuer.metadata, &tokens.answer.access_token)
                .unwrap();
            fields.retain(|(field, _)| field != name);
            let answer = world.post(endpoint, &fields).await;
            assert!((400..402).contains(&answer.status), "SPID/CIE IN-1: {name}");
            assert!(
                answer.description().contains(name.as_str()),
                "{name}: {}",
                answer.body
            );
        }
    }
}

#[actix_web::test]
async fn a_schema_says_what_the_configuration_relaxes() {
    // SPID/CIE AZ-8
    let world = World::builder()
        .issuers(|settings| settings.acr_values_required = false)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let required = required(&schema(&world, profile, "request-object").await);
        assert!(
            !required.contains(&"acr_values".to_owned()),
            "SPID/CIE AZ-8"
        );
        let options = LoginOptions::default().without_claim("acr_values");
        world.accepted(&world.request(&issuer, &options)).await;
    }
}

/// Refused with a description that names the member, whether the RP or the browser is told.
async fn assert_refused(world: &World, issuer: &Issuer, options: &LoginOptions, name: &str) {
    let prepared = world.request(issuer, options);
    let mut program = world.browser();
    program
        .headers
        .push(("accept", "application/json".to_owned()));
    let answer = program.get(&prepared.url).await;
    let said = match answer.redirected("error_description") {
        Some(said) => said,
        None => {
            assert_eq!(
                answer.status,
                400,
                "{name}: {} {:?}",
                answer.body,
                answer.location()
            );
            answer.description()
        }
    };
    assert!(said.contains(name), "{name}: {said}");
}
