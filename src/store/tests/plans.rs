//! Every list is a walk over an index: no query of one scans a table that grows or sorts what it read, on either database.
//! To add a list: its line in [`LISTS`]; [`every_list_of_the_store_is_examined`] waits for it.

use super::tables::federation_rp;
use super::*;
use crate::store::account::{AccountFilter, AccountKey};
use crate::store::client::{ClientFilter, ClientOrder, ClientSort, ClientState};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{NumberCursor, TextCursor, TimeCursor};
use crate::store::login_count::Span;
use crate::store::login_event::{EventsOf, HistoryOwner};
use crate::store::session::SessionFilter;
use diesel::connection::{Connection, InstrumentationEvent};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

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
    ("grant::search", grants),
    ("login_event::search", history),
    ("login_event::search_recent", events),
    ("login_count::series", |conn| {
        login_count::series(conn, None, Span::Hour, (NOW, NOW.plus_seconds(86_400)))?;
        login_count::series(
            conn,
            Some(&rp()),
            Span::Day,
            (NOW, NOW.plus_seconds(86_400)),
        )
        .map(drop)
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
    ("user_import::search", |conn| {
        for after in [None, Some(&cursor())] {
            user_import::search(conn, ImportKind::People, after, 20)?;
        }
        Ok(())
    }),
];

/// Those that read something else than a long list, and why.
const EXEMPT: &[(&str, &str)] = &[
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
        "consent::search",
        "groups one person’s grants by their index",
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
        "sums buckets of the time asked for, and sorts one row an RP",
    ),
    (
        "login_count::refusals",
        "sums buckets of the time asked for; codes are few",
    ),
    (
        "login_event::rp_choices",
        "groups one person's history by its index",
    ),
    (
        "mail_message::due",
        "the queue, by its own index, in batches",
    ),
    ("mail_message::search", "a page by its own index"),
    (
        "mail_message::search_of",
        "one person's mails by their index",
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
    ("trail::search", "examined by its own test"),
];

fn ada() -> AccountId {
    AccountId::new("ada")
}

fn cursor() -> TimeCursor {
    TimeCursor {
        key: NOW.plus_seconds(1_000),
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

/// Enough rows that a scan is the worse choice; statistics as a database has them that is looked after.
fn seed(db: &TestDb) {
    let first = db.with_grant("ada");
    let numbers = match db.store.backend() {
        Backend::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
        }
        Backend::Postgres => "WITH n(i) AS (SELECT generate_series(1, 4000))",
    };
    let (id, owner) = (first.id.clone(), first.account.clone());
    db.write(move |conn| {
        client::upsert(conn, &federation_rp(rp(), NOW.plus_seconds(60)))?;
        let live = token(&first, TokenKind::Access, 0);
        token::insert(conn, &live)?;
        let event = event(&first, NOW);
        login_event::insert(conn, &event)?;
        let (one, id, owner) = (first.session.as_str(), id.as_str(), owner.as_str());
        for sql in [
            "INSERT INTO account (id, username, enabled, attributes, created_at, updated_at) SELECT 'a' || i, \
             'person ' || i, i % 50 > 0, '{\"email\":\"person' || i || '@example.it\",\"fiscal_number\":\"TINIT-' || i || '\"}', \
             0, 0 FROM n".to_owned(),
            "INSERT INTO client (issuer, client_id, origin, metadata, jwks, trust, expires_at, enabled, updated_at) \
             SELECT issuer, client_id || i, origin, '{\"client_name\":{\"\":\"Comune ' || ((i * 7) % 4000) || '\"}}', jwks, \
             trust, expires_at + i * 60, i % 50 > 0, updated_at + (i * 11) % 4000 FROM client, n".to_owned(),
            "INSERT INTO session (id, issuer, account_id, acr, authenticated_at, browser, address, expires_at) SELECT \
             'session ' || i, '".to_owned() + issuer().as_str() + "', 'a' || (i % 400 + 1), 'acr', 1800000000 + (i * 13) % 4000, '', '', \
             1900000000 FROM n",
            format!("INSERT INTO access_grant (id, issuer, client_id, account_id, session_id, subject, acr, authenticated_at, \
             request, offline_access, refresh_count, created_at, expires_at, methods) SELECT 'g' || i, issuer, client_id || \
             (i % 200), 'a' || (i % 400 + 1), 'session ' || i, subject, acr, authenticated_at, request, offline_access, 0, \
             created_at + (i * 17) % 4000, expires_at, methods FROM access_grant, n WHERE id = '{id}' AND session_id = '{one}'"),
            format!("INSERT INTO token SELECT 't' || i, kind, 'g' || i, generation, client_id, issued_at, expires_at, state \
             FROM token, n WHERE grant_id = '{id}'"),
            match conn {
                DbConn::Sqlite(_) => "INSERT INTO authorization_code SELECT CAST('code' || i AS BLOB), 'g' || i, 'c', 1, 'redeemed' FROM n",
                DbConn::Postgres(_) => "INSERT INTO authorization_code SELECT convert_to('code' || i, 'UTF8'), 'g' || i, 'c', 1, 'redeemed' FROM n",
            }.to_owned(),
            "INSERT INTO renewal SELECT issuer, client_id || i, 'ta', 0, (i * 23) % 4000, 0, i % 100 / 99, NULL, NULL FROM client, n \
             WHERE client_id = 'https://rp.example.it/'".to_owned(),
            format!("INSERT INTO login_event SELECT 'e' || i, issuer, 'a' || (i % 400 + 1), client_id || (i % 200), rp_name, acr, \
             attributes, browser, address, occurred_at + (i * 19) % 4000, 'g' || i, access_until, revoked_at FROM login_event, n \
             WHERE id = '{}' AND account_id = '{owner}'", event.id),
            format!("INSERT INTO refusal (reference, issuer, client_id, known, refused_at, event, code, description, reason) \
             SELECT 'r' || i, substr('{}', 1, 10 + i % 40), 'c' || (i % 200), true, i, 'e', 'c', 'd', 'r' FROM n", issuer()),
            format!("INSERT INTO login_count SELECT 'c' || (i % 200), 86400, i / 200 * 86400, '{}', 'a', 'granted', 0, i FROM n",
             issuer()),
        ] {
            let statement = match sql.split_once("SELECT") {
                Some((insert, select)) if matches!(conn, DbConn::Sqlite(_) | DbConn::Postgres(_)) => {
                    format!("{insert}{numbers} SELECT{select}")
                }
                _ => sql,
            };
            diesel::sql_query(statement).execute(conn)?;
        }
        diesel::sql_query("ANALYZE").execute(conn)?;
        Ok(())
    });
}

/// The statements that a list runs, with the values bound to them.
fn statements(db: &TestDb, run: Run) -> Vec<(String, String)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    db.read(|conn| {
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let (sql, binds) = text.split_once(" -- binds: ").unwrap_or((&text, "[]"));
                let statement = (sql.trim().to_owned(), binds.trim().to_owned());
                sink.lock().unwrap().push(statement);
            }
        });
        let result = run(conn);
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        result
    });
    std::mem::take(&mut seen.lock().unwrap())
}

