//! Every page in every language, narrow and wide, as axe-core and a person with a magnifier meet it.

use super::{Chromium, on};
use crate::harness::World;
use serde_json::Value;
use varco::demo::LoginOptions;
use varco::ui::{Brand, Layout, Locale, Page as _, RefusalKind, RefusalPage};

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

#[actix_web::test]
async fn axe_finds_nothing_on_any_page_of_a_login() {
    let world = World::builder()
        .server(|settings| settings.throttle.per_account_per_minute = 1)
        .start();
    let browser = Chromium::start().await;
    for language in LANGUAGES {
        browser.open(&world.url("/")).await;
        browser.client.delete_all_cookies().await.unwrap();
        browser
            .open(&world.url(&format!("/?lang={language}")))
            .await;
        browser.inspect(&format!("demo-home-{language}")).await;
        for profile in ["spid", "oidc"] {
            browser.open(&world.url(&format!("/{profile}/"))).await;
            browser.inspect(&format!("home-{profile}-{language}")).await;
        }
        browser.open(&world.url("/rp/")).await;
        browser.inspect(&format!("rp-{language}")).await;
        login_pages(&browser, language).await;
        consent_pages(&browser, &world, language).await;
        browser.expect_quiet().await;
    }
}

/// From the page of the relying party to the consent page, with every mistake on the way.
async fn login_pages(browser: &Chromium, language: &str) {
    browser.click("button[value=spid]").await;
    browser.see(on::LOGIN).await;
    assert!(browser.has(&format!("html[lang={language}]")).await);
    browser.inspect(&format!("login-{language}")).await;
    browser.expect_quiet().await;
    // Browsers ask for what is missing; the page says it too, for those that do not.
    browser
        .run("document.querySelector('main form').noValidate = true")
        .await;
    browser.click("main form .btn-primary").await;
    browser.see("#password-error").await;
    browser.inspect(&format!("login-missing-{language}")).await;
    browser.expect_status(422).await;
    // Each account has its own allowance.
    let nobody = format!("nobody-{language}");
    browser.log_in(&nobody, "wrong").await;
    browser.see("#wrong-credentials").await;
    browser.inspect(&format!("login-wrong-{language}")).await;
    browser.expect_status(422).await;
    browser.log_in(&nobody, "wrong").await;
    browser.expect_status(422).await;
    browser.log_in(&nobody, "wrong").await;
    browser.expect_status(429).await;
    browser
        .inspect(&format!("login-throttled-{language}"))
        .await;
    browser.log_in("ada", "ada-demo").await;
    browser.see(on::CONSENT).await;
}

async fn consent_pages(browser: &Chromium, world: &World, language: &str) {
    browser.inspect(&format!("consent-spid-{language}")).await;
    browser.click(on::CONSENT).await;
    browser.see(on::RESULT).await;
    browser.inspect(&format!("result-{language}")).await;
    // Every attribute, of somebody who has not all; the form that answers waits for its button.
    browser.open(&world.url("/rp/")).await;
    browser
        .run("document.querySelectorAll('[name=attribute]:not(:checked)').forEach(box => box.click())")
        .await;
    browser.click("[name=offline_access]").await;
    browser.click("[name=response_mode][value=form_post]").await;
    browser.click("button[value=cie]").await;
    browser.log_in("bruno", "bruno-demo").await;
    browser.see("#offline_access:checked").await;
    browser.inspect(&format!("consent-cie-{language}")).await;
    browser.block("*form-post.js*").await;
    browser.click(on::CONSENT).await;
    browser.see("#form-post").await;
    browser.inspect(&format!("form-post-{language}")).await;
    // Whatever the browser says of what was blocked.
    browser.console().await;
    browser.block("").await;
    browser.click("#form-post button").await;
    browser.see(on::RESULT).await;
    browser
        .run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        .await;
    browser.inspect(&format!("result-all-{language}")).await;
    failed_action(browser, language).await;
}

/// A button of the result page, and one that must fail after it.
async fn failed_action(browser: &Chromium, language: &str) {
    browser.click("form[action$='revoke-access'] button").await;
    browser.see("#last:target").await;
    browser.click("form[action$='userinfo'] button").await;
    browser.see(".notice-error").await;
    browser.inspect(&format!("result-failed-{language}")).await;
}

#[actix_web::test]
async fn axe_finds_nothing_on_the_check_of_a_relying_party() {
    let world = World::start();
    let browser = Chromium::start().await;
    let good = world.federation.aggregated_relying_party().entity_id();
    let unknown = world.url("/nobody");
    for language in LANGUAGES {
        browser
            .open(&world.url(&format!("/spid/check?lang={language}")))
            .await;
        browser.inspect(&format!("check-{language}")).await;
        for (name, rp) in [("accepted", good), ("refused", unknown.as_str())] {
            browser.fill("#rp", rp).await;
            browser.click("button[name=fresh][value='1']").await;
            browser.see(".notice:focus").await;
            assert!(browser.has(&format!("html[lang={language}]")).await);
            browser
                .run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
                .await;
            browser.inspect(&format!("check-{name}-{language}")).await;
        }
        browser.expect_quiet().await;
    }
}

