//! A file of people changes those who are known as an operator would one by one: their sessions end, they are told, and the
//! trail names them. Nobody else notices anything.

use super::users::page_of;
use crate::harness::{ADA, Browser, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Cursor;
use varco::accounts::{hash_password, verify_password};
use varco::administration::imports::{self, ImportFile, Importer, Turn};
use varco::administration::{Office, command_line_actor};
use varco::clock::Clock as _;
use varco::jose::KeyEncryptionKey;
use varco::mail::{self, MailText};
use varco::model::{ImportState, TrailEntry, TrailFilter};
use varco::store::{mail_message, trail, user_import};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Reads JSON lines and lets them be applied, sealed with this key.
fn begin(world: &World, key: &KeyEncryptionKey, lines: &[Value]) -> String {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (store, now) = (&world.app.shared.store, world.clock.now());
    let file = ImportFile {
        name: "people.jsonl".to_owned(),
        input: Cursor::new(text.into_bytes()),
        format: None,
    };
    let actor = command_line_actor(Some("test"));
    let id = imports::read((store, key), &actor, (file, &BTreeSet::new()), now).unwrap();
    let of = id.clone();
    store
        .write_blocking(move |tx| imports::start(tx, &actor, (&of, false), now))
        .unwrap();
    id
}

fn office(world: &World) -> Office {
    let shared = &world.app.shared;
    Office::of(&shared.server, &shared.key_encryption_key)
}

/// Applies what waits, to its end, beside the world's own task.
async fn apply(world: &World, id: &str) {
    let shared = &world.app.shared;
    let with = (&shared.store, &shared.key_encryption_key, &shared.passwords);
    let importer = Importer::new(office(world));
    loop {
        importer.turn(with, world.clock.now()).await.unwrap();
        let of = id.to_owned();
        let known = shared.store.read(move |conn| user_import::find(conn, &of));
        if known.await.unwrap().unwrap().state == ImportState::Done {
            return;
        }
    }
}

async fn import(world: &World, lines: &[Value]) {
    world.clock.advance_seconds(1);
    let id = begin(world, &world.app.shared.key_encryption_key, lines);
    apply(world, &id).await;
}

/// The mails about a person, oldest first.
fn mails(world: &World, username: &str) -> Vec<(String, MailText)> {
    let id = world.account(username).id;
    let shared = &world.app.shared;
    let found = shared
        .store
        .read_blocking(|conn| mail_message::search_of(conn, &id, None, 100))
        .unwrap();
    let open = |mail| mail::open(&shared.key_encryption_key, mail).unwrap();
    let mut all: Vec<_> = found
        .iter()
        .map(|mail| (mail.kind.clone(), open(mail)))
        .filter(|(kind, _)| kind != "new_device")
        .collect();
    all.reverse();
    all
}

/// Which letters went to which address.
fn told(world: &World, username: &str) -> Vec<(String, String)> {
    let all = mails(world, username).into_iter();
    all.map(|(kind, text)| (kind, text.to)).collect()
}

/// What the trail says of somebody, the newest first.
fn trail_of(world: &World, username: &str) -> Vec<TrailEntry> {
    let filter = TrailFilter {
        subject: Some(format!("user {}", world.account(username).id)),
        ..TrailFilter::default()
    };
    let store = &world.app.shared.store;
    store
        .read_blocking(|conn| trail::search(conn, &filter, None, 50))
        .unwrap()
}

async fn logged_in(world: &World, who: (&str, &str)) -> Browser {
    let mut browser = world.browser();
    world.enter(&mut browser, "spid", who).await;
    browser
}

async fn is_open(world: &World, browser: &mut Browser) -> bool {
    browser.get(&world.url("/spid/history")).await.status == 200
}

#[actix_web::test]
async fn who_is_given_another_password_factor_and_address_by_a_file_is_told_at_the_old_address() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let mut ada = logged_in(&world, ADA).await;
        let mut chiara = logged_in(&world, ("chiara", "chiara-demo")).await;
        let hash = hash_password("of the attacker").unwrap();
        let mut attributes = Value::Object(world.account("ada").attributes);
        attributes["email"] = json!("attacker@example.it");
        let line = json!({
            "username": "ada", "password_hash": hash, "totp_secret": SECRET,
            "attributes": attributes,
        });
        let same = json!({
            "username": "chiara", "enabled": true,
            "password_hash": world.account("chiara").password_hash,
            "attributes": world.account("chiara").attributes,
        });
        let lines = [
            line,
            same,
            json!({"username": "zoe", "password_hash": hash}),
        ];
        import(&world, &lines).await;
        assert!(!is_open(&world, &mut ada).await);
        assert!(is_open(&world, &mut chiara).await);
        let old = |kind: &str| (kind.to_owned(), "ada.rossi@example.it".to_owned());
        let expected = [
            old("password_changed"),
            old("factor_added"),
            old("email_changed"),
        ];
        // Written in one second, they have no order.
        let mut found = told(&world, "ada");
        found.sort();
        let mut wanted = expected.to_vec();
        wanted.sort();
        assert_eq!(found, wanted);
        for (_, text) in mails(&world, "ada") {
            assert!(!text.body.contains("attacker"), "{}", text.body);
        }
        assert!(told(&world, "chiara").is_empty());
        let entries = trail_of(&world, "ada");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].action, "user.import");
        let (before, after) = (
            entries[0].before.clone().unwrap(),
            entries[0].after.clone().unwrap(),
        );
        let (was, is): (Value, Value) = (
            serde_json::from_str(&before).unwrap(),
            serde_json::from_str(&after).unwrap(),
        );
        assert_eq!(
            was,
            json!({"password": true, "attributes": {"email": "ada.rossi@example.it"}})
        );
        assert_eq!(is["password"], "changed");
        assert_eq!(is["totp_secret"], "changed");
        assert_eq!(is["sessions_ended"], 1);
        assert_eq!(is["attributes"], json!({"email": "attacker@example.it"}));
        assert!(!after.contains("argon2") && !after.contains(SECRET));
        assert!(trail_of(&world, "chiara").is_empty());
        // Once more: it is so already.
        import(&world, &lines).await;
        assert_eq!(told(&world, "ada").len(), 3);
        assert_eq!(trail_of(&world, "ada").len(), 1);
        assert!(trail_of(&world, "zoe").is_empty() && told(&world, "zoe").is_empty());
    }
}

