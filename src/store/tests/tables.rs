use super::*;
use crate::jose::RingName;
use crate::store::account::{AccountFilter, AccountKey};
use crate::store::client::{ClientFilter, ClientOrder};
use crate::store::keyset::TextCursor;
use crate::store::throttle::Allowance;

pub(super) fn federation_rp(client_id: ClientId, expires_at: UtcTime) -> RelyingParty {
    RelyingParty {
        issuer: issuer(),
        client_id,
        metadata: ClientMetadata {
            redirect_uris: vec!["https://rp.example.it/callback".into()],
            ..ClientMetadata::default()
        },
        jwks: serde_json::json!({"keys": []}),
        origin: Origin::Federation(ResolvedTrust {
            trust_anchor: "https://ta.example.it/".into(),
            chain: vec!["a.b.c".into()],
            trust_marks: Vec::new(),
            metadata: serde_json::Map::new(),
            expires_at,
            resolved_at: NOW,
        }),
        enabled: true,
        tolerance: RpToleranceOverride::default(),
        updated_at: NOW,
    }
}

#[test]
fn an_import_keeps_the_key_of_a_person_who_is_there() {
    on_both(|db| {
        let first = account("ada");
        let (key, mut second) = (first.id.clone(), account("ada"));
        second.password_hash = None;
        second.enabled = false;
        second.created_at = NOW.plus_seconds(9);
        db.write(move |conn| account::upsert(conn, &first));
        let kept = db.write(move |conn| account::upsert(conn, &second));
        assert_eq!(kept, key);
        let found = db
            .read(|conn| account::find_by_username(conn, "ada"))
            .unwrap();
        assert_eq!((found.id, found.created_at), (key, NOW));
        assert_eq!((found.password_hash, found.enabled), (None, false));
        assert_eq!(found.attributes["given_name"], "Niccolò");
        assert!(
            db.read(|conn| account::find_by_username(conn, "ADA"))
                .is_none()
        );
        assert!(
            db.read(|conn| account::find_by_username(conn, "ada\0"))
                .is_none()
        );
    });
}

#[test]
fn a_person_is_updated_and_found_by_pages_of_a_prefix() {
    on_both(|db| {
        db.write(|conn| {
            ["Zoe", "ada", "adb", "adc", "àd", "b"]
                .iter()
                .try_for_each(|name| account::insert(conn, &account(name)))
        });
        let names = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
            let filter = AccountFilter {
                by: AccountKey::Username(prefix.into()),
                enabled: None,
            };
            let after = after.map(|name| TextCursor {
                key: name.to_owned(),
                id: String::new(),
            });
            let page = db.read(|conn| account::search(conn, &filter, after.as_ref(), limit));
            page.rows
                .into_iter()
                .map(|account| account.username)
                .collect()
        };
        assert_eq!(names("", None, 9), ["Zoe", "ada", "adb", "adc", "b", "àd"]);
        assert_eq!(names("ad", None, 2), ["ada", "adb"]);
        assert_eq!(names("ad", Some("adb"), 2), ["adc"]);
        assert_eq!(names("%", None, 2), Vec::<String>::new());
        let mut ada = db
            .read(|conn| account::find_by_username(conn, "ada"))
            .unwrap();
        ada.attributes.clear();
        let id = ada.id.clone();
        assert!(db.write(move |conn| {
            account::set_password(conn, &ada.id, None, NOW)?;
            account::set_enabled(conn, &ada.id, false, NOW)?;
            account::update(conn, &ada)
        }));
        let found = db.read(|conn| account::find(conn, &id)).unwrap();
        assert!(found.enabled && found.password_hash.is_some());
        assert!(found.attributes.is_empty());
        assert!(!db.write(|conn| account::set_enabled(conn, &AccountId::random(), true, NOW)));
    });
}

