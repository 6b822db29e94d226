//! SPID/CIE FE-3, FE-10: policies, overrides, and what final RP metadata must have.

use crate::harness::{Host, World};
use serde_json::{Map, Value, json};
use varco::demo::LoginOptions;
use varco::model::ClientId;
use varco::provider::Discovery;

#[actix_web::test]
async fn what_final_metadata_lacks_is_said_by_name() {
    // SPID/CIE FE-10, AL-4, AL-5, UI-2; the anchor's policy is empty here, so that it supplies nothing.
    let world = World::start();
    let host = Host::start();
    let signing_only = json!({"keys": [
        world.rp().keys().signing.public_jwk(varco::jose::KeyUse::Signature, None),
    ]});
    let encryption_only = json!({"keys": [
        world.rp().keys().encryption.public_jwk(varco::jose::KeyUse::Encryption, None),
    ]});
    let small = json!({"keys": [{"kty": "RSA", "use": "sig", "kid": "small", "e": "AQAB",
        "n": data_encoding::BASE64URL_NOPAD.encode(&[0xff; 128])}]});
    let cases = [
        (
            "redirect_uris",
            Value::Null,
            "redirect_uris must not be empty",
        ),
        (
            "redirect_uris",
            json!([]),
            "redirect_uris must not be empty",
        ),
        (
            "redirect_uris",
            json!("https://x"),
            "redirect_uris must be an array",
        ),
        (
            "redirect_uris",
            json!(["http://rp.example.it/cb"]),
            "redirect_uris must be https",
        ),
        (
            "redirect_uris",
            json!(["https://rp.example.it/cb#x"]),
            "without fragment",
        ),
        (
            "redirect_uris",
            json!(["javascript:alert(1)"]),
            "redirect_uris must be https",
        ),
        (
            "response_types",
            Value::Null,
            "response_types must contain code",
        ),
        (
            "response_types",
            json!(["id_token"]),
            "response_types must contain code",
        ),
        ("grant_types", Value::Null, "grant_types must be"),
        (
            "grant_types",
            json!(["authorization_code", "implicit"]),
            "grant_types must be",
        ),
        (
            "token_endpoint_auth_method",
            json!("client_secret_basic"),
            "token_endpoint_auth_method must be private_key_jwt",
        ),
        (
            "client_registration_types",
            json!(["explicit"]),
            "client_registration_types must contain automatic",
        ),
        ("jwks", Value::Null, "metadata jwks of"),
        ("jwks", json!({"keys": []}), "metadata jwks of"),
        ("jwks", small, "metadata jwks of"),
        ("jwks", encryption_only, "usable signing key"),
        ("jwks", signing_only, "encryption key that fits"),
        (
            "id_token_signed_response_alg",
            json!("HS256"),
            "id_token_signed_response_alg must be one of",
        ),
        (
            "userinfo_signed_response_alg",
            json!("none"),
            "userinfo_signed_response_alg must be one of",
        ),
        (
            "request_object_signing_alg",
            json!("RS384"),
            "request_object_signing_alg must be one of",
        ),
        (
            "userinfo_encrypted_response_alg",
            json!("RSA1_5"),
            "userinfo_encrypted_response_alg must be one of",
        ),
        (
            "userinfo_encrypted_response_enc",
            json!("A192GCM"),
            "userinfo_encrypted_response_enc must be one of",
        ),
    ];
    for (position, (member, value, fact)) in cases.into_iter().enumerate() {
        let path = format!("/rp-{position}/");
        let rp = world.stranger(&host, &path).with_metadata(member, value);
        world.attest(&rp, Map::new());
        host.publish(&path, &rp.entity_configuration().unwrap());
        let error = match fact {
            "metadata jwks of" => "invalid_client",
            _ => "unauthorized_client",
        };
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let options = LoginOptions {
                redirect_uri: Some("https://rp.example.it/callback".to_owned()),
                ..LoginOptions::default()
            };
            let prepared = world.request_of(&rp, &issuer, &options);
            world.shown(&prepared, error, fact).await;
        }
    }
}

#[actix_web::test]
async fn an_app_with_a_custom_scheme_and_least_metadata_is_accepted() {
    // SPID/CIE FE-10, UI-2: what may be absent is absent.
    let world = World::start();
    let host = Host::start();
    let mut rp = world
        .stranger(&host, "/app/")
        .with_redirect_uris(vec!["it.example.app:/callback".to_owned()]);
    for member in [
        "application_type",
        "client_registration_types",
        "token_endpoint_auth_method",
        "subject_type",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
        "client_name",
        "contacts",
    ] {
        rp = rp.with_metadata(member, Value::Null);
    }
    world.attest(&rp, Map::new());
    host.publish("/app/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200, "SPID/CIE UI-2: {}", answer.body);
    }
}

