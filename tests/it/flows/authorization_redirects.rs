//! Where answers go and how they travel: redirect URIs, response modes, `iss` (SPID/CIE AZ-11, AZ-12).

use crate::harness::{World, assert_told};
use serde_json::json;
use varco::demo::relying_party::AuthorizationAnswer;
use varco::demo::{DemoKeys, LoginOptions};

/// SPID/CIE AZ-12, FE-6: redirect URIs are compared exactly; everything else is an open redirect.
#[actix_web::test]
async fn no_redirect_uri_but_a_registered_one_is_ever_redirected_to() {
    let world = World::start();
    let right = world.rp().redirect_uris()[0].clone();
    let port = right.rsplit(':').next().unwrap();
    let cut = right.len() - 1;
    let wrong = [
        format!("{right}/"),
        format!("{right}/../evil"),
        format!("{right}evil"),
        format!("{right}?x=1"),
        format!("{right}?"),
        format!("{right}#"),
        format!("{right}#x"),
        format!("{right}%2f"),
        format!("{right} "),
        format!(" {right}"),
        format!("{right}\n"),
        format!("{right}\u{0}"),
        format!("{right},https://attacker.example"),
        right[..cut].to_owned(),
        right.to_uppercase(),
        right.replace("callback", "Callback"),
        right.replace("callback", "%63allback"),
        right.replace("http://", "HTTP://"),
        right.replace("http://", "https://"),
        right.replace("http://", "//"),
        right.replace("http://", "http://attacker.example@"),
        right.replace("http://", "http://user:pass@"),
        right.replace("127.0.0.1", "127.0.0.1.attacker.example"),
        right.replace("127.0.0.1", "attacker.example"),
        right.replace("127.0.0.1", "127.1"),
        right.replace("127.0.0.1", "127.0.0.1."),
        right.replace("/rp/", "//rp/"),
        right.replace("/rp/", "/x/../rp/"),
        right.replace("/rp/", "\\rp/"),
        right.replace("/rp/", "/rp-aggregated/"),
        format!("http://127.0.0.1:1{port}"),
        format!("https://attacker.example/?{right}"),
        "javascript:alert(1)".to_owned(),
        "data:text/html,<script>alert(1)</script>".to_owned(),
        "//attacker.example".to_owned(),
        "/rp/callback".to_owned(),
        "callback".to_owned(),
        world.rp().entity_id().to_owned(),
    ];
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for uri in &wrong {
            println!("{profile} {uri:?}");
            let options = LoginOptions::default().with_claim("redirect_uri", uri.as_str());
            let prepared = world.request(&issuer, &options);
            world
                .shown(&prepared, "invalid_request", "redirect_uri is not one of")
                .await;
        }
        for value in [
            json!([right]),
            json!({"uri": right}),
            json!(""),
            json!(null),
            json!(1),
        ] {
            let options = LoginOptions::default().with_claim("redirect_uri", value);
            let prepared = world.request(&issuer, &options);
            world
                .shown(&prepared, "invalid_request", "redirect_uri is")
                .await;
        }
        // Every registered one works, also when the parameter outside names another.
        for uri in world.rp().redirect_uris() {
            let options = LoginOptions {
                redirect_uri: Some(uri.clone()),
                ..LoginOptions::default()
            };
            let options = options.with_parameter("redirect_uri", "https://attacker.example/");
            let prepared = world.request(&issuer, &options);
            let (mut browser, page) = world.accepted(&prepared).await;
            let answer = world.log_in_and_allow(&mut browser, &page).await;
            let location = answer.location().unwrap();
            assert!(location.starts_with(&format!("{uri}?code=")), "{location}");
        }
    }
}

/// SPID/CIE AZ-12: a wrong redirect URI is a page even when other things are wrong that would be told.
#[actix_web::test]
async fn an_error_is_never_redirected_to_an_unregistered_redirect_uri() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for options in [
            LoginOptions::default().without_claim("nonce"),
            LoginOptions::default().with_claim("exp", 1),
            LoginOptions::default().with_claim("prompt", "none"),
            LoginOptions::default().with_parameter("request_uri", "https://x"),
        ] {
            let options = options.with_claim("redirect_uri", "https://attacker.example/");
            let prepared = world.request(&issuer, &options);
            world
                .shown(&prepared, "invalid_request", "redirect_uri is not one of")
                .await;
        }
    }
}

/// SPID/CIE AZ-11, FE-10: the URI's own query stays, custom schemes of mobile applications work.
#[actix_web::test]
async fn queries_and_custom_schemes_of_redirect_uris_are_kept_byte_for_byte() {
    let world = World::start();
    let uris = [
        "https://rp.example.it/cb?tenant=a%20b&x=%2F",
        "https://rp.example.it/cb?",
        "it.example.app:/callback",
        "it.example.app://host/callback?x=1",
    ];
    let keys = DemoKeys::generate_fast().unwrap().relying_party;
    let rp = world.federation.further_relying_party("rp-app", keys);
    let rp = rp
        .unwrap()
        .with_redirect_uris(uris.map(str::to_owned).to_vec());
    let rp = world.federation.admit("rp-app", rp);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for uri in uris {
            let options = LoginOptions {
                redirect_uri: Some(uri.to_owned()),
                ..LoginOptions::default()
            };
            let prepared = world.request_of(&rp, &issuer, &options);
            let (mut browser, page) = world.accepted(&prepared).await;
            let consent = world
                .type_password(&mut browser, &page, crate::harness::ADA)
                .await;
            let policy = consent.header("content-security-policy").to_owned();
            let origin = if uri.starts_with("https") {
                "https://rp.example.it"
            } else {
                "it.example.app:"
            };
            assert!(
                policy.contains(&format!("form-action 'self' {origin};")),
                "{policy}"
            );
            let answer = world.allow(&mut browser, &consent).await;
            let raw = answer.header("location");
            let separator = match uri.split_once('?') {
                None => "?",
                Some((_, "")) => "",
                Some(_) => "&",
            };
            assert!(raw.starts_with(&format!("{uri}{separator}code=")), "{raw}");
        }
    }
}

