//! Level 2: a password and a second factor; step-up; registering an app on the way (SPID/CIE AZ-6, AZ-8, TK-5).

use crate::harness::{ADA, Answer, Browser, Issuer, LEVELS, World, assert_asks_code};
use serde_json::Value;
use varco::config::Enrolment;
use varco::demo::relying_party::{AuthorizationAnswer, unverified_claims};
use varco::demo::{LoginOptions, PreparedRequest};

fn asking(prompt: &str, level: &str) -> LoginOptions {
    LoginOptions {
        prompt: prompt.to_owned(),
        acr_values: vec![level.to_owned()],
        ..LoginOptions::default()
    }
}

fn is_consent(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"decision\"")
}

/// The id_token's claims after "allow".
async fn claims_after(
    world: &World,
    browser: &mut Browser,
    (issuer, prepared): (&Issuer, &PreparedRequest),
    consent: &Answer,
) -> Value {
    assert!(is_consent(consent), "{} {}", consent.status, consent.body);
    let answer = world.allow(browser, consent).await;
    let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
    let code = answer.code(prepared).unwrap();
    let answer = world.redeem_raw(world.rp(), issuer, prepared, code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let claims = unverified_claims(answer.json()["id_token"].as_str().unwrap()).unwrap();
    Value::Object(claims)
}

/// SPID/CIE AZ-8, TK-5.
#[actix_web::test]
async fn level_two_asks_for_the_password_then_the_code_and_the_rp_learns_the_level() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| issuer.password_levels = vec![LEVELS[0].to_owned()])
            .start();
        world.give_app("ada");
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request(&issuer, &asking("consent login", LEVELS[1]));
            let (mut browser, page) = world.accepted(&prepared).await;
            let page = world.type_password(&mut browser, &page, ADA).await;
            assert_asks_code(&page);
            // Nobody is logged in before the code.
            let early = browser
                .get(&page.url.as_str().replace("/login", "/consent"))
                .await;
            assert!(early.location().unwrap().contains("/login"));
            let history = world.history(&mut browser, profile).await;
            assert_eq!(history.status, 303, "no session yet");
            let code = world.code_now();
            let consent = world.type_code(&mut browser, &page, &code).await;
            let claims = claims_after(&world, &mut browser, (&issuer, &prepared), &consent).await;
            assert_eq!(claims["acr"], LEVELS[1], "SPID/CIE TK-5");
            assert_eq!(claims["amr"], Value::Null, "SPID/CIE TK-5 names no amr");
            let history = world.history(&mut browser, profile).await;
            assert!(history.accesses()[0].contains("Livello 2"));
            world.clock.advance_seconds(30);
        }
    }
}

/// SPID/CIE AZ-6, AZ-8: only what is missing is asked for.
#[actix_web::test]
async fn a_session_of_level_one_is_asked_for_the_code_only() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let low = asking("consent", LEVELS[0]);
    world
        .code_with(&mut browser, world.rp(), &issuer, &low)
        .await;
    let before = browser.cookies.clone();

    let prepared = world.request(&issuer, &asking("consent", LEVELS[1]));
    let page = world.authorize(&mut browser, &prepared).await;
    assert_asks_code(&page);
    let code = world.code_now();
    let consent = world.type_code(&mut browser, &page, &code).await;
    let claims = claims_after(&world, &mut browser, (&issuer, &prepared), &consent).await;
    assert_eq!(claims["acr"], LEVELS[1]);
    let cookie = world.provider("spid").cookie_name();
    assert_ne!(
        browser.cookies[&cookie], before[&cookie],
        "a new session id"
    );

    // From now on the session has level 2, for this RP and others.
    let prepared = world.request(&issuer, &asking("consent", LEVELS[1]));
    let consent = world.authorize(&mut browser, &prepared).await;
    assert!(is_consent(&consent), "{}", consent.body);
    // A new login asks for both.
    let prepared = world.request(&issuer, &asking("consent login", LEVELS[1]));
    let page = world.authorize(&mut browser, &prepared).await;
    assert!(page.body.contains("name=\"password\""));
    let page = world.type_password(&mut browser, &page, ADA).await;
    assert_asks_code(&page);
}

/// RFC 6238 §5.2.
#[actix_web::test]
async fn a_code_counts_once_and_only_around_its_time() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let issuer = world.issuer("cie").await;
    let old = world.code_now();
    world.clock.advance_seconds(60);
    let prepared = world.request(&issuer, &asking("consent login", LEVELS[1]));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    for (typed, says) in [
        (old.as_str(), "Il codice è di un minuto fa"),
        ("", "Compili tutti i campi"),
        ("12345", "Il codice non è corretto"),
        ("no code at all", "Il codice non è corretto"),
    ] {
        let refused = world.type_code(&mut browser, &page, typed).await;
        assert_eq!(refused.status, 422, "{typed}");
        assert!(refused.text().contains(says), "{typed}: {}", refused.text());
    }
    // A clock that is slow by one step, and the spaces of an app.
    let code = world.code_now();
    world.clock.advance_seconds(30);
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let consent = world.type_code(&mut browser, &page, &spaced).await;
    assert!(is_consent(&consent), "{}", consent.body);
    // The same code again, and the one before it.
    let prepared = world.request(&issuer, &asking("consent login", LEVELS[1]));
    let (mut other, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut other, &page, ADA).await;
    let refused = world.type_code(&mut other, &page, &code).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("già stato usato"),
        "{}",
        refused.text()
    );
    let consent = world.type_code(&mut other, &page, &world.code_now()).await;
    assert!(is_consent(&consent), "{}", consent.body);
}

