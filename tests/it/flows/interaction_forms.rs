//! Forms and cookies of others: nobody answers or logs in for another browser (SPID/CIE AZ-12).

use super::interaction::*;
use crate::harness::{ADA, Answer, Browser, World, assert_shown};
use varco::demo::LoginOptions;

#[actix_web::test]
async fn forms_without_their_own_token_are_refused_and_change_nothing() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let one = world.request(&issuer, &LoginOptions::default());
        let two = world.request(&issuer, &LoginOptions::default());
        let (mut browser, login) = world.accepted(&one).await;
        let other_login = world.authorize(&mut browser, &two).await;
        let (_, strangers) = world
            .accepted(&world.request(&issuer, &LoginOptions::default()))
            .await;
        let form = login.form("/login");
        let other_token = token_of(&other_login.form("/login"));
        let foreign_token = token_of(&strangers.form("/login"));
        let wrong = [
            None,
            Some(""),
            Some("x"),
            Some(&*other_token),
            Some(&*foreign_token),
        ];
        for token in wrong {
            let typed_form = typed(with_token(&form, token));
            let page = browser.submit(&login, &typed_form).await;
            assert_shown(&page, "invalid_request", FOREIGN);
            let cancel = with_token(&form, token).with("cancel", "1");
            let page = browser.submit(&login, &cancel).await;
            assert_shown(&page, "invalid_request", FOREIGN);
        }
        assert!(
            !browser
                .cookies
                .contains_key(&world.provider(profile).cookie_name())
        );

        let consent = world.type_password(&mut browser, &login, ADA).await;
        let other_consent = world.type_password(&mut browser, &other_login, ADA).await;
        let form = consent.form("/consent");
        let other_token = token_of(&other_consent.form("/consent"));
        let login_token = token_of(&login.form("/login"));
        for token in [None, Some(""), Some(&*other_token), Some(&*login_token)] {
            for decision in ["allow", "deny"] {
                let decided = with_token(&form, token).with("decision", decision);
                let page = browser.submit(&consent, &decided).await;
                assert_shown(&page, "invalid_request", FOREIGN);
            }
        }
        let answer = world.allow(&mut browser, &consent).await;
        assert!(answer.redirected("code").is_some(), "nothing was changed");
    }
}

/// Login forms are bound to the browser: an attacker's interaction is of no use in the victim's browser, nor the
/// victim's in the attacker's.
#[actix_web::test]
async fn nobody_logs_in_into_the_interaction_of_another_browser() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let attacked = world.request(&issuer, &LoginOptions::default());
        let (mut attacker, attackers_page) = world.accepted(&attacked).await;
        // The victim has a session, and an interaction of its own.
        let mut victim = world.browser();
        world
            .code_with(&mut victim, world.rp(), &issuer, &sso())
            .await;
        let own = world.request(&issuer, &sso());
        let own_page = world.authorize(&mut victim, &own).await;
        assert!(is_consent(&own_page));

        let url = attackers_page.url.as_str();
        let consent_url = url.replace("/login", "/consent");
        for url in [url, &consent_url] {
            assert_shown(&victim.get(url).await, "invalid_request", LOST);
        }
        let page = victim
            .submit(&attackers_page, &typed(attackers_page.form("/login")))
            .await;
        assert_shown(&page, "invalid_request", LOST);
        // Nothing came of it at the attacker's side.
        assert!(is_login(&attacker.get(url).await));

        // The victim's consent in the attacker's browser, also with the attacker logged in.
        let url = own_page.url.as_str();
        let page = world
            .type_password(&mut attacker, &attackers_page, ("bruno", "bruno-demo"))
            .await;
        assert!(is_consent(&page));
        assert_shown(&attacker.get(url).await, "invalid_request", LOST);
        let page = world.allow(&mut attacker, &own_page).await;
        assert_shown(&page, "invalid_request", LOST);
        let answer = world.allow(&mut victim, &own_page).await;
        assert!(answer.redirected("code").is_some());
    }
}

async fn browser_with_session(world: &World, profile: &'static str, user: (&str, &str)) -> Browser {
    let issuer = world.issuer(profile).await;
    let prepared = world.request(&issuer, &LoginOptions::default());
    let (mut browser, page) = world.accepted(&prepared).await;
    let consent = world.type_password(&mut browser, &page, user).await;
    assert!(is_consent(&consent), "{}", consent.body);
    browser
}

/// The session cookie changes at every login, and what it was before is worth nothing.
#[actix_web::test]
async fn a_session_cookie_that_was_planted_before_the_login_is_not_logged_in_by_it() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let name = world.provider(profile).cookie_name();
        // The attacker plants the cookie of an own session in the victim's browser.
        let attacker = browser_with_session(&world, profile, ("bruno", "bruno-demo")).await;
        let planted = attacker.cookies[&name].clone();
        let mut victim = world.browser();
        victim.cookies.insert(name.clone(), planted.clone());
        let prepared = world.request(&issuer, &LoginOptions::default());
        let page = world.authorize(&mut victim, &prepared).await;
        let consent = world.type_password(&mut victim, &page, ADA).await;
        assert!(consent.body.contains("Ada Rossi"));
        assert_ne!(victim.cookies[&name], planted, "session fixation");
        let mut holder = world.browser();
        holder.cookies.insert(name.clone(), planted);
        let prepared = world.request(&issuer, &sso());
        let page = world.authorize(&mut holder, &prepared).await;
        assert!(!page.body.contains("Ada Rossi"), "session fixation");

        // The same person again: the value changes all the same, and the old one is dead.
        let mut browser = browser_with_session(&world, profile, ADA).await;
        let before = browser.cookies[&name].clone();
        let prepared = world.request(&issuer, &LoginOptions::default());
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(is_consent(
            &world.type_password(&mut browser, &page, ADA).await
        ));
        assert_ne!(browser.cookies[&name], before);
        let mut old = world.browser();
        old.cookies.insert(name.clone(), before);
        let prepared = world.request(&issuer, &sso());
        assert!(is_login(&world.authorize(&mut old, &prepared).await));

        // Invented values are no sessions, and do not break the page.
        for value in ["x", "%00", "a=b=c", &"a".repeat(2000)] {
            let mut browser = world.browser();
            browser.cookies.insert(name.clone(), value.to_owned());
            let prepared = world.request(&issuer, &sso());
            assert!(is_login(&world.authorize(&mut browser, &prepared).await));
        }
    }
}

#[actix_web::test]
async fn cookies_are_for_this_host_and_not_for_scripts() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let mut browser = world.browser();
        let answer = browser.get(&prepared.url).await;
        let page = browser.follow(Answer { ..answer }, &world.base).await;
        let form = typed(page.form("/login"));
        let login = browser.submit(&page, &form).await;
        let second = world.request(&issuer, &LoginOptions::default());
        let start = world.browser().get(&second.url).await;
        for cookie in [login.header("set-cookie"), start.header("set-cookie")] {
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
                assert!(cookie.contains(attribute), "{attribute}: {cookie}");
            }
            assert!(!cookie.contains("Domain="), "{cookie}");
        }
    }
}

/// Pages of an interaction are for nobody's cache or frame, and show no secret in the address that leaks it.
#[actix_web::test]
async fn pages_of_a_login_are_not_stored_framed_or_leaked() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, login) = world.accepted(&prepared).await;
        let consent = world.type_password(&mut browser, &login, ADA).await;
        for page in [&login, &consent] {
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            let policy = page.header("content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(policy.contains("default-src 'none'"), "{policy}");
        }
    }
}
