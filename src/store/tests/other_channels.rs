//! Confirmations by an authentication service, and codes by e-mail: each once.

use super::*;
use crate::store::email_code::NewCode;

fn waiting() -> ExternalLogin {
    ExternalLogin {
        interaction: InteractionId::new("i"),
        transaction: "t".into(),
        account: AccountId::new("a"),
        browser: SecretHash::of("browser"),
        level: "L2".into(),
        number: "47".into(),
        state: ExternalState::Waiting,
        trouble: None,
        requests: 0,
        next_request_at: NOW,
        created_at: NOW,
        expires_at: NOW.plus_seconds(100),
    }
}

fn begun(db: &TestDb) -> ExternalLogin {
    let new = waiting();
    db.write(move |conn| external_login::begin(conn, &new));
    waiting()
}

#[test]
fn one_request_is_under_way_at_a_time_and_their_number_is_bounded() {
    on_both(|db| {
        let login = begun(db);
        let until = NOW.plus_seconds(8);
        let asked = login.clone();
        let won = db.at_once(move |conn| external_login::ask(conn, &asked, (NOW, until), 3));
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        let rests = login.clone();
        let trouble = Some(ExternalTrouble::Untrustworthy);
        db.write(move |conn| external_login::rest(conn, &rests, trouble, NOW.plus_seconds(1)));
        let found = db.read(|conn| external_login::find(conn, &login.interaction));
        let found = found.unwrap();
        assert_eq!((found.trouble, found.requests), (trouble, 1));
        let ask = |at: i64| {
            let (asked, now) = (login.clone(), NOW.plus_seconds(at));
            db.write(move |conn| external_login::ask(conn, &asked, (now, now), 3))
        };
        assert_eq!([ask(0), ask(1), ask(1), ask(1)], [false, true, true, false]);
        let other = ExternalLogin {
            transaction: "another".into(),
            ..login.clone()
        };
        let now = NOW.plus_seconds(50);
        assert!(!db.write(move |conn| external_login::ask(conn, &other, (now, now), 99)));
    });
}

#[test]
fn an_approval_is_spent_exactly_once_by_its_own_login_in_time() {
    on_both(|db| {
        let login = begun(db);
        let end = login.expires_at;
        let redeem = |login: &ExternalLogin, at: UtcTime| {
            let login = login.clone();
            db.write(move |conn| external_login::redeem(conn, &login, at))
        };
        assert!(!redeem(&login, NOW), "nobody approved");
        let settled = login.clone();
        let settle = move |state| {
            let settled = settled.clone();
            db.write(move |conn| external_login::settle(conn, &settled, state, NOW))
        };
        assert!(settle(ExternalState::Approved));
        assert!(!settle(ExternalState::Denied), "decided once");
        for other in [
            ExternalLogin {
                transaction: "t2".into(),
                ..login.clone()
            },
            ExternalLogin {
                account: AccountId::new("b"),
                ..login.clone()
            },
            ExternalLogin {
                browser: SecretHash::of("another"),
                ..login.clone()
            },
            ExternalLogin {
                level: "L3".into(),
                ..login.clone()
            },
            ExternalLogin {
                interaction: InteractionId::new("i2"),
                ..login.clone()
            },
        ] {
            assert!(!redeem(&other, NOW), "{other:?}");
        }
        assert!(!redeem(&login, end), "too late");
        let spent = login.clone();
        let won = db.at_once(move |conn| external_login::redeem(conn, &spent, NOW));
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        let found = db.read(|conn| external_login::find(conn, &login.interaction));
        assert_eq!(found.unwrap().state, ExternalState::Redeemed);
        // Begun anew: what was is gone.
        begun(db);
        let found = db.read(|conn| external_login::find(conn, &login.interaction));
        assert_eq!(found.unwrap(), waiting());
        let nul = InteractionId::new("\0");
        assert!(db.read(|conn| external_login::find(conn, &nul)).is_none());
    });
}

#[test]
fn a_code_by_e_mail_is_spent_exactly_once_and_a_new_one_ends_it() {
    on_both(|db| {
        let (login, ada) = (InteractionId::new("i"), AccountId::new("a"));
        let end = NOW.plus_seconds(600);
        let send = |text: &'static str, count: i64| {
            let (login, ada) = (login.clone(), ada.clone());
            db.write(move |conn| {
                let new = NewCode {
                    interaction: &login,
                    account: &ada,
                    hash: SecretHash::of(text),
                    expires_at: end,
                };
                email_code::replace(conn, new, count, NOW)
            });
        };
        let redeem = |login: &str, account: &str, text: &str, at: UtcTime| {
            let key = (InteractionId::new(login), AccountId::new(account));
            let hash = SecretHash::of(text);
            db.write(move |conn| email_code::redeem(conn, (&key.0, &key.1), &hash, at))
        };
        send("one", 1);
        send("two", 2);
        assert_eq!(
            db.read(|conn| email_code::sent(conn, &login)),
            Some((2, NOW))
        );
        assert!(!redeem("i", "a", "one", NOW));
        assert!(!redeem("i2", "a", "two", NOW) && !redeem("i", "b", "two", NOW));
        assert!(!redeem("i", "a", "two", end));
        let key = (login.clone(), ada.clone());
        let won = db.at_once(move |conn| {
            email_code::redeem(conn, (&key.0, &key.1), &SecretHash::of("two"), NOW)
        });
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    });
}
