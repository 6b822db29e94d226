//! A code by e-mail as second factor, and ways around it.

use crate::harness::{Answer, Browser, World, step_page};
use varco::config::Enrolment;
use varco::mail::{self, MailText};
use varco::model::Method;
use varco::store::{account, mail_message};

pub fn world() -> World {
    World::with_levels(Enrolment::Operator)
        .issuers(|issuer| issuer.second_factors.push(Method::EmailCode))
        .server(|server| server.throttle.per_address_per_minute = 0)
        .start()
}

/// The mails to ada, the newest first.
fn mails(world: &World) -> Vec<MailText> {
    let shared = &world.app.shared;
    let ada = world.account("ada").id;
    let found = shared
        .store
        .read_blocking(|conn| mail_message::search_of(conn, &ada, None, 50))
        .unwrap();
    found
        .iter()
        .filter(|mail| mail.kind == "email_code")
        .map(|mail| mail::open(&shared.key_encryption_key, mail).unwrap())
        .collect()
}

/// The six digits of the newest mail.
pub fn code_of(world: &World) -> String {
    codes_of(world).remove(0)
}

/// The six digits of each mail, the newest first.
pub fn codes_of(world: &World) -> Vec<String> {
    let code = |mail: MailText| {
        let mut words = mail.body.split(|letter: char| !letter.is_ascii_digit());
        words.find(|word| word.len() == 6).unwrap().to_owned()
    };
    mails(world).into_iter().map(code).collect()
}

async fn press(world: &World, browser: &mut Browser, page: &Answer, field: &str) -> Answer {
    let form = page.form("/login").with(field, "1");
    let answer = browser.submit(page, &form).await;
    browser.follow(answer, &format!("{}/", world.base)).await
}

/// A browser that was sent a code.
async fn sent(world: &World) -> (Browser, Answer) {
    let (mut browser, page) = step_page(world).await;
    let page = press(world, &mut browser, &page, "send").await;
    assert!(page.body.contains("name=\"otp\""), "{}", page.body);
    (browser, page)
}

fn is_consent(page: &Answer) -> bool {
    page.body.contains("name=\"decision\"")
}

#[actix_web::test]
async fn a_code_by_e_mail_reaches_level_2_and_the_mail_says_who_asks_and_links_nowhere() {
    let world = world();
    let (mut browser, page) = step_page(&world).await;
    assert!(page.text().contains("•••@"), "{}", page.body);
    let address = world.account("ada").attributes["email"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!page.body.contains(&address), "masked");
    assert!(mails(&world).is_empty(), "only the button sends one");
    let page = press(&world, &mut browser, &page, "send").await;
    let mail = mails(&world).remove(0);
    assert_eq!(mail.to, address);
    assert!(mail.body.contains("al servizio «") && !mail.body.contains("«»"));
    assert!(!mail.body.contains("://"), "{}", mail.body);
    assert!(
        mail.body.contains("127.0.0.1") && mail.body.contains("10:00"),
        "{}",
        mail.body
    );
    let consent = world.type_code(&mut browser, &page, &code_of(&world)).await;
    assert!(is_consent(&consent), "{}", consent.body);
}

#[actix_web::test]
async fn a_code_of_another_login_is_wrong() {
    let world = world();
    let (mut one, one_page) = sent(&world).await;
    let of_one = code_of(&world);
    world.clock.advance_seconds(1);
    let (mut two, two_page) = sent(&world).await;
    let of_two = code_of(&world);
    let refused = world.type_code(&mut two, &two_page, &of_one).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.text().contains("non è corretto o non vale più"));
    assert!(is_consent(
        &world.type_code(&mut two, &two_page, &of_two).await
    ));
    assert!(is_consent(
        &world.type_code(&mut one, &one_page, &of_one).await
    ));
}

