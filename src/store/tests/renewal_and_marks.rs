use super::tables::federation_rp;
use super::*;
use renewal::{Due, RenewalFailure, Schedule};

fn schedule(client_id: ClientId, due_in: i64) -> Schedule {
    Schedule {
        issuer: issuer(),
        client_id,
        superior: "https://ta.example.it".to_owned(),
        resolved_at: NOW,
        due_at: NOW.plus_seconds(due_in),
        marks_due_at: NOW.plus_seconds(40),
    }
}

/// Two RPs whose chains end after 100 seconds, due after 20 and 10.
fn with_two(db: &TestDb) {
    db.write(|conn| {
        for (party, due_in) in [(rp(), 20), (other_rp(), 10)] {
            client::upsert(conn, &federation_rp(party.clone(), NOW.plus_seconds(100)))?;
            renewal::insert(conn, &schedule(party, due_in))?;
        }
        Ok::<(), StoreError>(())
    });
}

fn due_after(db: &TestDb, seconds: i64) -> Vec<Due> {
    let now = NOW.plus_seconds(seconds);
    db.read(move |conn| renewal::search_due(conn, &issuer(), now, false, 9))
}

fn names(due: &[Due]) -> Vec<ClientId> {
    due.iter().map(|due| due.client_id.clone()).collect()
}

#[test]
fn what_is_due_is_found_until_its_chain_ends_and_never_what_is_switched_off() {
    on_both(|db| {
        with_two(db);
        assert!(due_after(db, 9).is_empty());
        let due = due_after(db, 10);
        assert_eq!(names(&due), [other_rp()]);
        assert_eq!(due[0].superior, "https://ta.example.it");
        assert_eq!(due[0].expires_at, NOW.plus_seconds(100));
        assert_eq!(due[0].failures, 0);
        assert_eq!(names(&due_after(db, 99)), [other_rp(), rp()]);
        assert!(due_after(db, 100).is_empty(), "ended");
        let elsewhere = IssuerId::new("https://op.example.it/cie/");
        let now = NOW.plus_seconds(50);
        assert!(
            db.read(move |conn| renewal::search_due(conn, &elsewhere, now, false, 9))
                .is_empty()
        );
        let one = db.read(move |conn| renewal::search_due(conn, &issuer(), now, false, 1));
        assert_eq!(names(&one), [other_rp()], "the most urgent");
        db.write(|conn| client::set_enabled(conn, &issuer(), &other_rp(), false));
        assert_eq!(names(&due_after(db, 50)), [rp()]);
        // With the RP goes its row.
        db.write(|conn| client::delete(conn, &issuer(), &rp()));
        assert!(due_after(db, 50).is_empty());
    });
}

#[test]
fn marks_are_asked_about_by_a_clock_that_no_failure_puts_off() {
    // SPID/CIE TM-2
    on_both(|db| {
        with_two(db);
        let due = due_after(db, 10).remove(0);
        let failed = RenewalFailure {
            since: NOW,
            description: "no answer".to_owned(),
        };
        let row = due.clone();
        db.write(move |conn| renewal::postpone(conn, &row, &failed, NOW.plus_seconds(95)));
        let asked = |seconds: i64| {
            let now = NOW.plus_seconds(seconds);
            db.read(move |conn| renewal::search_due(conn, &issuer(), now, true, 9))
        };
        assert!(asked(19).is_empty());
        assert_eq!(names(&asked(40)), [rp(), other_rp()]);
        assert_eq!(names(&due_after(db, 40)), [rp()], "issuers are not asked");
        let row = due.clone();
        db.write(move |conn| renewal::postpone_marks(conn, &row, NOW.plus_seconds(60)));
        assert_eq!(names(&asked(59)), [rp()]);
        let row = asked(60).remove(1);
        assert_eq!((row.due_at, row.failures), (NOW.plus_seconds(95), 1));
        // It was resolved anew meanwhile.
        let mut renewed = schedule(other_rp(), 70);
        renewed.resolved_at = NOW.plus_seconds(60);
        renewed.marks_due_at = NOW.plus_seconds(65);
        db.write(move |conn| renewal::insert(conn, &renewed));
        db.write(move |conn| renewal::postpone_marks(conn, &row, NOW.plus_seconds(99)));
        assert_eq!(names(&asked(65)), [rp(), other_rp()]);
    });
}

#[test]
fn a_success_in_between_is_not_overwritten_by_the_first_failure() {
    on_both(|db| {
        with_two(db);
        let due = due_after(db, 10).remove(0);
        let mut renewed = schedule(other_rp(), 70);
        renewed.resolved_at = NOW.plus_seconds(11);
        db.write(move |conn| renewal::insert(conn, &renewed));
        let failed = RenewalFailure {
            since: NOW,
            description: "no answer".to_owned(),
        };
        db.write(move |conn| renewal::postpone(conn, &due, &failed, NOW.plus_seconds(15)));
        assert_eq!(
            db.read(|conn| renewal::find_failure(conn, &issuer(), &other_rp())),
            None
        );
        assert!(due_after(db, 15).is_empty());
    });
}

#[test]
fn what_an_older_version_registered_is_renewed_too() {
    on_both(|db| {
        with_two(db);
        let old = ClientId::new("https://old.example.it");
        let party = tables::federation_rp(old.clone(), NOW.plus_seconds(2000));
        db.write(move |conn| client::upsert(conn, &party));
        let adopt = || {
            db.write(|conn| renewal::adopt(conn, &issuer(), NOW, (900, 3600)));
        };
        adopt();
        adopt();
        assert!(!names(&due_after(db, 1099)).contains(&old));
        assert_eq!(names(&due_after(db, 1100)), [old]);
        assert_eq!(names(&due_after(db, 99)), [other_rp(), rp()], "as before");
    });
}

