//! Second factors, recovery codes, partly proven logins, and sessions that prove more.

use super::*;
use crate::accounts::second_factor::{self, SecondFactorError};
use crate::jose::KeyEncryptionKey;
use crate::store::throttle::Allowance;

fn authenticator_of(account: &AccountId, pending: Option<crate::model::Pending>) -> Authenticator {
    Authenticator {
        id: crate::random::identifier(),
        account: account.clone(),
        method: Method::Totp,
        name: "phone \0".into(),
        key: None,
        sealed: vec![1, 2, 3],
        created_at: NOW,
        last_used_at: None,
        last_step: None,
        pending,
    }
}

fn person(db: &TestDb, name: &str) -> AccountId {
    let person = account(name);
    let id = person.id.clone();
    db.write(move |conn| account::insert(conn, &person));
    id
}

/// RFC 6238 §5.2.
#[test]
fn a_time_step_is_spent_once_under_contention_and_earlier_ones_with_it() {
    on_both(|db| {
        let ada = person(db, "ada");
        let new = authenticator_of(&ada, None);
        let id = new.id.clone();
        db.write(move |conn| authenticator::insert(conn, &new));
        let key = id.clone();
        let won = db.at_once(move |conn| authenticator::redeem_step(conn, &key, 100, NOW));
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        let at = |step| {
            let key = id.clone();
            db.write(move |conn| authenticator::redeem_step(conn, &key, step, NOW.plus_seconds(9)))
        };
        assert!(!at(99) && !at(100) && at(101));
        let found = db
            .read(|conn| authenticator::search(conn, &ada, NOW))
            .remove(0);
        assert_eq!(found.last_step, Some(101));
        assert_eq!(found.last_used_at, Some(NOW.plus_seconds(9)));
    });
}

#[test]
fn what_several_people_have_is_found_at_once_without_what_waits() {
    on_both(|db| {
        let people: Vec<AccountId> = ["ada", "bruno", "carla"]
            .map(|name| person(db, name))
            .into();
        let waiting = crate::model::Pending {
            until: NOW.plus_seconds(60),
            begun_in: "here".into(),
        };
        for (number, pending) in [(0, None), (0, Some(waiting)), (1, None)] {
            let new = authenticator_of(&people[number], pending);
            db.write(move |conn| authenticator::insert(conn, &new));
        }
        let of = |wanted: &[&AccountId]| {
            let found = db.read(|conn| authenticator::active_of(conn, wanted));
            let mut found: Vec<_> = found.into_iter().map(|known| known.account).collect();
            found.sort_by(|one, other| one.as_str().cmp(other.as_str()));
            found.len()
        };
        let all: Vec<&AccountId> = people.iter().collect();
        assert_eq!(
            (of(&all), of(&all[..1]), of(&all[2..]), of(&[])),
            (2, 1, 0, 0)
        );
    });
}

#[test]
fn what_waits_for_its_first_code_counts_for_nothing_and_not_for_ever() {
    on_both(|db| {
        let ada = person(db, "ada");
        let until = NOW.plus_seconds(60);
        let new = authenticator_of(
            &ada,
            Some(crate::model::Pending {
                until,
                begun_in: "session 1".into(),
            }),
        );
        let id = new.id.clone();
        db.write(move |conn| authenticator::insert(conn, &new));
        let key = id.clone();
        assert!(!db.write(move |conn| authenticator::redeem_step(conn, &key, 1, NOW)));
        let found = db
            .read(|conn| authenticator::search(conn, &ada, NOW))
            .remove(0);
        assert!(!found.is_active());
        assert_eq!(found.pending.unwrap().begun_in, "session 1");
        assert!(
            db.read(|conn| authenticator::search(conn, &ada, until))
                .is_empty()
        );
        let key = id.clone();
        assert!(!db.write(move |conn| authenticator::confirm(conn, &key, 7, until)));
        let key = id.clone();
        assert!(db.write(move |conn| authenticator::confirm(conn, &key, 7, NOW)));
        let key = id.clone();
        assert!(!db.write(move |conn| authenticator::confirm(conn, &key, 8, NOW)));
        // The first code is spent.
        let key = id.clone();
        assert!(!db.write(move |conn| authenticator::redeem_step(conn, &key, 7, NOW)));
        let stranger = person(db, "bruno");
        let key = id.clone();
        assert!(!db.write(move |conn| authenticator::remove(conn, &stranger, &key)));
        assert!(db.write(move |conn| authenticator::remove(conn, &ada, &id)));
    });
}