#[test]
fn a_renewed_registration_stays_switched_off() {
    on_both(|db| {
        db.write(|conn| {
            client::upsert(conn, &federation_rp(rp(), NOW.plus_seconds(60)))?;
            client::upsert(conn, &federation_rp(other_rp(), NOW.plus_seconds(30)))?;
            client::set_enabled(conn, &issuer(), &rp(), false)?;
            client::upsert(conn, &federation_rp(rp(), NOW.plus_seconds(90)))
        });
        let found = db
            .read(|conn| client::find(conn, &issuer(), &rp()))
            .unwrap();
        assert!(!found.enabled);
        let Origin::Federation(trust) = found.origin else {
            panic!("a member of the federation");
        };
        assert_eq!(trust.expires_at, NOW.plus_seconds(90));
        let known = || {
            let (filter, order) = (ClientFilter::default(), ClientOrder::default());
            let page = db.read(|conn| client::search(conn, &filter, order, None, 9));
            page.rows
                .into_iter()
                .map(|party| party.client_id)
                .collect::<Vec<_>>()
        };
        assert_eq!(known(), [other_rp(), rp()]);
        let elsewhere = IssuerId::new("https://op.example.it/cie/");
        assert!(
            db.read(|conn| client::find(conn, &elsewhere, &rp()))
                .is_none()
        );
        let lost = renewal::Due {
            issuer: issuer(),
            client_id: other_rp(),
            superior: String::new(),
            resolved_at: NOW,
            due_at: NOW,
            expires_at: NOW.plus_seconds(30),
            failures: 0,
        };
        db.write(|conn| {
            renewal::insert(
                conn,
                &renewal::Schedule {
                    issuer: issuer(),
                    client_id: other_rp(),
                    superior: String::new(),
                    resolved_at: NOW,
                    due_at: NOW,
                    marks_due_at: NOW,
                },
            )
        });
        let mut renewed = lost.clone();
        renewed.resolved_at = NOW.plus_seconds(-1);
        assert!(!db.write(move |conn| client::withdraw(conn, &renewed)));
        assert!(db.write(move |conn| client::withdraw(conn, &lost)));
        assert_eq!(known(), [rp()]);
        assert!(db.write(|conn| client::delete(conn, &issuer(), &rp())));
        assert!(!db.write(|conn| client::delete(conn, &issuer(), &rp())));
    });
}

#[test]
fn revoking_a_grant_revokes_its_tokens_and_marks_the_history() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let untouched = db.with_grant("eve");
        let tokens = [
            token(&granted, TokenKind::Access, 0),
            token(&granted, TokenKind::Refresh, 0),
            token(&untouched, TokenKind::Access, 0),
        ];
        let ids = tokens.clone().map(|token| token.id);
        db.write(move |conn| {
            tokens
                .iter()
                .try_for_each(|token| token::insert(conn, token))
        });
        let active = || {
            ids.clone().map(|id| {
                let status = db.read(|conn| token::find_status(conn, &id)).unwrap();
                status.is_active(NOW)
            })
        };
        assert_eq!(active(), [true, true, true]);
        let (issuer, account) = (issuer(), granted.account.clone());
        let revoke_all = |client_id: Option<ClientId>| {
            let (issuer, account) = (issuer.clone(), account.clone());
            db.write(move |conn| {
                grant::revoke_all(conn, &issuer, &account, client_id.as_ref(), NOW)
            })
        };
        assert_eq!(revoke_all(Some(other_rp())), 0);
        assert_eq!(revoke_all(Some(rp())), 1);
        assert_eq!(revoke_all(None), 0);
        assert_eq!(active(), [false, false, true]);
        let owner = login_event::HistoryOwner {
            issuer: &issuer,
            account: &account,
        };
        let page =
            db.read(|conn| login_event::search(conn, owner, &HistoryFilter::default(), None, 9));
        assert_eq!(page.rows[0].revoked_at, Some(NOW));
        let id = untouched.account.clone();
        db.write(move |conn| account::set_enabled(conn, &id, false, NOW));
        assert_eq!(active(), [false, false, false]);
    });
}

