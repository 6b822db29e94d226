use super::*;
use crate::store::purge::{
    PurgeLimits, Purgeable, purge_batch, purge_expired, purge_expired_blocking, purge_while,
};

const LIMITS: PurgeLimits = PurgeLimits {
    history_retention_days: 730,
};
const YEARS: i64 = 2 * 365 * 86_400;

#[test]
fn a_purge_removes_what_has_ended_and_keeps_what_lives() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let live = token(&granted, TokenKind::Refresh, 1);
        let live_id = live.id.clone();
        let used = code(&granted, "used a moment ago");
        let hash = used.hash;
        db.write(move |conn| {
            token::insert(conn, &live)?;
            authorization_code::insert(conn, &used)?;
            for n in 0..1_200_i64 {
                let mut old = token(&granted, TokenKind::Access, n);
                old.expires_at = NOW.plus_seconds(-301);
                token::insert(conn, &old)?;
                let key = SecretHash::of(&n.to_string());
                web_session::insert(conn, &key, "{}", NOW.plus_seconds(n % 2))?;
            }
            login_event::insert(conn, &event(&granted, NOW.plus_seconds(-YEARS)))?;
            login_event::insert(conn, &event(&granted, NOW.plus_seconds(1 - YEARS)))
        });
        let (rows, more) = db.write(|conn| purge_batch(conn, Purgeable::Token, NOW, &LIMITS));
        match db.store.backend() {
            Backend::Sqlite => assert_eq!((rows, more), (500, true)),
            Backend::Postgres => assert_eq!((rows, more), (1_200, false)),
        }
        let count = purge_expired_blocking(&db.store, NOW, LIMITS).unwrap();
        let removed = |table| {
            let found = count.0.iter().find(|(name, _)| *name == table);
            found.map(|(_, rows)| *rows).unwrap()
        };
        assert_eq!(rows + removed("token"), 1_200);
        assert_eq!(removed("web_session"), 600);
        assert_eq!(removed("login_event"), 1);
        assert_eq!(removed("access_grant"), 0);
        assert_eq!(removed("authorization_code"), 0);
        assert!(db.read(|conn| token::find_status(conn, &live_id)).is_some());
        assert!(matches!(
            db.write(move |conn| authorization_code::redeem(conn, &hash, &rp())),
            Redeemed::Now(_)
        ));

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let later = NOW.plus_seconds(90_000);
        let count = runtime
            .block_on(purge_expired(&db.store, later, LIMITS))
            .unwrap();
        assert!(count.0.contains(&("access_grant", 1)));
        // Two of the last day, one of two years ago.
        assert_eq!(count.total(), 1 + 1 + 1 + 600 + 1);
        assert!(db.read(|conn| token::find_status(conn, &live_id)).is_none());
    });
}

#[test]
fn a_turn_ends_in_time_and_the_next_one_goes_on() {
    on_both(|db| {
        db.write(|conn| {
            for n in 0..5_000_i64 {
                let key = SecretHash::of(&n.to_string());
                web_session::insert(conn, &key, "{}", NOW)?;
            }
            Ok::<(), StoreError>(())
        });
        let mut batches = 0;
        let in_time = || {
            batches += 1;
            batches <= 4
        };
        let first = purge_while(&db.store, NOW, LIMITS, in_time).unwrap();
        assert!((1_000..5_000).contains(&first.total()), "{first:?}");
        let rest = purge_expired_blocking(&db.store, NOW, LIMITS).unwrap();
        assert_eq!(first.total() + rest.total(), 5_000);
    });
}

#[test]
fn a_purge_never_forgets_an_rp_that_the_operator_switched_off() {
    on_both(|db| {
        db.write(|conn| {
            client::upsert(conn, &tables::federation_rp(rp(), NOW))?;
            client::upsert(conn, &tables::federation_rp(other_rp(), NOW))?;
            client::set_enabled(conn, &issuer(), &rp(), false)
        });
        let later = NOW.plus_seconds(31 * 86_400);
        let count = purge_expired_blocking(&db.store, later, LIMITS).unwrap();
        assert!(count.0.contains(&("client", 1)));
        let left = db
            .read(|conn| client::find(conn, &issuer(), &rp()))
            .unwrap();
        assert!(!left.enabled);
    });
}
