//! Looking into an RP at the desk: progress on every node, shared by whoever asks for the same, bounded, and lost alone.

use super::rps::{about, change, known_rp};
use crate::harness::{Answer, Browser, CONFIGURATION, Host, World};
use std::sync::Arc;
use std::time::Duration;
use varco::federation::{FetchLimits, HttpFetcher, ResolutionLimits};
use varco::launch::OPERATOR;
use varco::model::{CheckKind, RpCheck};
use varco::store::rp_check::{self, Started};

/// Sends the form of the check.
pub async fn check(world: &World, browser: &mut Browser, slug: &str, rp: &str) -> Answer {
    let page = browser.get(&world.url("/admin/rps/check")).await;
    let form = page
        .form("/admin/rps/check")
        .with("issuer", slug)
        .with("rp", rp)
        .with("fresh", "1");
    browser.submit(&page, &form).await
}

/// Looks at the page of a check until it does not come again by itself, as a browser does.
pub async fn finished(world: &World, browser: &mut Browser, begun: &Answer) -> Answer {
    assert_eq!(begun.status, 303, "{}", begun.body);
    let url = world.url(&begun.leads_to());
    loop {
        let page = browser.get(&url).await;
        assert_eq!(page.status, 200, "{}", page.body);
        if page.header("refresh").is_empty() {
            return page;
        }
        assert!(page.body.contains("<progress"), "{}", page.body);
    }
}

pub fn id_of(begun: &Answer) -> String {
    begun.leads_to().split("id=").nth(1).unwrap().to_owned()
}

#[actix_web::test]
async fn a_check_shows_how_far_it_is_on_every_node_and_then_what_came_of_it() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let mut host = Host::start();
        let rp = world.stranger(&host, "/rp/");
        host.hold(&format!("/rp/{CONFIGURATION}"));
        // A node that waits as long as the test does.
        let patient = Duration::from_secs(60);
        let limits = FetchLimits {
            per_fetch: patient,
            ..FetchLimits::default()
        };
        let fetcher = HttpFetcher::new(limits, true, None).unwrap();
        let limits = ResolutionLimits {
            total: patient,
            ..ResolutionLimits::default()
        };
        let node = world.node_with(Arc::new(fetcher), limits);
        let there = |path: &str| node.url(&world.url(path));
        let mut olga = node.desk(&world, OPERATOR).await;
        let page = olga.get(&there("/admin/rps/check")).await;
        let form = page
            .form("/admin/rps/check")
            .with("issuer", "spid")
            .with("rp", rp.entity_id())
            .with("fresh", "1");
        let begun = olga.submit(&page, &form).await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        host.next_request().await;
        let url = begun.leads_to();
        let running = olga.get(&there(&url)).await;
        assert_eq!(running.header("refresh"), "2");
        // Another node shows the same, and whoever asks there for the same shares it.
        let mut vera = world.desk().await;
        let seen = vera.get(&world.url(&url)).await;
        for page in [&running, &seen] {
            assert_eq!(page.header("refresh"), "2");
            let text = page.text();
            assert!(text.contains("Verifica in corso"), "{text}");
            assert!(text.contains("Avviata da olga"), "{text}");
        }
        for _ in 0..3 {
            let shared = check(&world, &mut vera, "spid", rp.entity_id()).await;
            assert_eq!(shared.leads_to(), url);
        }
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        host.release();
        let ended = finished(&world, &mut vera, &begun).await;
        // What was held is answered 503.
        assert!(ended.text().contains("503"), "{}", ended.text());
        assert_eq!(host.requests().len(), 1, "nobody asked twice");
        // A new one is a new one.
        let again = check(&world, &mut vera, "spid", rp.entity_id()).await;
        assert_ne!(again.leads_to(), url);
        let ended = finished(&world, &mut vera, &again).await;
        assert!(ended.body.contains("notice-success"), "{}", ended.text());
        assert!(ended.body.contains("class=\"report\""));
        let english = format!("{}&lang=en", again.leads_to());
        let english = vera.get(&world.url(&english)).await;
        assert!(english.text().contains("accepted"), "{}", english.text());
    }
}

#[actix_web::test]
async fn a_chain_is_refreshed_with_progress_and_a_failure_says_why_and_keeps_the_old_one() {
    let world = World::start();
    let host = Host::start();
    let rp = known_rp(&world, &host).await;
    let mut olga = world.desk().await;
    world.clock.advance_seconds(60);
    let target = ("spid", rp.entity_id());
    let begun = change(&world, &mut olga, target, "refresh").await;
    let done = finished(&world, &mut olga, &begun).await;
    assert!(
        done.text().contains("sono state rinnovate"),
        "{}",
        done.text()
    );
    host.fail("/rp/.well-known/openid-federation", 500);
    let begun = change(&world, &mut olga, target, "refresh").await;
    let failed = finished(&world, &mut olga, &begun).await;
    assert!(!failed.text().contains("sono state rinnovate"));
    assert!(failed.text().contains("500"), "{}", failed.text());
    let id = varco::model::ClientId::new(rp.entity_id());
    let op = world.provider("spid");
    op.find_client(&id, varco::provider::Discovery::Never)
        .await
        .unwrap();
    let subject = format!("rp {id} at {}", op.issuer);
    let trail = world.command(&["operator", "trail", "--subject", &subject]);
    let trail = trail.done();
    let accepted: Vec<&serde_json::Value> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["after"]["accepted"])
        .collect();
    assert_eq!(accepted, [false, true]);
    // Nobody is there to ask.
    world.register("none", &["--client-id", "shop"]);
    let refused = change(&world, &mut olga, ("oidc", "shop"), "refresh").await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("non si interroga nessuno"));
}