#[test]
fn tokens_are_revoked_one_by_one_by_kind_and_by_session() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let mut online = granted.clone();
        online.id = GrantId::random();
        online.offline_access = false;
        let tokens = [
            token(&granted, TokenKind::Access, 0),
            token(&granted, TokenKind::Refresh, 1),
            token(&granted, TokenKind::Access, 1),
            token(&online, TokenKind::Access, 0),
        ];
        let ids = tokens.clone().map(|token| token.id);
        let (id, session) = (granted.id.clone(), granted.session.clone());
        db.write(move |conn| {
            grant::insert(conn, &online)?;
            tokens
                .iter()
                .try_for_each(|token| token::insert(conn, token))
        });
        let live = || {
            ids.clone().map(|id| {
                let status = db.read(|conn| token::find_status(conn, &id)).unwrap();
                status.token.state == TokenState::Live
            })
        };
        let jti = ids[0].clone();
        assert!(db.write(move |conn| token::revoke(conn, &jti)));
        assert_eq!(live(), [false, true, true, true]);
        assert_eq!(
            db.write(move |conn| grant::revoke_of_session(conn, &session, NOW)),
            1
        );
        // With offline access the refresh token outlives the session, the access token does not.
        assert_eq!(live(), [false, true, false, false]);
        let of = id.clone();
        let kind = Some(TokenKind::Access);
        assert_eq!(
            db.write(move |conn| token::revoke_live_of_grant(conn, &of, kind)),
            0
        );
        assert_eq!(live(), [false, true, false, false]);
        let jti = ids[1].clone();
        assert!(db.write(move |conn| token::revoke(conn, &jti)));
        let jti = ids[1].clone();
        assert!(!db.write(move |conn| token::revoke(conn, &jti)));
        let of = id.clone();
        assert_eq!(
            db.write(move |conn| grant::increment_refresh_count(conn, &of)),
            Some(1)
        );
        let of = id.clone();
        assert!(db.write(move |conn| grant::revoke(conn, &of, NOW)));
        assert!(!db.write(move |conn| grant::revoke(conn, &id, NOW)));
    });
}

#[test]
fn a_row_that_cannot_be_understood_is_named() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let new = token(&granted, TokenKind::Access, 0);
        let id = new.id.clone();
        db.write(move |conn| {
            token::insert(conn, &new)?;
            diesel::sql_query("UPDATE token SET state = 'sleeping'").execute(conn)?;
            Ok(())
        });
        let error = db
            .store
            .read_blocking(|conn| token::find_status(conn, &id))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("row {id} of table token cannot be understood: column state")
        );
    });
}

#[test]
fn sessions_end_once_and_are_not_revived() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let session = |id: &str| Session {
            id: SessionId::new(id),
            issuer: issuer(),
            account: granted.account.clone(),
            acr: "L1".into(),
            methods: Methods::only(Method::Password),
            authenticated_at: NOW,
            browser: "b\0".into(),
            address: "::1".into(),
            expires_at: NOW.plus_seconds(100),
            ended_at: None,
        };
        let (one, other) = (session("one"), session("other"));
        let later = NOW.plus_seconds(5);
        let again = Session {
            acr: "L2".into(),
            authenticated_at: later,
            ..session("one")
        };
        db.write(move |conn| {
            session::insert(conn, &one)?;
            session::insert(conn, &other)
        });
        let id = SessionId::new("one");
        assert!(db.write({
            let (id, again) = (id.clone(), again.clone());
            move |conn| session::reauthenticate(conn, &id, &again, later)
        }));
        let found = db.read(|conn| session::find(conn, &id)).unwrap();
        assert_eq!((found.acr.as_str(), found.authenticated_at), ("L2", later));
        assert!(found.is_alive(later));
        let account = granted.account.clone();
        let ended = db.write(move |conn| {
            assert!(session::end(conn, &SessionId::new("one"), later)?);
            assert!(!session::end(conn, &SessionId::new("one"), later)?);
            assert!(!session::reauthenticate(
                conn,
                &SessionId::new("one"),
                &again,
                later
            )?);
            session::end_all_of(conn, &account, later)
        });
        assert_eq!(ended, 1);
        assert!(
            !db.read(|conn| session::find(conn, &id))
                .unwrap()
                .is_alive(later)
        );
    });
}

#[test]
fn a_deleted_web_session_does_not_come_back() {
    on_both(|db| {
        let key = SecretHash::of("cookie");
        let end = NOW.plus_seconds(60);
        db.write(move |conn| {
            web_session::insert(conn, &key, "{}", end)?;
            assert_eq!(web_session::find(conn, &key, end)?, None);
            assert!(web_session::update(conn, &key, "{\"a\":\"b\"}", end)?);
            assert!(web_session::update_ttl(conn, &key, end.plus_seconds(1))?);
            let found = web_session::find(conn, &key, end)?;
            assert_eq!(found.as_deref(), Some("{\"a\":\"b\"}"));
            web_session::delete(conn, &key)?;
            assert!(!web_session::update(conn, &key, "{}", end)?);
            assert!(!web_session::update_ttl(conn, &key, end)?);
            assert_eq!(web_session::find(conn, &key, NOW)?, None);
            Ok(())
        });
    });
}

