//! Files of relying parties: judged whole, applied in parts once an entry, resumed after an interruption.

use super::rps_forms::add;
use crate::harness::{Answer, Browser, World};
use serde_json::{Value, json};
use varco::administration::Office;
use varco::administration::imports::{Importer, Turn};
use varco::clock::Clock as _;
use varco::model::ClientId;
use varco::provider::{Discovery, follow_changes};

async fn send(world: &World, browser: &mut Browser, text: &str) -> Answer {
    let page = browser.get(&world.url("/admin/rps/import")).await;
    let form = page.form("/admin/rps/import").with("text", text);
    browser.submit(&page, &form).await
}

/// Sends a file and opens its page.
async fn judged(world: &World, browser: &mut Browser, text: &str) -> Answer {
    let sent = send(world, browser, text).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let page = browser.get(&world.url(&sent.leads_to())).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

async fn start(browser: &mut Browser, page: &Answer, skip: bool) -> Answer {
    let mut form = page.form("/admin/rps/import/start");
    if skip {
        form = form.with("skip", "1");
    }
    browser.submit(page, &form).await
}

async fn turn(world: &World, importer: &Importer) -> Turn {
    let shared = &world.app.shared;
    let with = (&shared.store, &shared.key_encryption_key, &shared.passwords);
    importer.turn(with, world.clock.now()).await.unwrap()
}

/// Lets it be applied, by whichever task comes first, and opens its page at the end.
async fn applied(world: &World, browser: &mut Browser, page: &Answer, skip: bool) -> Answer {
    let started = start(browser, page, skip).await;
    assert_eq!(started.status, 303, "{}", started.text());
    let importer = Importer::new(Office::closed());
    loop {
        turn(world, &importer).await;
        let page = browser.get(&world.url(&started.leads_to())).await;
        if page.text().contains("completata") {
            follow_changes(&world.app.shared, &world.app.providers)
                .await
                .unwrap();
            return page;
        }
    }
}

async fn known(world: &World, id: &str) -> bool {
    let op = world.provider("oidc");
    let id = ClientId::new(id);
    op.find_client(&id, Discovery::Never).await.is_ok()
}

pub async fn exported(world: &World, browser: &mut Browser) -> Value {
    let url = world.url("/admin/rps/export?issuer=oidc");
    browser.get(&url).await.json()
}

#[actix_web::test]
async fn a_file_is_looked_at_as_a_whole_and_comes_back_as_it_went() {
    let world = World::start();
    let mut olga = world.desk().await;
    let shown = add(&world, &mut olga, &[("access_token", "60")]).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let mut document = exported(&world, &mut olga).await;
    let same = judged(&world, &mut olga, &document.to_string()).await;
    assert!(same.text().contains("già così"), "{}", same.text());

    let entries = document["relying_parties"].as_array_mut().unwrap();
    let mut good = entries[0].clone();
    good["client_id"] = "kiosk".into();
    let mut bad = good.clone();
    bad["client_id"] = "evil".into();
    bad["redirect_uris"] = json!(["javascript:alert(1)"]);
    bad["client_secret_sha256"] = "x".into();
    entries.push(good);
    entries.push(bad);
    let page = judged(&world, &mut olga, &document.to_string()).await;
    for says in [
        "schema non è ammesso",
        "client_secret_sha256",
        "Voci con errori 1",
    ] {
        assert!(page.text().contains(says), "{says}: {}", page.text());
    }
    // Not unless it is said that what is wrong shall be left out.
    let refused = start(&mut olga, &page, false).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(!known(&world, "kiosk").await);
    let done = applied(&world, &mut olga, &page, true).await;
    assert!(known(&world, "kiosk").await && !known(&world, "evil").await);
    assert!(
        done.text().contains("crei poi il suo segreto"),
        "{}",
        done.text()
    );
    assert!(done.text().contains("Aggiunti 1"), "{}", done.text());
    assert_eq!(start(&mut olga, &page, true).await.status, 409, "once");
    let trail = olga.get(&world.url("/admin/trail")).await;
    for action in ["rps.import", "rps.import_done", "rp.import"] {
        let shown = format!("<code>{action}</code>");
        assert!(trail.body.contains(&shown), "{action}");
    }
    for nothing in ["", "[]", "{", "{\"relying_parties\": 1}"] {
        let answer = send(&world, &mut olga, nothing).await;
        assert_eq!(answer.status, 422, "{nothing}");
        assert!(answer.body.contains("aria-invalid") || answer.body.contains("notice-error"));
    }
    let odd = judged(&world, &mut olga, "{\"relying_parties\": [1, null]}").await;
    assert!(odd.text().contains("Voci con errori 2"), "{}", odd.text());
}

#[actix_web::test]
async fn a_large_file_shows_how_far_it_is_and_goes_on_where_another_node_stopped() {
    for (world, schema) in World::on_each_database() {
        let world = world.start();
        let mut olga = world.desk().await;
        assert_eq!(
            add(&world, &mut olga, &[("auth_method", "none")])
                .await
                .status,
            303
        );
        let document = exported(&world, &mut olga).await;
        let one = document["relying_parties"][0].clone();
        let entries: Vec<Value> = (0..250)
            .map(|number| {
                let mut entry = one.clone();
                entry["client_id"] = format!("shop-{number:03}").into();
                entry
            })
            .collect();
        let text = json!({ "relying_parties": entries }).to_string();
        // As a file, as a browser sends it: more than fits into a form.
        let page = olga.get(&world.url("/admin/rps/import")).await;
        let token = page.form("/admin/rps/import").fields[0].1.clone();
        let body = format!(
            "--XYZ\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n\
             --XYZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"rps.json\"\r\n\
             Content-Type: application/json\r\n\r\n{text}\r\n--XYZ--\r\n"
        );
        let kind = "multipart/form-data; boundary=XYZ";
        let sent = olga
            .post_text(&world.url("/admin/rps/import"), kind, body)
            .await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let url = world.url(&sent.leads_to());
        let page = olga.get(&url).await;
        assert!(page.text().contains("Voci valide 250"), "{}", page.text());
        assert!(page.text().contains("50"), "of the report 200 are shown");
        assert_eq!(start(&mut olga, &page, false).await.status, 303);
        let (first, second) = (
            Importer::new(Office::closed()),
            Importer::new(Office::closed()),
        );
        assert!(matches!(
            turn(&world, &first).await,
            Turn::Applied(_, 100, 250)
        ));
        let running = olga.get(&url).await;
        assert_eq!(running.header("refresh"), "5");
        assert!(
            running.body.contains("value=\"100\" max=\"250\""),
            "{}",
            running.body
        );
        // The first node has it until its lease ends; then the second goes on, once an entry.
        assert_eq!(turn(&world, &second).await, Turn::Idle);
        world.clock.advance_seconds(61);
        assert!(matches!(
            turn(&world, &second).await,
            Turn::Applied(_, 200, 250)
        ));
        assert_eq!(turn(&world, &first).await, Turn::Idle);
        assert!(matches!(
            turn(&world, &second).await,
            Turn::Applied(_, 250, 250)
        ));
        assert!(matches!(turn(&world, &second).await, Turn::Finished(_)));
        let done = olga.get(&url).await;
        assert!(done.header("refresh").is_empty());
        assert!(done.text().contains("Aggiunti 250"), "{}", done.text());
        let imported = world.command(&[
            "operator",
            "trail",
            "--action",
            "rp.import",
            "--limit",
            "1000",
        ]);
        if schema.is_none() {
            let imported = imported.done();
            assert_eq!(imported["entries"].as_array().unwrap().len(), 250);
        }
        // It is no import of people, and one of people is none of these.
        let id = url.split("id=").nth(1).unwrap();
        let people = world.url(&format!("/admin/users/import/one?id={id}"));
        assert_eq!(olga.get(&people).await.status, 404);
        let people = olga.get(&world.url("/admin/users/import")).await;
        assert!(!people.body.contains("rps.json"));
        let list = olga.get(&world.url("/admin/rps/import")).await;
        assert!(list.text().contains("rps.json") && list.text().contains("250 / 250"));
    }
}

#[actix_web::test]
async fn an_import_is_stopped_and_what_was_applied_stays() {
    let world = World::start();
    let mut olga = world.desk().await;
    assert_eq!(
        add(&world, &mut olga, &[("auth_method", "none")])
            .await
            .status,
        303
    );
    let mut document = exported(&world, &mut olga).await;
    document["relying_parties"][0]["client_id"] = "kiosk".into();
    let page = judged(&world, &mut olga, &document.to_string()).await;
    // It is none of people, at whose addresses nothing of it is found, started or stopped.
    let fields = page.form("/admin/rps/import/cancel").fields;
    for path in ["start", "cancel"] {
        let url = world.url(&format!("/admin/users/import/{path}"));
        assert_eq!(olga.post(&url, &fields).await.status, 404, "{path}");
    }
    let cancel = page.form("/admin/rps/import/cancel");
    let cancelled = olga.submit(&page, &cancel).await;
    assert_eq!(cancelled.status, 303, "{}", cancelled.body);
    assert_eq!(start(&mut olga, &page, false).await.status, 409);
    assert_eq!(
        turn(&world, &Importer::new(Office::closed())).await,
        Turn::Idle
    );
    assert!(!known(&world, "kiosk").await);
    for id in ["x", "%00"] {
        let url = world.url(&format!("/admin/rps/import/one?id={id}"));
        assert_eq!(olga.get(&url).await.status, 404);
    }
}
