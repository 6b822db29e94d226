//! A login with the identity provider's own app alone: no password, a name that anybody may type. What a stranger learns
//! and does by it is the matter of these tests.

use super::external::{in_the_app, number_of, with_example_of};
use super::security_key::is_consent;
use crate::harness::{
    ADA, Answer, Browser, Hostile, LEVELS, World, WorldBuilder, claims_of, external_method,
};
use serde_json::json;
use std::collections::BTreeSet;
use varco::demo::LoginOptions;
use varco::demo::relying_party::AuthorizationAnswer;
use varco::store::{DbConn, StoreError, account};

fn asking(level: &str) -> LoginOptions {
    LoginOptions {
        prompt: "consent login".to_owned(),
        acr_values: vec![level.to_owned()],
        ..LoginOptions::default()
    }
}

/// The method alone reaches level 1, with the password level 2; nobody is slowed down by address.
fn with_service(service: &Hostile) -> WorldBuilder {
    let mut settings = external_method(&service.url, &service.key);
    settings.levels_alone = vec![LEVELS[0].to_owned()];
    World::with_external(&settings).server(|server| {
        server.throttle.per_address_per_minute = 0;
        server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
}

/// A browser at the page that asks for a name.
async fn name_page(world: &World) -> (Browser, Answer) {
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(LEVELS[0]));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = browser.get(&page.links("with=external")[0]).await;
    assert!(!page.body.contains("name=\"password\""), "{}", page.body);
    (browser, page)
}

async fn type_name(world: &World, browser: &mut Browser, page: &Answer, name: &str) -> Answer {
    let form = page
        .form("/login")
        .with("username", name)
        .with("begin", "1");
    let answer = browser.submit(page, &form).await;
    browser.follow(answer, &format!("{}/", world.base)).await
}

async fn begun(world: &World, name: &str) -> (Browser, Answer) {
    let (mut browser, page) = name_page(world).await;
    let page = type_name(world, &mut browser, &page, name).await;
    (browser, page)
}

async fn reload(world: &World, browser: &mut Browser, page: &Answer) -> Answer {
    let answer = browser.get(page.url.as_str()).await;
    browser.follow(answer, &format!("{}/", world.base)).await
}

fn is_waiting(page: &Answer) -> bool {
    page.body.contains("id=\"waiting\"")
}

/// What the page says, without what is random.
fn told(page: &Answer) -> String {
    let text = page.text();
    let text = text.split("Codice di riferimento").next().unwrap();
    if is_waiting(page) {
        let number = format!(" {} ", number_of(&page.body));
        text.replacen(&number, " NN ", 1)
    } else {
        text.to_owned()
    }
}

#[actix_web::test]
async fn a_name_and_the_app_suffice_for_the_levels_that_the_configuration_allows() {
    let (world, app) = with_example_of(|settings| {
        settings.levels_alone = vec![LEVELS[0].to_owned()];
    });
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(LEVELS[0]));
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = browser.get(&page.links("with=external")[0]).await;
    assert!(
        page.text().contains("La password non serve"),
        "{}",
        page.text()
    );
    let empty = type_name(&world, &mut browser, &page, " ").await;
    assert_eq!(empty.status, 422);
    assert!(
        empty.text().contains("Inserisca il nome utente"),
        "{}",
        empty.text()
    );
    let waiting = type_name(&world, &mut browser, &page, " ada ").await;
    assert!(is_waiting(&waiting), "{}", waiting.body);
    // Without JavaScript the page loads itself again; with it, its script asks.
    assert!(
        waiting
            .body
            .contains("<noscript><meta http-equiv=\"refresh\" content=\"5;url=/spid/login?")
    );
    let poll = waiting.body.split("data-poll=\"").nth(1).unwrap();
    let poll = poll.split('"').next().unwrap();
    let poll = world.url(&poll.replace("&amp;", "&").replace("&#x2F;", "/"));
    world.clock.advance_seconds(2);
    assert_eq!(browser.get(&poll).await.json()["state"], "waiting");
    in_the_app(&app, "approve", &number_of(&waiting.body)).await;
    world.clock.advance_seconds(2);
    assert_eq!(browser.get(&poll).await.json()["state"], "approved");
    // Another browser with the address gets nothing.
    assert_eq!(world.browser().get(&poll).await.status, 400);
    assert_eq!(world.browser().get(waiting.url.as_str()).await.status, 400);

    let consent = reload(&world, &mut browser, &waiting).await;
    assert!(is_consent(&consent), "{}", consent.body);
    assert!(consent.text().contains("Ada"), "{}", consent.text());
    let answer = world.allow(&mut browser, &consent).await;
    let code = AuthorizationAnswer::parse_address(&answer.location().unwrap());
    let code = code.code(&prepared).unwrap().to_owned();
    let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
    assert_eq!(tokens.id_token["acr"], LEVELS[0]);
    let history = world.history(&mut browser, "spid").await;
    assert!(history.accesses()[0].contains("Livello 1"));
    let store = &world.app.shared.store;
    let session = store
        .read_blocking(|conn: &mut DbConn| -> Result<_, StoreError> {
            let ada = account::find_by_username(conn, "ada")?.unwrap();
            varco::store::session::alive_of(conn, &ada.id, varco::clock::UtcTime(0), 9)
        })
        .unwrap()
        .remove(0);
    assert_eq!(session.methods.to_text(), "external");
    assert_eq!(session.methods.amr(&["mca"]), ["mca"]);
}