#[derive(diesel::QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(diesel::QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

fn literals(binds: &str) -> String {
    // What Rust escapes and JSON would not.
    let binds = binds.replace("\\u{10ffff}", "\u{10ffff}");
    let values: Vec<serde_json::Value> = serde_json::from_str(&binds).expect(&binds);
    let literal = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let all: Vec<String> = values.iter().map(literal).collect();
    all.join(", ")
}

/// With the values, since that is how it runs: a plan that knows no limit, which PostgreSQL would take for a tenth of the
/// table, costs more, and so is never chosen instead.
fn plan(conn: &mut DbConn, (sql, binds): &(String, String)) -> Result<String, StoreError> {
    match conn {
        DbConn::Sqlite(c) => {
            let steps: Vec<SqliteStep> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c)?;
            Ok(steps.into_iter().map(|step| step.detail + "\n").collect())
        }
        DbConn::Postgres(c) => {
            diesel::sql_query("SET plan_cache_mode = force_custom_plan").execute(c)?;
            // A few rows are sorted sooner than walked in order; of many, nobody sorts what an index has in order.
            diesel::sql_query("SET enable_sort = off").execute(c)?;
            diesel::sql_query("SET enable_bitmapscan = off").execute(c)?;
            diesel::sql_query(format!("PREPARE examined AS {sql}")).execute(c)?;
            let values = literals(binds);
            let call = if values.is_empty() {
                "examined".to_owned()
            } else {
                format!("examined({values})")
            };
            let steps: Vec<PostgresStep> =
                diesel::sql_query(format!("EXPLAIN (COSTS OFF) EXECUTE {call}")).load(c)?;
            diesel::sql_query("DEALLOCATE examined").execute(c)?;
            Ok(steps.into_iter().map(|step| step.line + "\n").collect())
        }
    }
}

fn is_slow(sql: &str, step: &str) -> bool {
    // SQLite's word for a walk along the table's own key, from its end and as far as the limit, too.
    let walks = step.contains(" USING ") || (!sql.contains(" WHERE ") && sql.contains(" LIMIT "));
    let scans = step.trim_start().starts_with("SCAN ") && !walks;
    scans
        || step.contains("TEMP B-TREE")
        || step.contains("Seq Scan")
        // Of rows that are equal in the order but for their key, a few at a time.
        || (step.contains("Sort") && !step.contains("Incremental Sort") && !step.contains("Sort Key") && !step.contains("Presorted"))
}

#[test]
fn no_list_scans_a_table_or_sorts_what_it_read() {
    on_both(|db| {
        seed(db);
        let mut slow = String::new();
        for (name, run) in LISTS {
            let all = statements(db, *run);
            assert!(!all.is_empty(), "{name} ran nothing");
            for statement in all {
                let steps = db.read(|conn| plan(conn, &statement));
                if steps.lines().any(|step| is_slow(&statement.0, step)) {
                    slow.push_str(&format!("{name}: {}\n{steps}\n", statement.0));
                }
            }
        }
        assert!(slow.is_empty(), "{:?}\n{slow}", db.store.backend());
    });
}

/// Public functions of the store that answer with several rows, as `module::function`.
fn declared_lists() -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = BTreeSet::new();
    for folder in [folder.clone(), folder.join("client")] {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let module = if stem == "list" { "client" } else { stem };
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
