//! Files of people: judged, applied once a line, resumed after an interruption.

use crate::harness::{Answer, Browser, World};
use std::collections::BTreeSet;
use std::io::Cursor;
use varco::accounts::PasswordHasher;
use varco::administration::imports::{self, ImportFile, Importer, Turn};
use varco::administration::{Office, command_line_actor};
use varco::clock::{Clock as _, UtcTime};
use varco::jose::KeyEncryptionKey;
use varco::store::{DatabaseSettings, SqliteSynchronous, Store, account, user_import};

const NOW: UtcTime = UtcTime(1_800_000_000);

/// Sends a form with a file, as a browser does.
async fn send(world: &World, browser: &mut Browser, name: &str, text: &str) -> Answer {
    let page = browser.get(&world.url("/admin/users/import")).await;
    let token = page.form("/admin/users/import").fields[0].1.clone();
    let body = format!(
        "--XYZ\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n\
         --XYZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\n{text}\r\n--XYZ--\r\n"
    );
    let url = world.url("/admin/users/import");
    let kind = "multipart/form-data; boundary=XYZ";
    browser.post_text(&url, kind, body).await
}

/// Sends a file and opens its page.
async fn judged(world: &World, browser: &mut Browser, text: &str) -> Answer {
    let sent = send(world, browser, "people.csv", text).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let page = browser.get(&world.url(&sent.leads_to())).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// Lets it be applied, by whichever task comes first, and opens its page at the end.
async fn applied(world: &World, browser: &mut Browser, page: &Answer, skip: bool) -> Answer {
    let mut form = page.form("/admin/users/import/start");
    if skip {
        form = form.with("skip", "1");
    }
    let started = browser.submit(page, &form).await;
    assert_eq!(started.status, 303, "{}", started.text());
    let shared = &world.app.shared;
    let with = (&shared.store, &shared.key_encryption_key, &shared.passwords);
    let importer = Importer::new(Office::closed());
    loop {
        importer.turn(with, world.clock.now()).await.unwrap();
        let page = browser.get(&world.url(&started.leads_to())).await;
        if page.text().contains("completata") {
            return page;
        }
    }
}

async fn people(world: &World) -> i64 {
    world.app.shared.store.read(account::count).await.unwrap()
}

#[actix_web::test]
async fn a_file_is_judged_first_and_changes_nobody_until_it_is_applied() {
    let world = World::start();
    let mut olga = world.desk().await;
    let before = people(&world).await;
    let file = "username,password,email\nzoe,a secret,zoe@example.it\nyves,,yves@example.it\n";
    let page = judged(&world, &mut olga, file).await;
    assert!(
        page.text().contains("Tutte le voci sono valide"),
        "{}",
        page.text()
    );
    assert_eq!(people(&world).await, before);
    let done = applied(&world, &mut olga, &page, false).await;
    assert!(done.text().contains("Aggiunti 2"), "{}", done.text());
    assert_eq!(people(&world).await, before + 2);
    // Again: the same people are updated.
    let page = judged(&world, &mut olga, file).await;
    let done = applied(&world, &mut olga, &page, false).await;
    assert!(done.text().contains("Aggiornati 2"), "{}", done.text());
    let mut browser = world.browser();
    let login = browser.get(&world.url("/spid/login")).await;
    let form = login
        .form("/spid/login")
        .with("username", "zoe")
        .with("password", "a secret");
    assert_eq!(browser.submit(&login, &form).await.status, 303);
    let trail = olga.get(&world.url("/admin/trail")).await;
    for action in ["users.import", "users.import_done"] {
        assert!(
            trail.body.contains(&format!("<code>{action}</code>")),
            "{action}"
        );
    }
    assert!(!trail.body.contains("a secret") && !trail.body.contains("zoe@"));
}

#[actix_web::test]
async fn bad_lines_are_told_by_number_and_left_out_on_request_only() {
    let world = World::start();
    let mut olga = world.desk().await;
    let before = people(&world).await;
    let file = "username,email,=cmd\nzoe,zoe@example.it,\nyves,nowhere,\nzoe,,\nxaver,,1\n";
    let page = judged(&world, &mut olga, file).await;
    for said in [
        "serve un indirizzo e-mail",
        "già alla riga 2",
        "non è un attributo",
    ] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    assert!(!page.body.contains("nowhere"));
    let refused = olga
        .submit(&page, &page.form("/admin/users/import/start"))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(people(&world).await, before);
    let done = applied(&world, &mut olga, &page, true).await;
    assert_eq!(people(&world).await, before + 1);
    let query = done.url.query().unwrap().to_owned();
    let report = olga
        .get(&world.url(&format!("/admin/users/import/report?{query}")))
        .await;
    assert!(report.header("content-disposition").contains("attachment"));
    let lines: Vec<&str> = report.body.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("3,")), "{lines:?}");
    // No cell begins like a formula.
    assert!(lines.iter().all(|line| !line.contains(",=")), "{lines:?}");
    // It does not begin twice.
    let form = page.form("/admin/users/import/start").with("skip", "1");
    let again = olga.submit(&page, &form).await;
    assert_eq!(again.status, 409);
}

