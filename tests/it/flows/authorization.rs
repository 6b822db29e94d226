//! The authorization request: how it is sent, what it must hold, what is tolerated (SPID/CIE AZ-1 to AZ-4, AZ-7).

use crate::harness::World;
use serde_json::{Value, json};
use varco::demo::relying_party::AuthorizationAnswer;
use varco::demo::{DemoKeys, LoginOptions};
use varco::model::RpToleranceOverride;

/// A login with these options succeeds up to the code; the options' own `acr_values` may be absent.
async fn gives_a_code(world: &World, profile: &'static str, options: &LoginOptions) {
    let issuer = world.issuer(profile).await;
    let prepared = world.request(&issuer, options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let answer = world.log_in_and_allow(&mut browser, &page).await;
    let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
    answer.code(&prepared).unwrap();
}

/// SPID/CIE AZ-1.
#[actix_web::test]
async fn get_and_post_start_a_login_and_nothing_else_does() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let by_get = world.request(&issuer, &LoginOptions::default());
        world.accepted(&by_get).await;

        let by_post = world.request(&issuer, &LoginOptions::default());
        let mut browser = world.browser();
        let answer = browser.post(&by_post.endpoint, &by_post.fields).await;
        assert_eq!(answer.status, 303, "SPID/CIE AZ-1: {}", answer.body);
        let page = browser.follow(answer, &world.base).await;
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
        answer.code(&by_post).unwrap();

        // The parameters of a POST are in its body; a query beside it is not mixed in.
        let split = world.request(&issuer, &LoginOptions::default());
        let answer = world.browser().post(&split.url, &[]).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains("parameter request is missing"));

        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for method in ["PUT", "DELETE", "PATCH"] {
            let method = method.parse().unwrap();
            let url = by_get.endpoint.as_str();
            let answer = client.request(method, url).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 405);
            assert_eq!(answer.headers()["allow"], "GET, POST");
        }
    }
}

/// SPID/CIE AZ-1: `SameSite=Lax` cookies stay at home, yet the login works and the single sign-on session survives.
#[actix_web::test]
async fn a_cross_site_post_comes_without_cookies_and_still_uses_the_session() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        world
            .code_with(&mut browser, world.rp(), &issuer, &LoginOptions::default())
            .await;

        let options = LoginOptions {
            prompt: "consent".to_owned(),
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &options);
        let kept = std::mem::take(&mut browser.cookies);
        let answer = browser.post(&prepared.endpoint, &prepared.fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        for name in browser.cookies.keys() {
            assert!(!kept.contains_key(name), "{name} would be overwritten");
        }
        browser.cookies.extend(kept);
        let consent = browser.follow(answer, &world.base).await;
        assert!(
            consent.body.contains("name=\"decision\""),
            "SPID/CIE AZ-6: single sign-on ({}): {}",
            consent.status,
            consent.body
        );
        let answer = world.allow(&mut browser, &consent).await;
        let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
        answer.code(&prepared).unwrap();
    }
}

/// SPID/CIE AZ-2.
#[actix_web::test]
async fn request_uri_and_registration_are_refused_by_their_own_codes() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default()
            .with_parameter("request_uri", "https://rp.example.it/request.jwt");
        let prepared = world.request(&issuer, &options);
        world
            .told(&prepared, "request_uri_not_supported", "request_uri")
            .await;
        let options = LoginOptions::default().with_parameter("registration", "{}");
        let prepared = world.request(&issuer, &options);
        world
            .told(&prepared, "registration_not_supported", "registration")
            .await;

        // Without a request object nobody has proven where an answer may go.
        let bare = LoginOptions::default()
            .without_parameter("request")
            .with_parameter("redirect_uri", &world.rp().redirect_uris()[0]);
        let by_reference = bare
            .clone()
            .with_parameter("request_uri", "https://rp.example.it/request.jwt");
        let prepared = world.request(&issuer, &by_reference);
        world
            .shown(&prepared, "request_uri_not_supported", "request_uri")
            .await;
        let registering = bare.clone().with_parameter("registration", "{}");
        let prepared = world.request(&issuer, &registering);
        world
            .shown(&prepared, "registration_not_supported", "registration")
            .await;
        let prepared = world.request(&issuer, &bare);
        world
            .shown(&prepared, "invalid_request", "parameter request is missing")
            .await;
    }
}

