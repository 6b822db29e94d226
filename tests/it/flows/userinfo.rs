//! Userinfo (SPID/CIE UI-1, UI-2).

use crate::harness::{Answer, World, claims_of, header_of};
use serde_json::{Value, json};
use varco::config::IssuerSettings;
use varco::demo::LoginOptions;
use varco::jose::{ContentEncryption, KeyManagementAlgorithm, KeyUse, PrivateKey, decrypt};
use varco::model::RpToleranceOverride;
use varco::model::UserinfoContentType;

const PROFILES: [&str; 2] = ["spid", "cie"];

/// SPID/CIE UI-1: 401, the header and the JSON body.
#[track_caller]
fn assert_challenged(answer: &Answer, says: &str) {
    answer.is_refused(401, "invalid_token", says);
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "SPID/CIE UI-1: {challenge}"
    );
    assert!(challenge.contains(says), "SPID/CIE UI-1: {challenge}");
}

/// SPID/CIE UI-1: in the header only, whatever the scheme's case.
#[actix_web::test]
async fn the_access_token_is_taken_from_the_header_only() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = issuer.metadata.userinfo_endpoint.as_str();
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let token = &tokens.answer.access_token;
        let bearer = format!("Bearer {token}");
        let header = [("authorization", bearer.as_str())];
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let in_query = format!("{url}?access_token={token}");
        assert_challenged(&world.send("GET", url, &[], "").await, "missing");
        assert_challenged(&world.send("GET", &in_query, &[], "").await, "missing");
        let in_body = format!("access_token={token}");
        let answer = world.send("POST", url, &form, in_body).await;
        if profile == "cie" {
            assert_challenged(&answer, "missing");
        } else {
            assert_eq!(answer.status, 405, "SPID/CIE UI-1");
        }
        for wrong in ["Bearer", "Bearer ", "Basic YTpi", token] {
            let answer = world
                .send("GET", url, &[("authorization", wrong)], "")
                .await;
            assert_challenged(&answer, "missing");
        }
        for right in [format!("bearer {token}"), format!("BEARER  {token}")] {
            let answer = world
                .send("GET", url, &[("authorization", &right)], "")
                .await;
            assert_eq!(answer.status, 200, "RFC 9110 §11.1: {}", answer.body);
        }
        // S GET only, C POST too.
        let answer = world.send("POST", url, &header, "").await;
        if profile == "cie" {
            assert_eq!(answer.status, 200, "SPID/CIE UI-1: {}", answer.body);
            assert_eq!(answer.header("content-type"), "application/jwt");
            let posted = world.send("POST", url, &[header[0], form[0]], "").await;
            assert_eq!(posted.status, 200, "SPID/CIE UI-1");
        } else {
            answer.is_refused(405, "invalid_request", "GET");
            assert_eq!(answer.header("allow"), "GET", "SPID/CIE UI-1");
        }
        let answer = world.send("PUT", url, &header, "").await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (405, "invalid_request")
        );
        let allowed = if profile == "cie" { "GET, POST" } else { "GET" };
        assert_eq!(answer.header("allow"), allowed, "SPID/CIE UI-1");
    }
}

/// SPID/CIE UI-1: forged, altered, expired, of another issuer, of another kind.
#[actix_web::test]
async fn only_a_live_access_token_of_this_issuer_opens_userinfo() {
    let world = World::start();
    for (profile, other) in [("spid", "cie"), ("cie", "spid")] {
        let issuer = world.issuer(profile).await;
        let elsewhere = world.issuer(other).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let foreign = world
            .login(world.rp(), &elsewhere, &LoginOptions::default())
            .await;
        let token = &tokens.answer.access_token;
        let claims = claims_of(token);
        let forged = world.rp().sign_protocol_token(&claims.into()).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"at+jwt"}"#);
        for (wrong, says) in [
            (forged.as_str(), "access token: header typ"),
            (
                foreign.answer.access_token.as_str(),
                "access token: no key with kid",
            ),
            (
                tokens.answer.id_token.as_deref().unwrap(),
                "access token: header typ",
            ),
            (
                tokens.answer.refresh_token.as_deref().unwrap(),
                "access token: header typ",
            ),
            (
                &format!("{none}.{payload}."),
                "access token: algorithm none",
            ),
            (
                &format!("{input}.{}", signature.replace(['A', 'Q', 'g', 'w'], "x")),
                "access token",
            ),
            ("a.b.c", "access token"),
            ("opaque", "access token"),
        ] {
            assert_challenged(&world.userinfo(&issuer, wrong).await, says);
        }
        assert_eq!(world.userinfo(&issuer, token).await.status, 200);
        world
            .clock
            .advance_seconds(tokens.answer.expires_in.unwrap() - 1);
        assert_eq!(world.userinfo(&issuer, token).await.status, 200);
        world.clock.advance_seconds(1);
        let answer = world.userinfo(&issuer, token).await;
        assert_challenged(&answer, "access token: claim exp");
    }
}

