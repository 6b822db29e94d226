//! What is queued arrives: once if the world is kind, twice with one `Message-ID` if a sender dies, and never lost.

use super::server::{MailServer, header};
use crate::harness::{START, Schema};
use varco::clock::ManualClock;
use varco::config::{MailDelivery, MailSettings, SmtpSecurity, SmtpSettings};
use varco::jose::KeyEncryptionKey;
use varco::mail::{self, Courier, Letter, Origin, Queued, Round, Sender};
use varco::model::{Account, AccountId, MailMessage, MailState};
use varco::secret::Secret;
use varco::store::{DatabaseSettings, SqliteSynchronous, Store, account, mail_message};

/// A database with mails.
pub(super) struct Office {
    store: Store,
    key: KeyEncryptionKey,
    pub(super) clock: ManualClock,
    pub(super) settings: MailSettings,
    _folder: tempfile::TempDir,
    _schema: Option<Schema>,
}

impl Office {
    /// On SQLite, and on PostgreSQL where there is one.
    pub(super) fn on_each_database(port: u16) -> Vec<Self> {
        let open = |schema: Option<Schema>| {
            let folder = tempfile::tempdir().unwrap();
            let file = format!("sqlite://{}", folder.path().join("varco.db").display());
            Self {
                store: Store::open(&DatabaseSettings {
                    url: schema.as_ref().map_or(file, Schema::url),
                    pool_size: 2,
                    sqlite_synchronous: SqliteSynchronous::Normal,
                    migrate: true,
                })
                .unwrap(),
                key: KeyEncryptionKey::generate(),
                clock: ManualClock::starting_at(START),
                settings: settings(port, SmtpSecurity::None, None),
                _folder: folder,
                _schema: schema,
            }
        };
        let mut all = vec![open(None)];
        all.extend(Schema::create().map(|schema| open(Some(schema))));
        all
    }

    /// Queues a letter to an address; returns its key.
    pub(super) fn queue(&self, to: &str, letter: Letter) -> String {
        let mut attributes = serde_json::Map::new();
        attributes.insert("email".to_owned(), to.into());
        let person = Account {
            id: AccountId::random(),
            username: varco::random::identifier(),
            password_hash: None,
            enabled: true,
            attributes,
            created_at: START,
            updated_at: START,
        };
        let (key, settings) = (self.key.clone(), self.settings.clone());
        let now = varco::clock::Clock::now(&self.clock);
        let id = person.id.clone();
        self.store
            .write_blocking(move |tx| -> Result<(), mail::MailError> {
                account::insert(tx, &person)?;
                let sender = Sender {
                    key: &key,
                    settings: Some(&settings),
                    name: "Identità di prova",
                    account_url: "https://login.example.it/spid/account",
                    address_attributes: &["email".to_owned()],
                    now,
                };
                let queued = mail::queue(tx, &sender, &person, &letter)?;
                assert_eq!(queued, Queued::Yes);
                Ok(())
            })
            .unwrap();
        let mine = self
            .store
            .read_blocking(|conn| mail_message::search_of(conn, &id, None, 9))
            .unwrap();
        mine[0].id.clone()
    }

    pub(super) async fn turn(&self) -> Round {
        self.courier().turn().await.unwrap()
    }

    fn courier(&self) -> Courier<'_> {
        Courier {
            store: &self.store,
            key: &self.key,
            settings: &self.settings,
            clock: &self.clock,
        }
    }

    pub(super) fn find(&self, id: &str) -> MailMessage {
        self.store
            .read_blocking(|conn| mail_message::find(conn, id))
            .unwrap()
            .unwrap()
    }
}

pub(super) fn settings(
    port: u16,
    security: SmtpSecurity,
    credentials: Option<(String, Secret<String>)>,
) -> MailSettings {
    MailSettings {
        from: "Example Identity <no-reply@login.example.it>".to_owned(),
        delivery: MailDelivery::Smtp(SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port,
            security,
            credentials,
            ca_pem: None,
        }),
        retention_days: 30,
    }
}

