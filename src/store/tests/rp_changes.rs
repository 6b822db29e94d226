//! What operators do to one RP.

use super::tables::federation_rp;
use super::*;
use crate::store::client_desk::{count_grants, delete_registered, replace, revoke_grants};

fn registered(name: &str) -> RelyingParty {
    let mut party = federation_rp(rp(), NOW);
    party.origin = Origin::Registered;
    party.metadata.client_name = [(String::new(), name.to_owned())].into();
    party
}

fn add(db: &TestDb, party: RelyingParty) {
    db.write(move |conn| client::upsert(conn, &party).map(drop));
}

fn found(db: &TestDb) -> Option<RelyingParty> {
    db.read(|conn| client::find(conn, &issuer(), &rp()))
}

fn name_of(party: &RelyingParty) -> &str {
    &party.metadata.client_name[""]
}

#[test]
fn a_change_is_written_whole_with_its_time() {
    on_both(|db| {
        add(db, registered("before"));
        let later = NOW.plus_seconds(60);
        let written = db.write(move |conn| {
            replace(conn, (&issuer(), &rp()), later, |mut party| {
                assert_eq!(name_of(&party), "before");
                party.metadata.client_name = [(String::new(), "after".to_owned())].into();
                party.jwks = serde_json::json!({ "keys": [{ "kty": "EC" }] });
                Ok::<_, StoreError>(party)
            })
        });
        let kept = found(db).unwrap();
        assert_eq!(written.as_ref().map(name_of), Some("after"));
        assert_eq!((name_of(&kept), kept.updated_at), ("after", later));
        assert_eq!(kept.jwks["keys"][0]["kty"], "EC");
        for unknown in [other_rp(), ClientId::new("a\0b")] {
            let written = db.write(move |conn| {
                replace(conn, (&issuer(), &unknown), later, Ok::<_, StoreError>)
            });
            assert!(written.is_none());
        }
    });
}

#[test]
fn what_a_change_refuses_changes_nothing() {
    on_both(|db| {
        add(db, registered("before"));
        let refused = db.store.write_blocking(|conn| {
            replace(conn, (&issuer(), &rp()), NOW.plus_seconds(60), |_| {
                Err(StoreError::Unavailable("refused".to_owned()))
            })
        });
        assert!(refused.is_err());
        let kept = found(db).unwrap();
        assert_eq!((name_of(&kept), kept.updated_at), ("before", NOW));
    });
}

#[test]
fn only_one_of_several_operators_changes_what_all_of_them_saw() {
    on_both(|db| {
        add(db, registered("0"));
        let written = db.at_once(|conn| {
            replace(conn, (&issuer(), &rp()), NOW, |mut party| {
                let number: u32 = name_of(&party).parse().unwrap();
                party.metadata.client_name = [(String::new(), (number + 1).to_string())].into();
                Ok::<_, StoreError>(party)
            })
        });
        let changes = written.iter().flatten().count();
        let kept = found(db).unwrap();
        // One after the other on SQLite; on PostgreSQL those who looked before another's commit write nothing.
        assert!(changes > 0);
        assert_eq!(name_of(&kept), changes.to_string());
    });
}

#[test]
fn only_what_an_operator_registered_is_removed() {
    on_both(|db| {
        let remove = || db.write(|conn| delete_registered(conn, &issuer(), &rp()));
        assert!(!remove());
        add(db, federation_rp(rp(), NOW));
        assert!(!remove());
        assert!(found(db).is_some());
        add(db, registered("before"));
        assert!(remove());
        assert!(found(db).is_none());
        assert!(!remove());
    });
}

/// Grants of `rp()` with a live token each and an event; the third has ended, the fourth is another RP's.
fn with_grants(db: &TestDb) -> Vec<Grant> {
    let person = account("ada");
    let made = (0..4).map(|n| {
        let mut made = grant(&person.id);
        made.created_at = NOW.plus_seconds(n);
        match n {
            2 => made.expires_at = NOW,
            3 => made.client_id = other_rp(),
            _ => {}
        }
        made
    });
    let all: Vec<Grant> = made.collect();
    let written = all.clone();
    db.write(move |conn| {
        account::insert(conn, &person)?;
        for made in &written {
            grant::insert(conn, made)?;
            token::insert(conn, &token(made, TokenKind::Refresh, 0))?;
            login_event::insert(conn, &event(made, NOW))?;
        }
        Ok(())
    });
    all
}

/// The revoked ones of these: grants, tokens, events.
fn revoked(db: &TestDb, all: &[Grant]) -> [Vec<usize>; 3] {
    let numbers =
        |is: &dyn Fn(&Grant) -> bool| (0..all.len()).filter(|n| is(&all[*n])).collect::<Vec<_>>();
    let events = db.read(|conn| {
        let of = login_event::EventsOf::All;
        login_event::search_recent(conn, &of, None, 9)
    });
    [
        numbers(&|made| {
            let found = db.read(|conn| grant::find(conn, &made.id));
            found.unwrap().revoked_at.is_some()
        }),
        numbers(&|made| {
            let tokens = db.read(|conn| token::search(conn, &made.id, None, 9));
            tokens
                .rows
                .iter()
                .all(|token| token.state == TokenState::Revoked)
        }),
        numbers(&|made| {
            let mut rows = events.rows.iter();
            rows.any(|event| event.grant == made.id && event.revoked_at.is_some())
        }),
    ]
}

#[test]
fn all_tokens_of_an_rp_are_revoked_with_their_grants_and_nobody_elses() {
    on_both(|db| {
        let all = with_grants(db);
        let none: [Vec<usize>; 3] = Default::default();
        let of = |client: ClientId, most: u32| {
            db.write(move |conn| revoke_grants(conn, (&issuer(), &client), NOW, most))
        };
        let count = |most| db.read(|conn| count_grants(conn, (&issuer(), &rp()), NOW, most));
        assert_eq!((count(1), count(9)), (1, 2));
        assert_eq!(of(ClientId::new("a\0b"), 9), 0);
        assert_eq!(revoked(db, &all), none);
        // The newest first, so many at a time.
        assert_eq!(of(rp(), 1), 1);
        assert_eq!(revoked(db, &all), [vec![1], vec![1], vec![1]]);
        assert_eq!(of(rp(), 9), 1);
        assert_eq!(of(rp(), 9), 0);
        assert_eq!(revoked(db, &all), [vec![0, 1], vec![0, 1], vec![0, 1]]);
        assert_eq!(count(9), 0);
    });
}
