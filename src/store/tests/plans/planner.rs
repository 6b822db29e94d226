//! What the databases would do with a statement, if the tables were large.

use super::super::tables::federation_rp;
use super::super::*;
use super::Run;
use diesel::connection::{Connection, InstrumentationEvent};
use std::sync::{Arc, Mutex};

/// Enough rows that a scan is the worse choice.
pub(super) fn seed(db: &TestDb) {
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
        let blob = match conn {
            DbConn::Sqlite(_) => "x'00'",
            DbConn::Postgres(_) => "decode('00', 'hex')",
        };
        for sql in [
            "INSERT INTO account (id, username, enabled, attributes, created_at, updated_at) SELECT 'a' || i, \
             'person ' || i, i % 50 > 0, '{\"email\":\"person' || i || '@example.it\",\"fiscal_number\":\"TINIT-' || i || '\"}', \
             0, 0 FROM n".to_owned(),
            "INSERT INTO client (issuer, client_id, origin, metadata, jwks, trust, expires_at, enabled, updated_at) \
             SELECT issuer, client_id || i, origin, '{\"client_name\":{\"\":\"Comune ' || ((i * 7) % 4000) || '\"}}', jwks, \
             trust, expires_at + i * 60, i % 50 > 0, updated_at + (i * 11) % 4000 FROM client, n".to_owned(),
            "INSERT INTO session (id, issuer, account_id, acr, authenticated_at, browser, address, expires_at) SELECT \
             'session ' || i, '".to_owned() + issuer().as_str() + "', 'a' || (i % 300 + 1), 'acr', 1800000000 + (i * 13) % 4000, '', '', \
             1900000000 FROM n",
            format!("INSERT INTO access_grant (id, issuer, client_id, account_id, session_id, subject, acr, authenticated_at, \
             request, offline_access, refresh_count, created_at, expires_at, methods) SELECT 'g' || i, issuer, client_id || \
             (i % 200), 'a' || (i % 300 + 1), 'session ' || i, subject, acr, authenticated_at, request, offline_access, 0, \
             created_at + (i * 17) % 4000, expires_at, methods FROM access_grant, n WHERE id = '{id}' AND session_id = '{one}'"),
            format!("INSERT INTO token SELECT 't' || i, kind, 'g' || i, generation, client_id, issued_at, expires_at, state \
             FROM token, n WHERE grant_id = '{id}'"),
            match conn {
                DbConn::Sqlite(_) => "INSERT INTO authorization_code SELECT CAST('code' || i AS BLOB), 'g' || i, 'c', 1, 'redeemed' FROM n",
                DbConn::Postgres(_) => "INSERT INTO authorization_code SELECT convert_to('code' || i, 'UTF8'), 'g' || i, 'c', 1, 'redeemed' FROM n",
            }.to_owned(),
            "INSERT INTO renewal SELECT issuer, client_id || i, 'ta', 0, (i * 23) % 4000, 0, i % 100 / 99, NULL, NULL FROM client, n \
             WHERE client_id = 'https://rp.example.it/'".to_owned(),
            format!("INSERT INTO login_event SELECT 'e' || i, issuer, 'a' || (i % 300 + 1), client_id || (i % 200), rp_name, acr, \
             attributes, browser, address, occurred_at + (i * 19) % 4000, 'g' || i, access_until, revoked_at FROM login_event, n \
             WHERE id = '{}' AND account_id = '{owner}'", event.id),
            format!("INSERT INTO refusal (reference, issuer, client_id, known, refused_at, event, code, description, reason) \
             SELECT 'r' || i, substr('{}', 1, 10 + i % 40), 'c' || (i % 200), true, i, 'e', 'c', 'd', 'r' FROM n", issuer()),
            format!("INSERT INTO login_count SELECT 'c' || (i % 200), 86400, i / 200 * 86400, '{}', 'a', 'granted', 0, i FROM n",
             issuer()),
            format!("INSERT INTO mail_message (id, account_id, kind, sealed, state, attempts, created_at, next_attempt_at, give_up_at, \
             expires_at) SELECT 'm' || i, 'a' || (i % 300 + 1), 'new_device', {}, CASE i % 50 WHEN 0 THEN 'failed' WHEN 1 THEN \
             'queued' ELSE 'sent' END, 1, 1800000000 + (i * 29) % 4000, 1800000000 + (i * 31) % 4000, 1900000000, 1900000000 FROM n",
             blob),
            format!("INSERT INTO login_count SELECT '', 3600 * (1 + i % 2 * 23), 1800000000 + i / 2 * 3600 * (1 + i % 2 * 23), '{}', \
             'a', 'granted', 0, i FROM n", issuer()),
            "INSERT INTO user_import (id, state, name, actor, via, address, skips, valid_lines, bad_lines, problems, done_lines, \
             added, updated, lease_until, created_at, expires_at) SELECT 'i' || i, 'done', '', '', 'desk', '', false, 0, 0, '', 0, 0, 0, \
             0, i * 7 % 4000, 1 FROM n".to_owned(),
            format!("INSERT INTO authenticator (id, account_id, method, name, sealed, created_at) SELECT 'f' || i, 'a' || i, 'totp', \
             '', {blob}, i FROM n"),
            "INSERT INTO trail (happened_at, actor, via, address, action, subject) SELECT 1800000000 + i, CASE i % 5 WHEN 0 THEN \
             'olga' ELSE 'vera' END, 'desk', '', CASE i % 7 WHEN 0 THEN 'rp.disable' ELSE 'rp.enable' END, 'rp ' || (i % 300) \
             FROM n".to_owned(),
        ] {
            let statement = match sql.split_once("SELECT") {
                Some((insert, select)) if matches!(conn, DbConn::Sqlite(_) | DbConn::Postgres(_)) => {
                    format!("{insert}{numbers} SELECT{select}")
                }
                _ => sql,
            };
            diesel::sql_query(statement).execute(conn)?;
        }
        Ok(())
    });
}