#[test]
fn one_superior_does_not_fill_what_is_looked_at() {
    on_both(|db| {
        db.write(|conn| {
            for number in 0..12_i64 {
                let id = ClientId::new(format!("https://rp-{number}.example.it"));
                let party = tables::federation_rp(id.clone(), NOW.plus_seconds(100));
                client::upsert(conn, &party)?;
                let mut row = schedule(id, number);
                if number >= 10 {
                    row.superior = "https://small.example.it".to_owned();
                }
                renewal::insert(conn, &row)?;
            }
            Ok::<(), StoreError>(())
        });
        let now = NOW.plus_seconds(50);
        let found = db.read(move |conn| renewal::search_due(conn, &issuer(), now, false, 3));
        let small = |due: &Due| due.superior == "https://small.example.it";
        assert_eq!(found.len(), 5);
        assert_eq!(found.iter().filter(|due| small(due)).count(), 2);
        assert!(found.iter().take(2).any(small), "in turn");
    });
}

#[test]
fn failures_are_counted_from_the_first_one_and_forgotten_by_a_success() {
    on_both(|db| {
        with_two(db);
        let failure = |seconds: i64, why: &str| RenewalFailure {
            since: NOW.plus_seconds(seconds),
            description: why.to_owned(),
        };
        let found = || db.read(|conn| renewal::find_failure(conn, &issuer(), &other_rp()));
        assert_eq!(found(), None);
        let first = due_after(db, 10).remove(0);
        let (again, failed) = (first.clone(), failure(10, "no answer"));
        db.write(move |conn| renewal::postpone(conn, &first, &failed, NOW.plus_seconds(15)));
        assert!(due_after(db, 14).is_empty());
        assert_eq!(found(), Some(failure(10, "no answer")));
        // Another node's attempt that began before counts once.
        let failed = failure(11, "too late");
        db.write(move |conn| renewal::postpone(conn, &again, &failed, NOW.plus_seconds(90)));
        assert_eq!(found(), Some(failure(10, "no answer")));
        let second = due_after(db, 15).remove(0);
        assert_eq!(second.failures, 1);
        let failed = failure(15, "HTTP status 500");
        db.write(move |conn| renewal::postpone(conn, &second, &failed, NOW.plus_seconds(16)));
        assert_eq!(found(), Some(failure(10, "HTTP status 500")));
        assert_eq!(names(&due_after(db, 30)), [rp(), other_rp()], "failed last");
        db.write(|conn| renewal::insert(conn, &schedule(other_rp(), 50)));
        assert_eq!(found(), None);
        assert_eq!(
            due_after(db, 50).iter().map(|due| due.failures).max(),
            Some(0)
        );
    });
}

#[test]
fn a_mark_is_replaced_by_a_later_one_only_and_every_change_is_noticed() {
    on_both(|db| {
        let mark = |jwt: &str, issued_in: i64| OwnTrustMark {
            issuer: issuer(),
            mark_type: "https://ta.example.it/op".to_owned(),
            mark_issuer: "https://ta.example.it".to_owned(),
            jwt: jwt.to_owned(),
            issued_at: NOW.plus_seconds(issued_in),
            expires_at: Some(NOW.plus_seconds(issued_in + 100)),
            obtained_at: NOW,
        };
        let version = || db.read(own_trust_mark::version);
        let put = |mark: &OwnTrustMark| {
            let mark = mark.clone();
            db.write(move |conn| own_trust_mark::upsert(conn, &mark))
        };
        let kept = || db.read(|conn| own_trust_mark::search(conn, &issuer()));
        assert_eq!((version(), kept()), (0, vec![]));
        let (old, new) = (mark("a.b.c", 0), mark("d.e.f", 10));
        assert!(put(&new));
        assert_eq!((version(), kept()), (1, vec![new.clone()]));
        assert!(!put(&old));
        assert_eq!((version(), kept()), (1, vec![new.clone()]));
        let mut endless = mark("g.h.i", 20);
        endless.expires_at = None;
        assert!(put(&endless));
        assert_eq!((version(), kept()), (2, vec![endless.clone()]));
        let mut other = mark("j.k.l", 0);
        other.mark_issuer = "https://another.example.it".to_owned();
        assert!(put(&other));
        assert_eq!(kept(), [other, endless]);
        let elsewhere = IssuerId::new("https://op.example.it/cie/");
        assert!(
            db.read(move |conn| own_trust_mark::search(conn, &elsewhere))
                .is_empty()
        );
    });
}

#[test]
fn keys_at_an_address_come_due_without_a_chain_and_end_a_day_after_they_were_found() {
    on_both(|db| {
        db.write(|conn| {
            let mut party = federation_rp(rp(), NOW);
            party.origin = Origin::Registered;
            client::upsert(conn, &party)?;
            renewal::insert(conn, &schedule(rp(), 10))
        });
        assert!(due_after(db, 9).is_empty());
        let due = due_after(db, 10);
        assert_eq!(names(&due), [rp()]);
        assert_eq!(due[0].expires_at, NOW.plus_seconds(renewal::KEYS_SECONDS));
        assert_eq!(names(&due_after(db, 30 * 86_400)), [rp()], "however late");
        db.write(|conn| renewal::delete(conn, &issuer(), &rp()));
        assert!(due_after(db, 10).is_empty());
    });
}
