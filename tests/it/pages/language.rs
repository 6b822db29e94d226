//! The language: chosen on the page, then `ui_locales`, then the cookie, then `Accept-Language`.

use crate::harness::World;
use varco::demo::LoginOptions;

#[actix_web::test]
async fn the_language_goes_by_page_then_rp_then_cookie_then_browser_from_login_to_refusal() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    for (chosen, ui_locales, cookie, browsers, expected) in [
        (None, None, None, None, "it"),
        (None, None, None, Some("en-GB,en;q=0.9"), "en"),
        (None, None, Some("de"), Some("en"), "de"),
        (None, Some("fr en"), Some("de"), Some("it"), "en"),
        (Some("de"), Some("en"), Some("it"), Some("it"), "de"),
        (Some("xx"), Some("xx"), Some("xx"), Some("xx, de"), "de"),
    ] {
        let case = format!("{chosen:?} {ui_locales:?} {cookie:?} {browsers:?}");
        let mut browser = world.browser();
        if let Some(language) = cookie {
            browser.cookies.insert("varco-lang".into(), language.into());
        }
        if let Some(languages) = browsers {
            browser.headers.push(("accept-language", languages.into()));
        }
        let options = LoginOptions {
            ui_locales: ui_locales.map(str::to_owned),
            ..LoginOptions::default()
        };
        let prepared = world
            .rp()
            .authorization_request(&issuer.metadata, &options)
            .unwrap();
        let mut page = world.authorize(&mut browser, &prepared).await;
        if let Some(language) = chosen {
            page = browser.get(&format!("{}&lang={language}", page.url)).await;
        }
        assert_eq!(page.language(), expected, "login: {case}");
        let wrong = world
            .type_password(&mut browser, &page, ("ada", "wrong"))
            .await;
        assert_eq!(wrong.language(), expected, "login again: {case}");
        let consent = world
            .type_password(&mut browser, &page, ("ada", "ada-demo"))
            .await;
        assert_eq!(consent.language(), expected, "consent: {case}");
        let form = consent.form("/consent");
        let nothing = browser.submit(&consent, &form).await;
        assert_eq!(
            (nothing.status, nothing.language().as_str()),
            (400, expected),
            "{case}"
        );
        world.allow(&mut browser, &consent).await;
        let answered = browser.get(consent.url.as_str()).await;
        assert_eq!(answered.status, 400);
        assert_eq!(answered.language(), expected, "answered: {case}");
    }
}

#[actix_web::test]
async fn a_choice_on_the_page_is_kept_for_a_year_and_every_language_is_offered() {
    let world = World::start();
    let mut browser = world.browser();
    let page = browser.get(&world.url("/cie/login")).await;
    assert_eq!(page.language(), "it");
    assert!(page.set_cookies("varco-lang").is_empty(), "nobody chose");
    for language in ["it", "en", "de"] {
        assert_eq!(page.links(&format!("lang={language}")).len(), 1);
    }
    let german = browser.get(&page.links("lang=de")[0]).await;
    assert_eq!(german.language(), "de");
    assert!(german.set_cookies("varco-lang")[0].contains("Max-Age=31536000"));
    for path in ["/cie/login", "/spid/", "/oidc/login", "/cie/nothing"] {
        assert_eq!(
            browser.get(&world.url(path)).await.language(),
            "de",
            "{path}"
        );
    }
    // The switch keeps what the address says beside the language.
    let page = browser
        .get(&world.url("/cie/login?interaction=&lang=en"))
        .await;
    assert_eq!(page.language(), "en");
}

/// The history keeps the RP's name as the citizen read it at the consent.
#[actix_web::test]
async fn names_of_rps_are_shown_in_the_language_of_the_page() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let options = LoginOptions {
        ui_locales: Some("en".to_owned()),
        ..LoginOptions::default()
    };
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &options)
        .unwrap();
    let page = world.authorize(&mut browser, &prepared).await;
    let consent = world
        .type_password(&mut browser, &page, ("ada", "ada-demo"))
        .await;
    assert!(
        consent.text().contains("Town of Esempio"),
        "{}",
        consent.text()
    );
    assert!(consent.text().contains("Tax code (codice fiscale)"));
    world.allow(&mut browser, &consent).await;
    let rows = world.history(&mut browser, "spid").await.accesses();
    assert!(rows[0].contains("Town of Esempio"), "{}", rows[0]);
}