/// A check that goes on at some node, as the database has it.
pub fn under_way(world: &World, id: &str, rp: &str) -> RpCheck {
    let now = world.app.shared.clock.now();
    RpCheck {
        id: id.to_owned(),
        kind: CheckKind::Fresh,
        issuer: world.provider("spid").settings.id.clone(),
        client_id: rp.to_owned(),
        actor: "olga".to_owned(),
        steps: "[]".to_owned(),
        result: None,
        lease_until: now.plus_seconds(30),
        created_at: now,
        finished_at: None,
        expires_at: now.plus_seconds(3600),
    }
}

pub fn begin(world: &World, new: RpCheck) {
    let store = &world.app.shared.store;
    let started = store.write_blocking(move |tx| rp_check::start(tx, &new, 4));
    assert_eq!(started.unwrap(), Started::New);
}

#[actix_web::test]
async fn many_who_press_at_once_share_one_check_and_too_many_checks_are_refused() {
    let world = World::start();
    let id = world.rp().entity_id();
    begin(&world, under_way(&world, "one", id));
    let mut operators = Vec::new();
    for _ in 0..8 {
        operators.push(world.desk().await);
    }
    let pressed = operators
        .iter_mut()
        .map(|browser| check(&world, browser, "spid", id));
    for begun in futures_util::future::join_all(pressed).await {
        assert_eq!(begun.leads_to(), "/admin/rps/check?id=one");
    }
    for number in 0..3 {
        let other = format!("https://rp{number}.example/");
        begin(
            &world,
            under_way(&world, &format!("other-{number}"), &other),
        );
    }
    let mut olga = world.desk().await;
    let other = world.federation.aggregated_relying_party().entity_id();
    let refused = check(&world, &mut olga, "spid", other).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("<h1"), "a page: {}", refused.body);
    // Another issuer has places of its own, and whoever joins needs none.
    let begun = check(&world, &mut olga, "cie", other).await;
    finished(&world, &mut olga, &begun).await;
    let joined = check(&world, &mut olga, "spid", id).await;
    assert_eq!(joined.leads_to(), "/admin/rps/check?id=one");
    let store = &world.app.shared.store;
    let now = world.app.shared.clock.now();
    store
        .write_blocking(move |tx| rp_check::finish(tx, "one", "{}", now))
        .unwrap();
    let free = check(&world, &mut olga, "spid", other).await;
    let ended = finished(&world, &mut olga, &free).await;
    assert!(ended.body.contains("notice-success"), "{}", ended.text());
}

#[actix_web::test]
async fn a_check_whose_node_died_says_so_and_keeps_no_place() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        for number in 0..4 {
            let rp = format!("https://rp{number}.example/");
            begin(&world, under_way(&world, &format!("lost-{number}"), &rp));
        }
        let mut olga = world.desk().await;
        let id = world.rp().entity_id();
        assert_eq!(check(&world, &mut olga, "spid", id).await.status, 503);
        world.clock.advance_seconds(30);
        let page = olga.get(&world.url("/admin/rps/check?id=lost-0")).await;
        assert_eq!(page.status, 200);
        assert!(page.header("refresh").is_empty());
        assert!(
            page.text().contains("è stata interrotta"),
            "{}",
            page.text()
        );
        // The form is there to begin it again.
        let form = page
            .form("/admin/rps/check")
            .with("issuer", "spid")
            .with("rp", id)
            .with("fresh", "1");
        let begun = olga.submit(&page, &form).await;
        finished(&world, &mut olga, &begun).await;
        // What came of it is kept for an hour.
        world.clock.advance_seconds(3601);
        varco::store::purge::purge_expired_blocking(
            &world.app.shared.store,
            world.app.shared.clock.now(),
            varco::store::purge::PurgeLimits {
                history_retention_days: 365,
            },
        )
        .unwrap();
        let mut olga = world.desk().await;
        for id in [id_of(&begun).as_str(), "x", "%00", "'%20OR%201=1"] {
            let url = world.url(&format!("/admin/rps/check?id={id}"));
            assert_eq!(olga.get(&url).await.status, 404, "{id}");
        }
    }
}

#[actix_web::test]
async fn what_an_rp_says_of_itself_is_text_in_what_came_of_a_check() {
    for (world, _schema) in World::on_each_database() {
        hostile_words(&world.start()).await;
    }
}

async fn hostile_words(world: &World) {
    let host = Host::start();
    let hostile = "</pre><script>alert(1)</script>";
    let rp = world
        .stranger(&host, "/rp/")
        .with_metadata("client_name", hostile.to_owned());
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let mut olga = world.desk().await;
    let begun = check(world, &mut olga, "spid", rp.entity_id()).await;
    let ended = finished(world, &mut olga, &begun).await;
    assert!(ended.body.contains("alert(1)"), "it is shown");
    assert!(!ended.body.contains("<script>alert"), "as text");
    let begun = check(world, &mut olga, "spid", hostile).await;
    let ended = finished(world, &mut olga, &begun).await;
    assert!(!ended.body.contains("<script>alert"));
    // As long as it may be, and longer.
    for letter in ["x", "\u{1f512}"] {
        let begun = check(world, &mut olga, "spid", &letter.repeat(3000)).await;
        finished(world, &mut olga, &begun).await;
    }
    let one = olga
        .get(&world.url(&about("check", "spid", hostile, &[])))
        .await;
    assert!(!one.body.contains("<script>alert"));
}
