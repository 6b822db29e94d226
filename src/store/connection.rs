//! Opening connections: the backend is chosen by the URL's scheme and never by trial.

#![expect(
    clippy::disallowed_methods,
    reason = "the one module that opens connections; one wait of `switch_to_wal`"
)]

use super::{SqliteSynchronous, StoreError};
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A connection to either database; every query of `store` runs on one.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// PostgreSQL.
    Postgres(diesel::PgConnection),
    /// SQLite.
    Sqlite(diesel::SqliteConnection),
}

impl DbConn {
    /// Which database this is.
    pub(super) fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }
}

/// Runs the same query text for whichever database `$conn` is: for what diesel's multi-connection cannot express
/// (`ON CONFLICT`, boxed queries, row locks).
macro_rules! on_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::DbConn::Postgres($c) => $body,
            $crate::store::DbConn::Sqlite($c) => $body,
        }
    };
}
pub(super) use on_backend;

/// The two supported databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Any number of nodes.
    Postgres,
    /// Embedded, one node.
    Sqlite,
}

/// Where the database is.
#[derive(Clone)]
pub(super) enum Address {
    /// A libpq URL, with our time limits added.
    Postgres(String),
    /// A file; never created by anything but [`super::Store::open`].
    Sqlite(PathBuf),
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(with_time_limits(url))),
            Some(("sqlite", path))
                if !path.is_empty() && path != ":memory:" && !path.contains(['?', '\0']) =>
            {
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            _ => Err(StoreError::UnknownScheme(without_password(url))),
        }
    }

    pub(super) fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// For SQLite, whether the file is there: an open connection works on happily after its file is deleted, and
    /// what it writes is lost.
    pub(super) fn check_present(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(path) => FileId::of(path).map(|_| ()),
        }
    }
}

/// libpq waits for ever by default, for a peer that is gone too.
fn with_time_limits(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "5"),
        ("tcp_user_timeout", "10000"),
        ("application_name", "varco"),
    ] {
        if !url.contains(&format!("{name}=")) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
    }
    url
}

/// The URL as far as it can be shown: no password, no query.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // `host=… password=…`, or a password pasted alone.
        return "a text without ://".to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

/// Which file a connection opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let metadata = std::fs::metadata(path)
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        #[cfg(unix)]
        let id = {
            use std::os::unix::fs::MetadataExt;
            Self {
                device: metadata.dev(),
                inode: metadata.ino(),
            }
        };
        #[cfg(not(unix))]
        let id = {
            let _ = metadata;
            Self {
                device: 0,
                inode: 0,
            }
        };
        Ok(id)
    }
}

/// What a SQLite connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SqliteRole {
    /// Writes; makes the file if it is missing.
    Creator,
    /// Writes.
    Writer,
    /// Reads only.
    Reader,
}

pub(super) fn open_postgres(url: &str) -> Result<DbConn, StoreError> {
    use diesel::Connection as _;
    diesel::PgConnection::establish(url)
        .map(DbConn::Postgres)
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

pub(super) fn open_sqlite(
    path: &Path,
    role: SqliteRole,
    synchronous: SqliteSynchronous,
) -> Result<DbConn, StoreError> {
    use diesel::Connection as _;
    let mut conn = diesel::SqliteConnection::establish(&file_uri(path, role))
        .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
    let failed = |pragma: &str, error: diesel::result::Error| {
        StoreError::Unavailable(format!("{}: {pragma}: {error}", path.display()))
    };
    let synchronous = match synchronous {
        SqliteSynchronous::Full => "PRAGMA synchronous = FULL",
        SqliteSynchronous::Normal => "PRAGMA synchronous = NORMAL",
    };
    let last = match role {
        SqliteRole::Creator | SqliteRole::Writer => "PRAGMA journal_size_limit = 67108864",
        SqliteRole::Reader => "PRAGMA query_only = ON",
    };
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        synchronous,
        "PRAGMA foreign_keys = ON",
        "PRAGMA cache_size = -2000",
        "PRAGMA mmap_size = 0",
        // What a savepoint may have to bring back stays in memory; it is small.
        "PRAGMA temp_store = MEMORY",
        last,
    ] {
        conn.batch_execute(pragma)
            .map_err(|error| failed(pragma, error))?;
    }
    if role != SqliteRole::Reader {
        switch_to_wal(&mut conn).map_err(|error| failed("PRAGMA journal_mode", error))?;
    }
    Ok(DbConn::Sqlite(conn))
}

