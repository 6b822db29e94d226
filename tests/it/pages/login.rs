//! The login page.

use crate::harness::{Answer, Browser, World};
use varco::demo::LoginOptions;
use varco::store::account;

const SESSION: &str = "varco-spid";

async fn disable(world: &World, username: &'static str) {
    let now = world.app.shared.clock.now();
    world
        .app
        .shared
        .store
        .write(move |tx| {
            let found = account::find_by_username(tx, username)?.unwrap();
            account::set_enabled(tx, &found.id, false, now)
        })
        .await
        .unwrap();
}

/// The page without what differs between any two: reference, form token, name typed.
fn without_references(page: &Answer, username: &str) -> String {
    let token = page.form("/login").fields;
    let token = &token.iter().find(|(name, _)| name == "csrf_token").unwrap();
    page.body
        .replace(page.header("x-request-id"), "")
        .replace(&token.1, "")
        .replace(&format!("value=\"{username}\""), "")
}

#[actix_web::test]
async fn a_wrong_password_an_unknown_name_and_a_disabled_account_get_the_same_answer() {
    let world = World::start();
    disable(&world, "bruno").await;
    let mut seen = Vec::new();
    for (username, password) in [
        ("ada", "bruno-demo"),
        ("nobody", "nobody-demo"),
        ("bruno", "bruno-demo"),
        ("ADA", "ada-demo"),
        ("ada'--", "ada-demo"),
    ] {
        let mut browser = world.browser();
        let page = world
            .enter(&mut browser, "spid", (username, password))
            .await;
        assert_eq!(page.status, 422, "{username}");
        assert!(
            page.text()
                .contains("Il nome utente o la password non sono corretti")
        );
        assert!(!browser.cookies.contains_key(SESSION), "{username}");
        let escaped = username.replace('\'', "&#39;").replace("&#39;", "&#x27;");
        assert!(!page.body.contains(password), "no password on the page");
        seen.push(without_references(&page, username).replace(&format!("value=\"{escaped}\""), ""));
    }
    for other in &seen[1..4] {
        assert_eq!(*other, seen[0]);
    }
}

#[actix_web::test]
async fn missing_fields_are_named_and_tied_to_their_fields() {
    let world = World::start();
    for (username, password, said) in [
        ("", "x", &["Inserisca il nome utente."][..]),
        ("ada", "", &["Inserisca la password."][..]),
        (
            "  ",
            "",
            &["Inserisca il nome utente.", "Inserisca la password."][..],
        ),
    ] {
        let mut browser = world.browser();
        let page = world
            .enter(&mut browser, "spid", (username, password))
            .await;
        assert_eq!(page.status, 422);
        for words in ["Inserisca il nome utente.", "Inserisca la password."] {
            assert_eq!(
                page.text().contains(words),
                said.contains(&words),
                "{words}"
            );
        }
        for (field, words) in [
            ("username", "Inserisca il nome utente."),
            ("password", "Inserisca la password."),
        ] {
            let tied = format!("aria-invalid=\"true\" aria-describedby=\"{field}-error\"");
            assert_eq!(page.body.contains(&tied), said.contains(&words), "{field}");
        }
        assert!(!browser.cookies.contains_key(SESSION));
    }
    // A form without the fields at all, and a name that no registry has.
    let mut browser = world.browser();
    let page = browser.get(&world.url("/spid/login")).await;
    let bare = browser.submit(&page, &page.form("/login")).await;
    assert_eq!(bare.status, 422);
    let endless = "x".repeat(5000);
    let page = world.enter(&mut browser, "spid", (&endless, "x")).await;
    assert_eq!(page.status, 422);
    assert!(!page.body.contains(&endless));
}

#[actix_web::test]
async fn a_login_without_an_rp_leads_to_the_history_and_so_does_the_login_page_afterwards() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        for profile in ["spid", "cie", "oidc"] {
            let mut browser = world.browser();
            let stranger = world.history(&mut browser, profile).await;
            assert_eq!(stranger.status, 303);
            assert!(
                stranger
                    .location()
                    .unwrap()
                    .ends_with(&format!("/{profile}/login"))
            );
            let page = world
                .enter(&mut browser, profile, ("ada", "ada-demo"))
                .await;
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(page.url.path().ends_with(&format!("/{profile}/history")));
            assert!(page.text().contains("Ada Rossi"), "{}", page.text());
            let again = browser.get(&world.url(&format!("/{profile}/login"))).await;
            assert_eq!(again.status, 303);
            assert!(again.location().unwrap().ends_with("/history"));
        }
    }
}

#[actix_web::test]
async fn a_login_form_counts_only_in_the_browser_that_got_it() {
    let world = World::start();
    let mut hers = world.browser();
    let page = hers.get(&world.url("/spid/login")).await;
    let form = page
        .form("/login")
        .with("username", "ada")
        .with("password", "ada-demo");
    for mut thief in [Browser::new(), {
        let mut other = world.browser();
        other.get(&world.url("/spid/login")).await;
        other
    }] {
        let answer = thief.submit(&page, &form).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.text().contains("Il modulo inviato non è più valido"));
        assert!(!thief.cookies.contains_key(SESSION));
    }
    let bare = vec![
        ("username".to_owned(), "ada".to_owned()),
        ("password".to_owned(), "ada-demo".to_owned()),
    ];
    let answer = hers.post(&world.url("/spid/login"), &bare).await;
    assert_eq!(answer.status, 400);
    // The page of one issuer is no page of another.
    let elsewhere = hers.post(&world.url("/cie/login"), &form.fields).await;
    assert_eq!(elsewhere.status, 400);
    let answer = hers.submit(&page, &form).await;
    assert_eq!(answer.status, 303);
}

/// An RP's login belongs to the browser that it started in.
#[actix_web::test]
async fn the_login_of_an_rp_is_not_to_be_continued_in_another_browser() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &LoginOptions::default())
        .unwrap();
    let mut browser = world.browser();
    let page = world.authorize(&mut browser, &prepared).await;
    let mut other = world.browser();
    let refused = other.get(page.url.as_str()).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .text()
            .contains("Il browser non ha conservato i dati dell’accesso")
    );
    let form = page
        .form("/login")
        .with("username", "ada")
        .with("password", "ada-demo");
    assert_eq!(other.submit(&page, &form).await.status, 400);
    let unknown = browser
        .get(&world.url("/spid/login?interaction=no-such-thing"))
        .await;
    assert_eq!(unknown.status, 400);
    let consent = world
        .type_password(&mut browser, &page, ("ada", "ada-demo"))
        .await;
    assert!(consent.body.contains("name=\"decision\""));
}

#[actix_web::test]
async fn two_tabs_do_not_break_each_other_and_a_slow_typist_is_not_thrown_out() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let rp = world.rp();
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let prepared = rp
            .authorization_request(&issuer.metadata, &LoginOptions::default())
            .unwrap();
        let page = world.authorize(&mut browser, &prepared).await;
        tabs.push((prepared, page));
    }
    world.clock.advance_seconds(600);
    for (prepared, page) in tabs {
        let consent = world
            .type_password(&mut browser, &page, ("ada", "ada-demo"))
            .await;
        let answer = world.allow(&mut browser, &consent).await;
        assert_eq!(answer.redirected("state"), Some(prepared.state));
        assert!(answer.redirected("code").is_some());
        // "Back", and the button again.
        let again = world.allow(&mut browser, &consent).await;
        assert_eq!(again.status, 400);
        assert!(again.text().contains("Questo accesso è già concluso"));
    }
}
