//! What letters say, and who gets them; the way out is tested against a real server in `tests/it/mail`.

use super::courier::wait_after;
use super::*;
use crate::model::{AccountId, ClientId, GrantId};
use crate::secret::Secret;
use serde_json::json;
use std::collections::BTreeSet;

const NOW: UtcTime = UtcTime(1_768_467_600);
const HOSTILE: &str = "Comune\r\nBcc: all@example.it\u{202e}\n\n  Da dove: \0 casa";

fn origin() -> Origin {
    Origin {
        browser: HOSTILE.to_owned(),
        address: "192.0.2.1".to_owned(),
    }
}

fn letters() -> Vec<Letter> {
    let changed = |change| Letter::FactorChanged {
        change,
        name: HOSTILE.to_owned(),
        origin: (change != FactorChange::Reset).then(origin),
    };
    let mut all: Vec<Letter> = FactorChange::ALL.into_iter().map(changed).collect();
    all.extend([
        Letter::NewDevice { origin: origin() },
        Letter::OfflineAccessUsed {
            client_id: ClientId::new("https://rp.example.it/"),
            rp_name: HOSTILE.to_owned(),
        },
        Letter::ConsentExpiring {
            grant: GrantId::new("g"),
            rp_name: HOSTILE.to_owned(),
            until: NOW.plus_seconds(86_400),
        },
        Letter::EmailCode {
            code: Secret::new("493817".to_owned()),
            valid_seconds: 600,
            rp_name: HOSTILE.to_owned(),
            origin: origin(),
        },
    ]);
    all
}

fn sender(key: &KeyEncryptionKey) -> Sender<'_> {
    Sender {
        key,
        settings: None,
        name: "Identità di prova",
        account_url: "https://login.example.it/spid/account",
        address_attributes: &[],
        now: NOW,
    }
}

#[test]
fn every_letter_says_in_every_language_what_happened_when_from_where_and_where_to_go() {
    let key = KeyEncryptionKey::generate();
    for locale in Locale::ALL {
        let mut subjects = BTreeSet::new();
        for letter in letters() {
            let (subject, body) = letter.write(locale, &sender(&key)).unwrap();
            let name = format!("{} {}", locale.code(), letter.kind());
            assert!(body.contains("10:00"), "{name}: when, in Italy\n{body}");
            let is_code = matches!(letter, Letter::EmailCode { .. });
            let has_link = body.contains("https://login.example.it/spid/account\n");
            assert_eq!(has_link, !is_code, "{name}");
            assert_eq!(
                body.contains("://"),
                !is_code,
                "{name}: no link beside a code"
            );
            assert!(body.contains("Identità di prova"), "{name}");
            let from_here = body.contains("192.0.2.1");
            let has_origin = !matches!(
                letter,
                Letter::OfflineAccessUsed { .. }
                    | Letter::ConsentExpiring { .. }
                    | Letter::FactorChanged { origin: None, .. }
            );
            assert_eq!(from_here, has_origin, "{name}");
            assert!(!body.contains("{ $") && !body.contains("mail-"), "{name}");
            assert!(subject.chars().count() < 78, "{name}: RFC 5322 §2.1.1");
            subjects.insert(subject);
        }
        assert_eq!(subjects.len(), letters().len(), "{}", locale.code());
    }
}

#[test]
fn no_message_of_the_mails_is_left_over() {
    let italian = include_str!("../../locales/it/mail.ftl");
    let kinds: BTreeSet<String> = letters()
        .iter()
        .map(|letter| letter.kind().replace('_', "-"))
        .collect();
    let mut own = 0;
    for key in italian.lines().filter_map(|line| line.split_once(" = ")) {
        let key = key.0.strip_prefix("mail-").unwrap();
        let common = ["greeting", "when", "where", "named", "account", "footer"];
        let of_a_letter = key.rsplit_once('-').is_some_and(|(kind, part)| {
            kinds.contains(kind) && ["subject", "what", "advice"].contains(&part)
        });
        assert!(common.contains(&key) || of_a_letter, "{key}");
        own += usize::from(of_a_letter);
    }
    assert_eq!(own, kinds.len() * 3);
}