#[test]
fn a_recovery_code_is_spent_exactly_once_under_contention() {
    on_both(|db| {
        let ada = person(db, "ada");
        let bruno = person(db, "bruno");
        let (one, two) = (SecretHash::of("one"), SecretHash::of("two"));
        let owner = ada.clone();
        db.write(move |conn| recovery_code::replace(conn, &owner, &[one, two], NOW));
        assert!(!db.write(move |conn| recovery_code::redeem(conn, &bruno, &one, NOW)));
        let owner = ada.clone();
        let won = db.at_once(move |conn| recovery_code::redeem(conn, &owner, &one, NOW));
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        assert_eq!(db.read(|conn| recovery_code::count_left(conn, &ada)), 1);
        // New codes replace all.
        let owner = ada.clone();
        db.write(move |conn| recovery_code::replace(conn, &owner, &[one], NOW));
        let owner = ada.clone();
        assert!(!db.write(move |conn| recovery_code::redeem(conn, &owner, &two, NOW)));
        assert_eq!(db.read(|conn| recovery_code::count_left(conn, &ada)), 1);
    });
}

#[test]
fn a_partly_proven_login_survives_the_database_and_is_forgotten_by_the_next_step() {
    on_both(|db| {
        let proof = PartialProof {
            account: AccountId::new("a"),
            methods: Methods::only(Method::Password),
            authenticated_at: NOW,
            until: NOW.plus_seconds(60),
            session: Some(SessionId::new("s")),
            password: SecretHash::of("hash"),
        };
        let id = InteractionId::new("i");
        let state = |db: &TestDb| db.read(|conn| interaction::find(conn, &id)).unwrap().state;
        db.write(|conn| interaction::insert(conn, &interaction("i")));
        let (key, kept) = (id.clone(), proof.clone());
        assert!(db.write(move |conn| interaction::prove(conn, &key, Some(&kept), NOW)));
        assert_eq!(state(db), InteractionState::PartlyProven(proof.clone()));
        let key = id.clone();
        let session = SessionId::new("s");
        assert!(db.write(move |conn| interaction::authenticate(conn, &key, &session, NOW)));
        // Beginning anew also forgets who had logged in.
        let key = id.clone();
        assert!(db.write(move |conn| interaction::prove(conn, &key, None, NOW)));
        assert_eq!(state(db), InteractionState::Started);
        let key = id.clone();
        let session = SessionId::new("s");
        assert!(!db.write(move |conn| interaction::answer(conn, &key, &session, NOW)));
        let (key, late) = (id.clone(), NOW.plus_seconds(600));
        assert!(!db.write(move |conn| interaction::prove(conn, &key, Some(&proof), late)));
        // As one that says so from the start.
        let mut other = interaction("j");
        other.state = state(db);
        db.write(move |conn| interaction::insert(conn, &other));
    });
}

#[test]
fn a_session_proves_more_and_only_its_own_person_does_that() {
    on_both(|db| {
        let (ada, bruno) = (person(db, "ada"), person(db, "bruno"));
        let session = |account: &AccountId, acr: &str, methods: Methods| Session {
            id: SessionId::new("s"),
            issuer: issuer(),
            account: account.clone(),
            acr: acr.into(),
            methods,
            authenticated_at: NOW,
            browser: String::new(),
            address: String::new(),
            expires_at: NOW.plus_seconds(60),
            ended_at: None,
        };
        let password = Methods::only(Method::Password);
        let both = password.clone().and(Method::Totp);
        let first = session(&ada, "L1", password);
        db.write(move |conn| session::insert(conn, &first));
        let stranger = session(&bruno, "L2", both.clone());
        let id = SessionId::new("s");
        assert!(!db.write(move |conn| session::reauthenticate(conn, &id, &stranger, NOW)));
        let more = session(&ada, "L2", both.clone());
        let id = SessionId::new("s");
        assert!(db.write(move |conn| session::reauthenticate(conn, &id, &more, NOW)));
        let alive = db.read(|conn| session::alive_of(conn, &ada, NOW, 9));
        assert_eq!((alive[0].acr.as_str(), &alive[0].methods), ("L2", &both));
        assert!(
            db.read(|conn| session::alive_of(conn, &bruno, NOW, 9))
                .is_empty()
        );
        let late = NOW.plus_seconds(60);
        assert!(
            db.read(|conn| session::alive_of(conn, &ada, late, 9))
                .is_empty()
        );
    });
}

