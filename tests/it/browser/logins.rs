//! Both logins with real clicks, the relying party being another site than the provider.

use super::{Chromium, on};
use crate::harness::World;

/// Chooses on the relying party's page how to ask and how to be answered, and presses the button of a provider.
async fn ask(browser: &Chromium, world: &World, provider: &str, request: &str, answer: &str) {
    browser.open(&world.at_localhost("/rp/")).await;
    browser
        .click(&format!("[name=request_method][value={request}]"))
        .await;
    browser
        .click(&format!("[name=response_mode][value={answer}]"))
        .await;
    browser
        .follow(&format!("button[name=provider][value={provider}]"))
        .await;
}

/// The relying party is at `localhost`, the provider at `127.0.0.1`: two sites, so that `SameSite` cookies stay behind
/// when a form is posted from one to the other, and `form-action` of the policies is put to the test.
/// SPID/CIE AZ-1 (GET and POST), AZ-11 (query and form_post).
#[actix_web::test]
async fn both_logins_work_with_real_clicks_between_two_sites_by_every_way_to_ask_and_answer() {
    let world = World::start();
    let browser = Chromium::start().await;
    for (provider, ways) in [
        ("spid", [("get", "query"), ("post", "form_post")]),
        ("cie", [("post", "query"), ("get", "form_post")]),
    ] {
        for (number, (request, answer)) in ways.into_iter().enumerate() {
            ask(&browser, &world, provider, request, answer).await;
            // The second time the provider knows the browser, although its cookies came along only after a redirect.
            if number == 0 {
                browser.see(on::LOGIN).await;
                assert_eq!(browser.text(".rp .name").await, "Comune di Esempio");
                browser.expect_quiet().await;
                browser.log_in("ada", "ada-demo").await;
            }
            browser.see(on::CONSENT).await;
            assert_eq!(browser.path().await, format!("/{provider}/consent"));
            browser.expect_quiet().await;
            browser.click(on::CONSENT).await;
            let result = browser.text(on::RESULT).await;
            for shown in ["Ada", "Rossi", "ada.rossi@example.it"] {
                assert!(
                    result.contains(shown),
                    "{provider} {request} {answer}: {result}"
                );
            }
            let url = browser.client.current_url().await.unwrap();
            assert_eq!(url.host_str(), Some("localhost"), "{url}");
            assert!(!browser.has(".steps .failed").await, "{result}");
            browser.expect_quiet().await;
        }
    }
}

/// SPID/CIE AZ-12: both ways to say no end at the relying party, which is told so.
#[actix_web::test]
async fn who_cancels_or_does_not_consent_comes_back_to_the_service_between_two_sites() {
    let world = World::start();
    let browser = Chromium::start().await;
    for (answer, no) in [
        ("query", "button[name=cancel]"),
        ("form_post", "button[name=cancel]"),
        ("query", "button[value=deny]"),
        ("form_post", "button[value=deny]"),
    ] {
        ask(&browser, &world, "spid", "get", answer).await;
        // Whoever has logged in before sees the consent at once.
        if no.contains("deny") && answer == "query" {
            browser.log_in("bruno", "bruno-demo").await;
        }
        browser.click(no).await;
        let shown = browser.text(on::RESULT).await;
        assert!(shown.contains("access_denied"), "{answer} {no}: {shown}");
        browser.expect_quiet().await;
    }
}