#[actix_web::test]
async fn axe_finds_nothing_on_the_pages_of_the_history() {
    let world = World::builder()
        .server(|settings| settings.history_per_page = 4)
        .start();
    make_history(&world).await;
    let browser = Chromium::start().await;
    for language in LANGUAGES {
        browser.open(&world.url("/")).await;
        browser.client.delete_all_cookies().await.unwrap();
        let history = world.url("/spid/history");
        browser
            .open(&world.url(&format!("/spid/login?lang={language}")))
            .await;
        browser.inspect(&format!("login-history-{language}")).await;
        browser.log_in("bruno", "bruno-demo").await;
        browser.see(on::HISTORY).await;
        browser.inspect(&format!("history-empty-{language}")).await;
        browser.click("form[action*=logout] button").await;
        browser.see("a[href*=login]").await;
        browser.inspect(&format!("logged-out-{language}")).await;
        browser.click("a[href*=login]").await;
        browser.log_in("ada", "ada-demo").await;
        browser.see(on::HISTORY).await;
        browser.inspect(&format!("history-{language}")).await;
        browser.click("a[rel=next]").await;
        browser.see("a[href*=history]:not([rel])").await;
        browser.inspect(&format!("history-older-{language}")).await;
        browser.open(&format!("{history}?from=2030-01-01")).await;
        browser.inspect(&format!("history-none-{language}")).await;
        browser.open(&format!("{history}?from=x&to=y")).await;
        browser.inspect(&format!("history-filter-{language}")).await;
        browser.open(&history).await;
        browser.expect_quiet().await;
        if language == LANGUAGES[0] {
            browser.click(".accesses form button").await;
        } else {
            let rp = browser
                .run("return document.querySelector('#rp option:last-child').value")
                .await;
            let rp = rp.as_str().unwrap();
            browser.open(&format!("{history}/revoke?rp={rp}")).await;
        }
        browser.see(".btn-danger").await;
        browser.inspect(&format!("revoke-{language}")).await;
        browser.click(".btn-danger").await;
        browser.see(".notice-success").await;
        browser
            .inspect(&format!("history-revoked-{language}"))
            .await;
        browser.expect_quiet().await;
    }
}

/// Everything on the page that somebody could only click, and that takes room on paper.
const CLICKABLE: &str = r#"
return [...document.querySelectorAll("button, select, input:not([type=hidden]), nav")]
    .filter(element => element.getClientRects().length > 0)
    .map(element => element.outerHTML.slice(0, 200));
"#;

#[actix_web::test]
async fn a_history_on_paper_has_every_access_and_nothing_to_click() {
    let world = World::start();
    make_history(&world).await;
    let browser = Chromium::start().await;
    browser.open(&world.url("/spid/login")).await;
    browser.log_in("ada", "ada-demo").await;
    browser.see(on::HISTORY).await;
    let count = "return document.querySelectorAll('.accesses tbody tr').length";
    assert_eq!(browser.run(count).await, 6);
    browser.show_as("print").await;
    // The width of A4 between its margins.
    browser.set_width(718).await;
    assert_eq!(
        browser.run(CLICKABLE).await,
        serde_json::json!([]),
        "these would be printed"
    );
    browser
        .expect_no_sideways_scrolling("the history on paper")
        .await;
    browser.keep_picture("history-print").await;
    browser.show_as("").await;
    browser.expect_quiet().await;
}

/// Accesses of some days, at two services, in all the states that the page can show.
async fn make_history(world: &World) {
    let issuer = world.issuer("spid").await;
    let aggregated = world.federation.aggregated_relying_party();
    let agents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    ];
    for number in 0..6 {
        let mut browser = world.browser();
        browser
            .headers
            .push(("user-agent", agents[number % agents.len()].to_owned()));
        let rp = if number % 3 == 1 {
            aggregated
        } else {
            world.rp()
        };
        let options = match number % 3 {
            0 => LoginOptions::default(),
            1 => LoginOptions::at_level(1).with_offline_access(),
            _ => LoginOptions {
                userinfo_claims: Vec::new(),
                ..LoginOptions::at_level(3)
            },
        };
        let (prepared, code) = world.code_with(&mut browser, rp, &issuer, &options).await;
        world.redeem(rp, &issuer, prepared, &code).await;
        world
            .clock
            .advance_seconds(if number < 4 { 95_000 } else { 240 });
    }
}