/// Tokens of an RP that the operator switched off stop working, and work again when it is switched on.
#[actix_web::test]
async fn a_switched_off_rp_reads_nothing() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let token = &tokens.answer.access_token;
        let bearer = format!("Bearer {token}");
        let header = [("authorization", bearer.as_str())];
        world.switch_rp(profile, world.rp(), false);
        let node = world.another_node();
        let url = node.url(&issuer.metadata.userinfo_endpoint);
        let answer = world.send("GET", &url, &header, "").await;
        assert_challenged(&answer, "disabled by the operator");
        world.switch_rp(profile, world.rp(), true);
        let node = world.another_node();
        let url = node.url(&issuer.metadata.userinfo_endpoint);
        let answer = world.send("GET", &url, &header, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn opened(body: &str, key: &PrivateKey) -> String {
    let keys = std::slice::from_ref(key);
    let all = (KeyManagementAlgorithm::ALL, ContentEncryption::ALL);
    let decrypted = decrypt(body, keys, all.0, all.1).unwrap();
    String::from_utf8(decrypted.plaintext.to_vec()).unwrap()
}

/// SPID/CIE UI-2.
#[actix_web::test]
async fn userinfo_is_a_signed_token_inside_an_encrypted_one() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let now = crate::harness::START.0;
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            "application/jwt",
            "SPID/CIE UI-2"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        let key = &world.rp().keys().encryption;
        let outer = header_of(&answer.body);
        assert_eq!(
            outer,
            json!({"alg": "RSA-OAEP-256", "enc": "A256CBC-HS512", "kid": key.kid(), "cty": "JWT"}),
            "SPID/CIE UI-2"
        );
        let signed = opened(&answer.body, key);
        let inner = header_of(&signed);
        assert_eq!(inner["cty"], "JWT", "SPID/CIE UI-2");
        assert_eq!(inner["alg"], "RS256", "SPID/CIE UI-2");
        assert!(
            issuer
                .metadata
                .keys
                .find(inner["kid"].as_str().unwrap())
                .is_some()
        );
        let claims = claims_of(&signed);
        assert_eq!(claims["iss"], issuer.metadata.issuer, "SPID/CIE UI-2");
        assert_eq!(claims["aud"], world.rp().entity_id(), "SPID/CIE UI-2");
        assert_eq!(claims["sub"], tokens.id_token["sub"], "SPID/CIE UI-2");
        assert_eq!(
            (&claims["iat"], &claims["nbf"]),
            (&json!(now), &json!(now)),
            "SPID/CIE UI-2"
        );
        assert!(claims["exp"].as_i64().unwrap() > now, "SPID/CIE UI-2");
        world.attributes(world.rp(), &issuer, &tokens).await;
    }
}

/// SPID/CIE UI-2: metadata without algorithms means RS256, RSA-OAEP and A256CBC-HS512.
#[actix_web::test]
async fn an_rp_without_algorithms_gets_the_defaults() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let rp = world.further_rp(&format!("rp-silent-{profile}"), |rp| {
            [
                "id_token_signed_response_alg",
                "userinfo_signed_response_alg",
                "userinfo_encrypted_response_alg",
                "userinfo_encrypted_response_enc",
            ]
            .into_iter()
            .fold(rp, |rp, name| rp.with_metadata(name, Value::Null))
        });
        let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
        let id_token = tokens.answer.id_token.as_deref().unwrap();
        assert_eq!(header_of(id_token)["alg"], "RS256", "SPID/CIE UI-2");
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        let outer = header_of(&answer.body);
        assert_eq!(
            (&outer["alg"], &outer["enc"]),
            (&json!("RSA-OAEP"), &json!("A256CBC-HS512")),
            "SPID/CIE UI-2"
        );
        let signed = opened(&answer.body, &rp.keys().encryption);
        assert_eq!(header_of(&signed)["alg"], "RS256", "SPID/CIE UI-2");
    }
}