pub(super) fn letter() -> Letter {
    Letter::NewDevice {
        origin: Origin {
            browser: "Firefox 140, Linux".to_owned(),
            address: "192.0.2.1".to_owned(),
        },
    }
}

pub(super) const fn round(sent: u32, postponed: u32, failed: u32) -> Round {
    Round {
        sent,
        postponed,
        failed,
    }
}

#[actix_web::test]
async fn a_mail_arrives_once() {
    let mut server = MailServer::start().await;
    for office in Office::on_each_database(server.port) {
        let id = office.queue("ada.rossi@example.it", letter());
        office.queue("bruno@example.it", letter());
        assert_eq!(office.turn().await, round(2, 0, 0));
        assert_eq!(office.turn().await, Round::default());
        let mail = server.next().await;
        assert_eq!(mail["to"], serde_json::json!(["ada.rossi@example.it"]));
        assert_eq!(mail["from"], "no-reply@login.example.it");
        assert_eq!(
            header(&mail, "Message-ID"),
            format!("<{id}@login.example.it>")
        );
        assert_eq!(server.next().await["to"][0], "bruno@example.it");
        assert!(server.is_silent());
        assert_eq!(office.find(&id).state, MailState::Sent);
    }
}

#[actix_web::test]
async fn two_nodes_that_send_at_once_send_each_mail_once() {
    let mut server = MailServer::start().await;
    for office in Office::on_each_database(server.port) {
        for number in 0..20 {
            office.queue(&format!("p{number}@example.it"), letter());
        }
        let (one, other, third) = tokio::join!(office.turn(), office.turn(), office.turn());
        assert_eq!(one.sent + other.sent + third.sent, 20);
        let mut to = std::collections::BTreeSet::new();
        for _ in 0..20 {
            to.insert(server.next().await["to"][0].to_string());
        }
        assert_eq!(to.len(), 20);
        assert!(server.is_silent());
    }
}

#[actix_web::test]
async fn a_sender_that_dies_after_the_server_accepted_leads_to_the_same_mail_again() {
    let count = Office::on_each_database(0).len();
    for number in 0..count {
        let mut server = MailServer::start().await;
        let office = Office::on_each_database(server.port).remove(number);
        let id = office.queue("crash@example.it", letter());
        let first = tokio::select! {
            accepted = server.next() => accepted,
            _ended = office.turn() => panic!("the sender lived"),
        };
        // Nobody takes it over while the sender may still live.
        assert_eq!(office.turn().await, Round::default());
        office.clock.advance_seconds(180);
        assert_eq!(office.turn().await, round(1, 0, 0));
        let second = server.next().await;
        assert_eq!(header(&first, "Message-ID"), header(&second, "Message-ID"));
        assert_eq!(
            first["content"], second["content"],
            "nothing tells them apart"
        );
        assert!(server.is_silent());
        assert_eq!(office.find(&id).attempts, 2);
    }
}

#[actix_web::test]
async fn what_a_server_that_is_down_did_not_take_arrives_when_it_is_up() {
    let port = MailServer::start().await.stop();
    for office in Office::on_each_database(port) {
        let id = office.queue("ada@example.it", letter());
        office.queue("bruno@example.it", letter());
        // One attempt tells that the server is gone; the other mail does not have to wait for its own.
        assert_eq!(office.turn().await, round(0, 1, 0));
        let reason = office.find(&id).reason.unwrap();
        assert_eq!(reason, "no connection to the server");
        assert_eq!(office.turn().await, round(0, 1, 0));
        assert_eq!(office.turn().await, Round::default(), "not due yet");
        let mut server = MailServer::start_at(port, &[]).await;
        office.clock.advance_seconds(15);
        assert_eq!(office.turn().await, round(2, 0, 0));
        server.next().await;
        server.next().await;
        assert!(server.is_silent());
        server.stop();
    }
}

