//! Every test here runs on SQLite, and on PostgreSQL too when `VARCO_TEST_POSTGRES` holds the URL of a server.

mod changes;
mod counts;
mod devices_and_drafts;
mod history;
mod holdings;
mod lists;
mod mails;
mod other_channels;
mod outage;
mod plans;
mod purge;
mod refusals;
mod renewal_and_marks;
mod rp_changes;
mod rp_desk;
mod schema;
mod second_factors;
mod single_use;
mod tables;
mod trail;
mod transactions;
mod user_imports;

use super::*;
use crate::clock::UtcTime;
use crate::model::*;
use diesel::RunQueryDsl;
use std::sync::{Barrier, PoisonError};

pub(super) const NOW: UtcTime = UtcTime(1_800_000_000);

/// A database of one test; gone after it.
pub(super) struct TestDb {
    pub(super) store: Store,
    pub(super) settings: DatabaseSettings,
    /// SQLite: the folder of the file.
    pub(super) folder: tempfile::TempDir,
    /// PostgreSQL: the server, and the schema's name, which is the application's name too.
    pub(super) server: Option<(String, String)>,
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if let Some((server, schema)) = &self.server {
            admin(server, &format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

pub(super) fn admin(server: &str, sql: &str) {
    let mut conn = open_postgres(server).unwrap();
    diesel::sql_query(sql).execute(&mut conn).unwrap();
}

fn settings(url: String) -> DatabaseSettings {
    DatabaseSettings {
        url,
        pool_size: 4,
        sqlite_synchronous: SqliteSynchronous::Full,
        migrate: true,
    }
}

/// Settings, the folder of the file, and `TestDb::server`.
type EmptyDatabase = (
    DatabaseSettings,
    tempfile::TempDir,
    Option<(String, String)>,
);

/// The settings of an empty database on SQLite and, when there is a server, on PostgreSQL.
pub(super) fn empty_databases() -> Vec<EmptyDatabase> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/data/varco.db", folder.path().display());
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let mut all = vec![(settings(url), folder, None)];
    if let Ok(server) = std::env::var("VARCO_TEST_POSTGRES") {
        let schema = format!("test_{}", hex(&crate::random::bytes::<8>()));
        admin(&server, &format!("CREATE SCHEMA {schema}"));
        let url = format!("{server}?options=-csearch_path%3D{schema}&application_name={schema}");
        all.push((
            settings(url),
            tempfile::tempdir().unwrap(),
            Some((server, schema)),
        ));
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    column::hex(bytes)
}

/// Runs a test on each database.
pub(super) fn on_both(test: impl Fn(&TestDb)) {
    for (settings, folder, server) in empty_databases() {
        let db = TestDb {
            store: Store::open(&settings).unwrap(),
            settings,
            folder,
            server,
        };
        test(&db);
    }
}

impl TestDb {
    pub(super) fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut DbConn) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(f).unwrap()
    }

    pub(super) fn read<T>(&self, f: impl FnOnce(&mut DbConn) -> Result<T, StoreError>) -> T {
        self.store.read_blocking(f).unwrap()
    }

    /// Adds `grant(account)` with its account and a history event; returns it.
    pub(super) fn with_grant(&self, name: &str) -> Grant {
        let person = account(name);
        let granted = grant(&person.id);
        let event = event(&granted, NOW);
        let answer = granted.clone();
        self.write(move |conn| {
            account::insert(conn, &person)?;
            grant::insert(conn, &granted)?;
            login_event::insert(conn, &event)
        });
        answer
    }

    /// What 20 threads get that do the same at the same time.
    pub(super) fn at_once<T: Send + 'static>(
        &self,
        f: impl Fn(&mut DbConn) -> Result<T, StoreError> + Send + Sync + Clone + 'static,
    ) -> Vec<T> {
        const THREADS: usize = 20;
        let barrier = Barrier::new(THREADS);
        let results = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let (f, barrier, results) = (f.clone(), &barrier, &results);
                scope.spawn(move || {
                    barrier.wait();
                    let result = self.store.write_blocking(f).unwrap();
                    results
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(result);
                });
            }
        });
        results.into_inner().unwrap()
    }
}

pub(super) fn issuer() -> IssuerId {
    IssuerId::new("https://op.example.it/spid/")
}

pub(super) fn rp() -> ClientId {
    ClientId::new("https://rp.example.it/")
}

pub(super) fn other_rp() -> ClientId {
    ClientId::new("https://other.example.it/")
}

pub(super) fn account(username: &str) -> Account {
    let mut attributes = serde_json::Map::new();
    attributes.insert("given_name".into(), "Niccolò".into());
    Account {
        id: AccountId::random(),
        username: username.to_owned(),
        password_hash: Some("$argon2id$x".into()),
        enabled: true,
        attributes,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(super) fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: rp(),
        destination: Destination {
            redirect_uri: "https://rp.example.it/callback".into(),
            response_mode: ResponseMode::Query,
            state: Some("state \0 with a NUL".into()),
        },
        scope: vec!["openid".into()],
        nonce: Some("n".repeat(32)),
        code_challenge: Some("c".repeat(43)),
        prompt: Prompt::default(),
        acr_values: vec!["https://www.spid.gov.it/SpidL2".into()],
        userinfo_claims: vec![ClaimRequest {
            name: "given_name".into(),
            essential: true,
            values: vec![serde_json::json!("x"), serde_json::json!(1)],
        }],
        id_token_claims: Vec::new(),
        max_age: None,
        ui_locales: vec!["it".into()],
    }
}

pub(super) fn grant(account: &AccountId) -> Grant {
    Grant {
        id: GrantId::random(),
        issuer: issuer(),
        client_id: rp(),
        account: account.clone(),
        session: SessionId::random(),
        subject: "pairwise".into(),
        acr: "https://www.spid.gov.it/SpidL2".into(),
        methods: Methods::only(Method::Password),
        authenticated_at: NOW,
        request: request(),
        offline_access: true,
        refresh_count: 0,
        created_at: NOW,
        expires_at: NOW.plus_seconds(86_400),
        revoked_at: None,
    }
}

pub(super) fn token(grant: &Grant, kind: TokenKind, generation: i64) -> Token {
    Token {
        id: TokenId::random(),
        kind,
        grant: grant.id.clone(),
        generation,
        client_id: grant.client_id.clone(),
        issued_at: NOW,
        expires_at: NOW.plus_seconds(900),
        state: TokenState::Live,
    }
}

pub(super) fn code(grant: &Grant, text: &str) -> AuthorizationCode {
    AuthorizationCode {
        hash: CodeHash::of(text),
        grant: grant.id.clone(),
        client_id: grant.client_id.clone(),
        expires_at: NOW.plus_seconds(10),
        state: CodeState::Issued,
    }
}

pub(super) fn event(grant: &Grant, occurred_at: UtcTime) -> LoginEvent {
    LoginEvent {
        id: crate::random::identifier(),
        issuer: grant.issuer.clone(),
        account: grant.account.clone(),
        client_id: grant.client_id.clone(),
        rp_name: "Comune di Esempio".into(),
        acr: grant.acr.clone(),
        attributes: vec!["given_name".into()],
        browser: "Mozilla/5.0 \0".into(),
        address: "192.0.2.1".into(),
        occurred_at,
        grant: grant.id.clone(),
        access_until: occurred_at.plus_seconds(900),
        revoked_at: None,
    }
}

pub(super) fn interaction(id: &str) -> Interaction {
    Interaction {
        id: InteractionId::new(id),
        issuer: issuer(),
        browser: SecretHash::of("browser"),
        request: request(),
        state: InteractionState::Started,
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
    }
}
