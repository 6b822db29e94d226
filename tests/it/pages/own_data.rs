//! `/account`: consents, language, all data, all sessions; and forms whose session has ended.

use crate::harness::{ADA, Answer, Browser, World};
use varco::config::Enrolment;
use varco::demo::LoginOptions;

const ACCOUNT: &str = "/spid/account";

async fn open(world: &World) -> Browser {
    let mut browser = world.browser();
    world.enter(&mut browser, "spid", ADA).await;
    browser
}

/// The form of a page that posts to this path.
fn form_to(page: &Answer, path: &str) -> crate::harness::Form {
    page.forms()
        .into_iter()
        .find(|form| form.action.split('?').next().unwrap().ends_with(path))
        .unwrap_or_else(|| panic!("no form to {path}: {}", page.body))
}

async fn send(browser: &mut Browser, page: &Answer, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = form_to(page, path);
    for (name, value) in fields {
        form = form.with(name, value);
    }
    browser.submit(page, &form).await
}

/// SPID/CIE AZ-10: what was allowed can be withdrawn at any time.
#[actix_web::test]
async fn consents_are_listed_by_service_and_withdrawn_with_all_that_came_of_them() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let issuer = world.issuer("spid").await;
        let mut browser = open(&world).await;
        let consents = world.url(&format!("{ACCOUNT}/consents"));
        let none = browser.get(&consents).await;
        assert!(
            none.text().contains("Nessun servizio può usare"),
            "{}",
            none.text()
        );
        let options = LoginOptions::default().with_offline_access();
        let tokens = world
            .tokens_of(&mut browser, world.rp(), &issuer, &options)
            .await;
        let other = world.further_rp("rp-other", |rp| rp);
        world
            .tokens_of(&mut browser, &other, &issuer, &LoginOptions::default())
            .await;
        let page = browser.get(&consents).await;
        for part in [
            world.rp().entity_id(),
            other.entity_id(),
            "anche quando non è collegato",
            "15 gennaio 2027",
        ] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        let withdraw = page
            .forms()
            .into_iter()
            .find(|form| {
                form.fields
                    .iter()
                    .any(|(_, value)| value == world.rp().entity_id())
            })
            .unwrap();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&withdraw.fields)
            .finish();
        let confirm = browser
            .get(&world.url(&format!("/spid/history/revoke?{query}")))
            .await;
        let done = send(&mut browser, &confirm, "/history/revoke", &[]).await;
        let page = browser.follow(done, &world.base).await;
        assert_eq!(page.url.path(), format!("{ACCOUNT}/consents"));
        assert!(
            page.text().contains("Il consenso è stato revocato"),
            "{}",
            page.text()
        );
        assert!(
            !page
                .text()
                .contains(&format!("{} ", world.rp().entity_id()))
        );
        assert!(page.text().contains(other.entity_id()));
        let refused = world
            .refresh(world.rp(), &issuer, &tokens.refresh_token.unwrap())
            .await;
        assert_eq!(refused.error(), "invalid_grant");
        assert!(
            !world
                .is_active(world.rp(), &issuer, &tokens.access_token)
                .await
        );
        // Sixteen minutes later nothing is left of what was given for one login.
        world.clock.advance_seconds(960);
        let page = browser.get(&consents).await;
        assert!(
            page.text().contains("Nessun servizio può usare"),
            "{}",
            page.text()
        );
        // At another issuer it was nobody's consent.
        world.enter(&mut browser, "cie", ADA).await;
        let elsewhere = browser.get(&world.url("/cie/account/consents")).await;
        assert!(elsewhere.text().contains("Nessun servizio può usare"));
    }
}

#[actix_web::test]
async fn the_language_is_kept_for_the_person_and_used_at_once() {
    let world = World::start();
    let mut browser = open(&world).await;
    let page = browser.get(&world.url(ACCOUNT)).await;
    assert!(
        page.text().contains("ada.rossi@example.it"),
        "{}",
        page.text()
    );
    let done = send(
        &mut browser,
        &page,
        "/account/language",
        &[("language", "de")],
    )
    .await;
    let page = browser.follow(done, &world.base).await;
    assert!(
        page.text().contains("Die Sprache wurde gespeichert"),
        "{}",
        page.text()
    );
    assert!(
        page.body
            .contains("<option value=\"de\" lang=\"de\" selected>")
    );
    let mut elsewhere = world.browser();
    let page = world.enter(&mut elsewhere, "cie", ADA).await;
    assert!(page.body.contains("<html lang=\"de\""), "{}", page.body);
    // Somebody else's form, and a language that there is not.
    let page = browser.get(&world.url(ACCOUNT)).await;
    let odd = send(
        &mut browser,
        &page,
        "/account/language",
        &[("language", "tlh")],
    )
    .await;
    assert_eq!(odd.status, 400);
    let mut forged = form_to(&page, "/account/language").with("language", "en");
    forged.fields.retain(|(name, _)| name != "csrf_token");
    let refused = browser.submit(&page, &forged).await;
    assert_eq!(refused.status, 400);
}

