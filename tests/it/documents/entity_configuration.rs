//! SPID/CIE MD-1 to MD-5.

use crate::harness::{World, claims_of, header_of};
use serde_json::{Map, Value, json};
use varco::clock::{Clock, UtcTime};
use varco::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
};

const SIGNATURES: [&str; 6] = ["RS256", "RS512", "ES256", "ES512", "PS256", "PS512"];
const KEY_MANAGEMENT: [&str; 5] = [
    "RSA-OAEP",
    "RSA-OAEP-256",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A256KW",
];
const CONTENT_ENCRYPTION: [&str; 2] = ["A128CBC-HS256", "A256CBC-HS512"];

async fn fetch(world: &World, profile: &str) -> crate::harness::Answer {
    let url = world.url(&format!("/{profile}/.well-known/openid-federation"));
    world.browser().get(&url).await
}

/// Verifies as an outsider who has only this document.
fn verified(text: &str, issuer: &str, now: UtcTime) -> Map<String, Value> {
    let keys = KeySet::from_json(&claims_of(text)["jwks"]).unwrap();
    let expectations = Expectations {
        kind: "entity configuration",
        typ: TypRule::Exactly(&["entity-statement+jwt"]),
        algorithms: SignatureAlgorithm::ALL,
        kid_required: true,
        issuer: Some(issuer),
        subject: Some(issuer),
        audience: None,
        now,
        leeway_seconds: 0,
        expiry: ExpiryRule::Required,
        issued_at: IssuedAtRule::Required,
        max_lifetime_seconds: None,
    };
    let unverified = Unverified::parse(text, 100_000).unwrap();
    let verified = unverified.verify(&keys, &expectations).unwrap();
    verified.into_claims()
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().unwrap();
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

#[actix_web::test]
async fn the_entity_configuration_is_what_the_federation_expects() {
    // SPID/CIE MD-1, MD-2, MD-4
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.url(&format!("/{profile}/"));
        let answer = fetch(&world, profile).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            "application/entity-statement+jwt",
            "SPID/CIE MD-1"
        );
        assert_eq!(header_of(&answer.body)["typ"], "entity-statement+jwt");
        let claims = verified(&answer.body, &issuer, world.clock.now());
        let anchor = world.federation.trust_anchor().entity_id();
        assert_eq!(claims["authority_hints"], json!([anchor]), "SPID/CIE MD-1");
        let mark = &claims["trust_marks"][0];
        let mark_type = world.federation.provider_mark_type();
        assert_eq!(mark["trust_mark_type"], mark_type.as_str(), "SPID/CIE MD-1");
        let mark = claims_of(mark["trust_mark"].as_str().unwrap());
        assert_eq!(mark["sub"], issuer.as_str(), "SPID/CIE MD-1");
        let hours = (claims["exp"].as_i64().unwrap() - world.clock.now().0) / 3600;
        assert!(hours >= 1, "SPID/CIE MD-4: exp is {hours} hours ahead");

        let entity = &claims["metadata"]["federation_entity"];
        for name in [
            "organization_name",
            "homepage_uri",
            "organization_uri",
            "policy_uri",
            "logo_uri",
            "contacts",
        ] {
            assert!(!entity[name].is_null(), "SPID/CIE MD-2: {name}");
        }
        assert_eq!(
            entity["federation_resolve_endpoint"],
            format!("{issuer}resolve"),
            "SPID/CIE MD-2"
        );
        let logo = entity["logo_uri"].as_str().unwrap();
        assert!(logo.ends_with(".svg"), "SPID/CIE MD-2: {logo}");
        let logo = world.browser().get(logo).await;
        assert_eq!(
            logo.header("content-type"),
            "image/svg+xml",
            "SPID/CIE MD-2"
        );

        let federation = KeySet::from_json(&claims["jwks"]).unwrap();
        let protocol = KeySet::from_json(&claims["metadata"]["openid_provider"]["jwks"]).unwrap();
        for key in federation.keys() {
            assert_eq!(key.kid(), Some(key.thumbprint().as_str()), "SPID/CIE AL-5");
            let shared = protocol
                .keys()
                .iter()
                .any(|other| other.thumbprint() == key.thumbprint());
            assert!(!shared, "SPID/CIE AL-6");
        }
        for key in protocol.keys() {
            assert_eq!(key.kid(), Some(key.thumbprint().as_str()), "SPID/CIE AL-5");
        }
    }
}

