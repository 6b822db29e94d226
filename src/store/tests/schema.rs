use super::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Table → column → (type as in `table!`, nullable).
type Catalogue = BTreeMap<String, BTreeMap<String, (String, bool)>>;

fn declared() -> Catalogue {
    let mut all = Catalogue::new();
    let mut table = String::new();
    for line in include_str!("../schema.rs").lines().map(str::trim) {
        if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            if line.starts_with("diesel::") {
                continue;
            }
            let inner = kind
                .strip_prefix("Nullable<")
                .and_then(|rest| rest.strip_suffix('>'));
            let column_type = (inner.unwrap_or(kind).to_owned(), inner.is_some());
            all.entry(table.clone())
                .or_default()
                .insert(column.to_owned(), column_type);
        } else if let Some((name, "{")) = line
            .split_once(") ")
            .map(|(left, right)| (left.split(' ').next().unwrap_or_default(), right))
        {
            table = name.to_owned();
        }
    }
    all
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    column_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    data_type: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    nullable: String,
}

const SQLITE_CATALOGUE: &str = "SELECT t.name AS table_name, c.name AS column_name, replace(c.type, 'INTEGER', 'BIGINT') AS data_type, \
     CASE c.\"notnull\" WHEN 1 THEN 'NO' ELSE 'YES' END AS nullable \
     FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'";
const POSTGRES_CATALOGUE: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text AS nullable \
     FROM information_schema.columns WHERE table_schema = current_schema()";

fn catalogue(conn: &mut DbConn) -> Result<Catalogue, StoreError> {
    let rows: Vec<Column> = match conn {
        DbConn::Sqlite(c) => diesel::sql_query(SQLITE_CATALOGUE).load(c)?,
        DbConn::Postgres(c) => diesel::sql_query(POSTGRES_CATALOGUE).load(c)?,
    };
    let mut all = Catalogue::new();
    for row in rows {
        if row.table_name.starts_with("__diesel") || row.table_name.starts_with("sqlite_") {
            continue;
        }
        let kind = match row.data_type.to_uppercase().as_str() {
            "TEXT" => "Text",
            "BIGINT" => "BigInt",
            "BOOLEAN" => "Bool",
            "BLOB" | "BYTEA" => "Binary",
            other => panic!("{}.{}: {other}", row.table_name, row.column_name),
        };
        all.entry(row.table_name)
            .or_default()
            .insert(row.column_name, (kind.to_owned(), row.nullable == "YES"));
    }
    Ok(all)
}

#[test]
fn the_declared_tables_are_those_of_each_database() {
    let declared = declared();
    assert!(declared.len() > 10, "the file was read");
    on_both(|db| assert_eq!(db.read(catalogue), declared));
}

#[test]
fn every_column_of_an_end_is_indexed_first() {
    for backend in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let versions = std::fs::read_dir(folder.join(backend)).unwrap();
        let read = |version: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(version.unwrap().path().join("up.sql")).unwrap()
        };
        let sql: String = versions.map(read).collect();
        for (table, columns) in declared() {
            if columns.contains_key("expires_at") {
                assert!(sql.contains(&format!("ON {table} (expires_at)")), "{table}");
            }
        }
        assert!(sql.contains("ON login_event (occurred_at)"));
        assert!(sql.contains("ON refusal (refused_at)"));
    }
}

#[test]
fn migrations_go_up_down_and_up_again() {
    for (settings, _folder, server) in empty_databases() {
        let url = &settings.url;
        let applied = |url: &str| -> Vec<bool> {
            let all = migration_status(url).unwrap();
            all.iter().map(|migration| migration.applied).collect()
        };
        let count = migrate_up(url).unwrap().len();
        assert_eq!(migrate_up(url).unwrap(), Vec::<String>::new());
        assert_eq!(applied(url), vec![true; count]);
        assert_eq!(migration_status(url).unwrap()[0].name, "0001_initial");
        for _ in 0..count {
            assert!(migrate_down(url).unwrap().is_some());
        }
        assert_eq!(migrate_down(url).unwrap(), None);
        assert_eq!(applied(url), vec![false; count]);
        assert_eq!(migrate_up(url).unwrap().len(), count);
        let db = TestDb {
            store: Store::open(&settings).unwrap(),
            settings,
            folder: tempfile::tempdir().unwrap(),
            server,
        };
        assert_eq!(db.read(account::count), 0);
    }
}

#[test]
fn nodes_that_start_together_migrate_once() {
    for (settings, _folder, server) in empty_databases() {
        let barrier = Barrier::new(6);
        let names: Vec<String> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        migrate_up(&settings.url).unwrap()
                    })
                })
                .collect();
            nodes
                .into_iter()
                .flat_map(|node| node.join().unwrap())
                .collect()
        });
        assert_eq!(names.len(), migration_status(&settings.url).unwrap().len());
        if let Some((server, schema)) = server {
            admin(&server, &format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}
