//! The database: SQLite embedded, or PostgreSQL for several nodes. The only user of diesel's query builder.
//!
//! ```text
//! Store::read  ─► SQLite: on the spot, a read-only connection of the pool     PostgreSQL: blocking pool ─► pool
//! Store::write ─► SQLite: the writer thread (`writer`), commits in groups     PostgreSQL: blocking pool ─► transaction
//! ```
//!
//! One file per table holds free functions on `&mut DbConn` (verbs: insert, find, search, redeem, revoke, purge); whoever
//! calls several in one `write` has them in one transaction. What may happen once (codes, refresh tokens, interactions,
//! replay keys) is one conditional statement, never a look and then a change. A row that is looked up by a unique key is
//! read with `get_result`: diesel's `first` adds `LIMIT ?`, and SQLite, which plans by the value of a limit, then compiles
//! the statement anew at every use.
//!
//! To add a table: both `migrations/*/NNNN_name`, `schema.rs` (a test compares it with each database), a file with its
//! functions, its expiry in `purge`, and tests, which run on both databases.

pub mod account;
pub mod authenticator;
pub mod authorization_code;
pub mod client;
pub mod client_change;
pub mod client_desk;
mod column;
mod connection;
pub mod consent;
pub mod email_code;
mod error;
pub mod external_login;
pub mod form_draft;
pub mod grant;
pub mod interaction;
pub mod key_challenge;
pub mod keyset;
pub mod known_device;
pub mod lease;
pub mod login_count;
pub mod login_event;
pub mod mail_message;
mod migration;
pub mod node;
pub mod operator;
pub mod operator_session;
pub mod own_trust_mark;
pub mod purge;
pub mod recovery_code;
pub mod refusal;
pub mod renewal;
pub mod replay;
pub mod rp_check;
mod schema;
pub mod session;
pub mod signing_key;
pub mod throttle;
pub mod token;
pub mod trail;
pub mod user_import;
pub mod web_session;
mod writer;

#[cfg(test)]
mod tests;

pub use connection::{Backend, DbConn};
pub use error::StoreError;
pub use migration::{MigrationStatus, migrate_down, migrate_up, migration_status};

use connection::{Address, ConnectionManager, SqliteRole, open_postgres, open_sqlite};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::r2d2::{self, Pool, PooledConnection};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use writer::{Writer, catch};

/// Renews what the planner knows, after much was written at once; SQLite plans without.
///
/// # Errors
/// The database's.
pub fn refresh_statistics(conn: &mut DbConn) -> Result<(), StoreError> {
    match conn {
        DbConn::Postgres(c) => Ok(c.batch_execute("ANALYZE")?),
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// How long a caller waits for a connection or a place in the blocking pool.
const WAIT: Duration = Duration::from_secs(2);

/// When SQLite's commits reach the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SqliteSynchronous {
    /// Before they are answered: nothing answered is lost when the power fails.
    #[default]
    Full,
    /// Soon: the last commits may be lost when the power fails, the file stays sound.
    Normal,
}

/// What [`Store::open`] needs to know.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite://FILE` or `postgres://USER@HOST/NAME`.
    pub url: String,
    /// Connections for reading (SQLite: as many as threads that serve, since a read waits for one on its thread) or in all
    /// (PostgreSQL); at least 1.
    pub pool_size: u32,
    /// Durability of SQLite.
    pub sqlite_synchronous: SqliteSynchronous,
    /// Whether to apply missing migrations first, and to make a SQLite file that is missing.
    pub migrate: bool,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &connection::without_password(&self.url))
            .field("pool_size", &self.pool_size)
            .field("sqlite_synchronous", &self.sqlite_synchronous)
            .field("migrate", &self.migrate)
            .finish()
    }
}

