//! `/check`, as a developer of a relying party uses it; and `varco rp check`, which says the same.

use crate::harness::{Answer, Browser, Host, World};
use serde_json::json;
use varco::federation::evaluation::Recheck;
use varco::model::ClientId;
use varco::ui::visit::csrf_token;

impl World {
    /// Asks the page about a relying party.
    async fn check(&self, browser: &mut Browser, profile: &str, rp: &str) -> Answer {
        let page = browser
            .get(&self.url(&format!("/{profile}/check?lang=en")))
            .await;
        assert_eq!(page.status, 200, "{}", page.body);
        let form = page.form("/check").with("rp", rp).with("fresh", "1");
        browser.submit(&page, &form).await
    }
}

#[actix_web::test]
async fn a_good_rp_is_drawn_from_the_anchor_down_and_accepted() {
    // SPID/CIE FE-1 to FE-10
    let world = World::start();
    let rp = world
        .federation
        .aggregated_relying_party()
        .entity_id()
        .to_owned();
    for profile in ["spid", "cie"] {
        let page = world.check(&mut world.browser(), profile, &rp).await;
        assert_eq!(page.status, 200);
        let text = page.text();
        assert!(text.contains(&format!("{rp} is accepted")), "{text}");
        for role in ["Trust anchor", "Intermediate", "Relying party"] {
            assert!(text.contains(role), "{role}");
        }
        assert!(
            text.contains("Conformance report") && text.contains("Passed"),
            "{text}"
        );
        assert!(!text.contains("Failed:"), "{text}");
    }
}

#[actix_web::test]
async fn what_refuses_an_rp_is_said_in_one_sentence_with_what_to_change() {
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let mut browser = world.browser();
    // Nothing is published yet.
    let page = world
        .check(&mut browser, "spid", rp.entity_id())
        .await
        .text();
    assert!(
        page.contains("answered with HTTP status 404 instead of 200"),
        "{page}"
    );
    // All is well; what failed before is not remembered.
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let page = world
        .check(&mut browser, "spid", rp.entity_id())
        .await
        .text();
    assert!(page.contains("is accepted"), "{page}");
    // A mark is missing.
    let bare = world.stranger(&host, "/bare/").with_trust_marks(Vec::new());
    host.publish("/bare/", &bare.entity_configuration().unwrap());
    let page = world
        .check(&mut browser, "spid", bare.entity_id())
        .await
        .text();
    assert!(
        page.contains("carries no trust mark of a type that this provider asks for"),
        "{page}"
    );
    assert!(page.contains("add it to `trust_marks`"), "{page}");
}

#[actix_web::test]
async fn a_policy_that_breaks_the_metadata_is_shown_with_before_and_after() {
    // SPID/CIE FE-3, FE-10
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let policy = json!({"openid_relying_party": {"grant_types": {"value": ["implicit"]}}});
    world.attest(&rp, policy.as_object().unwrap().clone());
    let page = world
        .check(&mut world.browser(), "spid", rp.entity_id())
        .await
        .text();
    assert!(
        page.contains("`grant_types` is missing or contains other values"),
        "{page}"
    );
    assert!(page.contains("A metadata policy changed it"), "{page}");
    assert!(
        page.contains("Logins are refused because of this"),
        "{page}"
    );
    let op = world.provider("spid");
    let client_id = ClientId::new(rp.entity_id());
    let examined = op.examine(&client_id, Recheck::Fresh).await.unwrap();
    let failed = examined
        .report
        .iter()
        .find(|row| row.before_policies.is_some());
    assert_eq!(failed.unwrap().found, r#"["implicit"]"#);
}

#[actix_web::test]
async fn texts_that_are_no_entity_are_refused_and_nothing_is_fetched() {
    let world = World::start();
    let mut browser = world.browser();
    for (text, says) in [
        ("", "not a plain URL"),
        ("rp.example.it", "not a plain URL"),
        ("http://rp.example.it", "not an https URL"),
        ("https://rp.example.it/?x=<script>", "a query or a fragment"),
    ] {
        let page = world.check(&mut browser, "spid", text).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(says), "{text}: {}", page.text());
        assert!(!page.body.contains("<script>"), "{text}");
    }
}

#[actix_web::test]
async fn the_form_is_bound_to_its_browser_and_registered_clients_are_judged_too() {
    let world = World::start();
    let host = Host::start();
    let mut browser = world.browser();
    let page = browser.get(&world.url("/spid/check")).await;
    let form = page.form("/check").with("rp", &host.url("/rp"));
    let stranger = world.browser().submit(&page, &form).await;
    assert_eq!(stranger.status, 400, "{}", stranger.body);
    // What anybody can compute: the token of a browser without the page's cookie.
    let computed = form.clone().with("csrf_token", &csrf_token("", "check"));
    let cross_site = world.browser().submit(&page, &computed).await;
    assert_eq!(cross_site.status, 400, "{}", cross_site.body);
    let forged = form.with("csrf_token", "made-up");
    assert_eq!(browser.submit(&page, &forged).await.status, 400);
    assert_eq!(host.requests(), [""; 0], "nothing is fetched");
    // A registered client is judged by its own table.
    let unknown = world.check(&mut browser, "oidc", "nobody").await.text();
    assert!(
        unknown.contains("nobody is not known to this provider"),
        "{unknown}"
    );
}

#[actix_web::test]
async fn a_provider_in_production_has_no_such_page() {
    let world = World::builder()
        .server(|settings| {
            settings.development = false;
            // The anchor of the federated ones is without TLS.
            let issuers = &mut settings.issuers;
            issuers.retain(|issuer| issuer.id.ends_with("/oidc/"));
            for issuer in issuers {
                issuer.trust_anchors.clear();
            }
        })
        .start();
    for (method, path) in [("GET", "/oidc/check"), ("POST", "/oidc/check")] {
        let mut browser = world.browser();
        let answer = match method {
            "GET" => browser.get(&world.url(path)).await,
            _ => browser.post(&world.url(path), &[]).await,
        };
        assert_eq!(answer.status, 404, "{method} {path}");
    }
}
