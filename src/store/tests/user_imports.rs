//! Imports of people: who has one, and that each part counts once.

use super::*;
use crate::store::user_import::{ImportPart, Progress};

fn import(id: &str) -> UserImport {
    UserImport {
        id: id.to_owned(),
        kind: ImportKind::People,
        state: ImportState::Reading,
        name: "people.csv\0".to_owned(),
        actor: Actor {
            name: "olga".to_owned(),
            via: Via::Desk,
            address: String::new(),
        },
        skips: false,
        valid_lines: 0,
        bad_lines: 0,
        problems: "[]".to_owned(),
        done_lines: 0,
        added: 0,
        updated: 0,
        created_at: NOW,
        started_at: None,
        finished_at: None,
        expires_at: NOW.plus_seconds(60),
    }
}

fn part(number: i64) -> ImportPart {
    ImportPart {
        import: "one".to_owned(),
        number,
        lines: 5,
        sealed: vec![1, 2],
    }
}

#[test]
fn an_import_belongs_to_one_holder_until_its_lease_ends_and_each_part_counts_once() {
    on_both(|db| {
        let until = NOW.plus_seconds(60);
        let later = NOW.plus_seconds(61);
        db.write(move |conn| {
            user_import::insert(conn, &import("one"))?;
            user_import::insert_part(conn, &part(0), until)?;
            user_import::insert_part(conn, &part(1), until)?;
            assert!(user_import::claim(conn, ("a", None), NOW, until)?.is_none());
            let actor = import("one").actor;
            assert!(!user_import::start(
                conn,
                ("one", &actor, false),
                NOW,
                until
            )?);
            assert!(user_import::finish_reading(conn, "one", (10, 0), "[]")?);
            assert!(!user_import::finish_reading(conn, "one", (10, 0), "[]")?);
            assert!(user_import::start(
                conn,
                ("one", &actor, false),
                NOW,
                until
            )?);
            assert!(!user_import::start(
                conn,
                ("one", &actor, false),
                NOW,
                until
            )?);
            assert!(user_import::claim(conn, ("a", Some("other")), NOW, until)?.is_none());
            assert!(user_import::claim(conn, ("a", None), NOW, until)?.is_some());
            assert!(user_import::claim(conn, ("b", None), NOW, until)?.is_none());
            assert!(user_import::claim(conn, ("a", None), NOW, until)?.is_some());
            let first = user_import::next_part(conn, "one")?.unwrap();
            assert_eq!(first, part(0));
            assert!(user_import::redeem_part(conn, &first)?);
            assert!(!user_import::redeem_part(conn, &first)?);
            let by = Progress {
                lines: 5,
                added: 3,
                updated: 2,
            };
            assert!(!user_import::advance(conn, ("one", "b"), by, until)?);
            assert!(user_import::advance(conn, ("one", "a"), by, until)?);
            // Its node died.
            let taken = user_import::claim(conn, ("b", None), later, later)?.unwrap();
            assert_eq!((taken.done_lines, taken.added, taken.updated), (5, 3, 2));
            assert!(!user_import::advance(conn, ("one", "a"), by, later)?);
            assert!(user_import::cancel(conn, "one", later)?);
            assert!(!user_import::cancel(conn, "one", later)?);
            assert!(!user_import::finish(conn, "one", later)?);
            assert!(user_import::next_part(conn, "one")?.is_none());
            assert!(user_import::claim(conn, ("b", None), later, later)?.is_none());
            Ok(())
        });
        let page = db.read(|conn| user_import::search(conn, ImportKind::People, None, 1));
        assert_eq!(page.rows.len(), 1);
        assert!(page.next.is_none());
        let others = db.read(|conn| user_import::search(conn, ImportKind::Parties, None, 1));
        assert!(others.rows.is_empty());
        assert!(db.read(|conn| user_import::find(conn, "\0")).is_none());
    });
}

#[test]
fn many_people_are_added_or_replaced_at_once_and_keep_their_keys() {
    on_both(|db| {
        let known = account("known");
        let (key, made) = (known.id.clone(), known.created_at);
        db.write(move |conn| account::insert(conn, &known));
        let mut again = account("known");
        again.enabled = false;
        again.created_at = NOW.plus_seconds(5);
        let people = vec![account("new"), again];
        let ids = db.write(move |conn| account::upsert_all(conn, &people));
        assert_eq!(ids.len(), 2);
        assert_eq!(ids["known"], key);
        let found = db.write(|conn| account::find_all_by_username(conn, &["new", "known", "no"]));
        let names: Vec<&str> = found.iter().map(|one| one.username.as_str()).collect();
        assert_eq!(names, ["known", "new"]);
        assert!(!found[0].enabled);
        assert_eq!(found[0].created_at, made);
        assert!(db.write(|conn| account::upsert_all(conn, &[])).is_empty());
    });
}