#[test]
fn every_change_of_a_key_raises_the_keyrings_version() {
    on_both(|db| {
        let key = StoredKey {
            kid: "kid".into(),
            issuer: issuer(),
            ring: RingName::Federation,
            usage: "sig".into(),
            kind: "P-256".into(),
            sealed: vec![0, 1, 255],
            public_jwk: "{}".into(),
            created_at: NOW,
            activates_at: NOW,
            retired_at: None,
            ends_at: None,
        };
        let before = db.read(signing_key::keyring_version);
        let new = key.clone();
        db.write(move |conn| {
            signing_key::insert(conn, &new)?;
            assert!(signing_key::set_activation(
                conn,
                &issuer(),
                "kid",
                NOW.plus_seconds(1)
            )?);
            assert!(signing_key::retire(
                conn,
                &issuer(),
                "kid",
                NOW.plus_seconds(2)
            )?);
            assert!(signing_key::end(
                conn,
                &issuer(),
                "kid",
                NOW.plus_seconds(3)
            )?);
            assert!(!signing_key::end(conn, &issuer(), "unknown", NOW)?);
            Ok(())
        });
        assert!(db.read(signing_key::keyring_version) >= before + 4);
        let again = db
            .store
            .write_blocking(move |conn| signing_key::insert(conn, &key));
        assert!(again.unwrap_err().is_duplicate());
        let found = db.read(|conn| signing_key::search(conn, &issuer()));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ring, RingName::Federation);
        assert_eq!(found[0].sealed, [0, 1, 255]);
        assert_eq!(found[0].activates_at, NOW.plus_seconds(1));
        assert_eq!(found[0].retired_at, Some(NOW.plus_seconds(2)));
        assert_eq!(found[0].ends_at, Some(NOW.plus_seconds(3)));
    });
}

#[test]
fn a_clock_that_goes_back_makes_nobody_wait_longer_than_the_longest_block() {
    on_both(|db| {
        let at = |seconds: i64| {
            let now = NOW.plus_seconds(seconds);
            db.write(move |conn| throttle::reserve(conn, "ada", now, Allowance::per_minute(2)))
        };
        for _ in 0..3 {
            assert_eq!(at(0), None);
        }
        assert!(at(0).is_some(), "blocked");
        // Judged once, and blocked again for a time that is over soon.
        assert_eq!(at(-86_400), None);
        let until = at(-86_400).unwrap();
        assert_eq!(until.seconds_since(NOW.plus_seconds(-86_400)), 2);
        assert_eq!(at(-86_400 + 70), None);
    });
}

#[test]
fn the_throttle_blocks_longer_each_time_and_forgives() {
    on_both(|db| {
        let attempt = |now| {
            db.write(move |conn| throttle::reserve(conn, "ada\0", now, Allowance::per_minute(5)))
        };
        for _ in 0..5 {
            assert_eq!(attempt(NOW), None);
        }
        let mut now = NOW;
        for seconds in [1, 2, 4, 8, 16] {
            assert_eq!(
                attempt(now),
                None,
                "this one is judged, and blocks the next"
            );
            let until = now.plus_seconds(seconds);
            assert_eq!(attempt(now), Some(until));
            assert_eq!(attempt(until.plus_seconds(-1)), Some(until));
            now = until;
        }
        // A new minute has its allowance, but the delays go on where they were.
        now = NOW.plus_seconds(60);
        for _ in 0..6 {
            assert_eq!(attempt(now), None);
        }
        let mut until = attempt(now).unwrap();
        assert_eq!(until, now.plus_seconds(32));
        for _ in 0..10 {
            now = until;
            while attempt(now).is_none() {}
            until = attempt(now).unwrap();
        }
        assert_eq!(until, now.plus_seconds(900), "the longest block");
        assert_eq!(
            db.write(move |conn| throttle::reserve(conn, "eve", now, Allowance::per_minute(5))),
            None
        );
        let quiet = until.plus_seconds(901);
        for _ in 0..6 {
            assert_eq!(attempt(quiet), None);
        }
        assert_eq!(attempt(quiet), Some(quiet.plus_seconds(1)));
        db.write(|conn| throttle::clear(conn, "ada\0"));
        assert_eq!(attempt(quiet), None);
        for _ in 0..9 {
            assert_eq!(
                db.write(move |conn| throttle::reserve(conn, "x", NOW, Allowance::per_minute(0))),
                None
            );
        }
    });
}