/// SPID/CIE AZ-2: the request is a signed JWT; whatever else stands there is refused on a page.
#[actix_web::test]
async fn a_request_that_is_no_signed_jwt_is_refused_on_a_page() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (request, fact) in [
            ("x", "parts separated by full stops"),
            ("a.b.c.d.e", "parts separated by full stops"),
            ("..", "malformed JSON"),
            ("e30.e30.", "header alg is missing"),
            ("e30=.e30.", "not base64url"),
        ] {
            let options = LoginOptions::default().with_parameter("request", request);
            let prepared = world.request(&issuer, &options);
            world.shown(&prepared, "invalid_request_object", fact).await;
        }
        let options = LoginOptions::default().without_header("kid");
        let prepared = world.request(&issuer, &options);
        world
            .shown(&prepared, "invalid_request_object", "header kid is missing")
            .await;
    }
}

/// SPID/CIE AZ-4: what real kits send.
#[actix_web::test]
async fn the_peculiarities_of_real_kits_are_tolerated() {
    let world = World::start();
    let typ = |typ: &str| LoginOptions::default().with_header("typ", typ);
    let claim = |name: &str, value: Value| LoginOptions::default().with_claim(name, value);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let id = issuer.metadata.issuer.as_str();
        let two_days = LoginOptions {
            lifetime_seconds: 48 * 3600,
            ..LoginOptions::default()
        };
        for (what, options) in [
            ("scope as array", claim("scope", json!(["openid"]))),
            (
                "acr_values as array",
                claim(
                    "acr_values",
                    json!([
                        "https://www.spid.gov.it/SpidL3",
                        "https://www.spid.gov.it/SpidL2"
                    ]),
                ),
            ),
            ("no typ", LoginOptions::default().without_header("typ")),
            ("typ JWT", typ("JWT")),
            ("typ of RFC 9101", typ("oauth-authz-req+jwt")),
            ("typ of older kits", typ("entity-statement+jwt")),
            (
                "unknown claims",
                claim("endpoint", json!("https://x"))
                    .with_claim("sub", world.rp().entity_id())
                    .with_claim("x", json!({"deep": [1]})),
            ),
            (
                "unknown header members",
                LoginOptions::default().with_header("x", "y"),
            ),
            (
                "extra parameters",
                LoginOptions::default()
                    .with_parameter("provider", "https://x")
                    .with_parameter("state", "outside")
                    .with_parameter("nonce", "outside")
                    .with_parameter("prompt", "none")
                    .with_parameter("redirect_uri", "https://attacker.example"),
            ),
            ("48 hours", two_days),
            ("aud as text", claim("aud", json!(id))),
            (
                "aud of several",
                claim("aud", json!(["https://other.example.it", id])),
            ),
            ("no jti", LoginOptions::default().without_claim("jti")),
            ("fractional times", claim("iat", json!(1_768_467_599.5))),
            (
                "no claims",
                LoginOptions {
                    userinfo_claims: Vec::new(),
                    ..LoginOptions::default()
                },
            ),
            (
                "claims of null",
                claim("claims", json!({"userinfo": null, "id_token": null})),
            ),
            (
                "claims with wishes",
                claim(
                    "claims",
                    json!({"userinfo": {"email": {"essential": true}, "given_name": {"values": ["Ada"]}, "x": {"value": 1}}}),
                ),
            ),
        ] {
            println!("{profile}: {what}");
            let prepared = world.request(&issuer, &options);
            world.accepted(&prepared).await;
        }
        // All that can come at once, to the code.
        let options = claim("scope", json!(["openid"]))
            .with_claim("acr_values", json!(["https://www.spid.gov.it/SpidL2"]))
            .with_claim("aud", json!(id))
            .with_claim("endpoint", json!("https://x"))
            .with_parameter("redirect_uri", "https://attacker.example")
            .with_header("typ", "entity-statement+jwt")
            .without_claim("jti");
        gives_a_code(&world, issuer.profile, &options).await;

        for wrong in ["at+jwt", "dpop+jwt", ""] {
            let prepared = world.request(&issuer, &typ(wrong));
            world
                .shown(&prepared, "invalid_request_object", "header typ is")
                .await;
        }
    }
}

