//! The token endpoint: codes and what comes of them (SPID/CIE TK-2 to TK-5, TK-8).

use crate::harness::{Issuer, Tokens, World, claims_of, header_of, replaced};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use varco::demo::LoginOptions;
use varco::store::account;

pub(super) const PROFILES: [&str; 2] = ["spid", "cie"];

/// `xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx` (RFC 9562 §5.4).
#[track_caller]
fn assert_uuid4(value: &Value) {
    let text = value.as_str().unwrap();
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
    assert!(parts[2].starts_with('4'), "{text}");
    assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{text}");
    assert!(parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

pub(super) fn names(claims: &Map<String, Value>) -> BTreeSet<&str> {
    claims.keys().map(String::as_str).collect()
}

/// SPID/CIE TK-3, TK-4, TK-5, TK-6: nothing is missing, nothing is there that is not specified.
#[actix_web::test]
async fn a_code_becomes_tokens_of_the_specified_shape() {
    let world = World::start();
    let now = crate::harness::START.0;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_offline_access();
        let (prepared, code) = world.code(world.rp(), &issuer, &options).await;
        let fields = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        let answer = world.post(&issuer.metadata.token_endpoint, &fields).await;
        assert_eq!(answer.header("cache-control"), "no-store", "SPID/CIE TK-3");
        assert_eq!(answer.header("content-type"), "application/json");
        let answer = answer.granted();
        assert_eq!(answer["token_type"], "Bearer", "SPID/CIE TK-3");
        let rp_id = world.rp().entity_id();
        let base = format!("{}/{profile}", world.base);

        let access_token = answer["access_token"].as_str().unwrap();
        let header = header_of(access_token);
        assert_eq!(header["typ"], "at+jwt", "SPID/CIE TK-4");
        let access = claims_of(access_token);
        assert_eq!(access["iss"], format!("{base}/"), "SPID/CIE TK-4");
        assert_eq!(access["client_id"], rp_id, "SPID/CIE TK-4");
        assert_eq!(
            access["aud"],
            serde_json::json!([format!("{base}/userinfo")]),
            "SPID/CIE TK-4"
        );
        assert_eq!(access["scope"], "openid offline_access", "SPID/CIE TK-4");
        assert_eq!(access["iat"], now);
        let lifetime = access["exp"].as_i64().unwrap() - now;
        assert_eq!(answer["expires_in"], lifetime, "SPID/CIE TK-3");
        assert_uuid4(&access["jti"]);

        let id_token = answer["id_token"].as_str().unwrap();
        let header = header_of(id_token);
        assert_eq!(header["alg"], "RS256", "SPID/CIE TK-5");
        let id = claims_of(id_token);
        let expected = [
            "iss", "sub", "aud", "acr", "at_hash", "iat", "nbf", "exp", "jti", "nonce",
        ];
        assert_eq!(
            names(&id),
            expected.into_iter().collect(),
            "SPID/CIE TK-5: no auth_time, no attributes"
        );
        assert_eq!(id["aud"], rp_id, "SPID/CIE TK-5");
        assert_eq!(id["iat"], id["nbf"], "SPID/CIE TK-5");
        assert_eq!(id["nonce"], prepared.nonce, "SPID/CIE TK-5");
        assert_eq!(id["sub"], access["sub"], "SPID/CIE TK-4");
        assert_eq!(id["acr"], "https://www.spid.gov.it/SpidL2", "SPID/CIE TK-5");
        assert_uuid4(&id["jti"]);
        let digest = openssl::sha::sha256(access_token.as_bytes());
        let at_hash = data_encoding::BASE64URL_NOPAD.encode(&digest[..16]);
        assert_eq!(id["at_hash"], at_hash, "SPID/CIE TK-5");

        let refresh_token = answer["refresh_token"].as_str().unwrap();
        assert_ne!(header_of(refresh_token)["typ"], "at+jwt");
        let refresh = claims_of(refresh_token);
        assert_eq!(refresh["iss"], format!("{base}/"), "SPID/CIE TK-6");
        assert_eq!(refresh["client_id"], rp_id, "SPID/CIE TK-6");
        assert_eq!(
            refresh["aud"],
            serde_json::json!([format!("{base}/token")]),
            "SPID/CIE TK-6"
        );
        let lifetime = refresh["exp"].as_i64().unwrap() - refresh["iat"].as_i64().unwrap();
        assert!((1..=30 * 86_400).contains(&lifetime), "SPID/CIE TK-6");
        assert_uuid4(&refresh["jti"]);
    }
}

/// SPID/CIE TK-6: configuration cannot make a refresh token live longer than 30 days.
#[actix_web::test]
async fn no_refresh_token_lives_longer_than_thirty_days() {
    let world = World::builder()
        .issuers(|settings| settings.lifetimes.refresh_token = 400 * 86_400)
        .issuers(|settings| settings.lifetimes.consent = 400 * 86_400)
        .start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let claims = claims_of(tokens.answer.refresh_token.as_deref().unwrap());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 30 * 86_400, "SPID/CIE TK-6");
    }
}

