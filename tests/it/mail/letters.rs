//! What people are told by e-mail, and when.

use crate::harness::{ADA, Answer, Browser, START, World};
use varco::clock::Clock as _;
use varco::config::{Enrolment, MailDelivery, MailSettings};
use varco::demo::relying_party::TokenAnswer;
use varco::mail::{self, MailText};
use varco::provider::tell_of_ending_consents;
use varco::store::{StoreError, account, mail_message};

/// The mails about a person, oldest first: which letter, and what it says.
fn mails(world: &World, username: &str) -> Vec<(String, MailText)> {
    let id = world.account(username).id;
    let key = &world.app.shared.key_encryption_key;
    let found = world
        .app
        .shared
        .store
        .read_blocking(|conn| mail_message::search_of(conn, &id, None, 100))
        .unwrap();
    let mut all: Vec<_> = found
        .iter()
        .map(|mail| (mail.kind.clone(), mail::open(key, mail).unwrap()))
        .collect();
    all.reverse();
    all
}

fn kinds(world: &World, username: &str) -> Vec<String> {
    mails(world, username)
        .into_iter()
        .map(|mail| mail.0)
        .collect()
}

/// Sends the form of a change of the account, and follows where it leads.
async fn change(
    world: &World,
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let page = browser
        .get(&world.url(&format!("/spid/account{path}")))
        .await;
    let mut form = page
        .forms()
        .into_iter()
        .find(|form| form.action.contains("/account/"))
        .unwrap();
    for (name, value) in fields {
        form = form.with(name, value);
    }
    let answer = browser.submit(&page, &form).await;
    browser.follow(answer, &world.base).await
}

#[actix_web::test]
async fn a_login_with_a_new_browser_is_told_once_and_one_with_a_known_browser_is_not() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let mut browser = world.browser();
        browser.headers.push((
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".to_owned(),
        ));
        world.enter(&mut browser, "spid", ADA).await;
        let (kind, mail) = mails(&world, "ada").remove(0);
        assert_eq!(kind, "new_device");
        assert_eq!(mail.to, "ada.rossi@example.it");
        for part in [
            "15 gennaio 2026, ore 10:00",
            "Firefox 140, Linux",
            "127.0.0.1",
        ] {
            assert!(mail.body.contains(part), "{part}: {}", mail.body);
        }
        assert!(
            mail.body.contains(&world.url("/spid/account")),
            "{}",
            mail.body
        );
        // The same browser again, also at another issuer.
        let device = browser.cookies["varco-device"].clone();
        browser.cookies.retain(|name, _| name == "varco-device");
        world.clock.advance_seconds(2 * 86_400);
        world.enter(&mut browser, "spid", ADA).await;
        world.enter(&mut browser, "cie", ADA).await;
        assert_eq!(kinds(&world, "ada"), ["new_device"]);
        // Another person in it has not been seen here before.
        browser.cookies.retain(|name, _| name == "varco-device");
        world
            .enter(&mut browser, "spid", ("bruno", "bruno-demo"))
            .await;
        assert_eq!(kinds(&world, "bruno"), ["new_device"]);
        assert_eq!(browser.cookies["varco-device"], device);
        // A browser that keeps no cookies is told of once a day.
        for _ in 0..3 {
            world.enter(&mut world.browser(), "spid", ADA).await;
        }
        assert_eq!(kinds(&world, "ada").len(), 2);
        world.clock.advance_seconds(86_400);
        world.enter(&mut world.browser(), "spid", ADA).await;
        assert_eq!(kinds(&world, "ada").len(), 3);
    }
}

#[actix_web::test]
async fn a_wrong_password_is_told_to_nobody() {
    let world = World::start();
    world
        .enter(&mut world.browser(), "spid", ("ada", "wrong"))
        .await;
    assert!(kinds(&world, "ada").is_empty());
}