#[actix_web::test]
async fn metadata_that_breaks_the_anchors_policy_is_refused_by_parameter() {
    // SPID/CIE FE-3
    let world = World::start();
    let host = Host::start();
    let cases = [
        (
            "userinfo_encrypted_response_enc",
            json!({"one_of": ["A256CBC-HS512"]}),
            json!("A128CBC-HS256"),
        ),
        ("client_name", json!({"essential": true}), Value::Null),
        (
            "grant_types",
            json!({"superset_of": ["urn:x"]}),
            json!(["authorization_code"]),
        ),
    ];
    for (position, (parameter, operators, value)) in cases.into_iter().enumerate() {
        let path = format!("/rp-{position}/");
        let rp = world.stranger(&host, &path).with_metadata(parameter, value);
        let rules = json!({"openid_relying_party": { parameter: operators }});
        world.attest(&rp, rules.as_object().unwrap().clone());
        host.publish(&path, &rp.entity_configuration().unwrap());
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
            world
                .shown(&prepared, "unauthorized_client", parameter)
                .await;
        }
    }
}

#[actix_web::test]
async fn policies_of_one_chain_that_contradict_each_other_refuse_the_rp() {
    // SPID/CIE FE-3
    let world = World::start();
    let rp = world.federation.aggregated_relying_party();
    let intermediate = world.federation.intermediate();
    intermediate.change(rp.entity_id(), |subordinate| {
        let rules = json!({"openid_relying_party": {"subject_type": {"value": "public"}}});
        subordinate.metadata_policy = rules.as_object().unwrap().clone();
    });
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(rp, &issuer, &LoginOptions::default());
        world
            .shown(&prepared, "unauthorized_client", "subject_type")
            .await;
    }
}

#[actix_web::test]
async fn the_immediate_superior_overrides_metadata_before_the_policy_counts() {
    // SPID/CIE FE-3: without the override this RP would break the policy.
    let world = World::start();
    let host = Host::start();
    let rp = world
        .stranger(&host, "/rp/")
        .with_metadata("userinfo_encrypted_response_enc", "A128GCM");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let anchor = world.federation.trust_anchor();
    anchor.change(rp.entity_id(), |subordinate| {
        let metadata = json!({"openid_relying_party": {
            "client_name": "Named by its superior",
            "client_name#it": "Nominato dal superiore",
            "userinfo_encrypted_response_enc": "A256CBC-HS512",
        }});
        subordinate.extra.insert("metadata".to_owned(), metadata);
    });
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
        let (mut browser, login) = world.accepted(&prepared).await;
        let consent = world
            .type_password(&mut browser, &login, ("ada", "ada-demo"))
            .await;
        assert!(
            consent.body.contains("Nominato dal superiore"),
            "SPID/CIE FE-3: {}",
            consent.body
        );
        let known = world
            .provider(profile)
            .find_client(&ClientId::new(rp.entity_id()), Discovery::Never)
            .await
            .unwrap();
        let enc = known.metadata().userinfo_encrypted_response_enc.as_deref();
        assert_eq!(enc, Some("A256CBC-HS512"), "SPID/CIE FE-3");
    }
}

#[actix_web::test]
async fn an_override_by_a_distant_superior_does_not_count() {
    // SPID/CIE FE-3: only that of the immediate superior does.
    let world = World::start();
    let rp = world.federation.aggregated_relying_party();
    let intermediate = world.federation.intermediate().entity_id().to_owned();
    world
        .federation
        .trust_anchor()
        .change(&intermediate, |subordinate| {
            let metadata = json!({"openid_relying_party": {"client_name": "From far above"}});
            subordinate.extra.insert("metadata".to_owned(), metadata);
        });
    let issuer = world.issuer("cie").await;
    world
        .accepted(&world.request_of(rp, &issuer, &LoginOptions::default()))
        .await;
    let known = world
        .provider("cie")
        .find_client(&ClientId::new(rp.entity_id()), Discovery::Never)
        .await
        .unwrap();
    assert_ne!(known.name("en"), "From far above", "SPID/CIE FE-3");
}
