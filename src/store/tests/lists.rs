//! The lists of the desk: complete, ordered, without duplicates, whatever the size of a page.

use super::tables::federation_rp;
use super::*;
use crate::store::account::{AccountFilter, AccountKey};
use crate::store::client::{
    ClientCursor, ClientFilter, ClientOrder, ClientOrigin, ClientSort, ClientState,
};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{CursorText, NumberCursor, Page, TextCursor};
use crate::store::login_event::EventsOf;
use crate::store::session::SessionFilter;

/// The keys of all rows, page by page; each cursor goes through its text.
fn walk<T, C: CursorText>(
    page_of: impl Fn(Option<&C>) -> Page<T, C>,
    key: impl Fn(&T) -> String,
) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = page_of(after.as_ref());
        all.extend(page.rows.iter().map(&key));
        match page.next {
            Some(cursor) => after = C::from_text(&cursor.to_text()),
            None => return all,
        }
        assert!(after.is_some());
    }
}

fn person(name: &str, email: Option<&str>, fiscal_number: Option<&str>) -> Account {
    let mut person = account(name);
    let texts = [("email", email), ("fiscal_number", fiscal_number)];
    for (claim, value) in texts {
        if let Some(value) = value {
            person.attributes.insert(claim.into(), value.into());
        }
    }
    person
}

#[test]
fn people_are_found_by_username_fiscal_number_and_email() {
    on_both(|db| {
        let number = Some("TINIT-RSSMRA80A01H501U");
        let mut people = [
            person("ada", Some("Ada@Example.it"), number),
            person("adb", Some("ada@example.it"), None),
            person("adc", Some("adam@example.it"), number),
            person("eve", Some("eve@example.it"), Some("TINDE-5")),
            person("nul\u{1}", Some("\0@example.it"), None),
        ];
        people[1].enabled = false;
        db.write(move |conn| {
            people
                .iter()
                .try_for_each(|person| account::insert(conn, person))
        });
        let names = |by: AccountKey, enabled, limit| {
            let filter = AccountFilter { by, enabled };
            walk::<_, TextCursor>(
                |after| db.read(|conn| account::search(conn, &filter, after, limit)),
                |person| person.username.clone(),
            )
        };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        for limit in [1, 2, 9] {
            let by = AccountKey::Username("ad".into());
            assert_eq!(names(by.clone(), None, limit), ["ada", "adb", "adc"]);
            assert_eq!(names(by.clone(), Some(true), limit), ["ada", "adc"]);
            assert_eq!(names(by, Some(false), limit), ["adb"]);
            let by = AccountKey::Email("ADA".into());
            assert_eq!(sorted(names(by, None, limit)), ["ada", "adb", "adc"]);
            let by = AccountKey::Email("ada@example.it".into());
            assert_eq!(sorted(names(by, None, limit)), ["ada", "adb"]);
            for typed in [" rssmra80a01h501u", "TINIT-RSSMRA80A01H501U"] {
                let by = AccountKey::FiscalNumber(typed.into());
                assert_eq!(sorted(names(by, None, limit)), ["ada", "adc"]);
            }
        }
        let by = AccountKey::FiscalNumber("tinde-5".into());
        assert_eq!(names(by, None, 9), ["eve"]);
        for hostile in ["\0", "%", "_"] {
            let by = AccountKey::Email(hostile.into());
            assert_eq!(names(by, None, 9), [""; 0]);
        }
        // What is looked up changes with the person.
        let mut ada = db
            .read(|conn| account::find_by_username(conn, "ada"))
            .unwrap();
        ada.attributes
            .insert("email".into(), "new@example.it".into());
        ada.attributes.remove("fiscal_number");
        assert!(db.write(move |conn| account::update(conn, &ada)));
        assert_eq!(names(AccountKey::Email("new".into()), None, 9), ["ada"]);
        let by = AccountKey::FiscalNumber("RSSMRA80A01H501U".into());
        assert_eq!(names(by, None, 9), ["adc"]);
    });
}

fn cie() -> IssuerId {
    IssuerId::new("https://op.example.it/cie/")
}

