//! The desk's overview in a real browser, without logins and with some, and the desk without a mouse.

use super::{Chromium, on};
use crate::desk::mails::letter;
use crate::harness::World;
use varco::demo::LoginOptions;
use varco::launch::OPERATOR;
use varco::model::MailState;

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

#[actix_web::test]
async fn the_overview_draws_what_was_counted_and_leads_to_the_relying_party() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    browser.open(&world.url("/admin/dashboard")).await;
    browser.inspect("desk-overview-empty").await;
    assert!(!browser.has("svg.chart").await);
    let issuer = world.issuer("spid").await;
    for _ in 0..3 {
        world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
    }
    // One that the person refuses, and one that the provider does.
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.see(on::LOGIN).await;
    browser.log_in("ada", "ada-demo").await;
    browser.click("button[name=decision][value=deny]").await;
    browser.see(".notice-error, .steps").await;
    for id in LANGUAGES {
        letter(&world, id, "new_device", MailState::Failed);
    }
    for language in LANGUAGES {
        for range in ["day", "week", "month", "year"] {
            let address = format!("/admin/dashboard?range={range}&lang={language}");
            browser.open(&world.url(&address)).await;
            browser.see("svg.chart").await;
            // The table says the same as the picture.
            browser
                .run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
                .await;
            let drawn = browser
                .run("return document.querySelectorAll('svg.chart').length")
                .await;
            assert_eq!(drawn, 4, "result, level, issuer and relying party");
            browser
                .inspect(&format!("desk-overview-{range}-{language}"))
                .await;
        }
        browser.click("a[href='/admin/mails']").await;
        browser.see("button[name=id]").await;
        browser.inspect(&format!("desk-mails-{language}")).await;
        browser.click("button[name=id]").await;
        browser.see(".notice-success").await;
        browser
            .inspect(&format!("desk-mails-retried-{language}"))
            .await;
    }
    browser.open(&world.url("/admin/dashboard")).await;
    browser.see("#busiest").await;
    browser.click("#busiest ~ ol a").await;
    browser.see("#redirect-uris").await;
    browser.expect_quiet().await;
}

#[actix_web::test]
async fn the_desk_needs_no_mouse() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.open(&world.url("/admin/operators")).await;
    browser.see("#username").await;
    browser.tab_to("username").await;
    browser.type_here(OPERATOR.0).await;
    browser.tab_to("password").await;
    browser.type_here(OPERATOR.1).await;
    browser.press_enter().await;

    // The navigation, then an operator's form: what is missing is said where the focus is.
    browser.see(".desk-nav").await;
    browser.tab_to("Operatori").await;
    browser.press_enter().await;
    browser.see("main a[href$='/add']").await;
    let add = browser.text("main a[href$='/add']").await;
    browser.tab_to(&add).await;
    browser.press_enter().await;
    browser.see("#role").await;
    browser.tab_to("name").await;
    browser.type_here("vera").await;
    browser.tab_to("password").await;
    browser.type_here("short").await;
    browser.press_enter().await;
    browser.see("#password-error").await;
    browser.tab_to("password").await;
    browser.type_here("correct horse battery").await;
    browser.press_enter().await;
    browser.see(".notice-success").await;

    // What cannot be undone asks first; the way back is before it.
    browser.tab_to("vera").await;
    browser.press_enter().await;
    browser.see("a[href*='change=disable']").await;
    let disable = browser.text("a[href*='change=disable']").await;
    browser.tab_to(&disable).await;
    browser.press_enter().await;
    browser.see("main .btn-danger").await;
    let sure = browser.text("main .btn-danger").await;
    browser.tab_to(&sure).await;
    browser.press_enter().await;
    browser.see(".notice-success").await;

    // A search of services, from the navigation to one of them.
    browser.open(&world.url("/admin/rps")).await;
    browser.tab_to("text").await;
    browser.type_here("nobody at all").await;
    browser.press_enter().await;
    browser.see(".notice-info").await;
    browser.open(&world.url("/admin/users")).await;
    browser.see(".accesses").await;
    browser.tab_to("ada").await;
    browser.press_enter().await;
    browser.see(".released").await;
    browser.console().await;
}