#[actix_web::test]
async fn nobody_learns_which_names_exist_or_who_has_the_app_or_refused() {
    for answer in ["pending", "unavailable", "denied", "approved", "down"] {
        let service = Hostile::start();
        let world = with_service(&service).start();
        let now = varco::clock::Clock::now(world.clock.as_ref());
        let dora = world.account("bruno").id;
        world
            .app
            .shared
            .store
            .write_blocking(move |conn| account::set_enabled(conn, &dora, false, now))
            .unwrap();
        if answer != "down" {
            service.claim(answer, |_| {});
        }
        // Whoever exists and confirms is let in: nobody is compared with them.
        let names = if answer == "approved" {
            vec!["nobody", "bruno"]
        } else {
            vec!["ada", "nobody", "bruno", "\u{1f600}'; --"]
        };
        let mut all = Vec::new();
        for name in &names {
            all.push(begun(&world, name).await);
        }
        for seconds in [2, 2, 200] {
            world.clock.advance_seconds(seconds);
            let mut texts = Vec::new();
            for (browser, page) in &mut all {
                *page = reload(&world, browser, page).await;
                texts.push((page.status, told(page)));
            }
            for text in &texts {
                assert_eq!(text, &texts[0], "{answer}");
            }
            let waits = answer != "approved" && seconds == 2;
            assert_eq!(is_waiting(&all[0].1), waits, "{answer}: {}", all[0].1.body);
            assert!(!is_consent(&all[0].1), "{answer}");
        }
        let expired = all[0].1.text();
        assert!(
            expired.contains("Nessuno ha confermato in tempo"),
            "{expired}"
        );
        // As many requests for each; what nobody has as a name is not passed on.
        let requests = service.requests.lock().unwrap().clone();
        let asked: Vec<_> = requests.iter().map(|jwt| claims_of(jwt)).collect();
        if answer != "approved" {
            assert_eq!(asked.len(), 3 * names.len(), "{answer}");
        }
        for claims in asked {
            let known = claims["username"] == "ada";
            assert!(known || claims["username"] == claims["sub"], "{claims:?}");
        }
    }
}

