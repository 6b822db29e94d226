//! Ways around the second factor that must not work.

use crate::harness::{ADA, Answer, Browser, LEVELS, World, assert_asks_code};
use varco::config::Enrolment;
use varco::demo::{LoginOptions, PreparedRequest};
use varco::store::{StoreError, account};

fn level_two(world: &World, issuer: &crate::harness::Issuer, prompt: &str) -> PreparedRequest {
    let options = LoginOptions {
        prompt: prompt.to_owned(),
        acr_values: vec![LEVELS[1].to_owned()],
        ..LoginOptions::default()
    };
    world.request(issuer, &options)
}

fn is_login(page: &Answer) -> bool {
    page.body.contains("name=\"password\"")
}

fn is_consent(page: &Answer) -> bool {
    page.body.contains("name=\"decision\"")
}

/// A browser at the page that asks for ada's code, after her password.
async fn at_the_code(world: &World) -> (Browser, Answer) {
    let issuer = world.issuer("spid").await;
    let prepared = level_two(world, &issuer, "consent login");
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    assert_asks_code(&page);
    (browser, page)
}

#[actix_web::test]
async fn guesses_are_slowed_down_then_locked_whoever_guesses_and_recovery_codes_remain() {
    let world = World::with_levels(Enrolment::Operator)
        .server(|settings| {
            settings.throttle.per_account_per_minute = 5;
            settings.throttle.per_address_per_minute = 0;
        })
        .start();
    world.give_app("ada");
    let person = world.account("ada").id;
    let store = &world.app.shared.store;
    let now = varco::clock::Clock::now(world.clock.as_ref());
    let codes = store
        .write_blocking(move |conn| -> Result<Vec<String>, StoreError> {
            varco::authn::enrolment::new_recovery_codes(conn, &person, now)
        })
        .unwrap();
    let (mut browser, page) = at_the_code(&world).await;
    let mut judged = 0;
    let locked = loop {
        let answer = world.type_code(&mut browser, &page, "000000").await;
        match (answer.status, answer.text().contains("rifiutati fino al")) {
            (422, _) => judged += 1,
            (429, true) => break answer,
            (429, false) => {
                assert!(answer.text().contains("Troppi tentativi"));
                let seconds: i64 = answer.header("retry-after").parse().unwrap();
                world.clock.advance_seconds(seconds.max(60));
            }
            other => panic!("{other:?}: {}", answer.text()),
        }
        assert!(judged <= 21, "twenty a day, and the one that locks");
    };
    let seconds: i64 = locked.header("retry-after").parse().unwrap();
    assert!((3_000..=3_600).contains(&seconds), "{seconds}");
    // Not even the right one, and not from another browser either.
    let right = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert_eq!(right.status, 429);
    let (mut other, other_page) = at_the_code(&world).await;
    let right = world
        .type_code(&mut other, &other_page, &world.code_now())
        .await;
    assert_eq!(right.status, 429);
    let consent = world.type_code(&mut other, &other_page, &codes[0]).await;
    assert!(is_consent(&consent), "{}", consent.text());
    // The operator unlocks.
    let person = world.account("ada").id;
    world
        .app
        .shared
        .store
        .write_blocking(move |conn| varco::authn::second_factor::unlock(conn, &person))
        .unwrap();
    let (mut browser, page) = at_the_code(&world).await;
    let consent = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert!(is_consent(&consent), "{}", consent.text());
}

#[actix_web::test]
async fn the_page_of_the_code_is_of_no_use_in_another_browser() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let (browser, page) = at_the_code(&world).await;
    let mut stranger = world.browser();
    let refused = stranger.get(page.url.as_str()).await;
    assert_eq!(refused.status, 400);
    let refused = world
        .type_code(&mut stranger, &page, &world.code_now())
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    // With a token made for another login.
    let (mut other, other_page) = at_the_code(&world).await;
    let mut form = page.form("/login").with("otp", &world.code_now());
    form.action = other_page.form("/login").action;
    let refused = other.submit(&other_page, &form).await;
    assert_eq!(refused.status, 400);
    drop(browser);
}

#[actix_web::test]
async fn a_stolen_interaction_cookie_does_not_carry_a_step_up() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    world
        .code_with(
            &mut browser,
            world.rp(),
            &issuer,
            &LoginOptions::at_level(1),
        )
        .await;
    let prepared = level_two(&world, &issuer, "consent");
    let page = world.authorize(&mut browser, &prepared).await;
    assert_asks_code(&page);
    let mut thief = world.browser();
    thief.cookies = browser.cookies.clone();
    thief.cookies.remove(&world.provider("spid").cookie_name());
    let shown = thief.get(page.url.as_str()).await;
    assert!(is_login(&shown), "{}", shown.body);
    let code = world.code_now();
    let refused = world.type_code(&mut thief, &page, &code).await;
    assert!(!is_consent(&refused) && refused.status == 422);
    // Nor does it after a logout.
    let history = world.history(&mut browser, "spid").await;
    browser.submit(&history, &history.form("/logout")).await;
    let refused = world.type_code(&mut browser, &page, &code).await;
    assert!(is_login(&refused) && refused.status == 422);
}

#[actix_web::test]
async fn a_proven_password_does_not_count_for_ever_nor_after_a_new_one() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let (mut browser, page) = at_the_code(&world).await;
    world.clock.advance_seconds(600);
    let late = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert!(is_login(&late) && late.status == 422, "{}", late.text());

    let (mut browser, page) = at_the_code(&world).await;
    let person = world.account("ada").id;
    let now = varco::clock::Clock::now(world.clock.as_ref());
    let changed = world
        .app
        .shared
        .store
        .write_blocking(move |conn| account::set_password(conn, &person, Some("other"), now));
    let changed: Result<bool, StoreError> = changed;
    assert!(changed.unwrap());
    let refused = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert!(is_login(&refused) && refused.status == 422);
}

#[actix_web::test]
async fn a_wrong_password_leads_to_no_code_and_a_code_alone_to_nothing() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let issuer = world.issuer("cie").await;
    let prepared = level_two(&world, &issuer, "consent login");
    let (mut browser, login) = world.accepted(&prepared).await;
    let refused = world
        .type_password(&mut browser, &login, ("ada", "wrong"))
        .await;
    assert_eq!(refused.status, 422);
    assert!(!refused.body.contains("name=\"otp\""));
    let code = world.code_now();
    let refused = world.type_code(&mut browser, &login, &code).await;
    assert!(
        is_login(&refused) && refused.status == 422,
        "{}",
        refused.text()
    );
    // A code of somebody else's app.
    world.give_app("bruno");
    let page = world
        .type_password(&mut browser, &login, ("chiara", "chiara-demo"))
        .await;
    assert!(page.text().contains("Serve un secondo fattore"));
    let refused = world.type_code(&mut browser, &page, &code).await;
    assert!(!is_consent(&refused));
}