#[actix_web::test]
async fn wrong_encodings_hostile_texts_and_files_that_are_too_large_are_told() {
    let world = World::start();
    let mut olga = world.desk().await;
    let wide = judged(&world, &mut olga, "u\0s\0e\0r\0n\0a\0m\0e\0").await;
    assert!(wide.text().contains("non è in UTF-8"), "{}", wide.text());
    let nothing = send(&world, &mut olga, "", "").await;
    assert_eq!(nothing.status, 422);
    let hostile = "{\"username\": \"<script>\", \"attributes\": {\"<b>x\": 1}}\n{\"a\": [[[[[[[[[[1]]]]]]]]]]}\n";
    let page = judged(&world, &mut olga, hostile).await;
    assert!(!page.body.contains("<b>x") && page.body.contains("&lt;b&gt;x"));
    let wrong = (0..2000).map(|_| "x\n").collect::<String>();
    let page = judged(&world, &mut olga, &format!("{{\n{wrong}")).await;
    assert!(!page.body.contains("/admin/users/import/start"));
    let name = "\u{202e}<img src=x>".repeat(100);
    let sent = send(&world, &mut olga, &name, "username\nzoe\n").await;
    let page = olga.get(&world.url(&sent.leads_to())).await;
    assert!(!page.body.contains("<img src=x"));
    let large = format!("username\n{}", "x".repeat(65 << 20));
    let refused = send(&world, &mut olga, "large.csv", &large).await;
    assert_eq!(refused.status, 413, "{}", refused.text());
    let pasted = "x".repeat((1 << 20) + 1);
    let body = format!(
        "--XYZ\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{pasted}\r\n--XYZ--\r\n"
    );
    let url = world.url("/admin/users/import");
    let kind = "multipart/form-data; boundary=XYZ";
    assert_eq!(olga.post_text(&url, kind, body.clone()).await.status, 413);
    // A stranger's file is not read: the answer is the way to the login.
    let answer = world.browser().post_text(&url, kind, body).await;
    assert_eq!(answer.status, 303);
    // Without a token nothing is kept.
    let body = "--XYZ\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nusername\nzoe\r\n--XYZ--\r\n";
    let answer = olga.post_text(&url, kind, body.to_owned()).await;
    assert_eq!(answer.status, 400);
}

/// A registry without a server.
struct Registry {
    store: Store,
    key: KeyEncryptionKey,
    passwords: PasswordHasher,
    _folder: tempfile::TempDir,
}