/// SPID/CIE TK-5: the level really used, at least the one asked for.
#[actix_web::test]
async fn the_id_token_states_the_level_of_the_login() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for level in 1..=3 {
            let options = LoginOptions::at_level(level);
            let tokens = world.login(world.rp(), &issuer, &options).await;
            assert_eq!(
                tokens.id_token["acr"],
                format!("https://www.spid.gov.it/SpidL{level}"),
                "SPID/CIE TK-5"
            );
        }
        // A session of level 3 serves a request for level 1 and stays what it is (SPID/CIE AZ-8).
        let mut browser = world.browser();
        let mut acr = Vec::new();
        for level in [3, 1] {
            let mut options = LoginOptions::at_level(level);
            options.prompt = "consent".to_owned();
            let (prepared, code) = world
                .code_with(&mut browser, world.rp(), &issuer, &options)
                .await;
            let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
            acr.push(tokens.id_token["acr"].as_str().unwrap().to_owned());
        }
        assert_eq!(acr[0], acr[1], "SPID/CIE TK-5");
        assert!(acr[1].ends_with("SpidL3"));
    }
}

/// RFC 7636 §4.6, SPID/CIE TK-2.
#[actix_web::test]
async fn a_wrong_verifier_spends_the_code_and_a_missing_one_does_not() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.token_endpoint;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let form = || {
            world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap()
        };
        for (verifier, says) in [("", "code_verifier is missing"), ("short", "code_verifier")] {
            world
                .post(url, &replaced(form(), "code_verifier", verifier))
                .await
                .is_refused(400, "invalid_request", says);
        }
        let wrong = replaced(form(), "code_verifier", &"x".repeat(43));
        world
            .post(url, &wrong)
            .await
            .is_refused(400, "invalid_grant", "code_verifier");
        world
            .post(url, &form())
            .await
            .is_refused(400, "invalid_grant", "code was used before");
    }
}

/// SPID/CIE TK-2: optional, compared byte for byte when sent.
#[actix_web::test]
async fn redirect_uri_is_compared_when_it_is_sent() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.token_endpoint;
        let registered = world.rp().redirect_uris()[1].clone();
        let prefix = format!("{}/more", world.rp().redirect_uris()[0]);
        for wrong in [registered.as_str(), &prefix, "https://attacker.example/"] {
            let (prepared, code) = world
                .code(world.rp(), &issuer, &LoginOptions::default())
                .await;
            let form = world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            world
                .post(url, &replaced(form, "redirect_uri", wrong))
                .await
                .is_refused(400, "invalid_grant", "redirect_uri");
            let form = world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            world
                .post(url, &form)
                .await
                .is_refused(400, "invalid_grant", "code was used before");
        }
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let form = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        world
            .post(url, &replaced(form, "redirect_uri", ""))
            .await
            .granted();
    }
}