#[actix_web::test]
async fn the_provider_metadata_has_every_member_and_exactly_the_published_algorithms() {
    // SPID/CIE MD-3, AL-1, AL-2, AL-3, AL-4
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.url(&format!("/{profile}/"));
        let claims = claims_of(&fetch(&world, profile).await.body);
        let metadata = &claims["metadata"]["openid_provider"];
        let scopes = match profile {
            "spid" => json!(["openid", "offline_access"]),
            _ => json!(["openid", "offline_access", "profile", "email"]),
        };
        let at = |path: &str| json!(format!("{issuer}{path}"));
        let exactly = [
            ("issuer", json!(issuer)),
            ("authorization_endpoint", at("authorization")),
            ("token_endpoint", at("token")),
            ("userinfo_endpoint", at("userinfo")),
            ("introspection_endpoint", at("introspection")),
            ("revocation_endpoint", at("revocation")),
            ("jwks_uri", at("jwks.json")),
            ("signed_jwks_uri", at("jwks.jose")),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("response_types_supported", json!(["code"])),
            ("response_modes_supported", json!(["form_post", "query"])),
            (
                "grant_types_supported",
                json!(["authorization_code", "refresh_token"]),
            ),
            (
                "acr_values_supported",
                json!([
                    "https://www.spid.gov.it/SpidL1",
                    "https://www.spid.gov.it/SpidL2",
                    "https://www.spid.gov.it/SpidL3"
                ]),
            ),
            ("subject_types_supported", json!(["pairwise"])),
            (
                "token_endpoint_auth_methods_supported",
                json!(["private_key_jwt"]),
            ),
            (
                "revocation_endpoint_auth_methods_supported",
                json!(["private_key_jwt"]),
            ),
            ("claims_parameter_supported", json!(true)),
            ("request_parameter_supported", json!(true)),
            (
                "authorization_response_iss_parameter_supported",
                json!(true),
            ),
            ("client_registration_types_supported", json!(["automatic"])),
            (
                "request_authentication_methods_supported",
                json!({"authorization_endpoint": ["request_object"]}),
            ),
        ];
        for (name, expected) in exactly {
            assert_eq!(metadata[name], expected, "SPID/CIE MD-3: {profile} {name}");
        }
        let mut found = texts(&metadata["scopes_supported"]);
        let mut expected = texts(&scopes);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "SPID/CIE MD-3: scopes_supported");
        for name in [
            "id_token_signing_alg_values_supported",
            "userinfo_signing_alg_values_supported",
            "request_object_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "request_authentication_signing_alg_values_supported",
        ] {
            assert_eq!(texts(&metadata[name]), SIGNATURES, "SPID/CIE AL-1: {name}");
        }
        let name = "userinfo_encryption_alg_values_supported";
        assert_eq!(texts(&metadata[name]), KEY_MANAGEMENT, "SPID/CIE AL-2");
        let name = "userinfo_encryption_enc_values_supported";
        assert_eq!(texts(&metadata[name]), CONTENT_ENCRYPTION, "SPID/CIE AL-3");
        for member in metadata.as_object().unwrap().keys() {
            let absent = member.starts_with("request_object_encryption");
            assert!(!absent, "SPID/CIE MD-3: {member} must be absent");
        }
        let whole = metadata.to_string();
        for forbidden in ["none", "HS256", "HS384", "HS512", "RSA1_5", "RS384"] {
            let found = whole.contains(&format!("\"{forbidden}\""));
            assert!(!found, "SPID/CIE AL-4: {forbidden}");
        }
        let claims = texts(&metadata["claims_supported"]);
        for claim in [
            "sub",
            "given_name",
            "https://attributes.eid.gov.it/fiscal_number",
        ] {
            assert!(claims.contains(&claim), "SPID/CIE MD-3: {claim}");
        }
        let spid_only = claims.contains(&"https://attributes.eid.gov.it/spid_code");
        assert_eq!(
            spid_only,
            profile == "spid",
            "SPID/CIE MD-3: claims_supported"
        );
        for absent in [
            "registration_endpoint",
            "pushed_authorization_request_endpoint",
        ] {
            assert!(metadata[absent].is_null(), "SPID/CIE FE-11: {absent}");
        }
    }
}

