//! Every list is a walk over an index: no query of one scans a table that grows or sorts what it read, on either database,
//! as the planner itself chooses for tables of a million rows ([`planner`]).
//! To add a list: its line in [`LISTS`]; [`every_list_of_the_store_is_examined`] waits for it.

mod planner;

use super::*;
use crate::store::account::{AccountFilter, AccountKey};
use crate::store::client::{ClientFilter, ClientOrder, ClientSort, ClientState};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{NumberCursor, TextCursor, TimeCursor};
use crate::store::login_event::{EventsOf, HistoryOwner};
use crate::store::session::SessionFilter;
use crate::store::{client_desk, trail};
use planner::{is_slow, plan, pretend_to_be_large, seed, statements};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

type Run = fn(&mut DbConn) -> Result<(), StoreError>;

/// Each list, in the ways in which it is narrowed and ordered.
const LISTS: &[(&str, Run)] = &[
    ("account::search", accounts),
    ("authenticator::search", |conn| {
        authenticator::search(conn, &ada(), NOW).map(drop)
    }),
    ("authorization_code::search", |conn| {
        authorization_code::search(conn, &GrantId::new("x"), 20).map(drop)
    }),
    ("client::search", clients),
    ("client::search_ending", |conn| {
        client::search_ending(conn, (NOW, NOW.plus_seconds(3_600)), 20).map(drop)
    }),
    ("consent::search", |conn| {
        for after in [None, Some(ClientId::new("https://rp"))] {
            consent::search(conn, (&issuer(), &ada()), NOW, after.as_ref(), 20)?;
        }
        Ok(())
    }),
    ("grant::search", grants),
    ("login_event::rp_choices", |conn| {
        let (issuer, account) = (issuer(), ada());
        let owner = HistoryOwner {
            issuer: &issuer,
            account: &account,
        };
        login_event::rp_choices(conn, owner).map(drop)
    }),
    ("login_event::search", history),
    ("login_event::search_recent", events),
    ("mail_message::due", |conn| {
        mail_message::due(conn, NOW, 20).map(drop)
    }),
    ("mail_message::search", |conn| {
        for after in [None, Some(&mail_cursor())] {
            mail_message::search(conn, MailState::Failed, after, 20)?;
        }
        Ok(())
    }),
    ("mail_message::search_of", |conn| {
        for after in [None, Some(&mail_cursor())] {
            mail_message::search_of(conn, &ada(), after, 20)?;
        }
        Ok(())
    }),
    ("refusal::search", |conn| {
        refusal::search(conn, &issuer(), &rp()).map(drop)
    }),
    ("refusal::search_recent", |conn| {
        for issuer in [None, Some(&issuer())] {
            for before in [None, Some(NumberCursor(500))] {
                refusal::search_recent(conn, issuer, before, 20)?;
            }
        }
        Ok(())
    }),
    ("renewal::search", |conn| {
        for failing in [false, true] {
            for after in cursors() {
                renewal::search(conn, (&issuer(), failing), after.as_ref(), 20)?;
            }
        }
        Ok(())
    }),
    ("session::alive_of", |conn| {
        session::alive_of(conn, &ada(), NOW, 20).map(drop)
    }),
    ("session::search", sessions),
    ("session::search_by_prefix", |conn| {
        session::search_by_prefix(conn, "ab", 20).map(drop)
    }),
    ("token::search", |conn| {
        token::search(conn, &GrantId::new("x"), Some(&cursor()), 20).map(drop)
    }),
    ("trail::search", trail_entries),
    ("user_import::search", |conn| {
        for after in [None, Some(&cursor())] {
            user_import::search(conn, ImportKind::People, after, 20)?;
        }
        Ok(())
    }),
];

/// What answers with something else than a list, and reads or changes several rows for it.
const OTHERS: &[(&str, Run)] = &[
    ("account::usernames", |conn| {
        account::usernames(conn, &[ada(), AccountId::new("a7")]).map(drop)
    }),
    ("client::metadata_of", |conn| {
        client::metadata_of(conn, &[(issuer(), rp()), (issuer(), other_rp())]).map(drop)
    }),
    ("client_desk::count_grants", |conn| {
        client_desk::count_grants(conn, (&issuer(), &rp()), NOW, 100).map(drop)
    }),
    ("grant::count_live_of", |conn| {
        grant::count_live_of(conn, &ada(), NOW, 100).map(drop)
    }),
];

