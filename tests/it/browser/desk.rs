//! The operator's desk: its login with a second factor, its operators and the trail.

use super::Chromium;
use crate::harness::World;
use varco::authn::totp;
use varco::clock::Clock as _;
use varco::launch::OPERATOR;

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

impl Chromium {
    /// Logs the demonstration's operator in where no second factor is asked for.
    pub async fn enter_desk(&self, world: &World) {
        self.open(&world.url("/admin/login")).await;
        self.log_in(OPERATOR.0, OPERATOR.1).await;
        self.see(".desk-nav").await;
    }
}

#[actix_web::test]
async fn an_operator_registers_an_app_and_logs_in_with_it() {
    let world = World::builder()
        .server(|settings| settings.desk_second_factor = true)
        .start();
    let browser = Chromium::start().await;
    browser.open(&world.url("/admin/operators")).await;
    browser.see("#username").await;
    browser.inspect("desk-login").await;
    browser.log_in(OPERATOR.0, "wrong password").await;
    browser.see("#wrong-credentials").await;
    browser.inspect("desk-login-wrong").await;
    browser.expect_status(422).await;
    browser.log_in(OPERATOR.0, OPERATOR.1).await;
    browser.see("svg.qr").await;
    browser.inspect("desk-enrol").await;
    let secret = browser.text(".secret").await.replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let code = || totp::code_at(&secret, world.clock.now());
    browser.fill("#otp", &code()).await;
    browser.click("form.panel .btn-primary").await;
    browser.see(".desk-nav").await;
    assert_eq!(browser.path().await, "/admin/operators");
    browser.expect_quiet().await;
    browser.click(".desk-me form button").await;
    browser.see("#username").await;
    world.clock.advance_seconds(60);
    browser.log_in(OPERATOR.0, OPERATOR.1).await;
    browser.see("#otp").await;
    browser.inspect("desk-code").await;
    browser.fill("#otp", "000000").await;
    browser.click("form.panel .btn-primary").await;
    browser.see("#proof-error").await;
    browser.expect_status(422).await;
    browser.fill("#otp", &code()).await;
    browser.click("form.panel .btn-primary").await;
    browser.see(".desk-nav").await;
}

#[actix_web::test]
async fn an_administrator_adds_changes_and_disables_an_operator_and_reads_the_trail() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    for language in LANGUAGES {
        let page = |path: &str| world.url(&format!("/admin/{path}lang={language}"));
        let name = format!("vera.{language}");
        browser.open(&page("operators?")).await;
        browser.inspect(&format!("desk-operators-{language}")).await;
        browser.click("main a[href$='/add']").await;
        browser.see("#role").await;
        browser
            .inspect(&format!("desk-operator-add-{language}"))
            .await;
        browser.fill("#name", &name).await;
        browser.fill("#password", "short").await;
        browser.click("main form.panel .btn-primary").await;
        browser.see("#password-error").await;
        browser
            .inspect(&format!("desk-operator-wrong-{language}"))
            .await;
        browser.expect_status(422).await;
        browser.fill("#password", "correct horse battery").await;
        browser.click("main form.panel .btn-primary").await;
        browser.see(".notice-success").await;
        browser
            .inspect(&format!("desk-operators-done-{language}"))
            .await;
        browser.click(&format!("a[href*='name={name}']")).await;
        browser.see("a[href*='change=disable']").await;
        browser.inspect(&format!("desk-operator-{language}")).await;
        browser.click("a[href*='change=disable']").await;
        browser.see("main .btn-danger").await;
        browser.inspect(&format!("desk-confirm-{language}")).await;
        browser.click("main .btn-danger").await;
        browser.see(".notice-success").await;
        browser.open(&page("trail?")).await;
        assert!(browser.text(".accesses").await.contains("operator.disable"));
        browser.inspect(&format!("desk-trail-{language}")).await;
        browser.open(&page("trail?actor=nobody&")).await;
        browser.see(".notice-info").await;
        browser
            .inspect(&format!("desk-trail-empty-{language}"))
            .await;
        browser.open(&page("password?")).await;
        browser.inspect(&format!("desk-password-{language}")).await;
    }
    browser.expect_quiet().await;
}
