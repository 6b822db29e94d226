//! Clocks that are wrong: the person's, or the server's. Whoever is refused for it is told why; nobody gets in by it.

use super::email_code;
use crate::harness::{Answer, Browser, LEVELS, World, keep_log, logged, step_page};
use varco::config::Enrolment;
use varco::demo::LoginOptions;

/// Nobody is slowed down unless a test says so.
fn world(per_minute: u32) -> World {
    let world = World::with_levels(Enrolment::Operator)
        .server(move |settings| {
            settings.throttle.per_account_per_minute = per_minute;
            settings.throttle.per_address_per_minute = 0;
        })
        .start();
    world.give_app("ada");
    world
}

fn is_consent(page: &Answer) -> bool {
    page.body.contains("name=\"decision\"")
}

async fn refused(world: &World, at: (&mut Browser, &Answer), code: &str, says: &str) {
    let answer = world.type_code(at.0, at.1, code).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains(says), "{says}: {}", answer.text());
}

#[actix_web::test]
async fn a_phone_whose_clock_is_wrong_is_told_by_how_much_and_opens_nothing() {
    keep_log();
    let world = world(50);
    let (mut browser, page) = step_page(&world).await;
    for (seconds, says) in [
        (720, "telefono è avanti di 12 minuti"),
        (-720, "telefono è indietro di 12 minuti"),
        (90, "telefono è avanti di 2 minuti"),
        (-60, "telefono è indietro di un minuto"),
        (3_600, "telefono è avanti di 60 minuti"),
        (720, "data e ora automatiche"),
        (3_660, "Il codice non è corretto"),
        (-3_660, "Il codice non è corretto"),
    ] {
        let code = world.code_after(seconds);
        refused(&world, (&mut browser, &page), &code, says).await;
    }
    let right = world.code_now();
    let consent = world.type_code(&mut browser, &page, &right).await;
    assert!(is_consent(&consent), "{}", consent.text());
    assert!(!logged(&["WARN", "event=second_factor.clock_off seconds=720"]).is_empty());
}

/// Whoever guesses a code of the future is told that it is one: that must not let them in later.
#[actix_web::test]
async fn a_code_that_somebody_was_told_of_is_burnt_and_its_neighbours_are_not() {
    let world = world(50);
    let (mut browser, page) = step_page(&world).await;
    let guessed = world.code_after(300);
    refused(
        &world,
        (&mut browser, &page),
        &guessed,
        "avanti di 5 minuti",
    )
    .await;
    // Not in another login, not in time, a step early or late.
    let (mut other, other_page) = step_page(&world).await;
    for seconds in [270, 30, 30] {
        world.clock.advance_seconds(seconds);
        refused(
            &world,
            (&mut other, &other_page),
            &guessed,
            "già stato usato",
        )
        .await;
    }
    let right = world.code_now();
    let consent = world.type_code(&mut other, &other_page, &right).await;
    assert!(is_consent(&consent), "{}", consent.text());
}

#[actix_web::test]
async fn guesses_of_codes_of_another_time_are_counted_as_wrong_ones() {
    let world = world(5);
    let (mut browser, page) = step_page(&world).await;
    let mut statuses = Vec::new();
    for minutes in 2..10 {
        let code = world.code_after(minutes * 60);
        statuses.push(world.type_code(&mut browser, &page, &code).await.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 429, 429]);
    let right = world.code_now();
    assert_eq!(
        world.type_code(&mut browser, &page, &right).await.status,
        429
    );
}