#[test]
fn names_from_outside_add_no_lines_and_no_headers() {
    let key = KeyEncryptionKey::generate();
    let from: lettre::message::Mailbox = "Varco <no-reply@login.example.it>".parse().unwrap();
    for letter in letters() {
        let (subject, body) = letter.write(Locale::It, &sender(&key)).unwrap();
        for line in body.lines().chain(subject.lines()) {
            assert!(
                !line.starts_with("Bcc") && !line.contains('\u{202e}'),
                "{line}"
            );
        }
        assert_eq!(
            body.matches("\nDa dove:").count(),
            usize::from(letter_has_origin(&body))
        );
        let text = MailText {
            to: "ada@example.it".to_owned(),
            subject,
            body,
        };
        let sent = smtp::message("id1", &text, &from, NOW).unwrap().formatted();
        let sent = String::from_utf8(sent).unwrap();
        let (headers, _) = sent.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\r\nBcc"), "{headers}");
        assert!(
            headers.contains("Message-ID: <id1@login.example.it>"),
            "{headers}"
        );
        assert!(
            headers.contains("Auto-Submitted: auto-generated"),
            "{headers}"
        );
        assert!(
            headers.contains("Date: Thu, 15 Jan 2026 09:00:00"),
            "{headers}"
        );
    }
}

fn letter_has_origin(body: &str) -> bool {
    body.contains("192.0.2.1")
}

#[test]
fn only_an_address_that_may_be_the_persons_gets_mail() {
    let person = |attributes: serde_json::Value| Account {
        id: AccountId::random(),
        username: "ada".to_owned(),
        password_hash: None,
        enabled: true,
        attributes: attributes.as_object().unwrap().clone(),
        created_at: NOW,
        updated_at: NOW,
    };
    let names = ["mail".to_owned(), "email".to_owned()];
    let address = |attributes| address_of(&person(attributes), &names);
    assert_eq!(
        address(json!({"email": " ada@example.it "})).as_deref(),
        Some("ada@example.it")
    );
    assert_eq!(
        address(json!({"email": "a@x.it", "mail": "b@x.it"})).as_deref(),
        Some("b@x.it")
    );
    assert!(address(json!({"email": "a@x.it", "email_verified": true})).is_some());
    for nobody in [
        json!({}),
        json!({"email": "a@x.it", "email_verified": false}),
        json!({"email": ""}),
        json!({"email": "ada"}),
        json!({"email": "a@x.it\r\nRCPT TO:<b@x.it>"}),
        json!({"email": "a@x.it, b@x.it"}),
        json!({"email": "<a@x.it>"}),
        json!({"email": 1}),
    ] {
        assert_eq!(address(nobody.clone()), None, "{nobody}");
    }
}

#[test]
fn what_a_mail_says_is_sealed_as_its_row() {
    let key = KeyEncryptionKey::generate();
    let text = MailText {
        to: "ada@example.it".to_owned(),
        subject: "s".to_owned(),
        body: "b".to_owned(),
    };
    let mut message = MailMessage {
        id: "one".to_owned(),
        account: AccountId::random(),
        kind: "new_device".to_owned(),
        distinct: None,
        sealed: seal(&key, "one", &text).unwrap(),
        state: MailState::Queued,
        attempts: 0,
        created_at: NOW,
        next_attempt_at: NOW,
        give_up_at: NOW,
        done_at: None,
        reason: None,
        expires_at: NOW,
    };
    assert_eq!(open(&key, &message).unwrap(), text);
    assert!(open(&KeyEncryptionKey::generate(), &message).is_err());
    message.id = "two".to_owned();
    assert!(open(&key, &message).is_err());
}

#[test]
fn waits_grow_and_stay_bounded() {
    let waits: Vec<i64> = (1..=10).map(wait_after).collect();
    assert_eq!(waits, [15, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    for odd in [i64::MIN, 0, i64::MAX] {
        assert!((15..=3_600).contains(&wait_after(odd)));
    }
}
