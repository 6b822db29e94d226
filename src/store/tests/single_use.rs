use super::*;
use crate::store::replay::ReplayKey;

#[test]
fn a_code_is_redeemed_exactly_once_under_contention() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let new = code(&granted, "secret");
        let hash = new.hash;
        db.write(move |conn| authorization_code::insert(conn, &new));
        let results = db.at_once(move |conn| authorization_code::redeem(conn, &hash, &rp()));
        let (mut now, mut before) = (0, 0);
        for result in results {
            match result {
                Redeemed::Now((code, found)) => {
                    now += 1;
                    assert_eq!(code.state, CodeState::Redeemed);
                    assert_eq!(found.id, granted.id);
                    assert_eq!(found.request, granted.request);
                }
                Redeemed::Before((_, found)) => {
                    before += 1;
                    assert_eq!(found.id, granted.id);
                }
                Redeemed::Unknown => panic!("it is known"),
            }
        }
        assert_eq!((now, before), (1, 19));
    });
}

#[test]
fn another_clients_attempt_leaves_a_code_untouched() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let new = code(&granted, "secret");
        let hash = new.hash;
        db.write(move |conn| authorization_code::insert(conn, &new));
        for thief in [other_rp(), ClientId::new(format!("{}\0", rp()))] {
            let stolen = db.write(move |conn| authorization_code::redeem(conn, &hash, &thief));
            assert!(matches!(stolen, Redeemed::Unknown));
        }
        let unknown = db.write(|conn| authorization_code::redeem(conn, &CodeHash::of("x"), &rp()));
        assert!(matches!(unknown, Redeemed::Unknown));
        let own = db.write(move |conn| authorization_code::redeem(conn, &hash, &rp()));
        assert!(matches!(own, Redeemed::Now(_)));
    });
}

#[test]
fn a_refresh_token_is_rotated_exactly_once_and_only_by_its_client() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let refresh = token(&granted, TokenKind::Refresh, 0);
        let access = token(&granted, TokenKind::Access, 0);
        let (jti, access_jti) = (refresh.id.clone(), access.id.clone());
        db.write(move |conn| {
            token::insert(conn, &refresh)?;
            token::insert(conn, &access)
        });
        let id = jti.clone();
        let stolen = db.write(move |conn| token::rotate(conn, &id, &other_rp()));
        assert!(matches!(stolen, Redeemed::Unknown));
        let not_refresh = db.write(move |conn| token::rotate(conn, &access_jti, &rp()));
        assert!(matches!(not_refresh, Redeemed::Unknown));

        let id = jti.clone();
        let results = db.at_once(move |conn| token::rotate(conn, &id, &rp()));
        let now = |result: &&Redeemed<Token>| matches!(result, Redeemed::Now(_));
        assert_eq!(results.iter().filter(now).count(), 1);
        assert!(results.iter().all(|result| match result {
            Redeemed::Now(token) | Redeemed::Before(token) => token.state == TokenState::Rotated,
            Redeemed::Unknown => false,
        }));
    });
}

#[test]
fn a_replay_key_is_inserted_once_under_contention_and_keeps_its_reference() {
    on_both(|db| {
        let long = "j".repeat(20_000);
        for value in ["jti", "with \0 nul", long.as_str()] {
            let text = value.to_owned();
            let results = db.at_once(move |conn| {
                let (issuer, client_id) = (issuer(), rp());
                let key = ReplayKey {
                    issuer: &issuer,
                    client_id: &client_id,
                    purpose: "request_object",
                    value: &text,
                };
                replay::insert(conn, &key, Some("interaction"), NOW)
            });
            assert_eq!(results.iter().filter(|inserted| **inserted).count(), 1);
        }
        let (issuer, client_id) = (issuer(), rp());
        let key = |purpose, value| ReplayKey {
            issuer: &issuer,
            client_id: &client_id,
            purpose,
            value,
        };
        let found = |key: ReplayKey<'_>| db.read(|conn| replay::find(conn, &key));
        assert_eq!(
            found(key("request_object", "jti")),
            Some("interaction".into())
        );
        assert_eq!(found(key("client_assertion", "jti")), None);
        assert_eq!(found(key("request_objectj", "ti")), None);
    });
}

