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
    db.read(move |conn| renewal::search_due(conn, &issuer(), now, None, 9))
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
            db.read(move |conn| renewal::search_due(conn, &elsewhere, now, None, 9))
                .is_empty()
        );
        let one = db.read(move |conn| renewal::search_due(conn, &issuer(), now, None, 1));
        assert_eq!(names(&one), [other_rp()], "the most urgent");
        db.write(|conn| client::set_enabled(conn, &issuer(), &other_rp(), false));
        assert_eq!(names(&due_after(db, 50)), [rp()]);
        // Who was resolved long ago, and did not fail since, is due whatever was decided then.
        let recheck = |before: UtcTime| {
            db.read(move |conn| renewal::search_due(conn, &issuer(), NOW, Some(before), 9))
        };
        assert_eq!(names(&recheck(NOW)), [rp()]);
        assert!(recheck(NOW.plus_seconds(-1)).is_empty());
        // With the RP goes its row.
        db.write(|conn| client::delete(conn, &issuer(), &rp()));
        assert!(due_after(db, 50).is_empty());
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