/// Seven RPs at two issuers; two have the same name, two the same time, one no name.
fn with_clients(db: &TestDb) {
    let party = |host: &str, name: &str, updated: i64| {
        let client_id = ClientId::new(format!("https://{host}.example.it"));
        let mut party = federation_rp(client_id, NOW.plus_seconds(updated * 10));
        if !name.is_empty() {
            party.metadata.client_name = [(String::new(), name.to_owned())].into();
        }
        party.updated_at = NOW.plus_seconds(updated);
        party
    };
    let mut all = vec![
        party("a", "Comune di Zoagli", 3),
        party("b", "Comune di Bari", 1),
        party("c", "Comune di Bari", 1),
        party("d", "", 2),
        party("e", "Regione 100%", 5),
    ];
    all[4].origin = Origin::Registered;
    let names = [
        ("", "Regione 100%"),
        ("en", "The REGION"),
        ("de", "Land SÜDEN"),
    ];
    all[4].metadata.client_name = names.map(|(tag, name)| (tag.into(), name.into())).into();
    let mut elsewhere = party("b", "Comune di Bari", 4);
    elsewhere.issuer = cie();
    all.push(elsewhere);
    let mut elsewhere = party("f", "Azienda", 6);
    elsewhere.issuer = cie();
    elsewhere.enabled = false;
    all.push(elsewhere);
    db.write(move |conn| {
        all.iter()
            .try_for_each(|party| client::upsert(conn, party).map(drop))
    });
}

#[test]
fn relying_parties_are_listed_in_every_order_and_narrowed_by_every_filter() {
    on_both(|db| {
        with_clients(db);
        let list = |filter: &ClientFilter, by, descending, limit| {
            let order = ClientOrder { by, descending };
            walk::<_, ClientCursor>(
                |after| db.read(|conn| client::search(conn, filter, order, after, limit)),
                |party| {
                    let host = party.client_id.as_str().replace("https://", "");
                    let at = if party.issuer == cie() { "+" } else { "" };
                    format!("{}{at}", host.split('.').next().unwrap())
                },
            )
            .join(" ")
        };
        let all = ClientFilter::default();
        let here = ClientFilter {
            issuer: Some(issuer()),
            ..ClientFilter::default()
        };
        for limit in [1, 2, 3, 50] {
            for (by, everywhere, of_issuer) in [
                (ClientSort::ClientId, "a b+ b c d e f+", "a b c d e"),
                (ClientSort::Name, "f+ b+ b c a d e", "b c a d e"),
                (ClientSort::Change, "b c d a b+ e f+", "b c d a e"),
            ] {
                let backwards = |text: &str| text.split(' ').rev().collect::<Vec<_>>().join(" ");
                assert_eq!(list(&all, by, false, limit), everywhere, "{by:?} {limit}");
                assert_eq!(list(&all, by, true, limit), backwards(everywhere));
                assert_eq!(list(&here, by, false, limit), of_issuer);
                assert_eq!(list(&here, by, true, limit), backwards(of_issuer));
            }
        }
        let narrowed = |change: &dyn Fn(&mut ClientFilter)| {
            let mut filter = ClientFilter::default();
            change(&mut filter);
            list(&filter, ClientSort::Name, false, 2)
        };
        assert_eq!(narrowed(&|it| it.text = "BARI".into()), "b+ b c");
        assert_eq!(narrowed(&|it| it.text = "//D.".into()), "d");
        assert_eq!(narrowed(&|it| it.text = "100%".into()), "e");
        assert_eq!(
            narrowed(&|it| it.text = "the Region".into()),
            "e",
            "another language"
        );
        assert_eq!(
            narrowed(&|it| it.text = "land süd".into()),
            "e",
            "large letters beyond ASCII"
        );
        assert_eq!(narrowed(&|it| it.text = "_".into()), "");
        assert_eq!(narrowed(&|it| it.text = "\0".into()), "");
        let state =
            |state| move |it: &mut ClientFilter| it.state = Some((state, NOW.plus_seconds(20)));
        assert_eq!(narrowed(&state(ClientState::Disabled)), "f+");
        assert_eq!(narrowed(&state(ClientState::Ended)), "b c d");
        assert_eq!(narrowed(&state(ClientState::Active)), "b+ a e");
        let registered = narrowed(&|it| it.origin = Some(ClientOrigin::Registered));
        assert_eq!(registered, "e");
        // A cursor of another order is none.
        let by = |by| ClientOrder {
            by,
            descending: false,
        };
        let other = db.read(|conn| client::search(conn, &all, by(ClientSort::Name), None, 1));
        let order = by(ClientSort::Change);
        let page = db.read(|conn| client::search(conn, &all, order, other.next.as_ref(), 1));
        assert_eq!(page.rows[0].updated_at, NOW.plus_seconds(1));
        let ending = |from, until| {
            let times = (NOW.plus_seconds(from), NOW.plus_seconds(until));
            let found = db.read(|conn| client::search_ending(conn, times, 9));
            let ids = found.into_iter().map(|end| end.client_id.to_string());
            ids.collect::<Vec<_>>()
        };
        let [second, third] = ["https://d.example.it", "https://a.example.it"];
        assert_eq!(ending(10, 30), [second, third]);
    });
}