/// SPID/CIE AZ-11: code, state and iss; a code is bound to nothing that a referrer or a cache could leak.
#[actix_web::test]
async fn an_answer_by_query_has_code_state_and_iss() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for mode in [None, Some("query".to_owned())] {
            let options = LoginOptions {
                response_mode: mode,
                ..LoginOptions::default()
            };
            let prepared = world.request(&issuer, &options);
            let (mut browser, page) = world.accepted(&prepared).await;
            let answer = world.log_in_and_allow(&mut browser, &page).await;
            assert_eq!(answer.status, 303);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.redirected("state").unwrap(), prepared.state);
            assert_eq!(
                answer.redirected("iss").unwrap(),
                issuer.metadata.issuer,
                "SPID/CIE AZ-11, RFC 9207"
            );
            assert!(answer.redirected("code").unwrap().len() >= 43);
            assert_eq!(answer.redirected("error"), None);
        }
    }
}

/// SPID/CIE AZ-11.
#[actix_web::test]
async fn an_answer_by_form_post_is_a_form_that_the_browser_sends() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions {
            response_mode: Some("form_post".to_owned()),
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &options);
        let (mut browser, page) = world.accepted(&prepared).await;
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        assert_eq!((answer.status, answer.location()), (200, None));
        let form = answer.form(&prepared.redirect_uri);
        assert_eq!(form.action, prepared.redirect_uri);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form.fields)
            .finish();
        let code = AuthorizationAnswer::parse_form(&body);
        let code = code.code(&prepared).unwrap();
        let policy = answer.header("content-security-policy");
        let origin = world.base.as_str();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(
            policy.contains(&format!("form-action 'self' {origin};")),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!answer.body.contains("<script>"), "no inline script");
        world
            .redeem(world.rp(), &issuer, prepared.clone(), code)
            .await;

        // Errors travel the same way.
        let prepared = world.request(&issuer, &options.clone().without_claim("nonce"));
        let answer = world.browser().get(&prepared.url).await;
        assert_eq!((answer.status, answer.location()), (200, None));
        let form = answer.form(&prepared.redirect_uri);
        let field = |name: &str| {
            let found = form.fields.iter().find(|(known, _)| known == name);
            found.unwrap().1.clone()
        };
        assert_eq!(field("error"), "invalid_request");
        assert!(field("error_description").contains("nonce"));
        assert_eq!(field("state"), prepared.state);
        assert_eq!(field("iss"), issuer.metadata.issuer);
    }
}

/// SPID/CIE AZ-11: a hostile `state` is refused, and echoed without ever becoming markup or another header.
#[actix_web::test]
async fn a_hostile_state_is_escaped_in_pages_and_in_redirects() {
    let world = World::start();
    let hostile = "\"><script>alert(document.cookie)</script><x y='\r\nSet-Cookie: a=b";
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions {
            response_mode: Some("form_post".to_owned()),
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &options.with_claim("state", hostile));
        let answer = world.browser().get(&prepared.url).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("<script>"), "{}", answer.body);
        let escaped = "name=\"state\" value=\"&quot;&gt;&lt;script&gt;";
        assert!(answer.body.contains(escaped), "{}", answer.body);
        let fields = answer.form(&prepared.redirect_uri).fields;
        assert!(fields.contains(&("error".to_owned(), "invalid_request".to_owned())));

        let options = LoginOptions::default().with_claim("state", hostile);
        let prepared = world.request(&issuer, &options);
        let answer = world.told(&prepared, "invalid_request", "state").await;
        assert_eq!(answer.header("set-cookie"), "");
    }
}

/// SPID/CIE AZ-11: `OIDCFED_PROVIDER_AUTH_CODE_MAX_AGE`, 10 s by default.
#[actix_web::test]
async fn a_code_lives_ten_seconds_or_as_long_as_configured() {
    for (seconds, world) in [
        (10, World::start()),
        (
            3,
            World::builder()
                .issuers(|issuer| issuer.auth_code_max_age = 3)
                .start(),
        ),
    ] {
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let options = LoginOptions::default();
            let (prepared, code) = world.code(world.rp(), &issuer, &options).await;
            world.clock.advance_seconds(seconds - 1);
            world.redeem(world.rp(), &issuer, prepared, &code).await;

            let (prepared, code) = world.code(world.rp(), &issuer, &options).await;
            world.clock.advance_seconds(seconds);
            let answer = world
                .redeem_raw(world.rp(), &issuer, &prepared, &code)
                .await;
            assert_eq!(answer.status, 400, "SPID/CIE AZ-11: {}", answer.body);
            assert_eq!(answer.error(), "invalid_grant");
        }
    }
}

/// SPID/CIE AZ-12: `request_uri` and its like do not move the answer either.
#[actix_web::test]
async fn an_answer_keeps_to_the_response_mode_of_the_request() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for mode in ["fragment", "jwt", "query.jwt", "web_message"] {
            let options = LoginOptions::default().with_claim("response_mode", mode);
            let prepared = world.request(&issuer, &options);
            let answer = world.browser().get(&prepared.url).await;
            assert_told(&answer, &prepared, "invalid_request", "response_mode");
        }
    }
}
