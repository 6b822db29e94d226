//! What must not pass for a security key.

use super::security_key::{is_consent, key_page, register, touch};
use crate::harness::{ADA, Answer, Browser, LEVELS, SoftKey, World, answered, options_of};
use varco::demo::LoginOptions;

fn asking(level: &str) -> LoginOptions {
    LoginOptions {
        prompt: "consent login".to_owned(),
        acr_values: vec![level.to_owned()],
        ..LoginOptions::default()
    }
}

/// A login at a level, up to the page that asks for the key.
async fn asked(world: &World, level: &str) -> (Browser, Answer) {
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(level));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    (browser, page)
}

async fn registered(world: &World) -> SoftKey {
    let mut key = world.key();
    register(world, &mut world.browser(), &mut key).await;
    key
}

/// What is wrong with a key.
type Change = Box<dyn Fn(&mut SoftKey)>;

fn assert_refused(answer: &Answer, says: &str) {
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.text().contains(says), "{says}: {}", answer.text());
}

const WRONG: &str = "Questa chiave non è stata accettata";

#[actix_web::test]
async fn an_answer_for_another_origin_host_or_person_or_without_the_key_is_refused() {
    let world = World::with_keys().start();
    let key = registered(&world).await;
    let (mut browser, mut page) = asked(&world, LEVELS[1]).await;
    let other_port = world.base.replace("localhost:", "localhost:1");
    let wrong: [(&str, Change); 5] = [
        (
            "origin",
            Box::new(|key| key.origin = "https://evil.example".to_owned()),
        ),
        (
            "port",
            Box::new(move |key| key.origin.clone_from(&other_port)),
        ),
        (
            "RP-ID",
            Box::new(|key| key.rp_id = "evil.example".to_owned()),
        ),
        ("credential", Box::new(|key| key.id = vec![7; 32])),
        (
            "person",
            Box::new(|key| {
                key.user_handle = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned())
            }),
        ),
    ];
    for (what, change) in wrong {
        world.clock.advance_seconds(60);
        let mut false_key = key.clone();
        change(&mut false_key);
        let refused = touch(&world, &mut browser, &page, &mut false_key).await;
        assert_refused(&refused, WRONG);
        assert!(!refused.body.contains("evil"), "{what}");
        page = refused;
    }
    // A stranger's key that uses the same credential.
    world.clock.advance_seconds(60);
    let mut thief = world.key();
    thief.id.clone_from(&key.id);
    let refused = touch(&world, &mut browser, &page, &mut thief).await;
    assert_refused(&refused, WRONG);
    for text in ["", "{}", "no JSON", "[1]"] {
        world.clock.advance_seconds(60);
        let refused = browser.submit(&refused, &answered(&refused, text)).await;
        assert_eq!(refused.status, 422, "{text}");
    }
    let mut key = key;
    let (mut browser, page) = asked(&world, LEVELS[1]).await;
    let consent = touch(&world, &mut browser, &page, &mut key).await;
    assert!(is_consent(&consent), "the key itself: {}", consent.body);
}

#[actix_web::test]
async fn an_answer_counts_once_in_its_own_login_and_within_its_time() {
    let world = World::with_keys().start();
    let mut key = registered(&world).await;
    let (mut first, page) = asked(&world, LEVELS[1]).await;
    let (mut second, other_page) = asked(&world, LEVELS[1]).await;
    // Signed for the first login, sent in the second.
    let answer = key.sign(&options_of(&page));
    let refused = second
        .submit(&other_page, &answered(&other_page, &answer))
        .await;
    assert_refused(&refused, WRONG);
    // Where it belongs, once.
    let form = answered(&page, &answer);
    let accepted = first.submit(&page, &form).await;
    assert_eq!(accepted.status, 303, "{}", accepted.body);
    let (mut third, page) = asked(&world, LEVELS[1]).await;
    let replayed = third.submit(&page, &answered(&page, &answer)).await;
    assert_refused(&replayed, WRONG);
    // The same challenge is not answered twice either: the first answer spent it, whatever it was.
    let (mut fourth, page) = asked(&world, LEVELS[1]).await;
    let options = options_of(&page);
    let refused = fourth.submit(&page, &answered(&page, "{}")).await;
    assert_refused(&refused, WRONG);
    let late = key.sign(&options);
    let refused = fourth.submit(&page, &answered(&page, &late)).await;
    assert_refused(&refused, WRONG);
    // Five minutes.
    let (mut fifth, page) = asked(&world, LEVELS[1]).await;
    let answer = key.sign(&options_of(&page));
    world.clock.advance_seconds(301);
    let late = fifth.submit(&page, &answered(&page, &answer)).await;
    assert_refused(&late, "È passato troppo tempo");
}

#[actix_web::test]
async fn level_three_needs_a_holder_who_was_verified_by_a_key_that_stays_in_its_device() {
    let world = World::with_keys().start();
    let mut key = registered(&world).await;
    let (mut browser, page) = asked(&world, LEVELS[2]).await;
    key.verifies = false;
    let refused = touch(&world, &mut browser, &page, &mut key).await;
    assert_refused(&refused, "non ha verificato chi la usa");
    key.verifies = true;
    let consent = touch(&world, &mut browser, &refused, &mut key).await;
    assert!(is_consent(&consent), "{}", consent.body);

    // A copy in the network is no key that somebody has in the hand.
    let world = World::with_keys().start();
    let mut synced = world.key();
    synced.synced = true;
    register(&world, &mut world.browser(), &mut synced).await;
    let (_, page) = asked(&world, LEVELS[2]).await;
    assert!(page.text().contains("livello 3"), "{}", page.text());
    assert!(!page.body.contains("data-options"));
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(LEVELS[2]));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = browser.get(&page.links("with=verified_key")[0]).await;
    let refused = touch(&world, &mut browser, &page, &mut synced).await;
    assert_refused(&refused, "conservata in un servizio in rete");
    let (mut browser, page) = asked(&world, LEVELS[1]).await;
    let consent = touch(&world, &mut browser, &page, &mut synced).await;
    assert!(is_consent(&consent), "level 2: {}", consent.body);
}

