//! `prompt`, single sign-on and levels (SPID/CIE AZ-6, AZ-8).

use crate::harness::{ADA, Answer, Browser, Issuer, LEVELS, World, assert_told};
use serde_json::json;
use varco::demo::relying_party::{AuthorizationAnswer, unverified_claims};
use varco::demo::{LoginOptions, PreparedRequest, RelyingParty};

fn asking(prompt: &str, acr_values: &[&str]) -> LoginOptions {
    LoginOptions {
        prompt: prompt.to_owned(),
        acr_values: acr_values.iter().map(|level| (*level).to_owned()).collect(),
        ..LoginOptions::default()
    }
}

fn is_login(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"password\"")
}

fn is_consent(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"decision\"")
}

/// `acr` of the id_token that the consent page leads to.
async fn acr_after(
    world: &World,
    browser: &mut Browser,
    (rp, issuer, prepared): (&RelyingParty, &Issuer, &PreparedRequest),
    consent: &Answer,
) -> String {
    assert!(is_consent(consent), "{} {}", consent.status, consent.body);
    let answer = world.allow(browser, consent).await;
    let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
    let code = answer.code(prepared).unwrap();
    let answer = world.redeem_raw(rp, issuer, prepared, code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let claims = unverified_claims(answer.json()["id_token"].as_str().unwrap()).unwrap();
    claims["acr"].as_str().unwrap().to_owned()
}

/// A whole login with the password; the level of the id_token.
async fn acr_of_login(world: &World, issuer: &Issuer, options: &LoginOptions) -> String {
    let prepared = world.request(issuer, options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let consent = world.type_password(&mut browser, &page, ADA).await;
    let parties = (world.rp(), issuer, &prepared);
    acr_after(world, &mut browser, parties, &consent).await
}

/// SPID/CIE AZ-6.
#[actix_web::test]
async fn prompt_is_consent_or_consent_login_in_either_order_and_nothing_else() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for prompt in [
            "consent",
            "consent login",
            "login consent",
            " login  consent ",
        ] {
            let prepared = world.request(&issuer, &asking(prompt, &[LEVELS[1]]));
            world.accepted(&prepared).await;
        }
        for prompt in [
            "login",
            "select_account",
            "consent select_account",
            "consent none",
            "none consent",
            "none none",
            "consent consent",
            "CONSENT",
            "consent,login",
            "create",
            " ",
        ] {
            let prepared = world.request(&issuer, &asking(prompt, &[LEVELS[1]]));
            world.told(&prepared, "invalid_request", "prompt").await;
        }
        let prepared = world.request(&issuer, &asking("", &[LEVELS[1]]));
        world
            .told(&prepared, "invalid_request", "prompt is missing")
            .await;
        // A parameter outside does not soften what is inside.
        let options = asking("none", &[LEVELS[1]]).with_parameter("prompt", "consent");
        let prepared = world.request(&issuer, &options);
        world.told(&prepared, "login_required", "log in").await;
    }
}