#[actix_web::test]
async fn every_change_of_what_protects_the_account_is_told_with_what_was_called_how() {
    let world = World::builder()
        .issuers(|issuer| issuer.enrolment = Enrolment::Password)
        .start();
    let mut browser = world.browser();
    world.enter(&mut browser, "spid", ADA).await;
    // Mails are listed by age.
    world.clock.advance_seconds(1);
    let fields = [("name", "telefono"), ("password", "ada-demo")];
    let page = change(&world, &mut browser, "/factor/add", &fields).await;
    let code = world.code_of_page(&page);
    let wrong = page.form("/factor/new").with("otp", "000000");
    browser.submit(&page, &wrong).await;
    assert_eq!(
        kinds(&world, "ada"),
        ["new_device"],
        "it counts for nothing yet"
    );
    let form = page.form("/factor/new").with("otp", &code);
    browser.submit(&page, &form).await;
    let (kind, added) = mails(&world, "ada").remove(1);
    assert_eq!(kind, "factor_added");
    assert!(added.body.contains("Nome: telefono"), "{}", added.body);
    let proof = |world: &World| {
        world.clock.advance_seconds(30);
        world.code_of_page(&page)
    };
    let code = proof(&world);
    change(
        &world,
        &mut browser,
        "/recovery",
        &[("password", "ada-demo"), ("otp", &code)],
    )
    .await;
    let code = proof(&world);
    let fields = [
        ("password", "ada-demo"),
        ("otp", code.as_str()),
        ("new_password", "a longer one"),
        ("new_password_again", "a longer one"),
    ];
    change(&world, &mut browser, "/password", &fields).await;
    let account = browser.get(&world.url("/spid/account")).await;
    let remove = account
        .body
        .split("/spid/account/factor/remove?id=")
        .nth(1)
        .unwrap();
    let id = remove.split('"').next().unwrap();
    let code = proof(&world);
    let fields = [("password", "a longer one"), ("otp", code.as_str())];
    change(
        &world,
        &mut browser,
        &format!("/factor/remove?id={id}"),
        &fields,
    )
    .await;
    assert_eq!(
        kinds(&world, "ada"),
        [
            "new_device",
            "factor_added",
            "recovery_renewed",
            "password_changed",
            "factor_removed"
        ]
    );
}

/// SPID/CIE AZ-10: notices say how access that outlives the session is withdrawn.
#[actix_web::test]
async fn the_use_of_offline_access_is_told_once_a_day_for_each_rp() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.issuers(|issuer| issuer.max_refresh = 0).start();
        let issuer = world.issuer("cie").await;
        let mut tokens = world.offline_login(world.rp(), &issuer).await.answer;
        // So that half a day later is another day.
        world.clock.advance_seconds(10 * 3_600);
        let told = |world: &World| {
            let all = mails(world, "ada").into_iter();
            let mut of_kind: Vec<_> = all.filter(|mail| mail.0 == "offline_access_used").collect();
            of_kind.pop().map(|last| (of_kind.len() + 1, last.1))
        };
        assert_eq!(told(&world), None);
        for expected in [1, 1, 2] {
            let spent = tokens.refresh_token.unwrap();
            let answer = world.refresh(world.rp(), &issuer, &spent).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            tokens = TokenAnswer::parse(answer.body.as_bytes()).unwrap();
            let (count, mail) = told(&world).unwrap();
            assert_eq!(count, expected);
            assert!(mail.body.contains("«"), "the RP's name: {}", mail.body);
            assert!(
                mail.body.contains(&world.url("/cie/account")),
                "SPID/CIE AZ-10"
            );
            world.clock.advance_seconds(3 * 3_600);
        }
    }
}

#[actix_web::test]
async fn the_end_of_a_consent_is_told_two_weeks_before_and_once() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| issuer.lifetimes.consent = 20 * 86_400)
            .start();
        let issuer = world.issuer("cie").await;
        world.offline_login(world.rp(), &issuer).await;
        let shared = &world.app.shared;
        let tell = || tell_of_ending_consents(shared, &world.app.providers);
        assert_eq!(tell().await.unwrap(), 0);
        world.clock.advance_seconds(11 * 86_400);
        let (one, other) = tokio::join!(tell(), tell());
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        let (kind, mail) = mails(&world, "ada").pop().unwrap();
        assert_eq!(kind, "consent_expiring");
        assert!(
            mail.body.contains("4 febbraio 2026, ore 10:00"),
            "{}",
            mail.body
        );
        assert_eq!(world.clock.now(), START.plus_seconds(11 * 86_400));
    }
}