/// The database; clones share it. Dropping the last one lets the writer finish what is queued.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    address: Address,
    pool: Pool<ConnectionManager>,
    /// SQLite only.
    writer: Option<Writer>,
    /// As many as the pool has connections: more threads would only wait for one.
    blocking: Arc<Semaphore>,
    pool_size: u32,
    outages: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database, and first applies missing migrations if `settings.migrate`.
    ///
    /// # Errors
    /// A URL of no supported database, a database out of reach, a failed migration.
    pub fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let address = Address::parse(&settings.url)?;
        let role = if settings.migrate {
            SqliteRole::Creator
        } else {
            SqliteRole::Writer
        };
        let mut first = match &address {
            Address::Postgres(url) => open_postgres(url)?,
            Address::Sqlite(path) => open_sqlite(path, role, settings.sqlite_synchronous)?,
        };
        if settings.migrate {
            for name in migration::up(&mut first)? {
                log::info!("applied migration {name}");
            }
        }
        let writer = match &address {
            Address::Postgres(_) => None,
            Address::Sqlite(path) => Some(Writer::start(
                first,
                path.clone(),
                settings.sqlite_synchronous,
            )?),
        };
        let outages = Arc::new(AtomicU64::new(0));
        let pool_size = settings.pool_size.max(1);
        let pool = Pool::builder()
            .max_size(pool_size)
            .min_idle(Some(1))
            // Our check is cheap: it asks the server only when there is doubt.
            .test_on_check_out(true)
            .connection_timeout(WAIT)
            // The reason travels with the error of whoever waits for a connection.
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build(ConnectionManager {
                address: address.clone(),
                synchronous: settings.sqlite_synchronous,
                outages: outages.clone(),
            })
            .map_err(|error| StoreError::unavailable(&error))?;
        let permits = usize::try_from(pool_size).unwrap_or(1);
        Ok(Self(Arc::new(Inner {
            address,
            pool,
            writer,
            blocking: Arc::new(Semaphore::new(permits)),
            pool_size,
            outages,
        })))
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.0.address.backend()
    }

    /// Runs `f` on a connection, outside any transaction. On SQLite it runs on the spot and must be short, and the
    /// connection refuses writes.
    ///
    /// # Errors
    /// What `f` returns; `Unavailable` when there is no connection; `Panicked`.
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match self.backend() {
            Backend::Sqlite => self.read_blocking(f),
            Backend::Postgres => {
                let store = self.clone();
                self.blocking(move || store.read_blocking(f)).await
            }
        }
    }

    /// Runs `f` in a transaction and answers after the commit. An error of `f` rolls back what `f` did.
    ///
    /// # Errors
    /// What `f` returns; `Unavailable` when the database cannot commit now; `Panicked`.
    pub async fn write<T, E>(
        &self,
        f: impl FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => {
                let (sender, receiver) = oneshot::channel();
                writer.submit(f, move |result| {
                    // The caller may have gone; what was written stays.
                    let _gone = sender.send(result);
                });
                receiver.await.unwrap_or_else(|_| Err(no_answer().into()))
            }
            None => {
                let store = self.clone();
                self.blocking(move || store.write_postgres(f)).await
            }
        }
    }

    /// As [`Store::read`], for commands and other threads that may block.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_blocking<T, E>(&self, f: impl FnOnce(&mut DbConn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut pooled = self.connection()?;
        let result = catch(|| f(&mut pooled.conn));
        if result.is_err() {
            pooled.check_after_failure(&self.0.outages);
        }
        result
    }

    /// As [`Store::write`], for commands and other threads that may block.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<T, E>(
        &self,
        f: impl FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => {
                let (sender, receiver) = std::sync::mpsc::sync_channel(1);
                writer.submit(f, move |result| {
                    let _gone = sender.send(result);
                });
                receiver.recv().unwrap_or_else(|_| Err(no_answer().into()))
            }
            None => self.write_postgres(f),
        }
    }

    /// Whether the database answers, for `/readyz`.
    ///
    /// # Errors
    /// `Unavailable`, with the reason.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|conn| {
            diesel::r2d2::R2D2Connection::ping(conn)
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        })
        .await
    }

    /// Refuses further work and returns when what was accepted is done.
    pub async fn close(&self) {
        if let Some(writer) = &self.0.writer {
            let (sender, receiver) = oneshot::channel();
            let closing = writer
                .close(move || {
                    let _gone = sender.send(());
                })
                .await;
            if closing {
                let _ended = receiver.await;
            }
        }
        let _all = self.0.blocking.acquire_many(self.0.pool_size).await;
        self.0.blocking.close();
    }

    fn connection(&self) -> Result<PooledConnection<ConnectionManager>, StoreError> {
        // Before the pool, which would wait for the file to come back.
        self.0.address.check_present()?;
        self.0
            .pool
            .get()
            .map_err(|error| StoreError::unavailable(&error))
    }

    async fn blocking<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = tokio::time::timeout(WAIT, self.0.blocking.clone().acquire_owned()).await;
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => {
                return Err(StoreError::Unavailable("the store is closed".to_owned()).into());
            }
            Err(_elapsed) => {
                return Err(
                    StoreError::Unavailable("every connection is in use".to_owned()).into(),
                );
            }
        };
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        })
        .await
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    fn write_postgres<T, E>(&self, f: impl FnOnce(&mut DbConn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut pooled = self.connection()?;
        let result = in_transaction(&mut pooled.conn, f);
        if result.is_err() {
            pooled.check_after_failure(&self.0.outages);
        }
        result
    }
}

fn no_answer() -> StoreError {
    StoreError::Unavailable("the writer has ended".to_owned())
}

fn in_transaction<T, E>(
    conn: &mut DbConn,
    f: impl FnOnce(&mut DbConn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    type Manager = <DbConn as diesel::Connection>::TransactionManager;
    <Manager as TransactionManager<DbConn>>::begin_transaction(conn).map_err(StoreError::from)?;
    let result = match catch(|| f(conn)) {
        Ok(value) => commit(conn)
            .map(|()| value)
            .map_err(|error| E::from(StoreError::from(error))),
        Err(error) => Err(error),
    };
    if result.is_err() {
        // When this fails, or a panic left a savepoint open, the pool sees a broken connection and drops it.
        let _lost = <Manager as TransactionManager<DbConn>>::rollback_transaction(conn);
    }
    result
}

fn commit(conn: &mut DbConn) -> diesel::QueryResult<()> {
    type Manager = <DbConn as diesel::Connection>::TransactionManager;
    match conn {
        // After a failed statement that the job passed over, a bare COMMIT rolls back and reports success. The statement
        // before it, in the same message, fails then; diesel reads the transaction's end off the connection.
        DbConn::Postgres(c) => c.batch_execute("SELECT 1; COMMIT"),
        DbConn::Sqlite(_) => <Manager as TransactionManager<DbConn>>::commit_transaction(conn),
    }
}