/// SPID/CIE AZ-4, FE-12: `rp_tolerance.missing_exp` puts iat + 300 s in place of `exp`.
#[actix_web::test]
async fn a_missing_exp_is_tolerated_only_where_configured_and_ends_after_five_minutes() {
    let world = World::builder()
        .issuers(|issuer| issuer.rp_tolerance.missing_exp = true)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().without_claim("exp");
        let prepared = world.request(&issuer, &options);
        world.accepted(&prepared).await;

        let late = world.request(&issuer, &options);
        world.clock.advance_seconds(329);
        let (mut browser, page) = world.accepted(&late).await;
        let too_late = world.request(
            &issuer,
            &options.clone().with_claim("iat", world.now() - 330),
        );
        world
            .told(&too_late, "invalid_request_object", "claim exp")
            .await;
        // The page is not bound to the request object's end.
        world.clock.advance_seconds(600);
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        assert!(answer.redirected("code").is_some());
    }
}

/// SPID/CIE FE-12, AZ-4: the tolerance is per RP too.
#[actix_web::test]
async fn a_tolerance_for_one_rp_is_not_a_tolerance_for_another() {
    let world = World::builder()
        .issuers(|issuer| {
            let base = issuer.id.trim_end_matches("spid/").trim_end_matches("cie/");
            let tolerated = RpToleranceOverride {
                missing_exp: Some(true),
                ..RpToleranceOverride::default()
            };
            let id = format!("{base}rp-aggregated/");
            issuer.rp_tolerances.insert(id, tolerated);
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().without_claim("exp");
        let rp = world.federation.aggregated_relying_party();
        let prepared = world.request_of(rp, &issuer, &options);
        world.accepted(&prepared).await;
        let prepared = world.request(&issuer, &options);
        world
            .told(&prepared, "invalid_request_object", "claim exp is missing")
            .await;
    }
}

/// SPID/CIE AZ-7.
#[actix_web::test]
async fn response_type_scope_and_pkce_method_are_judged_by_their_own_codes() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for kind in ["token", "id_token", "code id_token", "none", "CODE"] {
            let options = LoginOptions::default().with_claim("response_type", kind);
            let prepared = world.request(&issuer, &options);
            world
                .told(&prepared, "unsupported_response_type", "response_type")
                .await;
        }
        let scoped = |scope: &str| LoginOptions {
            scope: scope.to_owned(),
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &scoped("offline_access"));
        world
            .told(&prepared, "invalid_scope", "scope must contain openid")
            .await;
        let prepared = world.request(&issuer, &scoped("openid payments"));
        world
            .told(
                &prepared,
                "invalid_scope",
                "scope payments is not supported",
            )
            .await;
        let prepared = world.request(&issuer, &scoped("openid \"\\\u{e8}<x>"));
        world.told(&prepared, "invalid_scope", "scope <x>").await;
        for scope in ["profile", "email"] {
            let prepared = world.request(&issuer, &scoped(&format!("openid {scope}")));
            if profile == "spid" {
                world.told(&prepared, "invalid_scope", scope).await;
            } else {
                world.accepted(&prepared).await;
            }
        }
        for options in [
            LoginOptions::default().with_parameter("code_challenge_method", "plain"),
            LoginOptions::default().with_claim("code_challenge_method", "plain"),
            LoginOptions::default()
                .with_parameter("code_challenge_method", "plain")
                .with_claim("code_challenge_method", "plain"),
        ] {
            let prepared = world.request(&issuer, &options);
            world
                .told(
                    &prepared,
                    "invalid_request",
                    "code_challenge_method must be S256",
                )
                .await;
        }
    }
}

/// SPID/CIE AZ-7, AZ-4: a RP that registered scopes gets nothing beyond them.
#[actix_web::test]
async fn an_rp_gets_no_scope_beyond_those_of_its_metadata() {
    let world = World::start();
    let keys = DemoKeys::generate_fast().unwrap().relying_party;
    let rp = world.federation.further_relying_party("rp-narrow", keys);
    let rp = rp.unwrap().with_metadata("scope", "openid");
    let rp = world.federation.admit("rp-narrow", rp);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
        world.accepted(&prepared).await;
        let options = LoginOptions::default().with_offline_access();
        let prepared = world.request_of(&rp, &issuer, &options);
        world
            .told(&prepared, "invalid_scope", "scope offline_access")
            .await;
    }
}
