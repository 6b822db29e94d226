use super::*;
use diesel::sql_query;

/// What `search` finds, sorted.
fn changed(db: &TestDb, seconds: u32) -> Vec<(IssuerId, ClientId)> {
    let mut found = db.read(|conn| client_change::search(conn, seconds, 100));
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
            let jwks = serde_json::json!({"keys": []});
            client::replace_keys(conn, (&issuer(), &rp()), &jwks, NOW)
        });
        assert_eq!(kept.unwrap().jwks, serde_json::json!({"keys": []}));
        assert_eq!(changed(db, 60), ours(rp()), "other keys");
        an_hour_passes(db);
        db.write(|conn| client::delete(conn, &issuer(), &other_rp()));
        assert_eq!(changed(db, 60), ours(other_rp()), "removed");
        an_hour_passes(db);
        db.write(|conn| Ok(sql_query("UPDATE client SET enabled = NOT enabled").execute(conn)?));
        assert_eq!(changed(db, 60), ours(rp()), "by hand");
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
