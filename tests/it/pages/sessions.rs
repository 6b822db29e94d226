//! Sessions: their life, their end, and whose they are.

use crate::harness::World;
use varco::demo::LoginOptions;

const COOKIE: &str = "varco-spid";

/// Setting `issuer.lifetimes.session`.
#[actix_web::test]
async fn a_session_ends_by_itself_after_its_lifetime_however_busy_it_is() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| issuer.lifetimes.session = 120)
            .start();
        let mut browser = world.browser();
        world.enter(&mut browser, "spid", ("ada", "ada-demo")).await;
        for _ in 0..2 {
            world.clock.advance_seconds(59);
            assert_eq!(world.history(&mut browser, "spid").await.status, 200);
        }
        world.clock.advance_seconds(2);
        let ended = world.history(&mut browser, "spid").await;
        assert_eq!(ended.status, 303);
        assert!(ended.location().unwrap().ends_with("/spid/login"));
    }
}

#[actix_web::test]
async fn a_login_changes_the_session_and_ends_the_old_cookie() {
    let world = World::start();
    let mut browser = world.browser();
    // A value planted by somebody else is no session.
    browser.cookies.insert(COOKIE.into(), "planted".into());
    assert_eq!(world.history(&mut browser, "spid").await.status, 303);
    world.enter(&mut browser, "spid", ("ada", "ada-demo")).await;
    let first = browser.cookies[COOKIE].clone();
    assert_ne!(first, "planted");
    // Another person at the same browser.
    let issuer = world.issuer("spid").await;
    world
        .code_of(
            &mut browser,
            (world.rp(), &issuer),
            ("bruno", "bruno-demo"),
            &LoginOptions::default(),
        )
        .await;
    let second = browser.cookies[COOKIE].clone();
    assert_ne!(first, second);
    let page = world.history(&mut browser, "spid").await;
    assert!(page.text().contains("Bruno De Luca") && !page.text().contains("Ada Rossi"));
    browser.cookies.insert(COOKIE.into(), first);
    assert_eq!(world.history(&mut browser, "spid").await.status, 303);
}

#[actix_web::test]
async fn a_session_of_one_issuer_is_none_at_another_even_under_its_cookie_name() {
    let world = World::start();
    let mut browser = world.browser();
    world.enter(&mut browser, "spid", ("ada", "ada-demo")).await;
    assert_eq!(world.history(&mut browser, "cie").await.status, 303);
    let cookie = browser.cookies[COOKIE].clone();
    browser.cookies.insert("varco-cie".into(), cookie);
    assert_eq!(world.history(&mut browser, "cie").await.status, 303);
    // An RP of the other issuer gets the login page.
    let issuer = world.issuer("cie").await;
    let options = LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default()
    };
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &options)
        .unwrap();
    let page = world.authorize(&mut browser, &prepared).await;
    assert!(page.body.contains("name=\"password\""), "{}", page.body);
}

/// SPID/CIE AZ-6: `consent` uses a session of a sufficient level, `consent login` asks again.
#[actix_web::test]
async fn single_sign_on_between_the_rps_of_an_issuer_asks_for_consent_only() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    world
        .code_with(&mut browser, world.rp(), &issuer, &LoginOptions::default())
        .await;
    let other = world.federation.aggregated_relying_party();
    for (prompt, level, asks) in [
        ("consent", 2, false),
        ("consent", 1, false),
        ("consent", 3, true),
        ("consent login", 2, true),
        ("login consent", 2, true),
    ] {
        let options = LoginOptions {
            prompt: prompt.to_owned(),
            ..LoginOptions::at_level(level)
        };
        let prepared = other
            .authorization_request(&issuer.metadata, &options)
            .unwrap();
        let page = world.authorize(&mut browser, &prepared).await;
        let asked = page.body.contains("name=\"password\"");
        assert_eq!(asked, asks, "SPID/CIE AZ-6: {prompt}, level {level}");
    }
}

/// SPID/CIE AZ-10: a refresh token of offline_access outlives the logout; every access token ends with the session.
#[actix_web::test]
async fn a_logout_ends_the_session_and_every_token_but_those_of_offline_access() {
    for profile in ["spid", "cie"] {
        let world = World::start();
        let issuer = world.issuer(profile).await;
        let rp = world.rp();
        let mut browser = world.browser();
        let plain = world
            .tokens_of(&mut browser, rp, &issuer, &LoginOptions::default())
            .await;
        let offline = world
            .tokens_of(
                &mut browser,
                rp,
                &issuer,
                &LoginOptions::default().with_offline_access(),
            )
            .await;
        let elsewhere = world.login(rp, &issuer, &LoginOptions::default()).await;
        let page = world.history(&mut browser, profile).await;
        let logout = page.form("/logout");
        let refused = browser
            .post(&world.url(&format!("/{profile}/logout")), &[])
            .await;
        assert_eq!(refused.status, 400);
        let by_link = browser.get(&world.url(&format!("/{profile}/logout"))).await;
        assert_eq!(by_link.status, 405, "no logout by a link");
        assert_eq!(world.history(&mut browser, profile).await.status, 200);
        assert!(world.is_active(rp, &issuer, &plain.access_token).await);

        let cookie = browser.cookies[&format!("varco-{profile}")].clone();
        let answer = browser.submit(&page, &logout).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.text().contains("Uscita effettuata"));
        assert!(!browser.cookies.contains_key(&format!("varco-{profile}")));
        browser.cookies.insert(format!("varco-{profile}"), cookie);
        assert_eq!(world.history(&mut browser, profile).await.status, 303);

        let refused = world.userinfo(&issuer, &plain.access_token).await;
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").contains("invalid_token"));
        assert!(!world.is_active(rp, &issuer, &plain.access_token).await);
        let refused = world.userinfo(&issuer, &offline.access_token).await;
        assert_eq!(refused.status, 401, "no access token survives the logout");
        let again = world
            .refresh(rp, &issuer, offline.refresh_token.as_deref().unwrap())
            .await;
        let why = format!("SPID/CIE AZ-10 ({profile}): {}", again.body);
        assert_eq!(again.status, 200, "{why}");
        let fresh = again.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.userinfo(&issuer, &fresh).await.status, 200, "{why}");
        let other = world
            .userinfo(&issuer, &elsewhere.answer.access_token)
            .await;
        assert_eq!(other.status, 200, "another browser's login goes on");
    }
}
