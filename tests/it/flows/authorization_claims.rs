//! What an authorization request must hold, inside and outside the request object (SPID/CIE AZ-1 to AZ-4).

use crate::harness::World;
use serde_json::{Value, json};
use varco::demo::LoginOptions;

/// SPID/CIE AZ-3.
#[actix_web::test]
async fn what_must_stand_outside_the_request_object_is_named_when_it_is_missing() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for name in ["scope", "code_challenge", "code_challenge_method"] {
            for options in [
                LoginOptions::default().without_parameter(name),
                LoginOptions::default().with_parameter(name, ""),
            ] {
                let prepared = world.request(&issuer, &options);
                let fact = format!("parameter {name} is missing");
                world.told(&prepared, "invalid_request", &fact).await;
            }
        }
        for name in ["client_id", "response_type"] {
            let options = LoginOptions::default().without_parameter(name);
            let prepared = world.request(&issuer, &options);
            if profile == "spid" {
                let fact = format!("parameter {name} is missing");
                world.told(&prepared, "invalid_request", &fact).await;
            } else {
                world.accepted(&prepared).await;
            }
        }
    }
}

/// SPID/CIE AZ-3.
#[actix_web::test]
async fn scope_outside_and_inside_must_agree_but_client_id_and_response_type_count_inside() {
    let world = World::start();
    let aggregated = world.federation.aggregated_relying_party().entity_id();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for scope in ["openid offline_access", "offline_access", "OPENID"] {
            let options = LoginOptions::default().with_parameter("scope", scope);
            let prepared = world.request(&issuer, &options);
            world
                .told(&prepared, "invalid_request", "parameter scope differs")
                .await;
        }
        let options = LoginOptions::default()
            .with_offline_access()
            .with_parameter("scope", "offline_access  openid");
        let prepared = world.request(&issuer, &options);
        world.accepted(&prepared).await;

        let challenge = "A".repeat(43);
        let options = LoginOptions::default().with_parameter("code_challenge", &challenge);
        let prepared = world.request(&issuer, &options);
        world
            .told(
                &prepared,
                "invalid_request",
                "parameter code_challenge differs",
            )
            .await;

        // Named outside is another RP, and another response type: the signed values count, to the end of the login.
        let options = LoginOptions::default()
            .with_parameter("client_id", aggregated)
            .with_parameter("response_type", "token");
        let tokens = world.login(world.rp(), &issuer, &options).await;
        assert_eq!(tokens.id_token["aud"], world.rp().entity_id());
    }
}

/// SPID/CIE AZ-4: every mandatory claim, by its name.
#[actix_web::test]
async fn every_mandatory_claim_is_named_when_it_is_missing() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for name in [
            "client_id",
            "response_type",
            "scope",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "state",
            "prompt",
            "acr_values",
            "iss",
            "aud",
            "iat",
        ] {
            let fact = format!("request object: {name} is missing");
            for options in [
                LoginOptions::default().without_claim(name),
                LoginOptions::default().with_claim(name, Value::Null),
            ] {
                let prepared = world.request(&issuer, &options);
                world.told(&prepared, "invalid_request", &fact).await;
            }
        }
        let options = LoginOptions::default().without_claim("exp");
        let prepared = world.request(&issuer, &options);
        world
            .told(
                &prepared,
                "invalid_request_object",
                "request object: claim exp is missing",
            )
            .await;
        let options = LoginOptions::default().without_claim("redirect_uri");
        let prepared = world.request(&issuer, &options);
        world
            .shown(&prepared, "invalid_request", "redirect_uri is missing")
            .await;
    }
}

/// SPID/CIE AZ-4: a claim of another type or alphabet is refused by name.
#[actix_web::test]
async fn every_claim_of_a_wrong_shape_is_named() {
    let world = World::start();
    let long = |character: &str| character.repeat(31);
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("nonce", json!(long("a")), "invalid_request", "nonce"),
        ("state", json!(long("a")), "invalid_request", "state"),
        (
            "nonce",
            json!(format!("{} ", long("a"))),
            "invalid_request",
            "nonce",
        ),
        (
            "state",
            json!(format!("{}+", long("a"))),
            "invalid_request",
            "state",
        ),
        (
            "state",
            json!(format!("{}\u{e0}", long("a"))),
            "invalid_request",
            "state",
        ),
        ("nonce", json!(["a"]), "invalid_request", "nonce"),
        ("prompt", json!(["consent"]), "invalid_request", "prompt"),
        ("client_id", json!(7), "invalid_request", "client_id"),
        ("scope", json!(7), "invalid_scope", "scope"),
        ("scope", json!(["openid", 7]), "invalid_scope", "scope"),
        ("scope", json!([]), "invalid_scope", "scope"),
        ("acr_values", json!({}), "invalid_request", "acr_values"),
        (
            "code_challenge",
            json!("short"),
            "invalid_request",
            "code_challenge",
        ),
        (
            "code_challenge_method",
            json!("plain"),
            "invalid_request",
            "code_challenge_method",
        ),
        ("claims", json!("{}"), "invalid_request", "claims"),
        (
            "claims",
            json!({"userinfo": []}),
            "invalid_request",
            "claims",
        ),
        (
            "claims",
            json!({"userinfo": {"email": true}}),
            "invalid_request",
            "claims",
        ),
        ("iat", json!("1768467600"), "invalid_request_object", "iat"),
        ("exp", json!("1768467600"), "invalid_request_object", "exp"),
        ("aud", json!([]), "invalid_request_object", "aud"),
        ("aud", json!({}), "invalid_request_object", "aud"),
        ("iss", json!(["x"]), "invalid_request_object", "iss"),
        ("ui_locales", json!(3), "invalid_request", "ui_locales"),
        (
            "response_mode",
            json!("fragment"),
            "invalid_request",
            "response_mode",
        ),
        ("jti", json!(3), "invalid_request", "jti"),
    ];
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (name, value, error, fact) in &cases {
            let options = LoginOptions::default().with_claim(name, value.clone());
            let prepared = world.request(&issuer, &options);
            world.told(&prepared, error, fact).await;
        }
    }
}

/// SPID/CIE AZ-4: exactly 32 characters, and all of the alphabet.
#[actix_web::test]
async fn nonce_and_state_of_32_characters_of_the_whole_alphabet_are_accepted() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let text = "-._~azAZ09-._~azAZ09-._~azAZ0901";
        assert_eq!(text.len(), 32);
        let options = LoginOptions::default()
            .with_claim("state", text)
            .with_claim("nonce", text);
        let prepared = world.request(&issuer, &options);
        let (mut browser, page) = world.accepted(&prepared).await;
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        assert_eq!(answer.redirected("state").as_deref(), Some(text));
    }
}