/// WebAuthn §6.1.1.
#[actix_web::test]
async fn a_copied_key_is_found_out_by_its_counter() {
    let world = World::with_keys().start();
    let mut key = registered(&world).await;
    let mut copy = key.clone();
    let (mut browser, page) = asked(&world, LEVELS[1]).await;
    let consent = touch(&world, &mut browser, &page, &mut key).await;
    assert!(is_consent(&consent), "{}", consent.body);
    let (mut browser, page) = asked(&world, LEVELS[1]).await;
    let refused = touch(&world, &mut browser, &page, &mut copy).await;
    assert_refused(&refused, "potrebbe esisterne una copia");
}

#[actix_web::test]
async fn a_new_key_has_to_answer_what_this_session_was_asked_and_belongs_to_one_person() {
    let world = World::with_keys().start();
    let mut browser = world.browser();
    let page = key_page(&world, &mut browser).await;
    let mut key = world.key();
    key.origin = "https://evil.example".to_owned();
    let answer = key.make(&options_of(&page));
    let refused = browser.submit(&page, &answered(&page, &answer)).await;
    assert_refused(&refused, WRONG);
    // Another session of the same person has not been asked.
    let mut key = world.key();
    let answer = key.make(&options_of(&refused));
    let mut other = world.browser();
    let stranger = other.get(&world.url("/spid/account")).await;
    let login = other.follow(stranger, &world.base).await;
    world.type_password(&mut other, &login, ADA).await;
    let page = other.get(&world.url("/spid/account/key/new")).await;
    assert_eq!(page.status, 303, "nothing was begun here");
    let accepted = browser.submit(&refused, &answered(&refused, &answer)).await;
    assert_eq!(accepted.status, 200, "recovery codes: {}", accepted.body);
    // Sent again, it finds nothing that waits.
    let again = browser.submit(&refused, &answered(&refused, &answer)).await;
    assert_eq!(again.status, 303, "{}", again.body);
}

#[actix_web::test]
async fn answers_are_throttled_and_no_page_of_a_key_counts_without_its_token() {
    let world = World::with_keys()
        .server(|settings| settings.throttle.per_account_per_minute = 3)
        .start();
    let mut key = registered(&world).await;
    world.clock.advance_seconds(61);
    let (mut browser, mut page) = asked(&world, LEVELS[1]).await;
    let mut form = answered(&page, &key.sign(&options_of(&page)));
    form.fields.retain(|(name, _)| name != "csrf_token");
    let refused = browser.submit(&page, &form).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    for _ in 0..4 {
        page = browser.submit(&page, &answered(&page, "{}")).await;
        assert_eq!(page.status, 422, "{}", page.body);
    }
    let refused = browser.submit(&page, &answered(&page, "{}")).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
}

/// Nobody has said who they are: attempts count by address, together with those at passwords.
#[actix_web::test]
async fn keys_are_tried_alone_as_often_as_passwords_from_one_address() {
    let world = World::with_keys()
        .server(|server| {
            server.throttle.per_address_per_minute = 4;
            server.throttle.per_account_per_minute = 2;
            server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .start();
    let mut key = registered(&world).await;
    let from = |address: &str| ("x-forwarded-for", address.to_owned());
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(LEVELS[1]));
    let (mut browser, page) = world.accepted(&prepared).await;
    browser.headers.push(from("203.0.113.9"));
    let mut page = browser.get(&page.links("with=verified_key")[0]).await;
    let mut stranger = world.key();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        page = touch(&world, &mut browser, &page, &mut stranger).await;
        statuses.push(page.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429]);
    assert!(page.text().contains("Troppi tentativi"), "{}", page.text());
    assert!(!page.header("retry-after").is_empty());
    // Nor with the right key, nor with a password; the same from elsewhere counts.
    let refused = touch(&world, &mut browser, &page, &mut key).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    let mut other = world.browser();
    other.headers.push(from("203.0.113.9"));
    assert_eq!(world.enter(&mut other, "spid", ADA).await.status, 429);
    let mut other = world.browser();
    other.headers.push(from("203.0.113.10"));
    assert_eq!(world.enter(&mut other, "spid", ADA).await.status, 200);

    // Who names somebody's key is counted by its person too, from wherever.
    let mut false_key = key.clone();
    false_key.origin = "https://evil.example".to_owned();
    let mut statuses = Vec::new();
    for number in 20..25 {
        let prepared = world.request(&issuer, &asking(LEVELS[1]));
        let (mut browser, page) = world.accepted(&prepared).await;
        browser.headers.push(from(&format!("203.0.113.{number}")));
        let page = browser.get(&page.links("with=verified_key")[0]).await;
        let answer = touch(&world, &mut browser, &page, &mut false_key).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [422, 422, 422, 429, 429]);
    world.clock.advance_seconds(60);
    let prepared = world.request(&issuer, &asking(LEVELS[1]));
    let (mut browser, page) = world.accepted(&prepared).await;
    browser.headers.push(from("203.0.113.30"));
    let page = browser.get(&page.links("with=verified_key")[0]).await;
    let consent = touch(&world, &mut browser, &page, &mut key).await;
    assert!(is_consent(&consent), "{}", consent.body);
}
