//! What citizens do on their account's pages, in each language: consents, language, data, sessions, mails.

use super::{Chromium, on};
use crate::harness::World;
use varco::ui::Locale;

/// As [`Chromium::inspect`], on a large screen too.
async fn inspect(browser: &Chromium, name: &str) {
    browser.inspect(name).await;
    browser.set_width(1920).await;
    browser.expect_no_sideways_scrolling(name).await;
    browser.keep_picture(&format!("{name}-1920")).await;
    browser.set_width(1280).await;
}

#[actix_web::test]
async fn a_citizen_withdraws_a_consent_chooses_a_language_and_ends_all_sessions() {
    let world = World::start();
    let browser = Chromium::start().await;
    for locale in Locale::ALL {
        let code = locale.code();
        let account = world.url("/cie/account");
        // A service gets access that outlives the session.
        browser.open(&world.url(&format!("/rp/?lang={code}"))).await;
        browser.click("input[name=offline_access]").await;
        browser.click("button[name=provider][value=cie]").await;
        browser.see(on::LOGIN).await;
        browser.log_in("ada", "ada-demo").await;
        browser.see(on::CONSENT).await;
        browser.click(on::CONSENT).await;
        browser.see(on::RESULT).await;
        browser.open(&account).await;
        browser.see(&format!("html[lang={code}]")).await;
        inspect(&browser, &format!("account-all-{code}")).await;
        browser.click("a[href*='account/consents']").await;
        browser.see(".tag-active").await;
        inspect(&browser, &format!("account-consents-{code}")).await;
        browser.click("main .entries .btn-outline-danger").await;
        browser.see(".btn-danger").await;
        inspect(&browser, &format!("account-withdraw-{code}")).await;
        browser.click(".btn-danger").await;
        browser.see(".notice-success").await;
        inspect(&browser, &format!("account-withdrawn-{code}")).await;
        browser.open(&world.url("/cie/account/data")).await;
        browser.see("#password").await;
        inspect(&browser, &format!("account-data-{code}")).await;
        // The language that the person keeps is the next one.
        browser.open(&account).await;
        browser.click("form[action*='account/language'] .btn").await;
        browser.see(".notice-success").await;
        inspect(&browser, &format!("account-language-{code}")).await;
        browser
            .open(&world.url(&format!("/mailbox/?lang={code}")))
            .await;
        browser.click("main details summary").await;
        browser.see("main details[open] .mail-body").await;
        inspect(&browser, &format!("mailbox-{code}")).await;
        browser.open(&account).await;
        browser.click("button[name=all]").await;
        browser.see("main a[href*=login]").await;
        browser.open(&account).await;
        browser.see(on::LOGIN).await;
        browser.expect_quiet().await;
    }
}

#[actix_web::test]
async fn a_form_whose_session_ended_is_back_after_the_login() {
    let world = World::builder()
        .issuers(|issuer| issuer.enrolment = varco::config::Enrolment::Password)
        .start();
    let browser = Chromium::without_scripts().await;
    browser.open(&world.url("/spid/account/factor/add")).await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("#name").await;
    browser.fill("#name", "Telefono di Ada").await;
    browser.fill("#password", "ada-demo").await;
    world.clock.advance_seconds(1_801);
    browser.click("form.panel .btn-primary").await;
    browser.see(on::LOGIN).await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("#name[value='Telefono di Ada']").await;
    browser.keep_picture("form-restored-1280").await;
    browser.expect_quiet().await;
}