#[test]
fn what_some_relying_parties_say_of_themselves_is_found_by_issuer() {
    on_both(|db| {
        let elsewhere = IssuerId::new("https://other.example.it/");
        let end = NOW.plus_seconds(86_400);
        let (mut here, mut there) = (federation_rp(rp(), end), federation_rp(rp(), end));
        here.metadata.client_name = [(String::new(), "Here".to_owned())].into();
        there.issuer = elsewhere.clone();
        there.metadata.client_name = [(String::new(), "There".to_owned())].into();
        db.write(move |conn| {
            client::upsert(conn, &here)?;
            client::upsert(conn, &there)
        });
        let names = |wanted: &[(IssuerId, ClientId)]| {
            let found = db.read(|conn| client::metadata_of(conn, wanted));
            let names = found
                .values()
                .map(|one| one.name_in("it").unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&[(issuer(), rp())]), ["Here"]);
        assert_eq!(names(&[(elsewhere.clone(), rp())]), ["There"]);
        assert_eq!(names(&[(elsewhere, other_rp())]), Vec::<String>::new());
        assert_eq!(names(&[]), Vec::<String>::new());
    });
}

fn session_of(owner: &Grant, id: &str, at: i64) -> Session {
    Session {
        id: SessionId::new(id),
        issuer: issuer(),
        account: owner.account.clone(),
        acr: owner.acr.clone(),
        methods: owner.methods.clone(),
        authenticated_at: NOW.plus_seconds(at),
        browser: String::new(),
        address: String::new(),
        expires_at: NOW.plus_seconds(100),
        ended_at: None,
    }
}

#[test]
fn sessions_are_listed_newest_first_and_found_by_the_beginning_of_their_key() {
    on_both(|db| {
        let first = db.with_grant("ada");
        let other = db.with_grant("eve");
        let mine = first.account.clone();
        let sessions = [
            session_of(&first, "a1", 1),
            session_of(&first, "a2", 2),
            session_of(&first, "a3", 2),
            session_of(&other, "b1", 3),
        ];
        db.write(move |conn| {
            for session in &sessions {
                session::insert(conn, session)?;
            }
            session::end(conn, &SessionId::new("a2"), NOW)?;
            Ok(())
        });
        for limit in [1, 2, 9] {
            let sessions = |change: &dyn Fn(&mut SessionFilter)| {
                let mut filter = SessionFilter::default();
                change(&mut filter);
                walk(
                    |after| db.read(|conn| session::search(conn, &filter, after, limit)),
                    |session| session.id.as_str().to_owned(),
                )
                .join(" ")
            };
            assert_eq!(sessions(&|_| {}), "b1 a3 a2 a1");
            let of_ada = sessions(&|it| it.account = Some(mine.clone()));
            assert_eq!(of_ada, "a3 a2 a1");
            assert_eq!(sessions(&|it| it.issuer = Some(cie())), "");
            assert_eq!(sessions(&|it| it.issuer = Some(issuer())), "b1 a3 a2 a1");
            assert_eq!(sessions(&|it| it.alive_at = Some(NOW)), "b1 a3 a1");
            let later = NOW.plus_seconds(100);
            assert_eq!(sessions(&|it| it.alive_at = Some(later)), "");
        }
        let found = db.read(|conn| session::search_by_prefix(conn, "a", 2));
        let ids: Vec<_> = found.iter().map(|session| session.id.as_str()).collect();
        assert_eq!(ids, ["a1", "a2"]);
        for none in ["", "\0", "%"] {
            let found = db.read(|conn| session::search_by_prefix(conn, none, 9));
            assert!(found.is_empty(), "{none}");
        }
    });
}