/// Those that read something else than a long list, and why.
const EXEMPT: &[(&str, &str)] = &[
    (
        "account::find_all_by_username",
        "the names of a batch, by their index; in their order, so that all lock alike",
    ),
    (
        "account::readable_totp_secrets",
        "once at the start after an upgrade, in batches",
    ),
    (
        "authenticator::active_of",
        "the few factors of a page of people, by their index",
    ),
    (
        "client_change::search",
        "the changes of a second, by its own index",
    ),
    (
        "grant::ending_untold",
        "by its own index of those who were not told, in batches",
    ),
    (
        "grant::unrevoked_of_session",
        "one session's grants by their index",
    ),
    (
        "known_device::search",
        "one person's browsers, by the table's key",
    ),
    (
        "login_count::busiest",
        "sums buckets of the time asked for, and sorts one row an RP; where these are many, nobody waits for it",
    ),
    (
        "login_count::granted_of",
        "the buckets of six RPs by the table's key",
    ),
    (
        "login_count::series",
        "adds up buckets of the time asked for by the bars that are drawn",
    ),
    (
        "login_count::refusals",
        "sums buckets of the time asked for; codes are few",
    ),
    ("migration::migrate_up", "versions of the schema"),
    ("migration::migration_status", "versions of the schema"),
    ("node::search", "nodes are few"),
    ("operator::search", "operators are few"),
    ("own_trust_mark::search", "an issuer's own marks are few"),
    (
        "renewal::search_due",
        "ranks what is due, bounded, by one node",
    ),
    ("signing_key::search", "an issuer's keys are few"),
];

/// Somebody with thousands of logins, where there are a million.
fn ada() -> AccountId {
    AccountId::new("a5")
}

/// An RP with even more.
fn rp() -> ClientId {
    ClientId::new("https://rp.example.it/5")
}

fn cursor() -> TimeCursor {
    TimeCursor {
        key: NOW.plus_seconds(1_000),
        id: "m".into(),
    }
}

fn mail_cursor() -> MailCursor {
    MailCursor {
        created_at: NOW.plus_seconds(1_000),
        id: "m".into(),
    }
}

fn cursors() -> [Option<TimeCursor>; 2] {
    [None, Some(cursor())]
}

fn accounts(conn: &mut DbConn) -> Result<(), StoreError> {
    let after = TextCursor {
        key: "person 5".into(),
        id: "m".into(),
    };
    for enabled in [None, Some(true), Some(false)] {
        for by in [
            AccountKey::Username(String::new()),
            AccountKey::Username("person 5".into()),
            AccountKey::FiscalNumber("TINIT-1500".into()),
            AccountKey::Email("person15".into()),
        ] {
            let filter = AccountFilter { by, enabled };
            account::search(conn, &filter, None, 20)?;
            account::search(conn, &filter, Some(&after), 20)?;
        }
    }
    Ok(())
}

fn clients(conn: &mut DbConn) -> Result<(), StoreError> {
    let states = [
        None,
        Some((ClientState::Active, NOW)),
        Some((ClientState::Disabled, NOW)),
    ];
    for by in [ClientSort::ClientId, ClientSort::Name, ClientSort::Change] {
        for descending in [false, true] {
            for (state, issuer) in states
                .iter()
                .flat_map(|state| [(*state, None), (*state, Some(issuer()))])
            {
                let order = ClientOrder { by, descending };
                let filter = ClientFilter {
                    issuer,
                    state,
                    ..ClientFilter::default()
                };
                let first = client::search(conn, &filter, order, None, 20)?;
                client::search(conn, &filter, order, first.next.as_ref(), 20)?;
            }
        }
    }
    Ok(())
}

fn grants(conn: &mut DbConn) -> Result<(), StoreError> {
    for after in cursors() {
        for of in [
            GrantsOf::Account(ada()),
            GrantsOf::Client(issuer(), rp()),
            GrantsOf::Session(SessionId::new("session 7")),
            GrantsOf::Subject("pairwise".into()),
        ] {
            grant::search(conn, &of, after.as_ref(), 20)?;
        }
    }
    Ok(())
}

fn history(conn: &mut DbConn) -> Result<(), StoreError> {
    let (issuer, account) = (issuer(), ada());
    let owner = HistoryOwner {
        issuer: &issuer,
        account: &account,
    };
    for after in cursors() {
        for client_id in [None, Some(rp())] {
            let filter = HistoryFilter {
                client_id,
                from: Some(NOW),
                ..HistoryFilter::default()
            };
            login_event::search(conn, owner, &filter, after.as_ref(), 20)?;
        }
    }
    Ok(())
}

