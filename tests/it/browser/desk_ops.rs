//! The desk's sections of sessions, keys and the federation: the main task of each, in every language.

use super::Chromium;
use crate::harness::World;
use varco::demo::LoginOptions;

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

#[actix_web::test]
async fn an_operator_finds_a_grant_by_its_code_looks_at_its_tree_and_revokes_a_token() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    for language in LANGUAGES {
        let options = LoginOptions {
            prompt: "consent".to_owned(),
            ..LoginOptions::default().with_offline_access()
        };
        let (prepared, code) = world.code(world.rp(), &issuer, &options).await;
        let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
        let refresh = tokens.answer.refresh_token.unwrap();
        world.refresh(world.rp(), &issuer, &refresh).await.granted();
        browser
            .open(&world.url(&format!("/admin/sessions?lang={language}")))
            .await;
        browser.inspect(&format!("desk-sessions-{language}")).await;
        browser.fill("#sought", "nothing").await;
        browser.click("form[role=search] .btn-primary").await;
        browser.see("#sought-error").await;
        browser
            .inspect(&format!("desk-sessions-nothing-{language}"))
            .await;
        browser.expect_status(422).await;
        browser.fill("#sought", &code).await;
        browser.click("form[role=search] .btn-primary").await;
        browser.see(".token-sought").await;
        browser.inspect(&format!("desk-tree-{language}")).await;
        browser
            .click(".token-live:last-child a[href*='what=token']")
            .await;
        browser.see("#reason").await;
        browser.inspect(&format!("desk-revoke-{language}")).await;
        browser.fill("#reason", "asked for by the person").await;
        browser.click("main .btn-danger").await;
        browser.see(".notice-success").await;
        browser
            .inspect(&format!("desk-tree-revoked-{language}"))
            .await;
        browser.click(".token-tree a[href*='session=']").await;
        browser.see("a[href*='what=session']").await;
        browser.inspect(&format!("desk-session-{language}")).await;
        browser.expect_quiet().await;
    }
}

#[actix_web::test]
async fn an_operator_schedules_a_rotation_and_looks_at_what_is_published() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    for language in LANGUAGES {
        browser
            .open(&world.url(&format!("/admin/keys?lang={language}")))
            .await;
        browser.inspect(&format!("desk-keys-{language}")).await;
        browser.click("a[href*='keys/rotate']").await;
        browser.see("#soonest").await;
        browser.inspect(&format!("desk-rotate-{language}")).await;
        browser.click("#at").await;
        browser.click("main form.panel .btn-primary").await;
        browser.see("#day-error").await;
        browser
            .inspect(&format!("desk-rotate-wrong-{language}"))
            .await;
        browser.expect_status(422).await;
        browser.fill("#day", "2026-12-31").await;
        browser.fill("#hour", "03:00").await;
        browser.click("main form.panel .btn-primary").await;
        browser.see(".notice-success").await;
        browser
            .inspect(&format!("desk-keys-scheduled-{language}"))
            .await;
        browser.click("a[href*='keys/documents']").await;
        browser.see("details").await;
        browser
            .run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            .await;
        browser.inspect(&format!("desk-published-{language}")).await;
        browser.open(&world.url("/admin/keys")).await;
        browser.click("a[href*='keys/rotate']").await;
        browser.click("a[href*='keys/emergency']").await;
        browser.see("#sure").await;
        browser.inspect(&format!("desk-emergency-{language}")).await;
        browser.expect_quiet().await;
    }
}

#[actix_web::test]
async fn an_operator_asks_the_superiors_whether_they_attest_our_keys() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    for language in LANGUAGES {
        browser
            .open(&world.url(&format!("/admin/federation?lang={language}")))
            .await;
        browser
            .inspect(&format!("desk-federation-{language}"))
            .await;
        browser
            .click("main form[action*='federation'] .btn-primary")
            .await;
        // The page of the question comes again by itself until there is an answer.
        browser.see("#asked .tag-active").await;
        browser
            .inspect(&format!("desk-federation-asked-{language}"))
            .await;
        browser.expect_quiet().await;
    }
}