#[test]
fn grants_tokens_and_events_are_listed_newest_first() {
    on_both(|db| {
        let first = db.with_grant("ada");
        db.with_grant("eve");
        let (mine, again) = (first.account.clone(), first.clone());
        db.write(move |conn| {
            for n in 1..5 {
                let mut more = again.clone();
                more.id = GrantId::new(format!("grant {n}"));
                more.created_at = NOW.plus_seconds(n / 2);
                more.client_id = if n == 4 { other_rp() } else { rp() };
                grant::insert(conn, &more)?;
                login_event::insert(conn, &event(&more, NOW.plus_seconds(n)))?;
                let mut issued = token(&again, TokenKind::Refresh, n);
                issued.issued_at = NOW.plus_seconds(n / 3);
                token::insert(conn, &issued)?;
            }
            Ok(())
        });
        for limit in [1, 2, 9] {
            let grants = |of: GrantsOf| {
                walk(
                    |after| db.read(|conn| grant::search(conn, &of, after, limit)),
                    |grant| grant.id.as_str().replace("grant ", ""),
                )
            };
            assert_eq!(
                grants(GrantsOf::Account(mine.clone()))[..3],
                ["4", "3", "2"]
            );
            assert_eq!(grants(GrantsOf::Session(first.session.clone())).len(), 5);
            assert_eq!(grants(GrantsOf::Client(issuer(), other_rp())), ["4"]);
            assert_eq!(grants(GrantsOf::Client(cie(), rp())), [""; 0]);
            let tokens = walk(
                |after| db.read(|conn| token::search(conn, &first.id, after, limit)),
                |token| token.generation.to_string(),
            );
            assert_eq!(tokens.len(), 4);
            let events = |of: EventsOf| {
                walk(
                    |after| db.read(|conn| login_event::search_recent(conn, &of, after, limit)),
                    |event| event.occurred_at.seconds_since(NOW).to_string(),
                )
                .join(" ")
            };
            assert_eq!(events(EventsOf::All), "4 3 2 1 0 0");
            assert_eq!(events(EventsOf::Issuer(issuer())), "4 3 2 1 0 0");
            assert_eq!(events(EventsOf::Client(issuer(), rp())), "3 2 1 0 0");
            assert_eq!(events(EventsOf::Client(cie(), rp())), "");
            assert_eq!(events(EventsOf::Account(mine.clone())), "4 3 2 1 0");
        }
    });
}

#[test]
fn a_grants_codes_are_found_and_the_last_refusals_of_all_walk_back() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        let (given, id) = (code(&granted, "secret"), granted.id.clone());
        let hash = given.hash;
        db.write(move |conn| {
            authorization_code::insert(conn, &given)?;
            let refusals: Vec<Refusal> = (0..5)
                .map(|n| Refusal {
                    reference: n.to_string(),
                    issuer: if n == 3 { cie() } else { issuer() },
                    unverified_client_id: rp(),
                    refused_at: NOW,
                    event: "token.refused".to_owned(),
                    code: "invalid_client".to_owned(),
                    description: String::new(),
                    reason: String::new(),
                })
                .collect();
            refusal::insert(conn, &refusals)
        });
        let found = db
            .read(|conn| authorization_code::find(conn, &hash))
            .unwrap();
        assert_eq!(found.grant, id);
        let other = CodeHash::of("other");
        assert!(
            db.read(|conn| authorization_code::find(conn, &other))
                .is_none()
        );
        assert_eq!(
            db.read(|conn| authorization_code::search(conn, &id, 9))
                .len(),
            1
        );
        for limit in [1, 2, 9] {
            let references = |issuer: Option<IssuerId>| {
                let (issuer, search) = (issuer.as_ref(), refusal::search_recent);
                walk::<_, NumberCursor>(
                    |after| db.read(|conn| search(conn, issuer, after.copied(), limit)),
                    |refusal| refusal.reference.clone(),
                )
                .concat()
            };
            assert_eq!(references(None), "43210");
            assert_eq!(references(Some(issuer())), "4210");
        }
    });
}