/// SPID/CIE AZ-6: single sign-on between the RPs of an issuer, with consent every time.
#[actix_web::test]
async fn a_second_rp_finds_the_session_and_asks_for_consent_only() {
    let world = World::start();
    let second = world.federation.aggregated_relying_party();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let first = asking("consent login", &[LEVELS[1]]);
        world
            .code_with(&mut browser, world.rp(), &issuer, &first)
            .await;

        let prepared = world.request_of(second, &issuer, &asking("consent", &[LEVELS[1]]));
        let consent = world.authorize(&mut browser, &prepared).await;
        assert!(is_consent(&consent), "{}", consent.body);
        assert!(consent.body.contains("Ada Rossi"));
        assert!(consent.body.contains(second.entity_id()));
        let parties = (second, &issuer, &prepared);
        let acr = acr_after(&world, &mut browser, parties, &consent).await;
        assert_eq!(acr, LEVELS[1]);

        // The first RP again: consent is asked again.
        let prepared = world.request(&issuer, &asking("consent", &[LEVELS[1]]));
        assert!(is_consent(&world.authorize(&mut browser, &prepared).await));

        // Not at the other federation's issuer, and not without the session.
        let other = if profile == "spid" { "cie" } else { "spid" };
        let other = world.issuer(other).await;
        let mut alone = world.browser();
        alone.cookies = browser.cookies.clone();
        alone
            .cookies
            .remove(&world.provider(other.profile).cookie_name());
        let prepared = world.request(&other, &asking("consent", &[LEVELS[1]]));
        assert!(is_login(&world.authorize(&mut alone, &prepared).await));
        let own = world.provider(profile).cookie_name();
        let stolen_name = world.provider(other.profile).cookie_name();
        let value = browser.cookies[&own].clone();
        alone.cookies.insert(stolen_name, value);
        let prepared = world.request(&other, &asking("consent", &[LEVELS[1]]));
        assert!(
            is_login(&world.authorize(&mut alone, &prepared).await),
            "a session of one issuer under the cookie name of another"
        );
    }
}

/// SPID/CIE AZ-6: `consent login` with a session, by every way around the password.
#[actix_web::test]
async fn consent_login_authenticates_again_and_cannot_be_walked_around() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for prompt in ["consent login", "login consent"] {
            let mut browser = world.browser();
            let options = asking(prompt, &[LEVELS[0]]);
            world
                .code_with(&mut browser, world.rp(), &issuer, &options)
                .await;
            let prepared = world.request(&issuer, &options);
            let page = world.authorize(&mut browser, &prepared).await;
            assert!(is_login(&page), "SPID/CIE AZ-6: {}", page.body);
            let id = page.url.query_pairs().next().unwrap().1.into_owned();
            let consent_url = world.url(&format!("/{profile}/consent?interaction={id}"));
            let answer = browser.get(&consent_url).await;
            assert!(answer.location().unwrap().contains("/login?"));
            let decision = [("decision".to_owned(), "allow".to_owned())];
            let answer = browser.post(&consent_url, &decision).await;
            assert!(
                answer.location().is_none_or(|to| to.contains("/login?")),
                "{:?}",
                answer.location()
            );
            // A session that a login for another RP refreshed meanwhile is not a login for this one.
            let other = world.request_of(
                world.federation.aggregated_relying_party(),
                &issuer,
                &options,
            );
            let other_page = world.authorize(&mut browser, &other).await;
            world.type_password(&mut browser, &other_page, ADA).await;
            assert!(is_login(&world.authorize(&mut browser, &prepared).await));
            // The password, and not a wrong one.
            let wrong = ("ada", "bruno-demo");
            let answer = world.type_password(&mut browser, &page, wrong).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert!(browser.get(&consent_url).await.location().is_some());
            let consent = world.type_password(&mut browser, &page, ADA).await;
            assert!(is_consent(&consent), "{}", consent.body);
        }
    }
}

/// SPID/CIE AZ-6: an ended session is no session.
#[actix_web::test]
async fn a_session_that_is_over_is_not_used_for_single_sign_on() {
    let world = World::builder()
        .issuers(|issuer| issuer.lifetimes.session = 600)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let options = asking("consent", &[LEVELS[1]]);
        world
            .code_with(&mut browser, world.rp(), &issuer, &options)
            .await;
        world.clock.advance_seconds(599);
        let prepared = world.request(&issuer, &options);
        let consent = world.authorize(&mut browser, &prepared).await;
        assert!(is_consent(&consent));
        // It ends while the person reads the consent page: the answer is a login, not a code.
        world.clock.advance_seconds(1);
        let answer = world.allow(&mut browser, &consent).await;
        assert!(answer.location().unwrap().contains("/login?"));
        let page = browser.follow(answer, &world.base).await;
        assert!(is_login(&page));
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        assert!(answer.redirected("code").is_some());
    }
}