#[test]
fn secrets_are_sealed_for_one_person_and_one_key() {
    on_both(|db| {
        let (key, other_key) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
        let (ada, bruno) = (person(db, "ada"), person(db, "bruno"));
        let give = |account: &AccountId, secret: &'static str| {
            let (key, account) = (key.clone(), account.clone());
            db.store.write_blocking(move |conn| {
                second_factor::give_totp(conn, &key, &account, secret, NOW)
            })
        };
        give(&ada, "gezd gnbv gy3t qojq").unwrap();
        let given = || {
            db.read(|conn| second_factor::given(conn, &ada, NOW))
                .unwrap()
        };
        let first = given();
        let plain = second_factor::open(&key, &first).unwrap();
        assert_eq!(plain.expose().as_slice(), b"1234567890");
        assert!(!first.sealed.windows(10).any(|part| part == b"1234567890"));
        assert!(second_factor::open(&other_key, &first).is_err());
        let mut moved = first.clone();
        moved.account = bruno.clone();
        assert!(second_factor::open(&key, &moved).is_err());
        // The same again keeps the spent step; another one replaces it.
        let id = first.id.clone();
        assert!(db.write(move |conn| authenticator::redeem_step(conn, &id, 5, NOW)));
        give(&ada, "GEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(given().last_step, Some(5));
        give(&ada, "MFRGGZDFMZTWQ2LKNNWG23TPOA").unwrap();
        assert_eq!(given().last_step, None);
        let exported = db
            .store
            .read_blocking(|conn| second_factor::exported_totp(conn, &key, &ada, NOW))
            .unwrap();
        assert_eq!(exported.unwrap().expose(), "MFRGGZDFMZTWQ2LKNNWG23TPOA");
        // What somebody registered is theirs alone.
        let mut own = given();
        own.id = "own".to_owned();
        own.account = bruno.clone();
        let own = second_factor::seal(&key, b"12345678901234567890", own).unwrap();
        db.write(move |conn| authenticator::insert(conn, &own));
        let exported = db
            .store
            .read_blocking(|conn| second_factor::exported_totp(conn, &key, &bruno, NOW))
            .unwrap();
        assert!(exported.is_none());
        assert!(
            db.read(|conn| second_factor::given(conn, &bruno, NOW))
                .is_none()
        );
        assert!(matches!(
            give(&ada, "short"),
            Err(SecondFactorError::NotBase32)
        ));
        let owner = ada.clone();
        assert_eq!(
            db.write(move |conn| second_factor::remove_all(conn, &owner)),
            1
        );
    });
}

/// Version 0.1 kept the secrets of an import readable.
#[test]
fn readable_secrets_are_sealed_at_start_and_gone_from_their_column() {
    on_both(|db| {
        let key = KeyEncryptionKey::generate();
        let (ada, bruno) = (person(db, "ada"), person(db, "bruno"));
        for (id, secret) in [(&ada, "GEZDGNBVGY3TQOJQ"), (&bruno, "no secret")] {
            let sql = format!("UPDATE account SET totp_secret = '{secret}' WHERE id = '{id}'");
            db.write(move |conn| {
                match conn {
                    DbConn::Sqlite(c) => diesel::sql_query(sql).execute(c)?,
                    DbConn::Postgres(c) => diesel::sql_query(sql).execute(c)?,
                };
                Ok(())
            });
        }
        assert_eq!(
            second_factor::seal_readable(&db.store, &key, NOW).unwrap(),
            2
        );
        assert_eq!(
            second_factor::seal_readable(&db.store, &key, NOW).unwrap(),
            0
        );
        let left = db.read(|conn| account::readable_totp_secrets(conn, 9));
        assert!(left.is_empty());
        let sealed = db.read(|conn| authenticator::search(conn, &ada, NOW));
        assert_eq!(sealed.len(), 1);
        assert!(sealed[0].is_active());
        let opened = second_factor::open(&key, &sealed[0]).unwrap();
        assert_eq!(opened.expose().as_slice(), b"1234567890");
        assert!(
            db.read(|conn| authenticator::search(conn, &bruno, NOW))
                .is_empty()
        );
    });
}

#[test]
fn a_long_allowance_locks_for_hours_and_is_forgotten_after_a_quiet_time() {
    on_both(|db| {
        let allowance = Allowance {
            attempts: 2,
            window_seconds: 86_400,
            first_block_seconds: 3_600,
            longest_block_seconds: 86_400,
        };
        let at = |seconds: i64| {
            let now = NOW.plus_seconds(seconds);
            db.write(move |conn| throttle::reserve(conn, "key", now, allowance))
        };
        assert_eq!((at(0), at(5_000), at(9_000)), (None, None, None));
        assert_eq!(at(9_001), Some(NOW.plus_seconds(12_600)));
        // Judged, and blocked for twice as long.
        assert_eq!(at(12_600), None);
        assert_eq!(at(12_601), Some(NOW.plus_seconds(12_600 + 7_200)));
        let quiet = 12_600 + 7_200 + 86_401;
        assert_eq!((at(quiet), at(quiet), at(quiet)), (None, None, None));
        assert_eq!(at(quiet), Some(NOW.plus_seconds(quiet + 3_600)));
    });
}