#[actix_web::test]
async fn letters_are_in_the_language_of_the_login_until_the_person_chooses_one() {
    let world = World::start();
    let mut browser = world.browser();
    browser.headers.push(("accept-language", "de".to_owned()));
    world.enter(&mut browser, "spid", ADA).await;
    assert!(mails(&world, "ada")[0].1.body.starts_with("Guten Tag"));
    let id = world.account("ada").id;
    let chosen: Result<bool, StoreError> = world
        .app
        .shared
        .store
        .write_blocking(move |tx| account::set_language(tx, &id, "en"));
    assert!(chosen.unwrap());
    world.clock.advance_seconds(1);
    let mut browser = world.browser();
    browser.headers.push(("accept-language", "de".to_owned()));
    browser.headers.push(("user-agent", "another".to_owned()));
    let page = world.enter(&mut browser, "spid", ADA).await;
    assert!(mails(&world, "ada")[1].1.body.starts_with("Hello"));
    assert!(page.body.contains("<html lang=\"en\""), "the pages follow");
    // What is chosen on the page counts in this browser.
    browser.cookies.clear();
    let page = browser.get(&world.url("/spid/login?lang=it")).await;
    let page = world.type_password(&mut browser, &page, ADA).await;
    assert!(page.body.contains("<html lang=\"it\""), "{}", page.body);
}

#[actix_web::test]
async fn nobody_writes_to_whoever_has_no_address_of_their_own() {
    let world = World::start();
    // dario's address is known not to be verified.
    world
        .enter(&mut world.browser(), "spid", ("dario", "dario-demo"))
        .await;
    assert!(kinds(&world, "dario").is_empty());
}

#[actix_web::test]
async fn without_mail_settings_nothing_is_queued() {
    let world = World::builder().server(|server| server.mail = None).start();
    world.enter(&mut world.browser(), "spid", ADA).await;
    assert!(kinds(&world, "ada").is_empty());
}

#[actix_web::test]
async fn the_mailbox_shows_mails_and_does_not_exist_where_there_is_a_mail_server() {
    let world = World::start();
    world.enter(&mut world.browser(), "spid", ADA).await;
    let page = world.browser().get(&world.url("/mailbox/")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Nuovo accesso"), "{}", page.text());
    assert!(page.body.contains("ada.rossi@example.it"));
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(page.header("cache-control").contains("no-store"));
    let english = world.browser().get(&world.url("/mailbox/?lang=en")).await;
    assert!(english.text().contains("Development mailbox"));
    let real = MailSettings {
        delivery: MailDelivery::Smtp(varco::config::SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port: 1,
            security: varco::config::SmtpSecurity::None,
            credentials: None,
            ca_pem: None,
        }),
        ..MailSettings::development()
    };
    let with_server = World::builder()
        .server(|server| server.mail = Some(real))
        .start();
    let none = with_server
        .browser()
        .get(&with_server.url("/mailbox/"))
        .await;
    assert_eq!(none.status, 404, "{}", none.body);
}

/// The other half, by commands, is told in `cli::tests::people`.
#[actix_web::test]
async fn what_an_operator_changes_about_factors_is_told_once_and_nothing_else_is() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        world.give_app("ada");
        let mut olga = world.desk().await;
        let id = world.account("ada").id;
        for (change, password) in [
            ("password", "x".repeat(1025).as_str()),
            ("password", "another secret"),
            ("disable", ""),
            ("enable", ""),
            ("end_sessions", ""),
            ("unlock", ""),
            ("reset_factors", ""),
            ("no_password", ""),
        ] {
            world.clock.advance_seconds(1);
            let page = olga
                .get(&world.url(&format!("/admin/users/one?id={id}")))
                .await;
            let mut form = page.form("/admin/users/change");
            form.fields
                .retain(|(name, _)| name == "csrf_token" || name == "id");
            let form = form.with("change", change).with("password", password);
            let done = olga.submit(&page, &form).await;
            let expected = if password.len() > 1024 { 422 } else { 303 };
            assert_eq!(done.status, expected, "{change}: {}", done.text());
        }
        assert_eq!(
            kinds(&world, "ada"),
            ["password_changed", "factors_reset", "password_changed"]
        );
        for (_, text) in mails(&world, "ada") {
            assert!(text.body.contains("/spid/account"), "{}", text.body);
            assert!(!text.body.contains("another secret"), "{}", text.body);
        }
    }
}
