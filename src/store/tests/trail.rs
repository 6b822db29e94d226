//! The trail is complete, in order, and cannot be changed.

use super::*;
use crate::store::trail;
use serde_json::json;

fn actor(name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        via: Via::Desk,
        address: "192.0.2.1".to_owned(),
    }
}

fn deed(action: &'static str, subject: &str) -> Deed {
    Deed {
        action,
        subject: subject.to_owned(),
        before: None,
        after: Some(json!({ "enabled": false, "note": "a\0b" })),
    }
}

#[test]
fn the_trail_is_found_by_who_what_and_when_newest_first_and_page_by_page() {
    on_both(|db| {
        db.write(|conn| {
            for minute in 0..9 {
                let who = if minute % 3 == 0 { "vera" } else { "olga" };
                let what = if minute % 2 == 0 {
                    "rp.disable"
                } else {
                    "rp.enable"
                };
                let subject = format!("rp {}", minute % 4);
                let now = NOW.plus_seconds(minute * 60);
                trail::insert(conn, &actor(who), &deed(what, &subject), now)?;
            }
            Ok(())
        });
        let minutes = |filter: TrailFilter, before: Option<i64>, limit: u32| -> Vec<i64> {
            db.read(|conn| trail::search(conn, &filter, before, limit))
                .into_iter()
                .map(|entry| entry.happened_at.seconds_since(NOW) / 60)
                .collect()
        };
        let all = TrailFilter::default();
        assert_eq!(minutes(all.clone(), None, 4), [8, 7, 6, 5]);
        let fourth =
            db.read(|conn| trail::search(conn, &TrailFilter::default(), None, 4))[3].number;
        assert_eq!(minutes(all.clone(), Some(fourth), 9), [4, 3, 2, 1, 0]);
        let by = |actor: &str| TrailFilter {
            actor: Some(actor.to_owned()),
            ..TrailFilter::default()
        };
        assert_eq!(minutes(by("vera"), None, 9), [6, 3, 0]);
        assert_eq!(minutes(by("ver"), None, 9), Vec::<i64>::new());
        assert_eq!(minutes(by("ver\0a"), None, 9), Vec::<i64>::new());
        let both = TrailFilter {
            action: Some("rp.disable".to_owned()),
            subject: Some("rp 2".to_owned()),
            ..TrailFilter::default()
        };
        assert_eq!(minutes(both, None, 9), [6, 2]);
        let between = TrailFilter {
            since: Some(NOW.plus_seconds(120)),
            until: Some(NOW.plus_seconds(300)),
            ..TrailFilter::default()
        };
        assert_eq!(minutes(between, None, 9), [4, 3, 2]);
        let later = TrailFilter {
            since: Some(NOW.plus_seconds(86_400)),
            ..TrailFilter::default()
        };
        assert_eq!(minutes(later, None, 9), Vec::<i64>::new());
    });
}

#[test]
fn nobody_changes_or_removes_an_entry_not_even_by_a_statement_of_their_own() {
    on_both(|db| {
        db.write(|conn| trail::insert(conn, &actor("olga"), &deed("rp.disable", "rp 1"), NOW));
        for statement in [
            "UPDATE trail SET actor = 'somebody else'",
            "DELETE FROM trail",
        ] {
            let refused = db.store.write_blocking(move |conn| {
                diesel::sql_query(statement)
                    .execute(conn)
                    .map_err(StoreError::from)
            });
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        // A statement that puts another entry in the place of one.
        let number =
            db.read(|conn| trail::search(conn, &TrailFilter::default(), None, 9))[0].number;
        let (columns, values) = (
            "(number, happened_at, actor, via, address, action, subject)",
            format!("VALUES ({number}, 1, 'somebody else', 'desk', '', 'rp.enable', 'rp 1')"),
        );
        let anew = "ON CONFLICT (number) DO UPDATE SET actor = 'somebody else'";
        let statements = match db.server {
            Some(_) => vec![
                format!("INSERT INTO trail {columns} OVERRIDING SYSTEM VALUE {values} {anew}"),
                "TRUNCATE trail".to_owned(),
            ],
            None => vec![
                format!("INSERT OR REPLACE INTO trail {columns} {values}"),
                format!("REPLACE INTO trail {columns} {values}"),
                format!("INSERT INTO trail {columns} {values} {anew}"),
                "UPDATE OR REPLACE trail SET number = number + 1".to_owned(),
            ],
        };
        for statement in statements {
            let sql = statement.clone();
            let refused = db.store.write_blocking(move |conn| {
                diesel::sql_query(sql)
                    .execute(conn)
                    .map_err(StoreError::from)
            });
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        let kept = db.read(|conn| trail::search(conn, &TrailFilter::default(), None, 9));
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].actor, actor("olga"));
        // What is new is written as before.
        db.write(|conn| trail::insert(conn, &actor("olga"), &deed("rp.enable", "rp 1"), NOW));
        let kept = db.read(|conn| trail::search(conn, &TrailFilter::default(), None, 9));
        assert_eq!(kept.len(), 2);
    });
}

#[test]
fn an_operators_code_is_spent_once_and_a_second_factor_is_registered_once() {
    on_both(|db| {
        let known = Operator {
            id: OperatorId::random(),
            name: "olga".to_owned(),
            role: Role::Viewer,
            enabled: true,
            password_hash: None,
            totp: None,
            totp_step: None,
            created_at: NOW,
            updated_at: NOW,
            last_login_at: None,
        };
        let id = known.id.clone();
        let again = Operator {
            id: OperatorId::random(),
            ..known.clone()
        };
        db.write(move |conn| operator::insert(conn, &known));
        let taken = db
            .store
            .write_blocking(move |conn| operator::insert(conn, &again));
        assert!(taken.unwrap_err().is_duplicate());
        let confirm = |sealed: &'static [u8], step: i64| {
            let id = id.clone();
            db.write(move |conn| operator::confirm_totp(conn, &id, (sealed, step), NOW))
        };
        let redeem = |step: i64| {
            let id = id.clone();
            db.write(move |conn| operator::redeem_step(conn, &id, step))
        };
        assert!(!redeem(8));
        assert!(confirm(b"one", 7));
        assert!(!confirm(b"two", 9));
        assert!(!redeem(7) && redeem(8) && !redeem(8));
        let reset = id.clone();
        db.write(move |conn| operator::reset_totp(conn, &reset, NOW));
        let found = db.read(|conn| operator::find(conn, &id)).unwrap();
        assert_eq!((found.totp, found.totp_step), (None, None));
    });
}