fn events(conn: &mut DbConn) -> Result<(), StoreError> {
    for after in cursors() {
        for of in [
            EventsOf::All,
            EventsOf::Issuer(issuer()),
            EventsOf::Client(issuer(), rp()),
            EventsOf::Account(ada()),
        ] {
            login_event::search_recent(conn, &of, after.as_ref(), 20)?;
        }
    }
    Ok(())
}

fn trail_entries(conn: &mut DbConn) -> Result<(), StoreError> {
    let text = |text: &str| Some(text.to_owned());
    for (actor, action, subject) in [
        (None, None, None),
        (text("olga"), None, None),
        (None, text("rp.disable"), None),
        (None, None, text("rp 5")),
        (text("olga"), text("rp.disable"), None),
    ] {
        for (since, until) in [(None, None), (Some(NOW), Some(NOW.plus_seconds(1_000)))] {
            let filter = TrailFilter {
                actor: actor.clone(),
                action: action.clone(),
                subject: subject.clone(),
                since,
                until,
            };
            for before in [None, Some(500)] {
                trail::search(conn, &filter, before, 20)?;
            }
        }
    }
    Ok(())
}

fn sessions(conn: &mut DbConn) -> Result<(), StoreError> {
    for after in cursors() {
        for (account, issuer) in [(None, None), (Some(ada()), None), (None, Some(issuer()))] {
            let filter = SessionFilter {
                account,
                issuer,
                alive_at: Some(NOW),
            };
            session::search(conn, &filter, after.as_ref(), 20)?;
        }
    }
    Ok(())
}

#[test]
fn no_list_scans_a_table_or_sorts_what_it_read() {
    on_both(|db| {
        seed(db);
        // SQLite plans without statistics, unless somebody makes them.
        if db.store.backend() == Backend::Sqlite {
            examine(db);
        }
        pretend_to_be_large(db);
        examine(db);
    });
}

fn examine(db: &TestDb) {
    let mut slow = String::new();
    for (name, run) in LISTS.iter().chain(OTHERS) {
        let all = statements(db, *run);
        assert!(!all.is_empty(), "{name} ran nothing");
        for statement in all {
            let steps = db.read(|conn| plan(conn, &statement));
            if steps.lines().any(|step| is_slow(&statement.0, step)) {
                slow.push_str(&format!(
                    "{name}: {}\n{}\n{steps}\n",
                    statement.0, statement.1
                ));
            }
        }
    }
    assert!(slow.is_empty(), "{:?}\n{slow}", db.store.backend());
}

/// The sources of the store with the modules that they are part of, tests apart.
fn sources(folder: &Path, part_of: Option<&str>, found: &mut Vec<(PathBuf, String)>) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = part_of.unwrap_or(&stem).to_owned();
        if path.is_dir() && stem != "tests" {
            sources(&path, Some(&module), found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push((path, module));
        }
    }
}

/// Public functions of the store that answer with several rows, as `module::function`.
fn declared_lists() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let (mut files, mut found) = (Vec::new(), BTreeSet::new());
    sources(&folder, None, &mut files);
    for (path, module) in files {
        let source = std::fs::read_to_string(&path).unwrap();
        for function in source.split("\npub fn ").skip(1) {
            let signature = function.split('{').next().unwrap();
            let answer = signature.rsplit("->").next().unwrap();
            let answer = answer.replace("Vec<u8>", "bytes");
            if answer.contains("Vec<") || answer.contains("Page<") {
                let name = function.split(['(', '<']).next().unwrap();
                found.insert(format!("{module}::{name}"));
            }
        }
    }
    found
}

#[test]
fn every_list_of_the_store_is_examined() {
    let examined = LISTS.iter().map(|(name, _)| *name);
    let known: BTreeSet<String> = examined
        .chain(EXEMPT.iter().map(|(name, _)| *name))
        .map(str::to_owned)
        .collect();
    let declared = declared_lists();
    assert!(declared.len() > 20, "the sources were read");
    let missing: Vec<_> = declared.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "in neither LISTS nor EXEMPT: {missing:?}"
    );
    let gone: Vec<_> = known.difference(&declared).collect();
    assert!(gone.is_empty(), "no such function: {gone:?}");
}
