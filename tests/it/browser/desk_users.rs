//! The desk's section for people: search, a person, an import with its dry run.

use super::Chromium;
use crate::harness::World;

const LANGUAGES: [&str; 3] = ["it", "en", "de"];

#[actix_web::test]
async fn an_operator_finds_somebody_and_imports_pasted_lines_after_a_look() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_desk(&world).await;
    for language in LANGUAGES {
        let page = |path: &str| world.url(&format!("/admin/users{path}lang={language}"));
        browser.open(&page("?text=ad&")).await;
        browser.see("a[href*='/admin/users/one']").await;
        browser.inspect(&format!("desk-users-{language}")).await;
        browser.click("a[href*='/admin/users/one']").await;
        browser.see("a[href*='change=disable']").await;
        browser.inspect(&format!("desk-user-{language}")).await;
        browser.click("a[href*='/admin/users/edit']").await;
        browser.see("#a-email").await;
        browser.inspect(&format!("desk-user-edit-{language}")).await;
        browser.open(&page("?text=ad&")).await;
        browser.click("a[href*='/admin/users/one']").await;
        browser.see("a[href*='/admin/sessions?account=']").await;
        browser.click("a[href*='/admin/sessions?account=']").await;
        browser.see("a[href*='sessions_of=']").await;
        browser.inspect(&format!("desk-holdings-{language}")).await;
        browser.click("a[href*='/admin/users/revoke']").await;
        browser.see("#reason").await;
        browser
            .inspect(&format!("desk-user-revoke-{language}"))
            .await;
        browser.open(&page("/import?")).await;
        browser.inspect(&format!("desk-imports-{language}")).await;
        let lines = format!("username,email\nnew.{language},new@example.it\nwrong,nowhere");
        browser.fill("#text", &lines).await;
        browser.click("main form.panel .btn-primary").await;
        browser.see("button[name=skip]").await;
        browser.inspect(&format!("desk-import-{language}")).await;
        browser.click("button[name=skip]").await;
        browser.see("main .tag").await;
    }
    browser.expect_quiet().await;
}