#[actix_web::test]
async fn a_yes_after_a_no_counts_for_nothing() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("denied", |_| {});
    let (mut browser, page) = begun(&world, "ada").await;
    service.claim("approved", |_| {});
    for _ in 0..3 {
        world.clock.advance_seconds(2);
        let page = reload(&world, &mut browser, &page).await;
        assert!(is_waiting(&page), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_stranger_does_not_make_a_phone_ring_all_night_and_the_owner_has_other_ways() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("pending", |_| {});
    for name in ["ada", "nobody"] {
        let mut begun_ones = 0;
        let locked = loop {
            // From many addresses.
            let (mut browser, page) = name_page(&world).await;
            let address = format!("203.0.113.{begun_ones}");
            browser.headers.push(("x-forwarded-for", address));
            let page = type_name(&world, &mut browser, &page, name).await;
            match page.status {
                200 => begun_ones += 1,
                429 => break page,
                other => panic!("{other}: {}", page.body),
            }
            assert!(begun_ones < 10);
        };
        assert_eq!(begun_ones, 4, "three, and the one that locks");
        assert!(
            locked.text().contains("troppe richieste"),
            "{}",
            locked.text()
        );
        let seconds: i64 = locked.header("retry-after").parse().unwrap();
        assert!((3500..=3600).contains(&seconds), "{seconds}");
    }
    // Who is not concerned: others, and the owner with the password.
    let (_, page) = begun(&world, "chiara").await;
    assert!(is_waiting(&page));
    let (mut browser, page) = crate::harness::step_page(&world).await;
    let form = page.form("/login").with("begin", "1");
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    // The operator lets them try again.
    world
        .app
        .shared
        .store
        .write_blocking(|conn| varco::authn::password::unlock(conn, "ada"))
        .unwrap();
    let (_, page) = begun(&world, "ada").await;
    assert!(is_waiting(&page));
}

/// How many requests of this name reached the app, however often it was asked what came of them.
fn rung(
    service: &Hostile,
    is_theirs: impl Fn(&serde_json::Map<String, serde_json::Value>) -> bool,
) -> usize {
    let requests = service.requests.lock().unwrap();
    let claims = requests.iter().map(|jwt| claims_of(jwt));
    let transactions = claims
        .filter(is_theirs)
        .map(|claims| claims["txn"].to_string());
    transactions.collect::<BTreeSet<_>>().len()
}

#[actix_web::test]
async fn many_addresses_at_once_make_a_phone_ring_four_times_and_the_owner_is_told_and_logs_in() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("pending", |_| {});
    let node = world.another_node();
    let mut told_of = Vec::new();
    for name in ["ada", "nobody"] {
        let mut ready = Vec::new();
        for number in 0..12 {
            let (mut browser, page) = name_page(&world).await;
            let address = format!("203.0.113.{number}");
            browser.headers.push(("x-forwarded-for", address));
            ready.push((number, browser, page));
        }
        // At two nodes, with spaces that nobody's name has.
        let typed = ready.into_iter().map(async |(number, mut browser, page)| {
            let form = page.form("/login").with("begin", "1");
            let form = form.with("username", [name, &format!(" {name} ")][number % 2]);
            let here = page.url.join(&form.action).unwrap();
            let at = match number % 3 {
                0 => node.url(here.as_str()),
                _ => here.into(),
            };
            let answer = browser.post(&at, &form.fields).await;
            let url = page.url.to_string();
            let page = match answer.status {
                303 => browser.get(&url).await,
                _ => answer,
            };
            (page.status, told(&page))
        });
        let mut answers = futures_util::future::join_all(typed).await;
        answers.sort_unstable();
        let begun_ones = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(begun_ones, 4, "{answers:?}");
        assert!(
            answers[4..].iter().all(|(status, _)| *status == 429),
            "{answers:?}"
        );
        told_of.push(answers);
    }
    // Nobody learns from it who exists.
    let as_nobody = |text: &str| text.replace("value=\"nobody\"", "value=\"ada\"");
    for (of_ada, of_nobody) in told_of[0].iter().zip(&told_of[1]) {
        assert_eq!(of_ada.0, of_nobody.0);
        assert_eq!(of_ada.1, as_nobody(&of_nobody.1));
    }
    assert_eq!(rung(&service, |claims| claims["username"] == "ada"), 4);
    assert_eq!(rung(&service, |claims| claims["username"] != "ada"), 4);

    // The owner, who knows of nothing, is told, and goes the way that the page offers.
    let (mut browser, page) = begun(&world, "ada").await;
    assert_eq!(page.status, 429);
    let text = page.text();
    assert!(text.contains("forse da qualcun altro"), "{text}");
    assert!(text.contains("scelga un altro modo"), "{text}");
    let ways = page.body.split("class=\"h6\"").nth(1).unwrap();
    let ways = ways.split("href=\"").nth(1).unwrap();
    let way = ways.split('"').next().unwrap().replace("&amp;", "&");
    let page = browser.get(page.url.join(&way).unwrap().as_str()).await;
    let consent = world.type_password(&mut browser, &page, ADA).await;
    assert!(is_consent(&consent), "{}", consent.body);
}