#[test]
fn an_interaction_is_answered_once_by_the_session_that_logged_in_for_it() {
    on_both(|db| {
        let id = InteractionId::new("i");
        db.write(|conn| interaction::insert(conn, &interaction("i")));
        let (mine, foreign) = (SessionId::new("mine"), SessionId::new("foreign"));
        let answer = |id: &InteractionId, session: &SessionId, now| {
            let (id, session) = (id.clone(), session.clone());
            db.write(move |conn| interaction::answer(conn, &id, &session, now))
        };
        assert!(!answer(&id, &mine, NOW), "nobody has logged in");
        let (key, session) = (id.clone(), mine.clone());
        assert!(db.write(move |conn| interaction::authenticate(conn, &key, &session, NOW)));
        assert!(!answer(&id, &foreign, NOW), "another session");
        assert!(!answer(&id, &mine, NOW.plus_seconds(600)), "expired");
        let found = db.read(|conn| interaction::find(conn, &id)).unwrap();
        assert_eq!(found.request, request());
        assert_eq!(found.browser, SecretHash::of("browser"));
        assert_eq!(
            found.state,
            InteractionState::Authenticated {
                session: mine.clone()
            }
        );
        let (key, session) = (id.clone(), mine.clone());
        let results = db.at_once(move |conn| interaction::answer(conn, &key, &session, NOW));
        assert_eq!(results.iter().filter(|answered| **answered).count(), 1);
        let (key, session) = (id.clone(), mine.clone());
        assert!(!db.write(move |conn| interaction::authenticate(conn, &key, &session, NOW)));
    });
}

#[test]
fn only_the_browser_that_started_an_interaction_abandons_it() {
    on_both(|db| {
        db.write(|conn| interaction::insert(conn, &interaction("i")));
        let abandon = |browser: &'static str, now| {
            db.write(move |conn| {
                let id = InteractionId::new("i");
                interaction::abandon(conn, &id, &SecretHash::of(browser), now)
            })
        };
        let hostile = InteractionId::new("i\0");
        assert!(!db.write({
            let id = hostile.clone();
            move |conn| interaction::abandon(conn, &id, &SecretHash::of("browser"), NOW)
        }));
        assert!(db.read(|conn| interaction::find(conn, &hostile)).is_none());
        assert!(!abandon("another", NOW));
        assert!(!abandon("browser", NOW.plus_seconds(600)));
        assert!(abandon("browser", NOW));
        assert!(!abandon("browser", NOW));
    });
}

#[test]
fn one_holder_has_a_lease_until_it_ends() {
    on_both(|db| {
        let holders = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let results = db.at_once(move |conn| {
            let holder = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            lease::acquire(conn, "purge", &holder.to_string(), NOW, 60)
        });
        assert_eq!(results.iter().filter(|acquired| **acquired).count(), 1);
        let acquire = |holder: &'static str, now| {
            db.write(move |conn| lease::acquire(conn, "renewal", holder, now, 60))
        };
        assert!(acquire("one", NOW));
        assert!(acquire("one", NOW.plus_seconds(30)));
        assert!(!acquire("other", NOW.plus_seconds(89)));
        assert!(acquire("other", NOW.plus_seconds(90)));
        assert!(!acquire("one", NOW.plus_seconds(91)));
    });
}

#[test]
fn parallel_guesses_do_not_slip_through_the_throttle() {
    on_both(|db| {
        let results = db.at_once(|conn| {
            throttle::reserve(conn, "ada", NOW, throttle::Allowance::per_minute(5))
        });
        // Five free attempts, and the sixth that starts the block.
        assert_eq!(results.iter().filter(|until| until.is_none()).count(), 6);
    });
}