#[actix_web::test]
async fn all_data_are_downloaded_with_a_fresh_proof_and_hold_no_secret() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let issuer = world.issuer("spid").await;
        let mut browser = open(&world).await;
        let options = LoginOptions::default().with_offline_access();
        world
            .tokens_of(&mut browser, world.rp(), &issuer, &options)
            .await;
        world.give_app("ada");
        world.clock.advance_seconds(1);
        let page = browser.get(&world.url(&format!("{ACCOUNT}/data"))).await;
        for (password, code, status) in [
            ("", "", 422),
            ("wrong", "000000", 422),
            ("ada-demo", "000000", 422),
        ] {
            let fields = [("password", password), ("otp", code)];
            let refused = send(&mut browser, &page, "/account/data", &fields).await;
            assert_eq!(refused.status, status);
            assert!(!refused.body.contains("RSSDAA85T50H501C"));
        }
        let code = world.code_now();
        let fields = [("password", "ada-demo"), ("otp", code.as_str())];
        let file = send(&mut browser, &page, "/account/data", &fields).await;
        assert_eq!(file.status, 200, "{}", file.body);
        assert!(file.header("content-disposition").contains("account.json"));
        assert!(file.header("cache-control").contains("no-store"));
        let data = file.json();
        assert_eq!(
            data["attributes"]["fiscal_number"],
            "TINIT-RSSDAA85T50H501C"
        );
        assert_eq!(data["second_factors"][0]["method"], "totp");
        assert_eq!(data["sessions"][0]["issuer"], world.url("/spid/"));
        assert_eq!(data["consents"][0]["entity_id"], world.rp().entity_id());
        assert_eq!(data["consents"][0]["offline_access"], true);
        assert_eq!(data["accesses"][0]["issuer"], world.url("/spid/"));
        assert_eq!(data["mails"][0]["kind"], "new_device");
        assert_eq!(data["mails"][0]["to"], "ada.rossi@example.it");
        for secret in ["argon2", "GEZDGNBVGY3TQOJQ", "sealed", "password_hash"] {
            assert!(!file.body.contains(secret), "{secret}");
        }
        // The code that proved it counts for nothing more.
        let again = send(&mut browser, &page, "/account/data", &fields).await;
        assert_eq!(again.status, 422);
    }
}

/// Tables that hold something of a person, and where the download has it.
const IN_THE_DOWNLOAD: [(&str, &str); 8] = [
    ("account", "account"),
    ("authenticator", "second_factors"),
    ("recovery_code", "recovery_codes_left"),
    ("session", "sessions"),
    ("known_device", "known_browsers"),
    ("access_grant", "consents"),
    ("login_event", "accesses"),
    ("mail_message", "mails"),
];
/// What is under way in a login, and gone within the hour.
const NOT_IN_IT: [&str; 2] = ["external_login", "email_code"];

/// Whoever adds a table about people has to say here where people see it.
#[actix_web::test]
async fn the_download_holds_every_table_about_a_person() {
    let schema = include_str!("../../../src/store/schema.rs");
    let about_people: Vec<&str> = schema
        .split("diesel::table! {")
        .skip(1)
        .filter(|table| table.contains("account_id ->") || table.trim().starts_with("account ("))
        .map(|table| table.trim().split(' ').next().unwrap())
        .collect();
    assert_eq!(about_people.len(), 10, "{about_people:?}");
    for table in &about_people {
        let told = IN_THE_DOWNLOAD.iter().any(|(name, _)| name == table);
        assert!(told != NOT_IN_IT.contains(table), "{table}");
    }
    let world = World::with_keys().start();
    let mut key = world.key();
    let mut owner = world.browser();
    crate::flows::security_key::register(&world, &mut owner, &mut key).await;
    world.give_app("ada");
    let mut browser = open(&world).await;
    let page = browser.get(&world.url(&format!("{ACCOUNT}/data"))).await;
    let code = world.code_now();
    let fields = [("password", "ada-demo"), ("otp", code.as_str())];
    let file = send(&mut browser, &page, "/account/data", &fields).await;
    let data = file.json();
    for (table, member) in IN_THE_DOWNLOAD {
        assert!(data.get(member).is_some(), "{table}: {member}");
    }
    let factors = data["second_factors"].as_array().unwrap();
    let found = factors.iter().find(|one| one["method"] == "security_key");
    let found = found.unwrap_or_else(|| panic!("{factors:?}"));
    assert_eq!(found["name"], "chiave blu");
    assert!(found["created_at"].is_string() && found.get("last_used_at").is_some());
    let credential = data_encoding::BASE64URL_NOPAD.encode(&key.id);
    for secret in [credential.as_str(), "public_key", "credential_id"] {
        assert!(!file.body.contains(secret), "{secret}");
    }
    assert!(!data["known_browsers"].as_array().unwrap().is_empty());
    assert_eq!(data["recovery_codes_left"], 10);
}