/// Statistics as a database has them that is looked after; in PostgreSQL as if there were as many rows as in
/// `varco demo seed --logins 1000000`, so that the planner chooses what it chooses there.
pub(super) fn pretend_to_be_large(db: &TestDb) {
    db.write(|conn| {
        diesel::sql_query("ANALYZE").execute(conn)?;
        if let DbConn::Postgres(c) = conn {
            diesel::sql_query(
                "UPDATE pg_class SET reltuples = reltuples * 250 \
                 WHERE relnamespace = current_schema()::regnamespace AND reltuples > 0",
            )
            .execute(c)?;
        }
        Ok(())
    });
}

/// The statements that a list runs, with the values bound to them.
pub(super) fn statements(db: &TestDb, run: Run) -> Vec<(String, String)> {
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
    let all: Vec<String> = values.iter().map(literal).collect();
    all.join(", ")
}

fn literal(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => format!("'{text}'"),
        serde_json::Value::Array(all) => {
            let all: Vec<String> = all.iter().map(literal).collect();
            format!("ARRAY[{}]::text[]", all.join(", "))
        }
        other => other.to_string(),
    }
}

/// With the values, since that is how it runs: a plan that knows no limit, which PostgreSQL would take for a tenth of the
/// table, costs more, and so is never chosen instead.
pub(super) fn plan(
    conn: &mut DbConn,
    (sql, binds): &(String, String),
) -> Result<String, StoreError> {
    match conn {
        DbConn::Sqlite(c) => {
            let steps: Vec<SqliteStep> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c)?;
            Ok(steps.into_iter().map(|step| step.detail + "\n").collect())
        }
        DbConn::Postgres(c) => {
            diesel::sql_query("SET plan_cache_mode = force_custom_plan").execute(c)?;
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

pub(super) fn is_slow(sql: &str, step: &str) -> bool {
    // SQLite's word for a walk along the table's own key, from its end and as far as the limit, too.
    let walks = step.contains(" USING ") || (!sql.contains(" WHERE ") && sql.contains(" LIMIT "));
    // The steps of [`login_event::rp_choices`], which ends after so many.
    let bounded = step.ends_with("SCAN choice");
    let scans = step.trim_start().starts_with("SCAN ") && !walks && !bounded;
    scans
        || step.contains("TEMP B-TREE")
        || step.contains("Seq Scan")
        // Of rows that are equal in the order but for their key, a few at a time.
        || (step.contains("Sort") && !step.contains("Incremental Sort") && !step.contains("Sort Key") && !step.contains("Presorted"))
}
