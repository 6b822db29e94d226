use super::*;
use crate::store::connection::on_backend;
use crate::store::keyset::TimeCursor;
use crate::store::login_event::{HistoryOwner, history_query};
use crate::store::schema::login_event as table;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// 120 events of Ada at 12 different times, mixed with as many of Eve's; two RPs.
fn with_history(db: &TestDb) -> (AccountId, AccountId) {
    let mut ada = db.with_grant("ada");
    let eve = db.with_grant("eve");
    let owners = (ada.account.clone(), eve.account.clone());
    db.write(move |conn| {
        for n in 0..120 {
            ada.client_id = if n % 3 == 0 { other_rp() } else { rp() };
            let at = NOW.plus_seconds(1 + n / 10);
            login_event::insert(conn, &event(&ada, at))?;
            login_event::insert(conn, &event(&eve, at))?;
        }
        Ok(())
    });
    owners
}

fn all_pages(
    db: &TestDb,
    account: &AccountId,
    filter: &HistoryFilter,
    limit: u32,
) -> Vec<LoginEvent> {
    let issuer = issuer();
    let owner = HistoryOwner {
        issuer: &issuer,
        account,
    };
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = db.read(|conn| login_event::search(conn, owner, filter, after.as_ref(), limit));
        assert!(page.rows.len() <= usize::try_from(limit).unwrap());
        all.extend(page.rows);
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return all,
        }
    }
}

#[test]
fn history_pages_are_complete_ordered_and_without_duplicates() {
    on_both(|db| {
        let (ada, _) = with_history(db);
        for limit in [1, 7, 50, 121, 500] {
            let events = all_pages(db, &ada, &HistoryFilter::default(), limit);
            assert_eq!(events.len(), 121, "pages of {limit}");
            assert!(events.iter().all(|event| event.account == ada));
            for pair in events.windows(2) {
                let key = |event: &LoginEvent| (event.occurred_at, event.id.clone());
                assert!(key(&pair[0]) > key(&pair[1]));
            }
        }
        let filter = HistoryFilter {
            client_id: Some(other_rp()),
            from: Some(NOW.plus_seconds(2)),
            until: Some(NOW.plus_seconds(4)),
        };
        let events = all_pages(db, &ada, &filter, 3);
        assert_eq!(events.len(), 6);
        assert!(events.iter().all(|event| event.client_id == other_rp()));
    });
}

#[test]
fn another_persons_or_issuers_history_is_never_returned() {
    on_both(|db| {
        let (ada, eve) = with_history(db);
        let (here, elsewhere) = (issuer(), IssuerId::new("https://op.example.it/cie/"));
        // Ada's cursor in Eve's hands.
        let mine = all_pages(db, &ada, &HistoryFilter::default(), 500);
        let cursor = TimeCursor {
            key: mine[5].occurred_at,
            id: mine[5].id.clone(),
        };
        let search = |issuer: &IssuerId, account: &AccountId, filter: &HistoryFilter| {
            let owner = HistoryOwner { issuer, account };
            db.read(|conn| login_event::search(conn, owner, filter, Some(&cursor), 500))
                .rows
        };
        let all = HistoryFilter::default();
        assert!(
            search(&here, &eve, &all)
                .iter()
                .all(|event| event.account == eve)
        );
        assert!(search(&elsewhere, &ada, &all).is_empty());
        assert!(search(&here, &AccountId::new("nobody"), &all).is_empty());
        let hostile = HistoryFilter {
            client_id: Some(ClientId::new("\0")),
            ..all
        };
        assert!(search(&here, &ada, &hostile).is_empty());
        let owner = HistoryOwner {
            issuer: &here,
            account: &eve,
        };
        let choices = db.read(|conn| login_event::rp_choices(conn, owner));
        let of_eve: Vec<_> = choices.iter().map(|choice| &choice.client_id).collect();
        assert_eq!(of_eve, [&rp()]);
    });
}

/// A query behind `EXPLAIN`.
struct Explain<T>(&'static str, T);

impl<T> QueryId for Explain<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, DB: diesel::backend::Backend> QueryFragment<DB> for Explain<T>
where
    T: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        self.1.walk_ast(out)
    }
}

struct ExplainText<T>(T);
struct ExplainRows<T>(T);

macro_rules! explain {
    ($name:ident, $sql_type:ty, $conn:ty) => {
        impl<T> QueryId for $name<T> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
        impl<T> Query for $name<T> {
            type SqlType = $sql_type;
        }
        impl<T> RunQueryDsl<$conn> for $name<T> {}
        impl<T, DB: diesel::backend::Backend> QueryFragment<DB> for $name<T>
        where
            T: QueryFragment<DB>,
        {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                self.0.walk_ast(out)
            }
        }
    };
}

explain!(ExplainText, diesel::sql_types::Text, diesel::PgConnection);
explain!(
    ExplainRows,
    (
        diesel::sql_types::Integer,
        diesel::sql_types::Integer,
        diesel::sql_types::Integer,
        diesel::sql_types::Text
    ),
    diesel::SqliteConnection
);

#[test]
fn a_page_of_history_walks_the_index_and_sorts_nothing() {
    on_both(|db| {
        let granted = db.with_grant("ada");
        for n in 0..20 {
            db.with_grant(&format!("user {n}"));
        }
        let fill = match db.store.backend() {
            Backend::Sqlite => {
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
            }
            Backend::Postgres => "WITH n(i) AS (SELECT generate_series(1, 300))",
        };
        let fill = format!(
            "{fill} INSERT INTO login_event SELECT id || i, issuer, account_id, client_id, rp_name, acr, attributes, \
             browser, address, occurred_at + i / 10, grant_id, access_until, revoked_at FROM login_event, n"
        );
        db.write(|conn| {
            diesel::sql_query(fill).execute(conn)?;
            diesel::sql_query("ANALYZE").execute(conn)?;
            Ok(())
        });
        let issuer = issuer();
        let owner = HistoryOwner {
            issuer: &issuer,
            account: &granted.account,
        };
        let cursor = TimeCursor {
            key: NOW.plus_seconds(20),
            id: "id".into(),
        };
        for client_id in [None, Some(rp())] {
            let filter = HistoryFilter {
                client_id,
                ..HistoryFilter::default()
            };
            let plan: String = db.read(|conn| {
                Ok(match conn {
                    DbConn::Sqlite(c) => {
                        let query = history_query!(owner, filter, Some(&cursor), 51);
                        ExplainRows(Explain("EXPLAIN QUERY PLAN ", query))
                            .load::<(i32, i32, i32, String)>(c)?
                            .into_iter()
                            .map(|row| row.3 + "\n")
                            .collect()
                    }
                    DbConn::Postgres(c) => {
                        let query = history_query!(owner, filter, Some(&cursor), 51);
                        ExplainText(Explain("EXPLAIN ", query))
                            .load::<String>(c)?
                            .join("\n")
                    }
                })
            });
            assert!(plan.contains("login_event_history"), "{plan}");
            assert!(
                plan.contains("occurred_at<") || plan.contains("occurred_at <="),
                "{plan}"
            );
            for slow in ["SCAN", "Seq Scan", "Sort", "TEMP B-TREE"] {
                assert!(!plan.contains(slow), "{plan}");
            }
        }
        let longest = db.read(|conn| {
            on_backend!(conn, c => table::table.count().get_result::<i64>(c))
                .map_err(StoreError::from)
        });
        assert_eq!(longest, 21 * 301);
    });
}