#[actix_web::test]
async fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let count = Office::on_each_database(0).len();
    for number in 0..count {
        let mut server = MailServer::start().await;
        let office = Office::on_each_database(server.port).remove(number);
        let unknown = office.queue("unknown@example.it", letter());
        let busy = office.queue("busy@example.it", letter());
        office.queue("ada@example.it", letter());
        assert_eq!(office.turn().await, round(1, 1, 1));
        assert_eq!(server.next().await["to"][0], "ada@example.it");
        let failed = office.find(&unknown);
        assert_eq!(failed.state, MailState::Failed);
        // The server repeated the address; it is personal data.
        assert_eq!(failed.reason.as_deref(), Some("the server answered 550"));
        assert_eq!(
            office.find(&busy).reason.as_deref(),
            Some("the server answered 451")
        );
        office.clock.advance_seconds(15);
        assert_eq!(office.turn().await, round(1, 0, 0));
        assert_eq!(server.next().await["to"][0], "busy@example.it");
        // The operator has it tried again.
        let (id, now) = (unknown.clone(), varco::clock::Clock::now(&office.clock));
        let again = office
            .store
            .write_blocking(move |tx| mail::retry(tx, &id, now));
        assert!(again.unwrap());
        assert_eq!(office.turn().await, round(0, 0, 1));
        assert!(server.is_silent());
    }
}

#[actix_web::test]
async fn a_server_that_stays_away_is_given_up_after_days_and_a_code_after_minutes() {
    let port = MailServer::start().await.stop();
    for office in Office::on_each_database(port) {
        let id = office.queue("ada@example.it", letter());
        let mut attempts = 0;
        while office.find(&id).state == MailState::Queued {
            let next = office.find(&id).next_attempt_at;
            let now = varco::clock::Clock::now(&office.clock);
            office.clock.advance_seconds(next.seconds_since(now).max(0));
            office.turn().await;
            attempts += 1;
        }
        let given_up = office.find(&id).done_at.unwrap();
        let seconds = given_up.seconds_since(START);
        assert!(
            (432_000..=435_600).contains(&seconds),
            "five days: {seconds}"
        );
        assert!(attempts < 200, "{attempts}");
        let code = Letter::EmailCode {
            code: Secret::new("493817".to_owned()),
            valid_seconds: 600,
            rp_name: "Example".to_owned(),
            origin: Origin {
                browser: "Firefox".to_owned(),
                address: "192.0.2.1".to_owned(),
            },
        };
        let id = office.queue("ada@example.it", code);
        office.clock.advance_seconds(600);
        assert_eq!(office.turn().await, round(0, 0, 1));
        let reason = office.find(&id).reason.unwrap();
        assert_eq!(reason, "too late to be of use");
    }
}

#[actix_web::test]
async fn credentials_are_shown_and_wrong_ones_lose_no_mail() {
    let mut server = MailServer::start_at(0, &["varco", "secret"]).await;
    for mut office in Office::on_each_database(server.port) {
        let with = |password: &str| {
            let password = Secret::new(password.to_owned());
            settings(
                server.port,
                SmtpSecurity::None,
                Some(("varco".to_owned(), password)),
            )
        };
        office.settings = with("wrong");
        let id = office.queue("ada@example.it", letter());
        assert_eq!(office.turn().await, round(0, 1, 0));
        let reason = office.find(&id).reason;
        assert_eq!(reason.as_deref(), Some("the server answered 535"));
        office.settings = settings(server.port, SmtpSecurity::None, None);
        office.clock.advance_seconds(15);
        assert_eq!(office.turn().await, round(0, 1, 0));
        let reason = office.find(&id).reason;
        assert_eq!(reason.as_deref(), Some("the server answered 530"));
        office.settings = with("secret");
        office.clock.advance_seconds(30);
        assert_eq!(office.turn().await, round(1, 0, 0));
        assert_eq!(server.next().await["authenticated"], true);
    }
}

#[actix_web::test]
async fn nothing_is_said_to_a_server_without_starttls_where_it_is_needed() {
    let mut server = MailServer::start().await;
    for mut office in Office::on_each_database(server.port) {
        for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
            office.settings = settings(server.port, security, None);
            let id = office.queue("ada@example.it", letter());
            assert_eq!(office.turn().await, round(0, 1, 0), "{security:?}");
            assert_eq!(office.find(&id).state, MailState::Queued);
        }
        assert!(server.is_silent());
    }
}