#[actix_web::test]
async fn a_password_in_clear_that_is_the_same_ends_nothing_and_another_one_does() {
    let world = World::start();
    let mut ada = logged_in(&world, ADA).await;
    let before = world.account("ada").password_hash;
    import(&world, &[json!({"username": "ada", "password": ADA.1})]).await;
    assert_eq!(world.account("ada").password_hash, before);
    assert!(is_open(&world, &mut ada).await && told(&world, "ada").is_empty());
    import(&world, &[json!({"username": "ada", "password": "another"})]).await;
    let after = world.account("ada").password_hash;
    assert!(verify_password(after.as_deref(), "another").unwrap());
    assert!(!is_open(&world, &mut ada).await);
    assert_eq!(told(&world, "ada").len(), 1);
}

#[actix_web::test]
async fn who_is_disabled_by_a_file_is_logged_out_and_named_in_the_trail() {
    let world = World::start();
    let mut ada = logged_in(&world, ADA).await;
    import(&world, &[json!({"username": "ada", "enabled": false})]).await;
    assert!(!is_open(&world, &mut ada).await);
    let entries = trail_of(&world, "ada");
    assert_eq!(entries[0].before.as_deref(), Some(r#"{"enabled":true}"#));
    assert!(
        entries[0]
            .after
            .as_ref()
            .unwrap()
            .contains(r#""enabled":false"#)
    );
    let mut olga = world.desk().await;
    let page = page_of(&world, &mut olga, "ada").await;
    let id = world.account("ada").id;
    let trail = olga
        .get(&world.url(&format!("/admin/trail?subject=user%20{id}")))
        .await;
    assert!(trail.text().contains("user.import"), "{}", page.text());
}

#[actix_web::test]
async fn a_fiscal_number_that_a_file_changes_is_told() {
    let world = World::start();
    let mut attributes = Value::Object(world.account("ada").attributes);
    attributes["fiscal_number"] = json!("TINIT-RSSZOE80A41H501Z");
    import(
        &world,
        &[json!({"username": "ada", "attributes": attributes})],
    )
    .await;
    let to = "ada.rossi@example.it".to_owned();
    assert_eq!(
        told(&world, "ada"),
        [("fiscal_number_changed".to_owned(), to)]
    );
}

#[actix_web::test]
async fn an_import_that_cannot_be_opened_has_failed_and_those_behind_it_go_on() {
    let world = World::start();
    let lost = begin(
        &world,
        &KeyEncryptionKey::generate(),
        &[json!({"username": "zoe"})],
    );
    world.clock.advance_seconds(1);
    let key = &world.app.shared.key_encryption_key;
    let good = begin(&world, key, &[json!({"username": "yves"})]);
    apply(&world, &good).await;
    let state = {
        let of = lost.clone();
        let store = &world.app.shared.store;
        store.read_blocking(|conn| user_import::find(conn, &of))
    };
    assert_eq!(state.unwrap().unwrap().state, ImportState::Failed);
    let mut olga = world.desk().await;
    let page = olga
        .get(&world.url(&format!("/admin/users/import/one?id={lost}")))
        .await;
    assert!(page.text().contains("non riuscita"), "{}", page.text());
    assert!(page.text().contains("key_file"), "{}", page.text());
    let list = olga.get(&world.url("/admin/users/import")).await;
    assert!(list.text().contains("non riuscita"));
    let trail = olga
        .get(&world.url(&format!("/admin/trail?subject=import%20{lost}")))
        .await;
    assert!(trail.text().contains("users.import_failed"));
    // It is not tried again.
    let shared = &world.app.shared;
    let with = (&shared.store, key, &shared.passwords);
    let importer = Importer::new(office(&world));
    let turn = importer.turn(with, world.clock.now()).await;
    assert_eq!(turn.unwrap(), Turn::Idle);
}

#[actix_web::test]
async fn an_address_that_an_operator_changes_is_told_at_the_old_one_and_is_not_verified() {
    let world = World::start();
    let mut olga = world.desk().await;
    let id = world.account("ada").id;
    let edit = async |olga: &mut Browser, field: &str, value: &str| {
        world.clock.advance_seconds(1);
        let url = world.url(&format!("/admin/users/edit?id={id}"));
        let page = olga.get(&url).await;
        let mut form = super::users::filled(&page);
        form.fields.retain(|(name, _)| name != field);
        let saved = olga.submit(&page, &form.with(field, value)).await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        olga.get(&world.url(&saved.leads_to())).await
    };
    let done = edit(&mut olga, "a-given_name", "Adele").await;
    assert!(done.text().contains("La modifica è stata salvata"));
    assert!(told(&world, "ada").is_empty());
    let done = edit(&mut olga, "a-email", "new@example.it").await;
    assert!(
        done.text().contains("risulta non verificato"),
        "{}",
        done.text()
    );
    let old = "ada.rossi@example.it".to_owned();
    assert_eq!(told(&world, "ada"), [("email_changed".to_owned(), old)]);
    assert_eq!(world.account("ada").attributes["email_verified"], false);
    edit(&mut olga, "a-email_verified", "true").await;
    assert_eq!(world.account("ada").attributes["email_verified"], true);
    edit(&mut olga, "a-fiscal_number", "TINIT-RSSZOE80A41H501Z").await;
    let new = "new@example.it".to_owned();
    assert_eq!(
        told(&world, "ada").last(),
        Some(&("fiscal_number_changed".to_owned(), new))
    );
}