impl Registry {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseSettings {
            url: format!("sqlite://{}", folder.path().join("varco.db").display()),
            pool_size: 2,
            sqlite_synchronous: SqliteSynchronous::Normal,
            migrate: true,
        })
        .unwrap();
        Self {
            store,
            key: KeyEncryptionKey::generate(),
            passwords: PasswordHasher::default(),
            _folder: folder,
        }
    }

    /// Reads a file of so many people, whose names begin so, and lets it be applied.
    fn begin(&self, prefix: &str, people: usize) -> String {
        let actor = command_line_actor(Some("test"));
        let lines = (0..people).map(|number| format!("{prefix}{number}\n"));
        let text = format!("username\n{}", lines.collect::<String>());
        let file = ImportFile {
            name: "people.csv".to_owned(),
            input: Cursor::new(text.into_bytes()),
            format: None,
        };
        let none = BTreeSet::new();
        let id = imports::read((&self.store, &self.key), &actor, (file, &none), NOW).unwrap();
        let of = id.clone();
        self.store
            .write_blocking(move |tx| imports::start(tx, &actor, (&of, false), NOW))
            .unwrap();
        id
    }

    async fn turn(&self, importer: &Importer, now: UtcTime) -> Turn {
        let with = (&self.store, &self.key, &self.passwords);
        importer.turn(with, now).await.unwrap()
    }

    fn count(&self) -> i64 {
        self.store.read_blocking(account::count).unwrap()
    }
}

#[actix_web::test]
async fn an_import_whose_node_died_goes_on_at_another_one_exactly_once_a_line() {
    let registry = Registry::new();
    let id = registry.begin("p", 240);
    let first = Importer::new(Office::closed());
    assert_eq!(
        registry.turn(&first, NOW).await,
        Turn::Applied(id.clone(), 100, 240)
    );
    drop(first);
    // Nobody else takes it before its time has run out.
    let second = Importer::new(Office::closed());
    assert_eq!(registry.turn(&second, NOW).await, Turn::Idle);
    let later = NOW.plus_seconds(61);
    assert_eq!(
        registry.turn(&second, later).await,
        Turn::Applied(id.clone(), 200, 240)
    );
    assert_eq!(
        registry.turn(&second, later).await,
        Turn::Applied(id.clone(), 240, 240)
    );
    assert_eq!(
        registry.turn(&second, later).await,
        Turn::Finished(id.clone())
    );
    assert_eq!(registry.turn(&second, later).await, Turn::Idle);
    assert_eq!(registry.count(), 240);
    let known = registry
        .store
        .read_blocking(|conn| user_import::find(conn, &id))
        .unwrap()
        .unwrap();
    assert_eq!((known.added, known.updated), (240, 0));
}

#[actix_web::test]
async fn two_imports_go_on_at_the_same_time_and_a_stopped_one_applies_no_more() {
    let registry = Registry::new();
    let (one, other) = (registry.begin("a", 140), registry.begin("b", 140));
    let (first, second) = (
        Importer::only(Office::closed(), &one),
        Importer::only(Office::closed(), &other),
    );
    registry.turn(&first, NOW).await;
    registry.turn(&second, NOW).await;
    let actor = command_line_actor(Some("test"));
    let stopped = other.clone();
    registry
        .store
        .write_blocking(move |tx| imports::cancel(tx, &actor, &stopped, NOW))
        .unwrap();
    assert_eq!(registry.turn(&second, NOW).await, Turn::Idle);
    registry.turn(&first, NOW).await;
    assert_eq!(registry.turn(&first, NOW).await, Turn::Finished(one));
    assert_eq!(registry.count(), 240);
}

#[actix_web::test]
async fn somebody_logs_in_between_two_parts_of_an_import() {
    let world = World::start();
    let mut olga = world.desk().await;
    let lines = (0..1_500).map(|number| format!("p{number}\n"));
    let page = judged(
        &world,
        &mut olga,
        &format!("username\n{}", lines.collect::<String>()),
    )
    .await;
    let form = page.form("/admin/users/import/start");
    assert_eq!(olga.submit(&page, &form).await.status, 303);
    let mut browser = world.browser();
    let login = browser.get(&world.url("/spid/login")).await;
    let form = login
        .form("/spid/login")
        .with("username", crate::harness::ADA.0)
        .with("password", crate::harness::ADA.1);
    let shared = &world.app.shared;
    let with = (&shared.store, &shared.key_encryption_key, &shared.passwords);
    let importer = Importer::new(Office::closed());
    let (turn, answer) = tokio::join!(
        importer.turn(with, world.clock.now()),
        browser.submit(&login, &form)
    );
    turn.unwrap();
    assert_eq!(answer.status, 303);
}
