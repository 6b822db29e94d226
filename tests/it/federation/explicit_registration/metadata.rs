//! What is chosen: lists narrowed, single values accepted or refused, defaults written down (OIDC Registration §2).

use crate::harness::World;
use serde_json::{Map, Value, json};

#[actix_web::test]
async fn defaults_are_written_down_and_lists_are_narrowed() {
    let world = World::start();
    let mut rp = world.plain_rp("rp-explicit");
    for (name, value) in [
        ("token_endpoint_auth_method", Value::Null),
        ("response_types", json!(["code", "code id_token"])),
        (
            "grant_types",
            json!(["refresh_token", "authorization_code", "implicit"]),
        ),
        ("scope", json!("openid  email unknown")),
        ("subject_type", Value::Null),
        ("id_token_signed_response_alg", Value::Null),
        ("request_object_signing_alg", json!("RS256")),
        ("unheard_of", json!("x")),
        (
            "client_registration_types",
            json!(["automatic", "explicit"]),
        ),
        ("userinfo_encrypted_response_alg", json!("RSA-OAEP-256")),
    ] {
        rp = rp.with_metadata(name, value);
    }
    let registered = world.register_rp(&rp).await;
    for (name, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("response_types", json!(["code"])),
        ("grant_types", json!(["authorization_code"])),
        ("scope", json!("openid email")),
        ("subject_type", json!("pairwise")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("client_registration_types", json!(["explicit"])),
        ("userinfo_encrypted_response_alg", json!("RSA-OAEP-256")),
        ("userinfo_encrypted_response_enc", json!("A128CBC-HS256")),
        ("redirect_uris", json!(rp.redirect_uris())),
        ("client_name#it", json!(rp.name_it())),
        ("request_object_signing_alg", Value::Null),
        ("unheard_of", Value::Null),
    ] {
        assert_eq!(registered[name], value, "{name}");
    }
    let without_scope = world
        .register_rp(&rp.with_metadata("scope", Value::Null))
        .await;
    assert_eq!(without_scope["scope"], "openid profile email address phone");
}

#[actix_web::test]
async fn what_cannot_be_registered_is_refused_by_name() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let metadata = "invalid_client_metadata";
    let uri = "invalid_redirect_uri";
    for (name, value, code, says) in [
        (
            "client_registration_types",
            json!(["automatic"]),
            metadata,
            "must contain explicit",
        ),
        (
            "client_registration_types",
            Value::Null,
            metadata,
            "must contain explicit",
        ),
        ("redirect_uris", json!([]), uri, "at least one"),
        (
            "redirect_uris",
            json!("https://rp.example.it"),
            uri,
            "redirect_uris must be",
        ),
        (
            "redirect_uris",
            json!(["http://rp.example.it/"]),
            uri,
            "https",
        ),
        (
            "redirect_uris",
            json!(["https://rp.example.it/#x"]),
            uri,
            "fragment",
        ),
        ("redirect_uris", json!([7]), uri, "https"),
        (
            "response_types",
            json!(["id_token"]),
            metadata,
            "response_types must contain code",
        ),
        (
            "response_types",
            json!("code"),
            metadata,
            "response_types must contain code",
        ),
        (
            "grant_types",
            json!(["implicit"]),
            metadata,
            "grant_types must contain",
        ),
        (
            "token_endpoint_auth_method",
            json!("tls_client_auth"),
            metadata,
            "token_endpoint_auth_method",
        ),
        (
            "token_endpoint_auth_method",
            json!(7),
            metadata,
            "must be a text",
        ),
        (
            "id_token_signed_response_alg",
            json!("none"),
            metadata,
            "none is not supported",
        ),
        (
            "id_token_signed_response_alg",
            json!("HS256"),
            metadata,
            "HS256 is not supported",
        ),
        (
            "userinfo_encrypted_response_alg",
            json!("RSA1_5"),
            metadata,
            "RSA1_5",
        ),
        (
            "userinfo_encrypted_response_enc",
            json!("A256GCM"),
            metadata,
            "needs userinfo_encrypted_response_alg",
        ),
        (
            "subject_type",
            json!("public"),
            metadata,
            "public is not supported",
        ),
        (
            "scope",
            json!("profile"),
            metadata,
            "scope must contain openid",
        ),
        ("scope", json!(["openid"]), metadata, "scope must be a text"),
        ("jwks", json!({"keys": []}), metadata, "jwks"),
        ("jwks", json!("x"), metadata, "jwks"),
        ("client_name", json!("caf\u{e9} \"\\ \u{202e}"), "", ""),
    ] {
        let answer = world
            .ask_to_register(&rp.clone().with_metadata(name, value.clone()))
            .await;
        if code.is_empty() {
            assert_eq!(answer.status, 200, "{name} {value}: {}", answer.body);
        } else {
            assert_eq!(answer.status, 400, "{name} {value}: {}", answer.body);
            answer.is_refused(400, code, says);
        }
    }
    // Without keys only a secret can prove who the RP is.
    let keyless = rp.with_metadata("jwks", Value::Null);
    world.register_rp(&keyless).await;
    let signing = keyless.with_metadata("token_endpoint_auth_method", "private_key_jwt");
    let answer = world.ask_to_register(&signing).await;
    answer.is_refused(400, metadata, "needs a usable signing key");
}

/// The federation decides first: its policies, then the issuer's choice.
#[actix_web::test]
async fn policies_change_metadata_before_the_choice_or_refuse_it() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let policy = |members: Value| Map::from_iter([("openid_relying_party".to_owned(), members)]);
    world.attest(
        &rp,
        policy(json!({"client_name": {"value": "As the federation says"}})),
    );
    assert_eq!(
        world.register_rp(&rp).await["client_name"],
        "As the federation says"
    );

    world.attest(
        &rp,
        policy(json!({"token_endpoint_auth_method": {"one_of": ["private_key_jwt"]}})),
    );
    let answer = world.ask_to_register(&rp).await;
    answer.is_refused(400, "invalid_metadata", "token_endpoint_auth_method");

    world.attest(
        &rp,
        policy(json!({"client_registration_types": {"value": ["automatic"]}})),
    );
    let answer = world.ask_to_register(&rp).await;
    answer.is_refused(
        400,
        "invalid_client_metadata",
        "client_registration_types must contain explicit",
    );
}