/// SPID/CIE AZ-8: the first requested level that can be reached; all three can.
#[actix_web::test]
async fn a_login_reaches_the_first_requested_level() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (wanted, reached) in [
            (vec![LEVELS[0]], LEVELS[0]),
            (vec![LEVELS[2], LEVELS[0]], LEVELS[2]),
            (vec![LEVELS[0], LEVELS[2]], LEVELS[0]),
            (vec!["https://unknown.example/acr", LEVELS[1]], LEVELS[1]),
        ] {
            let acr = acr_of_login(&world, &issuer, &asking("consent login", &wanted)).await;
            assert_eq!(acr, reached, "SPID/CIE AZ-8: {wanted:?}");
        }
        for wanted in [
            json!("https://unknown.example/acr"),
            json!([
                "https://www.spid.gov.it/SpidL4",
                "https://www.spid.gov.it/spidl1"
            ]),
        ] {
            let options = LoginOptions::default().with_claim("acr_values", wanted);
            let prepared = world.request(&issuer, &options);
            world.told(&prepared, "access_denied", "acr_values").await;
        }
    }
}

/// SPID/CIE AZ-8: with the password good for level 1 only, as in production.
#[actix_web::test]
async fn levels_that_the_configuration_cannot_satisfy_are_passed_over_or_denied() {
    let world = World::builder()
        .issuers(|issuer| {
            issuer.password_levels = vec![LEVELS[0].to_owned()];
            issuer.second_factors.clear();
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = asking("consent login", &[LEVELS[2], LEVELS[1], LEVELS[0]]);
        assert_eq!(acr_of_login(&world, &issuer, &options).await, LEVELS[0]);
        for wanted in [vec![LEVELS[1]], vec![LEVELS[2], LEVELS[1]]] {
            let prepared = world.request(&issuer, &asking("consent login", &wanted));
            world.told(&prepared, "access_denied", "acr_values").await;
        }
    }
}

/// SPID/CIE AZ-8: higher is allowed, lower never.
#[actix_web::test]
async fn a_level_is_satisfied_by_a_higher_one_and_never_by_a_lower_one() {
    let world = World::builder()
        .issuers(|issuer| {
            issuer.password_levels = vec![LEVELS[2].to_owned(), LEVELS[0].to_owned()];
            issuer.second_factors.clear();
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (wanted, reached) in [
            (vec![LEVELS[1]], LEVELS[2]),
            (vec![LEVELS[1], LEVELS[0]], LEVELS[2]),
            (vec![LEVELS[0]], LEVELS[0]),
        ] {
            let acr = acr_of_login(&world, &issuer, &asking("consent login", &wanted)).await;
            assert_eq!(acr, reached, "SPID/CIE AZ-8: {wanted:?}");
        }
    }
}

/// SPID/CIE AZ-8: the session keeps its level; a request for a higher one authenticates again.
#[actix_web::test]
async fn a_session_keeps_its_level_and_a_higher_one_authenticates_again() {
    let world = World::start();
    let rp = world.rp();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let low = asking("consent", &[LEVELS[0]]);
        world.code_with(&mut browser, rp, &issuer, &low).await;

        let prepared = world.request(&issuer, &asking("consent", &[LEVELS[1]]));
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(is_login(&page), "SPID/CIE AZ-8: {}", page.body);
        let consent = world.type_password(&mut browser, &page, ADA).await;
        let parties = (rp, &issuer, &prepared);
        let acr = acr_after(&world, &mut browser, parties, &consent).await;
        assert_eq!(acr, LEVELS[1]);

        // Now the session is one of level 2: the level really used is what the id_token of a request for level 1 says.
        let prepared = world.request(&issuer, &low);
        let consent = world.authorize(&mut browser, &prepared).await;
        let parties = (rp, &issuer, &prepared);
        let acr = acr_after(&world, &mut browser, parties, &consent).await;
        assert_eq!(acr, LEVELS[1], "SPID/CIE AZ-8, TK-5");
    }
}

/// SPID/CIE AZ-8, TK-5: never lower than requested, also when another tab lowers the session between login and consent.
#[actix_web::test]
async fn a_login_at_a_lower_level_in_another_tab_does_not_lower_a_waiting_consent() {
    let world = World::start();
    let rp = world.rp();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let high = world.request(&issuer, &asking("consent", &[LEVELS[2]]));
        let (mut browser, page) = world.accepted(&high).await;
        let waiting = world.type_password(&mut browser, &page, ADA).await;
        assert!(is_consent(&waiting));

        let low = world.request(&issuer, &asking("consent login", &[LEVELS[0]]));
        let page = world.authorize(&mut browser, &low).await;
        let consent = world.type_password(&mut browser, &page, ADA).await;
        let acr = acr_after(&world, &mut browser, (rp, &issuer, &low), &consent).await;
        assert_eq!(acr, LEVELS[0], "the level really used");

        let answer = world.allow(&mut browser, &waiting).await;
        let page = browser.follow(answer, &world.base).await;
        if is_login(&page) {
            let consent = world.type_password(&mut browser, &page, ADA).await;
            let acr = acr_after(&world, &mut browser, (rp, &issuer, &high), &consent).await;
            assert_eq!(acr, LEVELS[2]);
        } else {
            let answer = AuthorizationAnswer::parse_address(&page.location().unwrap());
            let code = answer.code(&high).unwrap();
            let answer = world.redeem_raw(rp, &issuer, &high, code).await;
            let claims = unverified_claims(answer.json()["id_token"].as_str().unwrap()).unwrap();
            assert_eq!(claims["acr"], LEVELS[2], "SPID/CIE AZ-8: never lower");
        }
    }
}

