//! A citizen registers an app, steps up with it, and removes it again.

use super::{Chromium, on};
use crate::harness::World;
use varco::authn::totp;
use varco::clock::Clock as _;
use varco::config::Enrolment;

/// What an app shows now that was given the secret of the page.
async fn code_of_page(browser: &Chromium, world: &World) -> String {
    let secret = browser.text(".secret").await.replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes());
    totp::code_at(&secret.unwrap(), world.clock.now())
}

#[actix_web::test]
async fn an_app_is_registered_used_for_a_step_up_and_removed() {
    let world = World::with_levels(Enrolment::Password).start();
    let browser = Chromium::start().await;
    browser.open(&world.url("/spid/")).await;
    browser.click("main a[href*=account]").await;
    browser.see(on::LOGIN).await;
    browser.inspect("login-account").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see(".entries").await;
    browser.inspect("account-empty").await;
    browser.click("a[href*='factor/add']").await;
    browser.see("#name").await;
    browser.inspect("factor-add").await;
    browser.fill("#name", "Telefono di Ada").await;
    browser.fill("#password", "ada-demo").await;
    browser.click("form.panel .btn-primary").await;
    browser.see("svg.qr").await;
    browser.inspect("factor-new").await;
    browser.expect_quiet().await;
    browser.fill("#otp", "000000").await;
    browser.click("form.panel .btn-primary").await;
    browser.see("#proof-error").await;
    browser.inspect("factor-new-wrong").await;
    browser.expect_status(422).await;
    let secret = browser.text(".secret").await.replace(' ', "");
    let code = code_of_page(&browser, &world).await;
    browser.fill("#otp", &code).await;
    browser.click("form.panel .btn-primary").await;
    browser.see(".codes").await;
    browser.inspect("recovery-codes").await;
    browser.click("main .btn-primary").await;
    browser.see("a[href*='factor/remove']").await;
    browser.inspect("account").await;

    // The session has level 1: a service that asks for level 2 gets the step-up.
    world.clock.advance_seconds(30);
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.see("#otp").await;
    browser.inspect("second-factor").await;
    browser.click("a[href*='with=recovery']").await;
    browser.see("main a[href*='with=totp']").await;
    browser.inspect("second-factor-recovery").await;
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    browser
        .fill("#otp", &totp::code_at(&secret, world.clock.now()))
        .await;
    browser.click("form.panel .btn-primary").await;
    browser.see(on::CONSENT).await;
    browser.click(on::CONSENT).await;
    assert!(browser.text(on::RESULT).await.contains("SpidL2"));

    world.clock.advance_seconds(30);
    browser.open(&world.url("/spid/account")).await;
    browser.click("a[href*='factor/remove']").await;
    browser.see(".btn-danger").await;
    browser.inspect("factor-remove-last").await;
    browser.fill("#password", "ada-demo").await;
    browser
        .fill("#otp", &totp::code_at(&secret, world.clock.now()))
        .await;
    browser.click(".btn-danger").await;
    browser.see(".notice-success").await;
    browser.inspect("account-removed").await;
    browser.open(&world.url("/spid/account/password")).await;
    browser.see("#new_password").await;
    browser.inspect("new-password").await;
    browser.expect_quiet().await;
}

#[actix_web::test]
async fn the_way_to_a_second_factor_within_a_login_works_without_javascript() {
    let world = World::with_levels(Enrolment::Password).start();
    let browser = Chromium::without_scripts().await;
    browser.enter_with(&world.url("/rp/"), "cie").await;
    browser.log_in("bruno", "bruno-demo").await;
    browser.see("#otp").await;
    browser.click("button[name=restart]").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("button[name=enrol]").await;
    browser.keep_picture("no-second-factor-1280").await;
    browser.click("button[name=enrol]").await;
    let code = code_of_page(&browser, &world).await;
    browser.fill("#otp", &code).await;
    browser.click("form.panel .btn-primary").await;
    browser.see(".codes").await;
    browser.click("main .btn-primary").await;
    browser.see(on::CONSENT).await;
    browser.click(on::CONSENT).await;
    browser.see(on::RESULT).await;
    browser.expect_quiet().await;
}