#[actix_web::test]
async fn whoever_waits_for_every_block_to_end_makes_a_phone_ring_four_times_an_hour_at_most() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("pending", |_| {});
    let mut by_hour = Vec::new();
    for _hour in 0..8 {
        let before = rung(&service, |_| true);
        for number in 0..6 {
            let (mut browser, page) = name_page(&world).await;
            let address = format!("203.0.113.{number}");
            browser.headers.push(("x-forwarded-for", address));
            let page = type_name(&world, &mut browser, &page, "ada").await;
            assert!([200, 429].contains(&page.status), "{}", page.body);
            world.clock.advance_seconds(600);
        }
        by_hour.push(rung(&service, |_| true) - before);
    }
    assert_eq!(by_hour, [4, 3, 1, 0, 4, 0, 0, 0]);
}

#[actix_web::test]
async fn names_are_tried_as_often_as_passwords_from_one_address() {
    let service = Hostile::start();
    let world = with_service(&service)
        .server(|server| server.throttle.per_address_per_minute = 3)
        .start();
    service.claim("pending", |_| {});
    let mut statuses = Vec::new();
    for name in ["ada", "one", "two", "three", "four"] {
        let (_, page) = begun(&world, name).await;
        statuses.push(page.status);
        if page.status == 429 {
            assert!(page.text().contains("Troppi tentativi"), "{}", page.text());
            assert!(!page.header("retry-after").is_empty());
        }
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    let count = service.count();
    // They are counted together.
    let answer = world.enter(&mut world.browser(), "spid", ADA).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    let mut elsewhere = world.browser();
    elsewhere
        .headers
        .push(("x-forwarded-for", "198.51.100.7".to_owned()));
    let answer = world.enter(&mut elsewhere, "spid", ADA).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(service.count(), count);
}

#[actix_web::test]
async fn alone_it_reaches_no_level_that_the_configuration_does_not_say() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("approved", |_| {});
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking(LEVELS[1]));
    let (mut browser, page) = world.accepted(&prepared).await;
    assert!(page.links("with=external").is_empty(), "{}", page.body);
    let url = format!("{}&with=external", page.url);
    let login = browser.get(&url).await;
    assert!(login.body.contains("name=\"password\""), "{}", login.body);
    let mut form = login
        .form("/login")
        .with("username", "ada")
        .with("begin", "1");
    form.fields.retain(|(name, _)| name != "password");
    form.action.push_str("&with=external");
    let refused = browser.submit(&login, &form).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(service.count(), 0);
    // Nor does a session of it.
    let (mut browser, page) = begun(&world, "ada").await;
    let consent = reload(&world, &mut browser, &page).await;
    assert!(
        is_consent(&consent) || is_consent(&page),
        "{}",
        consent.body
    );
    let mut options = asking(LEVELS[1]);
    options.prompt = "consent".to_owned();
    let prepared = world.request(&issuer, &options);
    let page = world.authorize(&mut browser, &prepared).await;
    assert!(page.body.contains("name=\"password\""), "{}", page.body);
    // What it states above its levels proves nothing.
    service.claim("approved", |claims| claims["acr"] = json!(LEVELS[2]));
    let (mut browser, page) = begun(&world, "ada").await;
    world.clock.advance_seconds(2);
    let page = reload(&world, &mut browser, &page).await;
    assert!(is_waiting(&page), "{}", page.body);
    assert!(page.text().contains("non risponde"), "{}", page.text());
}

#[actix_web::test]
async fn another_name_may_be_typed_instead_and_the_first_approval_is_gone() {
    let service = Hostile::start();
    let world = with_service(&service).start();
    service.claim("pending", |_| {});
    let (mut browser, waiting) = begun(&world, "ada").await;
    let form = waiting.form("/login").with("restart", "1");
    let answer = browser.submit(&waiting, &form).await;
    let page = browser.follow(answer, &format!("{}/", world.base)).await;
    assert!(page.body.contains("name=\"username\""), "{}", page.body);
    service.claim("approved", |_| {});
    let consent = type_name(&world, &mut browser, &page, "chiara").await;
    assert!(is_consent(&consent), "{}", consent.body);
    assert!(consent.text().contains("Chiara"), "{}", consent.text());
    // The form needs its token.
    let (mut browser, page) = name_page(&world).await;
    let mut form = page
        .form("/login")
        .with("username", "ada")
        .with("begin", "1");
    form.fields.retain(|(name, _)| name != "csrf_token");
    assert_eq!(browser.submit(&page, &form).await.status, 400);
}