#[actix_web::test]
async fn all_sessions_are_ended_at_once_this_one_too() {
    let world = World::start();
    let mut other = open(&world).await;
    let mut browser = open(&world).await;
    let page = browser.get(&world.url(ACCOUNT)).await;
    let out = send(&mut browser, &page, "/account/sessions", &[("all", "1")]).await;
    assert_eq!(out.status, 200, "{}", out.body);
    for one in [&mut browser, &mut other] {
        let stranger = one.get(&world.url(ACCOUNT)).await;
        assert_eq!(stranger.status, 303);
        assert!(stranger.location().unwrap().contains("/login?to=account"));
    }
}

fn with_apps() -> World {
    World::builder()
        .issuers(|issuer| issuer.enrolment = Enrolment::Password)
        .start()
}

/// Types a name into the form of a new app and sends it when the session is over; the login page.
async fn send_too_late(world: &World, browser: &mut Browser) -> Answer {
    let page = browser
        .get(&world.url(&format!("{ACCOUNT}/factor/add")))
        .await;
    world.clock.advance_seconds(1_801);
    let fields = [
        ("name", "telefono di Ada"),
        ("password", "ada-demo"),
        ("otp", "123456"),
    ];
    let answer = send(browser, &page, "/factor/add", &fields).await;
    assert_eq!(answer.status, 303);
    browser.follow(answer, &world.base).await
}

#[actix_web::test]
async fn a_form_of_an_ended_session_is_back_after_the_login_without_its_secrets() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| issuer.enrolment = Enrolment::Password)
            .start();
        let mut browser = open(&world).await;
        let login = send_too_late(&world, &mut browser).await;
        let page = world.type_password(&mut browser, &login, ADA).await;
        assert_eq!(
            page.url.path(),
            format!("{ACCOUNT}/factor/add"),
            "{}",
            page.body
        );
        assert!(
            page.body.contains("value=\"telefono di Ada\""),
            "{}",
            page.body
        );
        assert!(page.text().contains("La sessione era scaduta"));
        assert!(!page.body.contains("123456") && !page.body.contains("ada-demo"));
        // Once: the next visit begins with an empty form.
        let again = browser
            .get(&world.url(&format!("{ACCOUNT}/factor/add")))
            .await;
        assert!(!again.body.contains("telefono di Ada"));
    }
}

#[actix_web::test]
async fn a_draft_is_given_to_nobody_else_and_to_no_other_browser() {
    let world = with_apps();
    let mut browser = open(&world).await;
    let login = send_too_late(&world, &mut browser).await;
    let bruno = ("bruno", "bruno-demo");
    let page = world.type_password(&mut browser, &login, bruno).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("telefono di Ada"), "{}", page.body);
    let mut other = open(&world).await;
    let page = other
        .get(&world.url(&format!("{ACCOUNT}/factor/add")))
        .await;
    assert!(!page.body.contains("telefono di Ada"));
}

#[actix_web::test]
async fn a_foreign_page_a_finished_session_and_a_late_return_keep_no_draft() {
    let world = with_apps();
    // Without the form's token nothing is kept.
    let mut browser = open(&world).await;
    let page = browser
        .get(&world.url(&format!("{ACCOUNT}/factor/add")))
        .await;
    world.clock.advance_seconds(1_801);
    let mut forged = form_to(&page, "/factor/add").with("name", "planted");
    forged.fields.retain(|(name, _)| name != "csrf_token");
    browser.submit(&page, &forged).await;
    assert!(browser.cookies.keys().all(|name| !name.contains("draft")));
    // Whoever logged out did so on purpose.
    let mut browser = open(&world).await;
    let page = browser
        .get(&world.url(&format!("{ACCOUNT}/factor/add")))
        .await;
    let mut same = world.browser();
    same.cookies.clone_from(&browser.cookies);
    let account = browser.get(&world.url(ACCOUNT)).await;
    send(&mut browser, &account, "/logout", &[]).await;
    send(&mut same, &page, "/factor/add", &[("name", "late")]).await;
    assert!(same.cookies.keys().all(|name| !name.contains("draft")));
    // After half an hour it is gone.
    let mut browser = open(&world).await;
    let login = send_too_late(&world, &mut browser).await;
    world.clock.advance_seconds(1_801);
    let page = world.type_password(&mut browser, &login, ADA).await;
    assert_eq!(page.url.path(), format!("{ACCOUNT}/factor/add"));
    assert!(!page.body.contains("telefono di Ada"));
}