/// SPID/CIE TK-8: code, status and the name of what is wrong; nothing of it spends the code.
#[actix_web::test]
async fn every_mistake_of_a_code_request_is_named_and_spends_nothing() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.token_endpoint;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let form = || {
            world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap()
        };
        for (name, value, status, error, says) in [
            ("grant_type", "", 400, "invalid_request", "grant_type"),
            (
                "grant_type",
                "password",
                400,
                "unsupported_grant_type",
                "grant_type",
            ),
            (
                "grant_type",
                "implicit",
                400,
                "unsupported_grant_type",
                "grant_type",
            ),
            ("client_id", "", 400, "invalid_request", "client_id"),
            (
                "client_id",
                "https://other.example/",
                401,
                "invalid_client",
                "client_id",
            ),
            ("code", "", 400, "invalid_request", "code"),
            ("code", "unknown", 400, "invalid_grant", "code is unknown"),
            (
                "client_assertion",
                "",
                401,
                "invalid_client",
                "private_key_jwt",
            ),
            (
                "client_assertion_type",
                "",
                401,
                "invalid_client",
                "client_assertion_type",
            ),
        ] {
            world
                .post(url, &replaced(form(), name, value))
                .await
                .is_refused(status, error, says);
        }
        let mut repeated = form();
        repeated.push(("code".to_owned(), "other".to_owned()));
        world
            .post(url, &repeated)
            .await
            .is_refused(400, "invalid_request", "code is repeated");
        world
            .redeem(world.rp(), &issuer, prepared.clone(), &code)
            .await;
    }
}

/// SPID/CIE TK-1, IN-1, RV-1: POST only, of a form only; parameters in the address do not count.
#[actix_web::test]
async fn only_a_posted_form_is_read() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let fields = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        let encoded = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        let metadata = &issuer.metadata;
        for endpoint in [
            &metadata.token_endpoint,
            &metadata.introspection_endpoint,
            &metadata.revocation_endpoint,
        ] {
            let with_query = format!("{endpoint}?{encoded}");
            for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let answer = world.send(method, &with_query, &[], "").await;
                assert_eq!(answer.status, 405, "{method} {endpoint}");
                assert_eq!(answer.header("allow"), "POST", "{method} {endpoint}");
                assert_eq!(answer.error(), "invalid_request", "{method} {endpoint}");
            }
            let answer = world.send("HEAD", &with_query, &[], "").await;
            assert_eq!(answer.status, 405, "HEAD {endpoint}");
            for kind in ["application/json", "text/plain", "multipart/form-data"] {
                world
                    .send(
                        "POST",
                        endpoint,
                        &[("content-type", kind)],
                        encoded.as_str(),
                    )
                    .await
                    .is_refused(415, "invalid_request", "application/x-www-form-urlencoded");
            }
            let answer = world.send("POST", &with_query, &[], "").await;
            assert!([400, 401].contains(&answer.status), "{}", answer.body);
        }
        world.redeem(world.rp(), &issuer, prepared, &code).await;
    }
}

/// Who may no longer log in gets no tokens for a code, and those of before stop working.
#[actix_web::test]
async fn a_disabled_account_gets_nothing_more() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        set_ada(&world, false);
        let form = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        world
            .post(&issuer.metadata.token_endpoint, &form)
            .await
            .is_refused(400, "invalid_grant", "account");
        assert_dead(&world, &issuer, &tokens).await;
        set_ada(&world, true);
    }
}

pub(super) fn set_ada(world: &World, enabled: bool) {
    world
        .app
        .shared
        .store
        .write_blocking(move |connection| -> Result<(), varco::store::StoreError> {
            let mut ada = account::find_by_username(connection, "ada")?.unwrap();
            ada.enabled = enabled;
            account::update(connection, &ada).map(|_| ())
        })
        .unwrap();
}

pub(super) async fn assert_dead(world: &World, issuer: &Issuer, tokens: &Tokens) {
    let access_token = &tokens.answer.access_token;
    world
        .userinfo(issuer, access_token)
        .await
        .is_refused(401, "invalid_token", "account");
    let refresh_token = tokens.answer.refresh_token.as_deref().unwrap();
    for token in [access_token, refresh_token] {
        assert!(!world.is_active(world.rp(), issuer, token).await);
    }
    world
        .refresh(world.rp(), issuer, refresh_token)
        .await
        .is_refused(400, "invalid_grant", "account");
}