/// The file stays in this mode. Processes that make it together can each hold a lock that another needs; SQLite does not
/// wait then, whatever its time limit, so this does.
fn switch_to_wal(conn: &mut diesel::SqliteConnection) -> diesel::QueryResult<()> {
    const ATTEMPTS: u32 = 100;
    let mut attempt = 1;
    loop {
        let switched = conn.batch_execute("PRAGMA journal_mode = WAL");
        if switched.is_ok() || attempt == ATTEMPTS {
            return switched;
        }
        attempt += 1;
        // At most 2 s, and only when several processes make a database at the same moment.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A URI rather than a path: only so can SQLite be kept from creating a file that should be there.
fn file_uri(path: &Path, role: SqliteRole) -> String {
    let mode = if role == SqliteRole::Creator {
        "rwc"
    } else {
        "rw"
    };
    let escaped = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('#', "%23");
    // An absolute path needs the empty authority, or `//host/x` would name one.
    let authority = if path.is_absolute() { "//" } else { "" };
    format!("file:{authority}{escaped}?mode={mode}")
}

/// A connection of the pool, with what is needed to know whether it is still good.
pub(super) struct PooledConn {
    pub(super) conn: DbConn,
    file: Option<FileId>,
    /// [`ConnectionManager::outages`] when the connection was last known to work.
    outages_seen: u64,
    last_used: Instant,
    pub(super) broken: bool,
}

/// A connection that rested longer than this is asked whether it still works before it is used.
const TRUSTED_REST: Duration = Duration::from_secs(5);

/// Makes the connections of the pool.
pub(super) struct ConnectionManager {
    pub(super) address: Address,
    pub(super) synchronous: SqliteSynchronous,
    /// How often a connection was found lost: one lost connection makes all the others suspect.
    pub(super) outages: Arc<AtomicU64>,
}

/// r2d2 needs an error that implements `Error`.
pub(super) type ConnectionError = StoreError;

impl ManageConnection for ConnectionManager {
    type Connection = PooledConn;
    type Error = ConnectionError;

    fn connect(&self) -> Result<PooledConn, ConnectionError> {
        let outages_seen = self.outages.load(Ordering::Relaxed);
        let (conn, file) = match &self.address {
            Address::Postgres(url) => {
                let mut conn = open_postgres(url)?;
                conn.batch_execute(
                    "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
                     SET idle_in_transaction_session_timeout = '30s'",
                )
                .map_err(StoreError::from)?;
                (conn, None)
            }
            Address::Sqlite(path) => {
                let conn = open_sqlite(path, SqliteRole::Reader, self.synchronous)?;
                (conn, Some(FileId::of(path)?))
            }
        };
        Ok(PooledConn {
            conn,
            file,
            outages_seen,
            last_used: Instant::now(),
            broken: false,
        })
    }

    /// Called at every checkout, so it costs a ping only when there is a reason for doubt; for SQLite, one `stat`.
    fn is_valid(&self, pooled: &mut PooledConn) -> Result<(), ConnectionError> {
        match &self.address {
            Address::Sqlite(path) => {
                if Some(FileId::of(path)?) == pooled.file {
                    Ok(())
                } else {
                    Err(StoreError::Unavailable("the file was replaced".to_owned()))
                }
            }
            Address::Postgres(_) => {
                let outages = self.outages.load(Ordering::Relaxed);
                if pooled.outages_seen != outages || pooled.last_used.elapsed() > TRUSTED_REST {
                    pooled.conn.ping().map_err(StoreError::from)?;
                    pooled.outages_seen = outages;
                }
                pooled.last_used = Instant::now();
                Ok(())
            }
        }
    }

    fn has_broken(&self, pooled: &mut PooledConn) -> bool {
        pooled.broken || std::thread::panicking() || pooled.conn.is_broken()
    }
}

impl PooledConn {
    /// After a failure: asks the server whether the connection still works, and remembers the answer.
    pub(super) fn check_after_failure(&mut self, outages: &AtomicU64) {
        if self.file.is_none() && self.conn.ping().is_err() {
            self.broken = true;
            outages.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_urls_name_files_and_passwords_are_not_shown() {
        for url in [
            "host=db user=varco password=hunter2",
            "varco.db",
            "mysql://varco:hunter2@db/varco?password=hunter2",
            "postgres//varco:hunter2@db/varco",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://varco.db?mode=memory",
            "sqlite:varco.db",
            "POSTGRES://varco:hunter2@db/x",
        ] {
            match Address::parse(url).map(|address| address.backend()) {
                Err(error @ StoreError::UnknownScheme(_)) => {
                    assert!(!error.to_string().contains("hunter2"), "{error}");
                }
                other => panic!("{url}: {other:?}"),
            }
        }
        let parsed = |url| Address::parse(url).map(|address| address.backend()).ok();
        assert_eq!(parsed("sqlite://varco.db"), Some(Backend::Sqlite));
        assert_eq!(parsed("postgres://varco@db/varco"), Some(Backend::Postgres));
        assert_eq!(parsed("postgresql:///varco"), Some(Backend::Postgres));
    }

    #[test]
    fn a_path_is_taken_literally_in_a_uri() {
        let uri = |path: &str| file_uri(Path::new(path), SqliteRole::Reader);
        assert_eq!(uri("a #1 100%.db"), "file:a %231 100%25.db?mode=rw");
        assert_eq!(uri("/a/b.db"), "file:///a/b.db?mode=rw");
        assert_eq!(uri("//a/b.db"), "file:////a/b.db?mode=rw");
    }

    #[test]
    fn time_limits_are_added_to_a_postgresql_url_once() {
        assert_eq!(
            with_time_limits("postgres://db/varco?connect_timeout=1"),
            "postgres://db/varco?connect_timeout=1&tcp_user_timeout=10000&application_name=varco"
        );
    }
}