#[actix_web::test]
async fn whoever_has_no_second_factor_is_told_whom_to_ask_and_may_cancel_or_let_another_log_in() {
    let world = World::with_levels(Enrolment::Operator).start();
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking("consent", LEVELS[1]));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("Lo chieda all’assistenza"),
        "{}",
        page.text()
    );
    assert!(!page.body.contains("name=\"enrol\""));
    // Asking for it all the same does nothing, nor does a code.
    let forced = browser
        .submit(&page, &page.form("/login").with("enrol", "1"))
        .await;
    let again = browser.follow(forced, &world.base).await;
    assert!(!again.body.contains("class=\"secret\""));
    let guessed = world.type_code(&mut browser, &page, "123456").await;
    assert!(!is_consent(&guessed));
    let other = browser
        .submit(&page, &page.form("/login").with("restart", "1"))
        .await;
    assert!(other.body.contains("name=\"password\""), "{}", other.body);
    world.give_app("bruno");
    let page = world
        .type_password(&mut browser, &other, ("bruno", "bruno-demo"))
        .await;
    assert_asks_code(&page);
    let cancelled = browser
        .submit(&page, &page.form("/login").with("cancel", "1"))
        .await;
    assert_eq!(
        cancelled.redirected("error").as_deref(),
        Some("access_denied")
    );
}

#[actix_web::test]
async fn where_the_issuer_allows_it_an_app_is_registered_within_the_login() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| {
                issuer.password_levels = vec![LEVELS[0].to_owned()];
                issuer.enrolment = Enrolment::Password;
            })
            .start();
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        // A session is no fresh password: it is asked for.
        let low = asking("consent", LEVELS[0]);
        world
            .code_with(&mut browser, world.rp(), &issuer, &low)
            .await;
        let prepared = world.request(&issuer, &asking("consent", LEVELS[1]));
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(page.body.contains("name=\"password\""), "{}", page.body);
        let page = world.type_password(&mut browser, &page, ADA).await;
        let begun = browser
            .submit(&page, &page.form("/login").with("enrol", "1"))
            .await;
        let page = browser.follow(begun, &world.base).await;
        assert!(page.body.contains("<svg class=\"qr\""), "{}", page.body);
        let wrong = world.type_code(&mut browser, &page, "000000").await;
        assert_eq!(wrong.status, 422);
        // Nothing counts before the first code.
        let code = world.code_of_page(&page);
        let done = world.type_code(&mut browser, &page, &code).await;
        let codes: Vec<&str> = done.body.split("<li><code>").skip(1).collect();
        assert_eq!(codes.len(), 10, "{}", done.body);
        let recovery = codes[0].split('<').next().unwrap().to_owned();
        let consent = browser.get(&done.links("/consent")[0]).await;
        let claims = claims_after(&world, &mut browser, (&issuer, &prepared), &consent).await;
        assert_eq!(claims["acr"], LEVELS[1]);

        // A recovery code takes the place of the app, once.
        for (accepted, left) in [(true, "9"), (false, "9")] {
            let prepared = world.request(&issuer, &asking("consent login", LEVELS[1]));
            let (mut other, page) = world.accepted(&prepared).await;
            let page = world.type_password(&mut other, &page, ADA).await;
            let page = other.get(&page.links("with=recovery")[0]).await;
            assert_asks_code(&page);
            let answer = world.type_code(&mut other, &page, &recovery).await;
            assert_eq!(is_consent(&answer), accepted, "{}", answer.text());
            if accepted {
                let account = other.get(&world.url("/spid/account")).await;
                assert!(account.text().contains(&format!("restano {left} codici")));
            }
        }
    }
}

/// SPID/CIE AZ-8: another tab lowers the session while a consent of level 2 waits.
#[actix_web::test]
async fn two_tabs_and_the_back_button_never_answer_below_the_level() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let issuer = world.issuer("spid").await;
    let high = world.request(&issuer, &asking("consent", LEVELS[1]));
    let (mut browser, login) = world.accepted(&high).await;
    let page = world.type_password(&mut browser, &login, ADA).await;
    // "Back" to the password form: it is asked anew and leads to the code again.
    let back = browser.get(login.url.as_str()).await;
    assert_asks_code(&back);
    let page_again = world.type_password(&mut browser, &login, ADA).await;
    assert_asks_code(&page_again);
    let waiting = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert!(is_consent(&waiting), "{}", waiting.body);
    // The page of the code, from the history: the login has gone on.
    let late = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert_eq!(late.status, 422, "{}", late.body);

    let low = world.request(&issuer, &asking("consent login", LEVELS[0]));
    let login = world.authorize(&mut browser, &low).await;
    let consent = world.type_password(&mut browser, &login, ADA).await;
    let claims = claims_after(&world, &mut browser, (&issuer, &low), &consent).await;
    assert_eq!(claims["acr"], LEVELS[0], "the level really used");
    let answer = world.allow(&mut browser, &waiting).await;
    let page = browser.follow(answer, &world.base).await;
    assert_asks_code(&page);
    world.clock.advance_seconds(30);
    let consent = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    let claims = claims_after(&world, &mut browser, (&issuer, &high), &consent).await;
    assert_eq!(claims["acr"], LEVELS[1]);
}
