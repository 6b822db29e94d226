use super::*;
use crate::store::purge::{PurgeLimits, purge_expired_blocking};
use refusal::{PER_CLIENT, UNKNOWN};

fn refusal(client_id: &ClientId, reference: impl ToString) -> Refusal {
    Refusal {
        reference: reference.to_string(),
        issuer: issuer(),
        unverified_client_id: client_id.clone(),
        refused_at: NOW,
        event: "token.refused".to_owned(),
        code: "invalid_client".to_owned(),
        description: "client_assertion: claim exp has passed".to_owned(),
        reason: "claim exp 1 has passed\0".to_owned(),
    }
}

fn insert(db: &TestDb, refusals: Vec<Refusal>) {
    db.write(move |conn| refusal::insert(conn, &refusals));
}

fn last(db: &TestDb, client_id: &ClientId) -> Vec<String> {
    let found = db.read(|conn| refusal::search(conn, &issuer(), client_id));
    found.into_iter().map(|found| found.reference).collect()
}

fn with_known(db: &TestDb, client_id: ClientId) {
    db.write(move |conn| client::upsert(conn, &tables::federation_rp(client_id, NOW)));
}

#[test]
fn a_refusal_is_found_by_its_reference_at_its_issuer_only() {
    on_both(|db| {
        let kept = refusal(&rp(), "a");
        insert(db, vec![kept.clone(), kept.clone()]);
        insert(
            db,
            vec![refusal(&other_rp(), "a"), refusal(&other_rp(), "b")],
        );
        let find = |issuer: &IssuerId, reference: &str| {
            db.read(|conn| refusal::find(conn, issuer, reference))
        };
        let expected = Refusal {
            reason: "claim exp 1 has passed\u{fffd}".to_owned(),
            ..kept
        };
        assert_eq!(find(&issuer(), "a"), Some(expected));
        assert_eq!(
            find(&IssuerId::new("https://op.example.it/cie/"), "a"),
            None
        );
        assert_eq!(find(&issuer(), "made up"), None);
        assert_eq!(find(&issuer(), "a\0"), None);
        assert_eq!(last(db, &rp()), ["a"]);
        assert_eq!(last(db, &other_rp()), ["b"]);
        // PostgreSQL could not keep this name; the others of its batch stay.
        let odd = ClientId::new("a\0b");
        insert(db, vec![refusal(&odd, "c"), refusal(&rp(), "d")]);
        assert_eq!(last(db, &rp()), ["d", "a"]);
        assert_eq!(last(db, &odd), [""; 0]);
    });
}

#[test]
fn an_rp_keeps_its_last_ones_and_made_up_names_push_out_only_each_other() {
    on_both(|db| {
        with_known(db, rp());
        insert(db, (0..30).map(|n| refusal(&rp(), n)).collect());
        let expected: Vec<String> = (10..30).rev().map(|n: i32| n.to_string()).collect();
        assert_eq!(last(db, &rp()), expected);
        insert(db, vec![refusal(&other_rp(), "honest, and not known yet")]);
        let made_up = |n: i64| ClientId::new(format!("https://made-up-{n}.example"));
        let some = |range: std::ops::Range<i64>| -> Vec<Refusal> {
            let one = |n| refusal(&made_up(n), format!("made up {n}"));
            range.map(one).collect()
        };
        insert(db, some(0..UNKNOWN - 1));
        assert_eq!(last(db, &other_rp()), ["honest, and not known yet"]);
        insert(db, some(UNKNOWN..2 * UNKNOWN + 100));
        assert_eq!(last(db, &other_rp()), [""; 0], "the oldest go");
        assert_eq!(last(db, &made_up(1_099)), [""; 0]);
        assert_eq!(last(db, &made_up(1_100)), ["made up 1100"]);
        assert_eq!(last(db, &made_up(2_099)), ["made up 2099"]);
        assert_eq!(last(db, &rp()), expected, "who is known is not concerned");
        assert_eq!(usize::try_from(PER_CLIENT).unwrap(), expected.len());
    });
}

#[test]
fn a_purge_removes_refusals_after_thirty_days() {
    on_both(|db| {
        let mut old = refusal(&rp(), "old");
        old.refused_at = NOW.plus_seconds(-30 * 86_400);
        insert(db, vec![old, refusal(&rp(), "new")]);
        let limits = PurgeLimits {
            history_retention_days: 730,
        };
        let count = purge_expired_blocking(&db.store, NOW, limits).unwrap();
        assert!(count.0.contains(&("refusal", 1)));
        assert_eq!(last(db, &rp()), ["new"]);
    });
}
