use super::*;
use diesel::sql_query;
use serde_json::json;

/// What `search` finds, sorted.
fn changed(db: &TestDb, seconds: u32) -> Vec<(IssuerId, ClientId)> {
    let found = db.read(move |conn| client_change::search(conn, seconds, 100));
    let mut found: Vec<_> = found
        .into_iter()
        .map(|change| (change.issuer, change.client_id))
        .collect();
    found.sort_by(|one, other| one.1.as_str().cmp(other.1.as_str()));
    found
}

/// As if everything so far had happened an hour ago.
fn an_hour_passes(db: &TestDb) {
    db.write(|conn| {
        Ok(sql_query("UPDATE client_change SET changed_at = changed_at - 3600").execute(conn)?)
    });
}

#[test]
fn whatever_changes_an_rp_is_seen_whoever_wrote_it() {
    on_both(|db| {
        let ours = |id: ClientId| vec![(issuer(), id)];
        assert!(changed(db, 60).is_empty());
        db.write(|conn| {
            client::upsert(conn, &tables::federation_rp(rp(), NOW.plus_seconds(60)))?;
            client::upsert(
                conn,
                &tables::federation_rp(other_rp(), NOW.plus_seconds(60)),
            )
        });
        assert_eq!(changed(db, 60).len(), 2);
        an_hour_passes(db);
        assert!(changed(db, 60).is_empty());
        assert_eq!(changed(db, 7200).len(), 2);
        db.write(|conn| client::set_enabled(conn, &issuer(), &rp(), false));
        assert_eq!(changed(db, 60), ours(rp()), "switched off");
        an_hour_passes(db);
        let enabled = db
            .write(|conn| client::upsert(conn, &tables::federation_rp(rp(), NOW.plus_seconds(90))));
        assert!(!enabled, "renewed, and off as before");
        assert_eq!(changed(db, 60), ours(rp()), "renewed");
        an_hour_passes(db);
        let kept = db.write(|conn| {
            let jwks = json!({"keys": []});
            let read = client::find(conn, &issuer(), &rp())?.unwrap();
            let kept = client::replace_keys(conn, &read, &jwks, read.updated_at.plus_seconds(1))?;
            let stale = client::replace_keys(conn, &read, &json!({"keys": [1]}), NOW)?;
            assert!(stale.is_none(), "written meanwhile");
            let mut elsewhere = kept.clone().unwrap();
            elsewhere.origin = Origin::Registered;
            let stale = client::replace_keys(conn, &elsewhere, &json!({"keys": [2]}), NOW)?;
            assert!(stale.is_none(), "of another origin");
            Ok(kept)
        });
        let now = db.write(|conn| client::find(conn, &issuer(), &rp()));
        assert_eq!(now.unwrap().jwks, json!({"keys": []}));
        assert_eq!(kept.unwrap().jwks, json!({"keys": []}));
        assert_eq!(changed(db, 60), ours(rp()), "other keys");
        an_hour_passes(db);
        db.write(|conn| client::delete(conn, &issuer(), &other_rp()));
        assert_eq!(changed(db, 60), ours(other_rp()), "removed");
        an_hour_passes(db);
        db.write(|conn| Ok(sql_query("UPDATE client SET enabled = NOT enabled").execute(conn)?));
        assert_eq!(changed(db, 60), ours(rp()), "by hand");
        let number = || {
            let found = db.read(|conn| client_change::search(conn, 60, 100));
            found[0].number
        };
        let before = number();
        db.write(|conn| client::set_enabled(conn, &issuer(), &rp(), false));
        assert!(number() > before, "twice in a second");
        an_hour_passes(db);
        db.write(|conn| {
            let renamed = "UPDATE client SET client_id = 'https://renamed.example.it'";
            Ok(sql_query(renamed).execute(conn)?)
        });
        let renamed = ClientId::new("https://renamed.example.it");
        let both = [(issuer(), renamed), (issuer(), rp())];
        let found = changed(db, 60);
        assert!(both.iter().all(|one| found.contains(one)), "{found:?}");
        assert_eq!(found.len(), 2, "under both names");
    });
}

#[test]
fn a_change_has_the_time_of_its_commit() {
    on_both(|db| {
        if db.store.backend() == Backend::Sqlite {
            // One writer at a time, and short transactions.
            return;
        }
        db.write(|conn| client::upsert(conn, &tables::federation_rp(rp(), NOW.plus_seconds(60))));
        an_hour_passes(db);
        db.write(|conn| {
            client::set_enabled(conn, &issuer(), &rp(), false)?;
            let early = client_change::search(conn, 60, 100)?;
            assert!(early.is_empty(), "not before it commits: {early:?}");
            Ok::<(), StoreError>(())
        });
        assert_eq!(changed(db, 60), [(issuer(), rp())]);
    });
}

#[test]
fn a_change_that_is_rolled_back_is_none() {
    on_both(|db| {
        let outcome = db.store.write_blocking(|conn| -> Result<(), StoreError> {
            client::upsert(conn, &tables::federation_rp(rp(), NOW.plus_seconds(60)))?;
            Err(StoreError::Unavailable("made up".into()))
        });
        assert!(outcome.is_err());
        assert!(changed(db, 60).is_empty());
    });
}
