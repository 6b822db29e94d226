//! The queue of mails.

use super::*;
use crate::store::purge::{PurgeLimits, purge_expired_blocking};

fn mail(account: &AccountId, id: &str, distinct: Option<[u8; 32]>) -> MailMessage {
    MailMessage {
        id: id.to_owned(),
        account: account.clone(),
        kind: "new_device".to_owned(),
        distinct,
        sealed: vec![1, 2, 3],
        state: MailState::Queued,
        attempts: 0,
        created_at: NOW,
        next_attempt_at: NOW,
        give_up_at: NOW.plus_seconds(600),
        done_at: None,
        reason: None,
        expires_at: NOW.plus_seconds(1_000),
    }
}

fn person(db: &TestDb) -> AccountId {
    let person = account("ada");
    let id = person.id.clone();
    db.write(move |conn| account::insert(conn, &person));
    id
}

fn queued(db: &TestDb, new: MailMessage) -> bool {
    db.write(move |conn| mail_message::insert(conn, &new))
}

#[test]
fn a_due_mail_is_claimed_by_one_sender_until_its_claim_ends() {
    on_both(|db| {
        let ada = person(db);
        assert!(queued(db, mail(&ada, "a", None)));
        let until = NOW.plus_seconds(180);
        let won = db.at_once(move |conn| {
            let claim = crate::random::identifier();
            mail_message::claim(conn, "a", &claim, NOW, until)
        });
        let won: Vec<_> = won.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert_eq!(won[0].attempts, 1);
        let due = |at: i64| db.read(|conn| mail_message::due(conn, NOW.plus_seconds(at), 9));
        assert!(due(179).is_empty());
        assert_eq!(due(180), ["a"], "its sender has died");
        let again = db.write(move |conn| mail_message::claim(conn, "a", "second", until, until));
        assert_eq!(again.unwrap().attempts, 2);
        // The first sender lives after all: it changes nothing any more.
        let late = db.write(move |conn| {
            mail_message::finish(conn, ("a", "first"), MailState::Failed, Some("x"), until)
        });
        assert!(!late);
        let sent = move |conn: &mut DbConn| {
            mail_message::finish(conn, ("a", "second"), MailState::Sent, None, until)
        };
        assert!(db.write(sent) && !db.write(sent));
        let found = db.read(|conn| mail_message::find(conn, "a")).unwrap();
        assert_eq!((found.state, found.done_at), (MailState::Sent, Some(until)));
        assert!(due(10_000).is_empty());
    });
}

#[test]
fn what_at_most_one_mail_may_tell_is_told_once() {
    on_both(|db| {
        let ada = person(db);
        let (one, other) = (Some([1; 32]), Some([2; 32]));
        let new: Vec<bool> = [
            ("a", one),
            ("b", one),
            ("c", other),
            ("d", None),
            ("e", None),
        ]
        .into_iter()
        .map(|(id, distinct)| queued(db, mail(&ada, id, distinct)))
        .collect();
        assert_eq!(new, [true, false, true, true, true]);
    });
}

#[test]
fn a_mail_goes_with_the_transaction_that_it_tells_of() {
    on_both(|db| {
        let ada = person(db);
        let new = mail(&ada, "a", None);
        let undone: Result<(), StoreError> = db.store.write_blocking(move |conn| {
            mail_message::insert(conn, &new)?;
            Err(StoreError::Panicked)
        });
        assert!(undone.is_err());
        assert_eq!(db.read(|conn| mail_message::find(conn, "a")), None);
    });
}

#[test]
fn mails_are_counted_listed_by_pages_tried_again_and_forgotten_unless_they_wait() {
    on_both(|db| {
        let ada = person(db);
        for (number, id) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let mut new = mail(&ada, id, None);
            new.created_at = NOW.plus_seconds(i64::try_from(number).unwrap() / 2);
            queued(db, new);
        }
        db.write(|conn| {
            for (id, state) in [
                ("a", MailState::Failed),
                ("b", MailState::Failed),
                ("c", MailState::Sent),
            ] {
                mail_message::claim(conn, id, "s", NOW, NOW.plus_seconds(9))?;
                mail_message::finish(
                    conn,
                    (id, "s"),
                    state,
                    Some("the server answered 550\0"),
                    NOW,
                )?;
            }
            Ok(())
        });
        let counts = db.read(mail_message::counts);
        assert_eq!((counts.queued, counts.failed), (1, 2));
        assert_eq!(counts.oldest_queued_at, Some(NOW.plus_seconds(1)));
        let ids = |page: Vec<MailMessage>| page.into_iter().map(|mail| mail.id).collect::<Vec<_>>();
        let first = db.read(|conn| mail_message::search_of(conn, &ada, None, 2));
        let cursor = MailCursor {
            created_at: first[1].created_at,
            id: first[1].id.clone(),
        };
        assert_eq!(ids(first), ["d", "c"]);
        let second = db.read(|conn| mail_message::search_of(conn, &ada, Some(&cursor), 9));
        assert_eq!(ids(second), ["b", "a"]);
        let failed = db.read(|conn| mail_message::search(conn, MailState::Failed, None, 9));
        assert_eq!(
            failed[0].reason.as_deref(),
            Some("the server answered 550\u{fffd}")
        );
        assert_eq!(ids(failed), ["b", "a"]);
        let again = |id: &'static str| {
            db.write(move |conn| mail_message::requeue(conn, id, NOW, NOW.plus_seconds(9)))
        };
        assert!(again("a") && !again("a") && !again("c") && !again("\0"));
        let limits = PurgeLimits {
            history_retention_days: 1,
        };
        purge_expired_blocking(&db.store, NOW.plus_seconds(999), limits).unwrap();
        assert_eq!(
            db.read(|conn| mail_message::search_of(conn, &ada, None, 9))
                .len(),
            4
        );
        purge_expired_blocking(&db.store, NOW.plus_seconds(1_000), limits).unwrap();
        let left = db.read(|conn| mail_message::search_of(conn, &ada, None, 9));
        assert_eq!(ids(left), ["d", "a"], "those that wait");
    });
}

#[test]
fn a_person_keeps_a_language_and_mails_fall_back_to_that_of_the_pages() {
    on_both(|db| {
        let ada = person(db);
        let languages = || db.read(|conn| account::languages(conn, &ada));
        assert_eq!(languages().for_mails(), None);
        let id = ada.clone();
        db.write(move |conn| account::note_page_language(conn, &id, "en"));
        assert_eq!(languages().for_mails(), Some("en"));
        let id = ada.clone();
        assert!(db.write(move |conn| account::set_language(conn, &id, "de")));
        assert_eq!(languages().for_mails(), Some("de"));
        assert_eq!(languages().chosen.as_deref(), Some("de"));
        let nobody = AccountId::random();
        assert!(!db.write(move |conn| account::set_language(conn, &nobody, "de")));
    });
}
