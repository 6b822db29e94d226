//! Headers, cookies and references of every page.

use crate::harness::{Answer, World};
use varco::demo::LoginOptions;
use varco::store::purge::SESSION_GRACE_SECONDS;

/// Each page with its status; the browser is logged in for those that need it.
async fn pages(world: &World) -> Vec<(&'static str, u16, Answer)> {
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &LoginOptions::default())
        .unwrap();
    let login = world.authorize(&mut browser, &prepared).await;
    let wrong = world
        .type_password(&mut browser, &login, ("ada", "wrong"))
        .await;
    let consent = world
        .type_password(&mut browser, &login, ("ada", "ada-demo"))
        .await;
    world.allow(&mut browser, &consent).await;
    let answered = world.allow(&mut browser, &consent).await;
    let history = world.history(&mut browser, "spid").await;
    let rp = url::form_urlencoded::byte_serialize(world.rp().entity_id().as_bytes());
    let rp: String = rp.collect();
    let mut pages = vec![
        ("login for an RP", 200, login),
        ("wrong password", 422, wrong),
        ("consent", 200, consent),
        ("answered already", 400, answered),
    ];
    for (name, status, path) in [
        ("home", 200, "/spid/".to_owned()),
        ("account", 200, "/spid/account".to_owned()),
        ("new password", 200, "/spid/account/password".to_owned()),
        ("confirm", 200, format!("/spid/history/revoke?rp={rp}")),
        ("nothing there", 404, "/spid/nothing".to_owned()),
        ("no RP", 400, "/spid/authorization?client_id=x".to_owned()),
        ("no interaction", 400, "/spid/consent".to_owned()),
    ] {
        pages.push((name, status, browser.get(&world.url(&path)).await));
    }
    let without_token = browser.post(&world.url("/spid/logout"), &[]).await;
    pages.push(("form without its token", 400, without_token));
    let logged_out = browser.submit(&history, &history.form("/logout")).await;
    pages.push(("history", 200, history));
    pages.push(("logged out", 200, logged_out));
    let form_post = LoginOptions {
        response_mode: Some("form_post".to_owned()),
        ..LoginOptions::default()
    };
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &form_post)
        .unwrap();
    let login = world.authorize(&mut browser, &prepared).await;
    let consent = world
        .type_password(&mut browser, &login, ("ada", "ada-demo"))
        .await;
    let form_post = world.allow(&mut browser, &consent).await;
    pages.push(("form_post", 200, form_post));
    pages
}

#[actix_web::test]
async fn every_page_has_its_security_headers_its_policy_and_its_reference() {
    let world = World::start();
    for (name, status, page) in pages(&world).await {
        assert_eq!(page.status, status, "{name}: {}", page.body);
        for (header, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            (
                "permissions-policy",
                "camera=(), geolocation=(), microphone=()",
            ),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(page.header(header), value, "{name}: {header}");
        }
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{name}: {policy}");
        }
        for part in ["unsafe", "*", "http: ", "https: "] {
            assert!(!policy.contains(part), "{name}: {policy}");
        }
        // An RP is let in where a form leads to it, or its logo is shown.
        let rp_page = page.body.contains("class=\"name\"") || name == "form_post";
        let to_rp = policy.contains(&format!("form-action 'self' {}", world.base));
        let shows_forms_to_rp = ["login for an RP", "wrong password", "consent", "form_post"];
        assert_eq!(to_rp, shows_forms_to_rp.contains(&name), "{name}: {policy}");
        assert!(rp_page || !to_rp, "{name}");
        let reference = page.header("x-request-id");
        assert!(reference.len() >= 20, "{name}");
        assert!(page.body.contains(reference), "{name}: its reference");
    }
}

#[actix_web::test]
async fn the_reference_of_an_error_is_the_same_for_people_and_programs() {
    let world = World::start();
    let mut browser = world.browser();
    let page = browser.get(&world.url("/cie/authorization")).await;
    assert_eq!(page.status, 400);
    let shown = page.text();
    let reference = page.header("x-request-id");
    assert!(
        shown.contains(&format!("Codice di riferimento: {reference}")),
        "{shown}"
    );
    browser
        .headers
        .push(("accept", "application/json".to_owned()));
    let json = browser.get(&world.url("/cie/authorization")).await;
    assert_eq!(
        (json.status, json.error().as_str()),
        (400, "invalid_request")
    );
    assert!(!json.header("x-request-id").is_empty());
    assert_ne!(json.header("x-request-id"), reference);
}

#[actix_web::test]
async fn what_the_web_server_itself_refuses_has_the_headers_too() {
    let world = World::start();
    let mut browser = world.browser();
    let endless = vec![("a".to_owned(), "b".repeat(400 * 1024))];
    for path in ["/spid/token", "/spid/login"] {
        let answer = browser.post(&world.url(path), &endless).await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("x-request-id").is_empty());
    }
    let json = browser
        .post_text(&world.url("/spid/token"), "application/json", "{}".into())
        .await;
    assert_eq!(
        (json.status, json.error().as_str()),
        (415, "invalid_request")
    );
    let elsewhere = browser.get(&world.url("/metrics")).await;
    assert_eq!(
        elsewhere.status, 404,
        "what no issue built yet does not exist"
    );
    assert_eq!(elsewhere.header("x-content-type-options"), "nosniff");
}

#[actix_web::test]
async fn outside_development_cookies_are_bound_to_the_host_and_to_tls() {
    for development in [true, false] {
        let world = World::builder()
            .server(move |settings| {
                settings.development = development;
                // The anchor has no TLS: what needs it stays away, and what does not is no member.
                settings
                    .issuers
                    .retain(|issuer| issuer.id.ends_with("/oidc/"));
            })
            .issuers(|settings| settings.trust_anchors.clear())
            .start();
        let (prefix, secure) = if development {
            ("", "")
        } else {
            ("__Host-", "; Secure")
        };
        let mut browser = world.browser();
        let page = browser.get(&world.url("/oidc/login?lang=de")).await;
        let strict = if development { "" } else { "max-age=63072000" };
        assert_eq!(page.header("strict-transport-security"), strict);
        assert_eq!(
            page.body.contains("class=\"development\""),
            development,
            "the pages say so"
        );
        let form = page
            .form("/login")
            .with("username", "ada")
            .with("password", "ada-demo");
        let answer = browser.submit(&page, &form).await;
        // The cookie outlives the session, whose row ends: it only tells whose form came too late.
        let lifetime = world.provider("oidc").settings.lifetimes.session + SESSION_GRACE_SECONDS;
        for (answer, name, seconds) in [
            (&answer, format!("{prefix}varco-oidc"), lifetime),
            (&page, format!("{prefix}varco-oidc.login"), 1800),
            (&page, format!("{prefix}varco-lang"), 31_536_000),
        ] {
            let set = answer.set_cookies(&name);
            assert_eq!(set.len(), 1, "{name}: {:?}", answer.headers);
            for part in [
                "HttpOnly",
                "SameSite=Lax",
                "Path=/",
                &format!("Max-Age={seconds}"),
            ] {
                assert!(set[0].split("; ").any(|have| have == part), "{}", set[0]);
            }
            assert_eq!(
                set[0].contains("; Secure"),
                !secure.is_empty(),
                "{}",
                set[0]
            );
            assert!(!set[0].contains("Domain"), "{}", set[0]);
        }
    }
}