#[actix_web::test]
async fn refusals_explain_themselves_and_axe_finds_nothing_on_them() {
    let world = World::start();
    let browser = Chromium::start().await;
    for language in LANGUAGES {
        browser
            .open(&world.url(&format!("/spid/authorization?lang={language}")))
            .await;
        browser
            .see(&format!("html[lang={language}] .refusal"))
            .await;
        browser.inspect(&format!("refusal-{language}")).await;
        browser.expect_status(400).await;
        // The others differ in words only: here, the words of all.
        let locale = Locale::parse(language).unwrap();
        for kind in RefusalKind::ALL {
            let html = refusal(&world, locale, kind);
            browser
                .client
                .execute("document.body.innerHTML = new DOMParser().parseFromString(arguments[0], 'text/html').body.innerHTML", vec![Value::String(html)])
                .await
                .unwrap();
            browser.set_width(320).await;
            let name = format!("refusal-{kind:?}-{language}");
            browser.expect_no_sideways_scrolling(&name).await;
            browser.set_width(1280).await;
            browser.keep_picture(&name).await;
        }
    }
}

fn refusal(world: &World, locale: Locale, kind: RefusalKind) -> String {
    let page = RefusalPage {
        kind,
        error: "invalid_request".to_owned(),
        error_description: "redirect_uri is not one of the client's registered redirect URIs"
            .to_owned(),
        reference: "0b7c5a52d6f24c0fa2b4a2c1".to_owned(),
        check_url: None,
        retry_url: None,
        back_to_rp: None,
    };
    let layout = Layout {
        locale,
        issuer_path: "/spid".to_owned(),
        organization_name: "Identità di prova (SPID)".to_owned(),
        logo_url: None,
        style_url: None,
        policy_url: None,
        attribute_names: std::collections::BTreeMap::new(),
        profile_brand: Brand::named("SPID", "spid"),
        language_links: Vec::new(),
        request_id: "0b7c5a52d6f24c0fa2b4a2c1".to_owned(),
        development: true,
        signed_in_as: None,
        nav: false,
    };
    page.render(&world.app.pages, &layout).unwrap()
}

/// Refusals that people meet by clicking, each with what it is about and how to go on.
#[actix_web::test]
async fn a_used_request_a_lost_cookie_an_old_login_and_an_unknown_service_are_explained() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let browser = Chromium::start().await;
    let request = || {
        world
            .rp()
            .authorization_request(&issuer.metadata, &LoginOptions::default())
            .unwrap()
    };

    // SPID/CIE AZ-5: the same request a second time goes on where it was; once it was answered, it is a replay.
    let used = request();
    browser.open(&used.url).await;
    browser.see(on::LOGIN).await;
    let first = browser.client.current_url().await.unwrap();
    browser.open(&used.url).await;
    browser.see(on::LOGIN).await;
    assert_eq!(browser.client.current_url().await.unwrap(), first);
    browser.click("button[name=cancel]").await;
    browser.see(".result").await;
    browser.console().await;
    browser.open(&used.url).await;
    // SPID/CIE AZ-12: it is the service that is told so; this one knows of no such login.
    browser.see(on::RESULT).await;
    let told = browser.client.current_url().await.unwrap().to_string();
    assert!(told.contains("error=invalid_request_object"), "{told}");
    assert!(told.contains("it+was+used+before"), "{told}");
    browser.console().await;

    // A login page of another browser, and one that was left open.
    browser.open(&request().url).await;
    browser.see(on::LOGIN).await;
    let login = browser.client.current_url().await.unwrap();
    browser.client.delete_all_cookies().await.unwrap();
    browser.open(login.as_str()).await;
    browser
        .expect_refusal("Il browser non ha conservato i dati dell’accesso", 400)
        .await;
    browser.open(&request().url).await;
    browser.see(on::LOGIN).await;
    world.clock.advance_seconds(86_400);
    browser.log_in("ada", "ada-demo").await;
    browser
        .expect_refusal("Il tempo per l’accesso è scaduto", 400)
        .await;

    // A form whose token is wrong.
    browser.open(&request().url).await;
    browser.see(on::LOGIN).await;
    browser
        .run("document.querySelector('[name=csrf_token]').value = 'wrong'")
        .await;
    browser.log_in("ada", "ada-demo").await;
    browser
        .expect_refusal("Il modulo inviato non è più valido", 400)
        .await;

    browser.open(&world.url("/spid/nothing")).await;
    browser.expect_refusal("Pagina non trovata", 404).await;

    // A service that nobody knows.
    let nobody = world.url("/nobody/");
    let options = LoginOptions::default()
        .with_claim("client_id", nobody.as_str())
        .with_claim("iss", nobody.as_str())
        .with_parameter("client_id", &nobody);
    let stranger = world
        .rp()
        .authorization_request(&issuer.metadata, &options)
        .unwrap();
    browser.open(&stranger.url).await;
    browser.see(on::REFUSAL).await;
    assert!(browser.has(".refusal .panel code").await);
}

impl Chromium {
    async fn expect_refusal(&self, heading: &str, status: u16) {
        self.see(on::REFUSAL).await;
        assert_eq!(self.text("h1").await, heading);
        assert!(self.has(".refusal .panel code").await, "a reference");
        self.expect_status(status).await;
    }
}