#[actix_web::test]
async fn a_server_whose_clock_went_back_says_so_and_until_when_codes_are_refused() {
    keep_log();
    let world = world(50);
    let issuer = world.issuer("spid").await;
    let (mut browser, page) = step_page(&world).await;
    let consent = world
        .type_code(&mut browser, &page, &world.code_now())
        .await;
    assert!(is_consent(&consent), "{}", consent.text());
    world.clock.advance_seconds(-7_200);

    // The session that was begun later than now counts no more, and the page says why.
    let options = LoginOptions {
        prompt: "consent".to_owned(),
        acr_values: vec![LEVELS[1].to_owned()],
        ..LoginOptions::default()
    };
    let prepared = world.request(&issuer, &options);
    let login = world.authorize(&mut browser, &prepared).await;
    assert!(login.body.contains("name=\"password\""), "{}", login.body);
    assert!(
        login
            .text()
            .contains("l’orologio di questo sistema è tornato indietro"),
        "{}",
        login.text()
    );
    let page = world
        .type_password(&mut browser, &login, crate::harness::ADA)
        .await;
    // What the phone shows by the right time, and what it would by the server's.
    for seconds in [7_230, 0] {
        let code = world.code_after(seconds);
        let says = "l’orologio di questo sistema è rimasto indietro";
        refused(&world, (&mut browser, &page), &code, says).await;
    }
    refused(&world, (&mut browser, &page), "000000", "non è corretto").await;
    let account = world.account("ada").id;
    let session = format!("seen_by=\"session of account {account}\"");
    assert_eq!(logged(&["ERROR", "event=clock.behind", &session]).len(), 1);

    // The code that the page told of is burnt; the next one counts as soon as the clock is right again.
    world.clock.advance_seconds(7_260);
    let (mut browser, page) = step_page(&world).await;
    let right = world.code_now();
    let consent = world.type_code(&mut browser, &page, &right).await;
    assert!(is_consent(&consent), "{}", consent.text());
}

#[actix_web::test]
async fn a_code_by_e_mail_that_was_sent_later_than_now_is_refused_and_a_new_one_is_sent() {
    let world = email_code::world();
    let (mut browser, page) = step_page(&world).await;
    let within = format!("{}/", world.base);
    world.clock.advance_seconds(100);
    let form = page.form("/login").with("send", "1");
    let answer = browser.submit(&page, &form).await;
    let page = browser.follow(answer, &within).await;
    let code = email_code::code_of(&world);
    world.clock.advance_seconds(-90);
    let says = "prima che l’orologio di questo sistema tornasse indietro";
    refused(&world, (&mut browser, &page), &code, says).await;
    let form = page.form("/login").with("send", "1");
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = browser.follow(answer, &within).await;
    let mut codes = email_code::codes_of(&world).into_iter();
    let code = codes.find(|other| *other != code).unwrap();
    let consent = world.type_code(&mut browser, &page, &code).await;
    assert!(is_consent(&consent), "{}", consent.text());
}

#[actix_web::test]
async fn an_authorization_code_that_was_issued_later_than_now_is_refused() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let (prepared, code) = world
        .code(world.rp(), &issuer, &LoginOptions::default())
        .await;
    world.clock.advance_seconds(-120);
    let form = world
        .rp()
        .token_request(&issuer.metadata, &prepared, &code)
        .unwrap();
    let answer = world.post(&issuer.metadata.token_endpoint, &form).await;
    answer.is_refused(400, "invalid_grant", "issued at a time that has not come");
}

#[actix_web::test]
async fn a_password_that_was_proven_later_than_now_has_to_be_proven_again() {
    let world = world(50);
    let (mut browser, page) = step_page(&world).await;
    world.clock.advance_seconds(-300);
    let says = "l’orologio di questo sistema è tornato indietro";
    let right = world.code_now();
    refused(&world, (&mut browser, &page), &right, says).await;
    let login = browser.get(page.url.as_str()).await;
    assert!(login.body.contains("name=\"password\""), "{}", login.body);
    assert!(login.text().contains(says), "{}", login.text());
    let page = world
        .type_password(&mut browser, &login, crate::harness::ADA)
        .await;
    let consent = world.type_code(&mut browser, &page, &right).await;
    assert!(is_consent(&consent), "{}", consent.text());
}