/// SPID/CIE UI-2: said at authorization, not at userinfo, when it is too late.
#[actix_web::test]
async fn an_rp_without_a_usable_encryption_key_is_refused_at_authorization() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let elliptic = world.federation.aggregated_relying_party().keys();
        let signing = world
            .rp()
            .keys()
            .signing
            .public_jwk(KeyUse::Signature, None);
        let unsuitable = elliptic.encryption.public_jwk(KeyUse::Encryption, None);
        for (index, keys) in [vec![signing.clone()], vec![signing, unsuitable]]
            .into_iter()
            .enumerate()
        {
            let rp = world.further_rp(&format!("rp-keyless-{profile}-{index}"), |rp| {
                rp.with_metadata("jwks", json!({"keys": keys}))
            });
            let prepared = rp
                .authorization_request(&issuer.metadata, &LoginOptions::default())
                .unwrap();
            let answer = world
                .send("GET", &prepared.url, &[("accept", "application/json")], "")
                .await;
            assert_eq!(answer.status, 400, "SPID/CIE UI-2: {}", answer.body);
            let description = answer.description();
            assert!(
                description.contains("encryption key"),
                "SPID/CIE UI-2: {description}"
            );
            assert!(
                description.contains("userinfo_encrypted_response_alg"),
                "SPID/CIE UI-2: {description}"
            );
        }
    }
}

/// SPID/CIE UI-2, FE-12: the older text's media type, for all RPs of an issuer or for one.
#[actix_web::test]
async fn the_older_media_type_is_sent_where_it_is_tolerated() {
    let everywhere = World::builder()
        .issuers(|settings| {
            settings.rp_tolerance.userinfo_content_type = UserinfoContentType::Jose;
        })
        .start();
    let for_one = World::builder().issuers(tolerate_aggregated).start();
    for (world, direct, aggregated) in [
        (&everywhere, "application/jose", "application/jose"),
        (&for_one, "application/jwt", "application/jose"),
    ] {
        for profile in PROFILES {
            let issuer = world.issuer(profile).await;
            for (rp, expected) in [
                (world.rp(), direct),
                (world.federation.aggregated_relying_party(), aggregated),
            ] {
                let tokens = world.login(rp, &issuer, &LoginOptions::default()).await;
                let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
                assert_eq!(answer.header("content-type"), expected, "SPID/CIE UI-2");
                world.attributes(rp, &issuer, &tokens).await;
            }
        }
    }
}

fn tolerate_aggregated(settings: &mut IssuerSettings) {
    let base = settings.id.rsplit_once('/').unwrap().0;
    let base = base.rsplit_once('/').unwrap().0;
    settings.rp_tolerances.insert(
        format!("{base}/rp-aggregated/"),
        RpToleranceOverride {
            userinfo_content_type: Some(UserinfoContentType::Jose),
            ..RpToleranceOverride::default()
        },
    );
}

/// SPID/CIE TK-5: C encrypted when the RP asks for it, S never.
#[actix_web::test]
async fn an_id_token_is_encrypted_in_cie_on_request_and_in_spid_never() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (index, (alg, enc)) in [
            ("RSA-OAEP", "A128CBC-HS256"),
            ("RSA-OAEP-256", "A256CBC-HS512"),
        ]
        .into_iter()
        .enumerate()
        {
            let rp = world.further_rp(&format!("rp-sealed-{profile}-{index}"), |rp| {
                rp.with_metadata("id_token_encrypted_response_alg", alg)
                    .with_metadata("id_token_encrypted_response_enc", enc)
            });
            // Opens it and verifies what is inside.
            let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
            let id_token = tokens.answer.id_token.as_deref().unwrap();
            let header = header_of(id_token);
            if profile == "cie" {
                let expected = json!({
                    "alg": alg,
                    "enc": enc,
                    "kid": rp.keys().encryption.kid(),
                    "cty": "JWT",
                });
                assert_eq!(header, expected, "SPID/CIE TK-5");
            } else {
                assert_eq!(id_token.split('.').count(), 3, "SPID/CIE TK-5");
            }
        }
        // An RP that does not ask gets it plain.
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let id_token = tokens.answer.id_token.as_deref().unwrap();
        assert_eq!(id_token.split('.').count(), 3, "SPID/CIE TK-5");
    }
}