#[actix_web::test]
async fn id_token_encryption_is_published_by_cie_and_by_spid_where_it_is_switched_on() {
    // SPID/CIE MD-3
    for (switch, spid) in [(false, false), (true, true)] {
        let world = World::builder()
            .issuers(move |settings| settings.encrypt_id_token = switch)
            .start();
        for (profile, expected) in [("spid", spid), ("cie", true)] {
            let claims = claims_of(&fetch(&world, profile).await.body);
            let metadata = &claims["metadata"]["openid_provider"];
            for (name, values) in [
                (
                    "id_token_encryption_alg_values_supported",
                    &KEY_MANAGEMENT[..],
                ),
                (
                    "id_token_encryption_enc_values_supported",
                    &CONTENT_ENCRYPTION[..],
                ),
            ] {
                if expected {
                    assert_eq!(texts(&metadata[name]), values, "SPID/CIE MD-3: {profile}");
                } else {
                    assert!(metadata[name].is_null(), "SPID/CIE MD-3: {profile} {name}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn discovery_serves_the_same_metadata_as_json() {
    // SPID/CIE MD-5
    let world = World::start();
    for profile in ["spid", "cie"] {
        let claims = claims_of(&fetch(&world, profile).await.body);
        let url = world.url(&format!("/{profile}/.well-known/openid-configuration"));
        let answer = world.browser().get(&url).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            answer.json(),
            claims["metadata"]["openid_provider"],
            "SPID/CIE MD-5"
        );
    }
}

#[actix_web::test]
async fn people_read_the_entity_configuration_as_json() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let signed = claims_of(&fetch(&world, profile).await.body);
        let mut person = world.browser();
        person
            .headers
            .push(("accept", "application/json".to_owned()));
        let url = world.url(&format!("/{profile}/.well-known/openid-federation"));
        let answer = person.get(&url).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), Value::Object(signed), "SPID/CIE MD-1");
    }
}

#[actix_web::test]
async fn it_is_signed_once_for_half_its_life_and_then_anew() {
    // SPID/CIE MD-4: `exp` is always hours ahead; between, the same bytes from memory.
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.url(&format!("/{profile}/"));
        let lifetime = world
            .provider(profile)
            .settings
            .lifetimes
            .entity_configuration;
        let first = fetch(&world, profile).await.body;
        assert_eq!(
            fetch(&world, profile).await.body,
            first,
            "two fetches, one signature"
        );
        world.clock.advance_seconds(lifetime / 2 - 1);
        assert_eq!(fetch(&world, profile).await.body, first);
        world.clock.advance_seconds(1);
        let second = fetch(&world, profile).await.body;
        assert_ne!(second, first, "SPID/CIE MD-4");
        let claims = verified(&second, &issuer, world.clock.now());
        assert_eq!(claims["iat"], world.clock.now().0);
        assert_eq!(claims["exp"], world.clock.now().0 + lifetime);
    }
}

#[actix_web::test]
async fn the_signature_is_rs256_unless_configured() {
    // SPID/CIE MD-4, AL-5
    let world = World::builder()
        .issuers(|settings| settings.federation_signing_alg = "RS256".to_owned())
        .start();
    let answer = fetch(&world, "spid").await;
    assert_eq!(header_of(&answer.body)["alg"], "RS256", "SPID/CIE MD-4");
    verified(&answer.body, &world.url("/spid/"), world.clock.now());
    let world = World::start();
    let answer = fetch(&world, "spid").await;
    assert_eq!(
        header_of(&answer.body)["alg"],
        "ES256",
        "as the worlds are configured"
    );
}

#[actix_web::test]
async fn an_issuer_without_a_final_slash_works_as_well() {
    // SPID/CIE MD-4
    let world = World::builder()
        .server(|settings| {
            for issuer in &mut settings.issuers {
                let id = issuer.id.trim_end_matches('/').to_owned();
                issuer.id = id;
            }
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.url(&format!("/{profile}"));
        let answer = fetch(&world, profile).await;
        let claims = verified(&answer.body, &issuer, world.clock.now());
        let metadata = &claims["metadata"]["openid_provider"];
        assert_eq!(metadata["issuer"], issuer.as_str(), "SPID/CIE MD-4");
        assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"));
        let found = world.federation.discover(&issuer).await.unwrap();
        let issuer = crate::harness::Issuer {
            metadata: found.provider,
            profile,
        };
        let options = varco::demo::LoginOptions::default();
        let tokens = world.login(world.rp(), &issuer, &options).await;
        assert_eq!(tokens.id_token["iss"], issuer.metadata.issuer.as_str());
    }
}

#[actix_web::test]
async fn registration_and_pushed_requests_do_not_exist_in_the_federations() {
    // SPID/CIE FE-11
    let world = World::start();
    for profile in ["spid", "cie"] {
        for path in ["registration", "par"] {
            let url = world.url(&format!("/{profile}/{path}"));
            assert_eq!(
                world.browser().get(&url).await.status,
                404,
                "SPID/CIE FE-11"
            );
            let answer = world
                .post(&url, &[("request".to_owned(), "x".to_owned())])
                .await;
            assert_eq!(answer.status, 404, "SPID/CIE FE-11: {path}");
        }
    }
}
