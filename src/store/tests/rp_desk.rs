//! What operators set for one relying party, and what they look into.

use super::tables::federation_rp;
use super::*;
use crate::store::purge::{PurgeLimits, purge_expired_blocking};
use rp_check::Started;

#[test]
fn a_tolerance_survives_what_renews_the_rp_and_is_changed_from_what_was_seen_only() {
    let hours = |hours: i64| RpToleranceOverride {
        clock_leeway_seconds: Some(hours * 3600),
        ..RpToleranceOverride::default()
    };
    let nothing = RpToleranceOverride::default();
    on_both(|db| {
        let set = |seen: RpToleranceOverride, wanted: RpToleranceOverride| {
            db.write(move |conn| {
                client_desk::set_tolerance(conn, (&issuer(), &rp()), &seen, &wanted)
            })
        };
        let of = |id: ClientId| db.read(move |conn| client::find_tolerance(conn, &issuer(), &id));
        assert!(!set(nothing, hours(1)), "there is no such RP");
        let store = || {
            db.write(|conn| client::upsert(conn, &federation_rp(rp(), NOW.plus_seconds(60))));
            db.write(|conn| client::upsert(conn, &federation_rp(other_rp(), NOW.plus_seconds(60))));
        };
        store();
        assert!(set(nothing, hours(1)));
        assert!(!set(nothing, hours(2)), "somebody was there before");
        assert!(set(hours(1), hours(2)));
        store();
        assert_eq!(of(rp()), hours(2));
        assert_eq!(of(other_rp()), nothing);
        assert_eq!(of(ClientId::new("a\0")), nothing);
        let found = db
            .read(|conn| client::find(conn, &issuer(), &rp()))
            .unwrap();
        assert_eq!(found.tolerance, hours(2));
        // It is kept when the chain has ended long ago, until the operator takes it back.
        let later = NOW.plus_seconds(400 * 86_400);
        let limits = PurgeLimits {
            history_retention_days: 365,
        };
        purge_expired_blocking(&db.store, later, limits).unwrap();
        assert_eq!(of(rp()), hours(2));
        assert!(!set(nothing, nothing));
        assert!(set(hours(2), nothing));
        purge_expired_blocking(&db.store, later, limits).unwrap();
        assert!(!set(nothing, hours(1)), "it is gone");
    });
}

fn check(id: &str, client_id: &str) -> RpCheck {
    RpCheck {
        id: id.to_owned(),
        kind: CheckKind::Fresh,
        issuer: issuer().to_string(),
        client_id: client_id.to_owned(),
        actor: "olga".to_owned(),
        steps: "[]".to_owned(),
        result: None,
        lease_until: NOW.plus_seconds(30),
        created_at: NOW,
        finished_at: None,
        expires_at: NOW.plus_seconds(3600),
    }
}

#[test]
fn the_same_check_is_shared_others_are_bounded_and_a_dead_node_holds_no_place() {
    on_both(|db| {
        let start = |new: RpCheck| db.write(move |conn| rp_check::start(conn, &new, 2));
        assert_eq!(start(check("one", "a")), Started::New);
        assert_eq!(start(check("two", "a")), Started::Shared("one".to_owned()));
        let cached = RpCheck {
            kind: CheckKind::Cached,
            ..check("three", "a")
        };
        assert_eq!(start(cached), Started::New, "another kind is another check");
        let superiors = RpCheck {
            kind: CheckKind::Superiors,
            issuer: "https://op.example.it/oidc/".to_owned(),
            ..check("asked", "a")
        };
        assert_eq!(start(superiors.clone()), Started::New);
        let again = RpCheck {
            id: "again".to_owned(),
            ..superiors
        };
        assert_eq!(start(again), Started::Shared("asked".to_owned()));
        assert_eq!(start(check("four", "b")), Started::Full);
        let elsewhere = RpCheck {
            issuer: "https://op.example.it/cie/".to_owned(),
            ..check("five", "b")
        };
        assert_eq!(start(elsewhere), Started::New);

        db.write(|conn| rp_check::advance(conn, "one", "[1]", NOW.plus_seconds(60)));
        db.write(|conn| rp_check::finish(conn, "three", "{}", NOW.plus_seconds(1)));
        let found = |id: &'static str| db.read(move |conn| rp_check::find(conn, id)).unwrap();
        assert!(found("one").is_running(NOW.plus_seconds(59)));
        assert!(!found("one").is_running(NOW.plus_seconds(60)));
        assert_eq!(found("one").steps, "[1]");
        assert_eq!(found("asked").kind, CheckKind::Superiors);
        assert!(!found("three").is_running(NOW));
        assert_eq!(found("three").result.as_deref(), Some("{}"));
        assert_eq!(start(check("six", "b")), Started::New, "a place is free");
        // The nodes of `one` and `six` died.
        let late = |id: &str| RpCheck {
            created_at: NOW.plus_seconds(61),
            lease_until: NOW.plus_seconds(91),
            ..check(id, "a")
        };
        assert_eq!(start(late("seven")), Started::New);
        assert!(db.read(|conn| rp_check::find(conn, "a\0")).is_none());
        // What a person typed has no NUL, wherever it is kept.
        let odd = RpCheck {
            client_id: "a\0b".to_owned(),
            ..late("eight")
        };
        assert_eq!(start(odd), Started::New);
    });
}

#[test]
fn of_many_who_begin_the_same_check_at_once_one_does_it() {
    on_both(|db| {
        let started = db.at_once(|conn| {
            let new = check(&crate::random::identifier(), "a");
            rp_check::start(conn, &new, 4)
        });
        let new = started.iter().filter(|one| **one == Started::New).count();
        assert_eq!(new, 1, "{started:?}");
        assert!(!started.contains(&Started::Full));
    });
}
