//! Several tabs, the "back" button, lost cookies, and the language switch.

use super::{Chromium, on};
use crate::harness::World;

#[actix_web::test]
async fn two_tabs_at_once_do_not_disturb_each_other_and_back_explains_itself() {
    let world = World::start();
    let browser = Chromium::start().await;
    let client = &browser.client;

    browser
        .enter_with(&world.at_localhost("/rp/"), "spid")
        .await;
    browser.see(on::LOGIN).await;
    let first = client.window().await.unwrap();
    let second = client.new_window(true).await.unwrap().handle;
    client.switch_to_window(second.clone()).await.unwrap();
    browser
        .enter_with(&world.at_localhost("/rp-aggregated/"), "spid")
        .await;
    browser.see(on::LOGIN).await;

    // Each tab is for its own service, the older one first.
    client.switch_to_window(first.clone()).await.unwrap();
    browser.log_in("ada", "ada-demo").await;
    browser.see(on::CONSENT).await;
    client.switch_to_window(second).await.unwrap();
    browser.log_in("ada", "ada-demo").await;
    browser.click(on::CONSENT).await;
    browser.see(on::RESULT).await;
    assert_eq!(browser.path().await, "/rp-aggregated/result");
    client.switch_to_window(first).await.unwrap();
    browser.click(on::CONSENT).await;
    browser.see(on::RESULT).await;
    assert_eq!(browser.path().await, "/rp/result");
    browser.expect_quiet().await;

    // Back to the consent page, which was answered: it says so, and changes nothing.
    client.back().await.unwrap();
    browser.see(on::REFUSAL).await;
    assert_eq!(browser.text("h1").await, "Questo accesso è già concluso");
    browser.expect_status(400).await;
    client.forward().await.unwrap();
    browser.see(on::RESULT).await;
    assert!(browser.text(".result").await.contains("Ada"));
}

#[actix_web::test]
async fn the_language_may_change_under_way_and_lost_cookies_are_explained() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.enter_with(&world.at_localhost("/rp/"), "cie").await;
    browser.see(on::LOGIN).await;
    browser.click("nav a[lang=de]").await;
    browser.see("html[lang=de] input[name=password]").await;
    // A wrong password, in German, and the login goes on in German.
    browser.log_in("ada", "wrong").await;
    browser.see("html[lang=de] #error-summary").await;
    browser.expect_status(422).await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("html[lang=de] button[value=allow]").await;
    browser.click("nav a[lang=en]").await;
    browser.see("html[lang=en] button[value=allow]").await;

    // "Back" to the login page of somebody who has logged in leads on to the consent page.
    browser.client.back().await.unwrap();
    browser.see(on::CONSENT).await;
    browser.expect_quiet().await;

    browser.client.delete_all_cookies().await.unwrap();
    browser.click(on::CONSENT).await;
    browser.see(on::REFUSAL).await;
    assert!(
        browser.text(on::REFUSAL).await.contains("Cookie"),
        "the page names the cookie"
    );
    browser.expect_status(400).await;
    // And how to go on: from the service.
    browser.enter_with(&world.at_localhost("/rp/"), "cie").await;
    browser.log_in("ada", "ada-demo").await;
    browser.click(on::CONSENT).await;
    browser.see(on::RESULT).await;
}
