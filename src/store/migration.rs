//! The schema's versions: one schema, two sets of the same names, applied in one transaction under a lock, since several
//! nodes start together. A version must work with the schema of the next one (expand, then contract).

use super::connection::{Address, SqliteRole, open_postgres, open_sqlite};
use super::{DbConn, SqliteSynchronous, StoreError};
use diesel::backend::Backend as DieselBackend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// Any number that nothing else on the same database uses.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(8210437651)";

/// One version of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// `0001_initial`, the same on both databases.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Applies what is missing; returns the versions applied (`0001`), oldest first. Makes a SQLite file that is missing.
///
/// # Errors
/// The database is out of reach, or a migration fails: then nothing was changed.
pub fn migrate_up(url: &str) -> Result<Vec<String>, StoreError> {
    up(&mut connect(&Address::parse(url)?, SqliteRole::Creator)?)
}

/// Takes back the newest version; returns it (`0001`), or `None` when there is none.
///
/// # Errors
/// As [`migrate_up`].
pub fn migrate_down(url: &str) -> Result<Option<String>, StoreError> {
    let mut conn = connect(&Address::parse(url)?, SqliteRole::Writer)?;
    locked(&mut conn, |conn| {
        match conn {
            DbConn::Sqlite(c) => down_one(c, SQLITE),
            DbConn::Postgres(c) => down_one(c, POSTGRES),
        }
        .map_err(|error| StoreError::Migration(error.to_string()))
    })
}

/// Every version that this program knows, oldest first.
///
/// # Errors
/// As [`migrate_up`].
pub fn migration_status(url: &str) -> Result<Vec<MigrationStatus>, StoreError> {
    let mut conn = connect(&Address::parse(url)?, SqliteRole::Writer)?;
    let found = match &mut conn {
        DbConn::Sqlite(c) => status_of(c, SQLITE),
        DbConn::Postgres(c) => status_of(c, POSTGRES),
    };
    found.map_err(|error| StoreError::Migration(error.to_string()))
}

fn connect(address: &Address, role: SqliteRole) -> Result<DbConn, StoreError> {
    match address {
        Address::Postgres(url) => open_postgres(url),
        Address::Sqlite(path) => open_sqlite(path, role, SqliteSynchronous::Full),
    }
}

pub(super) fn up(conn: &mut DbConn) -> Result<Vec<String>, StoreError> {
    locked(conn, |conn| {
        match conn {
            DbConn::Sqlite(c) => names(c.run_pending_migrations(SQLITE)),
            DbConn::Postgres(c) => names(c.run_pending_migrations(POSTGRES)),
        }
        .map_err(|error| StoreError::Migration(error.to_string()))
    })
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn names(
    versions: Result<Vec<diesel::migration::MigrationVersion<'_>>, Cause>,
) -> Result<Vec<String>, Cause> {
    Ok(versions?.iter().map(ToString::to_string).collect())
}

fn down_one<DB: DieselBackend, H: MigrationHarness<DB>>(
    conn: &mut H,
    source: EmbeddedMigrations,
) -> Result<Option<String>, Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    if conn.applied_migrations()?.is_empty() {
        return Ok(None);
    }
    conn.revert_last_migration(source)
        .map(|version| Some(version.to_string()))
}

fn status_of<DB: DieselBackend, H: MigrationHarness<DB>>(
    conn: &mut H,
    source: EmbeddedMigrations,
) -> Result<Vec<MigrationStatus>, Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let applied = conn.applied_migrations()?;
    let mut all: Vec<MigrationStatus> = MigrationSource::<DB>::migrations(&source)?
        .iter()
        .map(|migration| MigrationStatus {
            name: migration.name().to_string(),
            applied: applied.contains(&migration.name().version().as_owned()),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Runs `work` in one transaction that excludes every other migration of this database.
fn locked<T>(
    conn: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match conn {
        DbConn::Sqlite(c) => {
            // A migration may take longer than a write of daily life.
            c.batch_execute("PRAGMA busy_timeout = 60000")?;
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?;
        }
        DbConn::Postgres(c) => {
            AnsiTransactionManager::begin_transaction(c)?;
            c.batch_execute(ADVISORY_LOCK)?;
        }
    }
    let result = work(conn);
    let closed = match (&result, &mut *conn) {
        (Ok(_), DbConn::Sqlite(c)) => AnsiTransactionManager::commit_transaction(c),
        (Ok(_), DbConn::Postgres(c)) => AnsiTransactionManager::commit_transaction(c),
        (Err(_), DbConn::Sqlite(c)) => AnsiTransactionManager::rollback_transaction(c),
        (Err(_), DbConn::Postgres(c)) => AnsiTransactionManager::rollback_transaction(c),
    };
    if let DbConn::Sqlite(c) = conn {
        c.batch_execute("PRAGMA busy_timeout = 5000")?;
    }
    let value = result?;
    closed?;
    Ok(value)
}