/// SPID/CIE AZ-8: `acr_values_required = false` and `default_acr`.
#[actix_web::test]
async fn the_default_level_applies_only_where_acr_values_are_not_required() {
    let without = LoginOptions::default().without_claim("acr_values");
    let strict = World::start();
    for profile in ["spid", "cie"] {
        let issuer = strict.issuer(profile).await;
        let prepared = strict.request(&issuer, &without);
        strict
            .told(&prepared, "invalid_request", "acr_values is missing")
            .await;
    }
    let relaxed = World::builder()
        .issuers(|issuer| issuer.acr_values_required = false)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = relaxed.issuer(profile).await;
        assert_eq!(
            acr_of_login(&relaxed, &issuer, &without).await,
            LEVELS[1],
            "SPID/CIE AZ-8: SpidL2"
        );
        let options = asking("consent login", &[LEVELS[0]]);
        assert_eq!(acr_of_login(&relaxed, &issuer, &options).await, LEVELS[0]);
    }
    let unreachable = World::builder()
        .issuers(|issuer| {
            issuer.acr_values_required = false;
            issuer.password_levels = vec![LEVELS[0].to_owned()];
            issuer.second_factors.clear();
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = unreachable.issuer(profile).await;
        let prepared = unreachable.request(&issuer, &without);
        unreachable
            .told(&prepared, "access_denied", "acr_values")
            .await;
    }
}

/// SPID/CIE AZ-12: `prompt=none` with a cookie that stands for nothing.
#[actix_web::test]
async fn prompt_none_never_gives_a_code() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        world
            .code_with(&mut browser, world.rp(), &issuer, &LoginOptions::default())
            .await;
        let prepared = world.request(&issuer, &asking("none", &[LEVELS[1]]));
        let answer = browser.get(&prepared.url).await;
        assert_told(&answer, &prepared, "consent_required", "consent");
        let answer = world.browser().get(&prepared.url).await;
        assert_told(&answer, &prepared, "login_required", "log in");
    }
}