#[actix_web::test]
async fn a_new_code_ends_the_one_before_and_cannot_be_had_at_once_or_for_ever() {
    let world = world();
    let (mut browser, page) = sent(&world).await;
    let first = code_of(&world);
    // At once: refused, and nothing is sent.
    let hasty = press(&world, &mut browser, &page, "send").await;
    assert_eq!(hasty.status, 429, "{}", hasty.body);
    assert_eq!(mails(&world).len(), 1);
    world.clock.advance_seconds(30);
    let page = press(&world, &mut browser, &page, "send").await;
    assert_eq!(mails(&world).len(), 2);
    let refused = world.type_code(&mut browser, &page, &first).await;
    assert_eq!(refused.status, 422);
    for _ in 0..3 {
        world.clock.advance_seconds(30);
        press(&world, &mut browser, &page, "send").await;
    }
    assert_eq!(mails(&world).len(), 5);
    world.clock.advance_seconds(30);
    let enough = press(&world, &mut browser, &page, "send").await;
    assert_eq!(enough.status, 422, "{}", enough.body);
    assert_eq!(mails(&world).len(), 5);
    assert!(!enough.body.contains("name=\"send\""));
    let code = code_of(&world);
    assert!(is_consent(
        &world.type_code(&mut browser, &page, &code).await
    ));
}

#[actix_web::test]
async fn a_code_that_is_too_old_or_was_used_is_wrong() {
    let world = world();
    let (mut browser, page) = sent(&world).await;
    let code = code_of(&world);
    world.clock.advance_seconds(599);
    let id = page
        .url
        .query_pairs()
        .find(|(name, _)| name == "interaction");
    let id = varco::model::InteractionId::new(id.unwrap().1.into_owned());
    let ada = world.account("ada").id;
    let op = world.provider("spid").clone();
    // Spent once, whoever is first.
    let (key, typed) = (id.clone(), code.clone());
    let first =
        world.app.shared.store.write_blocking(move |tx| {
            varco::authn::email_code::check(tx, &op, (&key, &ada), &typed)
        });
    assert_eq!(
        first.unwrap(),
        varco::authn::second_factor::Checked::Proven(Method::EmailCode)
    );
    let refused = world.type_code(&mut browser, &page, &code).await;
    assert_eq!(refused.status, 422, "{}", refused.body);

    let (mut browser, page) = sent(&world).await;
    let code = code_of(&world);
    world.clock.advance_seconds(600);
    // The password counts ten minutes too; with it typed anew the code is still too old.
    let late = world.type_code(&mut browser, &page, &code).await;
    assert!(!is_consent(&late));
    let again = world
        .type_password(&mut browser, &late, crate::harness::ADA)
        .await;
    let late = world.type_code(&mut browser, &again, &code).await;
    assert_eq!(late.status, 422, "{}", late.body);
}

#[actix_web::test]
async fn guesses_are_slowed_down_then_locked() {
    let world = World::with_levels(Enrolment::Operator)
        .issuers(|issuer| issuer.second_factors.push(Method::EmailCode))
        .server(|settings| {
            settings.throttle.per_account_per_minute = 5;
            settings.throttle.per_address_per_minute = 0;
        })
        .start();
    let (mut browser, page) = sent(&world).await;
    let right = code_of(&world);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    let mut judged = 0;
    loop {
        let answer = world.type_code(&mut browser, &page, wrong).await;
        match (answer.status, answer.text().contains("rifiutati fino al")) {
            (422, _) => judged += 1,
            (429, true) => break,
            (429, false) => {
                let seconds: i64 = answer.header("retry-after").parse().unwrap();
                world.clock.advance_seconds(seconds.max(60));
            }
            other => panic!("{other:?}: {}", answer.text()),
        }
        assert!(judged <= 21, "twenty a day, and the one that locks");
    }
    assert!(judged >= 20, "{judged}");
    // Not even the right one; a new code does not help either.
    let refused = world.type_code(&mut browser, &page, &right).await;
    assert_eq!(refused.status, 429);
    let (mut other, other_page) = sent(&world).await;
    let code = code_of(&world);
    let refused = world.type_code(&mut other, &other_page, &code).await;
    assert_eq!(refused.status, 429);
}

#[actix_web::test]
async fn whoever_has_no_address_or_an_unverified_one_is_offered_none() {
    let world = world();
    for (name, value) in [
        ("email_verified", serde_json::json!(false)),
        ("email", serde_json::json!("no address")),
    ] {
        let mut person = world.account("ada");
        person.attributes.insert(name.to_owned(), value);
        world
            .app
            .shared
            .store
            .write_blocking(move |tx| account::update(tx, &person))
            .unwrap();
        let (_, page) = step_page(&world).await;
        assert!(!page.body.contains("name=\"send\""), "{}", page.body);
    }
}
