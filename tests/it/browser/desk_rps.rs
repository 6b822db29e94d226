//! The desk's relying parties in a real browser: registered, looked at, changed, switched off.

use super::Chromium;
use crate::harness::World;
use varco::demo::LoginOptions;

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

#[actix_web::test]
async fn an_operator_registers_a_service_looks_at_it_and_switches_it_off() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    browser.open(&world.url("/admin/rps")).await;
    browser.see(".accesses").await;
    browser.click("a[href='/admin/rps/add']").await;
    browser.see("#redirect_uris").await;
    browser.fill("#client_id", "sportello").await;
    browser.fill("#name", "Sportello digitale").await;
    browser
        .fill("#redirect_uris", "http://sportello.example.it/cb")
        .await;
    browser.click("form.panel .btn-primary").await;
    browser.see("#redirect_uris-error").await;
    browser.inspect("desk-rp-add-wrong").await;
    browser.expect_status(422).await;
    browser
        .fill("#redirect_uris", "https://sportello.example.it/cb")
        .await;
    browser.click("form.panel .btn-primary").await;
    browser.see("code.secret").await;
    browser.inspect("desk-rp-secret").await;
    browser.click("main .btn-primary").await;
    browser.see("#redirect-uris").await;
    browser.inspect("desk-rp-registered").await;
    browser.click("a[href*='change=disable']").await;
    browser.see(".btn-danger").await;
    browser.inspect("desk-rp-disable").await;
    browser.click(".btn-danger").await;
    browser.see(".notice-success").await;
    browser.inspect("desk-rp-disabled").await;
    browser.expect_quiet().await;

    for language in LANGUAGES {
        browser
            .open(&world.url(&format!("/admin/rps?lang={language}")))
            .await;
        browser.see(".accesses").await;
        browser.inspect(&format!("desk-rps-{language}")).await;
        browser.fill("#text", "nobody at all").await;
        browser.click("form[role=search] .btn-primary").await;
        browser.see(".notice-info").await;
        browser.inspect(&format!("desk-rps-none-{language}")).await;
        browser.open(&world.url("/admin/rps?issuer=spid")).await;
        browser.click(".accesses tbody th a").await;
        browser.see(".chain").await;
        browser.inspect(&format!("desk-rp-{language}")).await;
        for page in ["add", "import", "check"] {
            browser
                .open(&world.url(&format!("/admin/rps/{page}")))
                .await;
            browser.see("form.panel").await;
            browser.inspect(&format!("desk-rp-{page}-{language}")).await;
        }
        browser.expect_quiet().await;
    }
}
