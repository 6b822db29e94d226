//! The one writer of a SQLite database: a thread that commits waiting jobs in groups.
//!
//! ```text
//! BEGIN IMMEDIATE ─► job ─► SAVEPOINT, job, RELEASE or ROLLBACK TO ─► … up to 64 jobs … ─► COMMIT ─► answers
//! ```
//! A job that fails or panics is rolled back alone. While nothing is kept yet, that is the rollback of the transaction,
//! so most jobs need no savepoint, for which SQLite would copy every page before it is changed. When the database itself
//! fails (disk full, file gone), the whole group is rolled back and answered `Unavailable`, and the connection is opened
//! anew for the next group.

use super::connection::{FileId, SqliteRole, open_sqlite};
use super::{DbConn, SqliteSynchronous, StoreError};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Jobs that may wait; more are refused, since their callers would have gone before their turn.
const QUEUE: usize = 4096;
/// Jobs of one commit: more add latency and no speed.
const GROUP: usize = 64;

/// Gives a job's caller its answer, once it is known whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A job in the queue.
trait Work: Send {
    /// Does the work; also says whether to keep what was written.
    fn run(self: Box<Self>, conn: &mut DbConn) -> (bool, Answer);
    /// Answers without doing it.
    fn refuse(self: Box<Self>, error: StoreError);
}

struct Job<F, A> {
    work: F,
    answer: A,
}

impl<T, E, F, A> Work for Job<F, A>
where
    F: FnOnce(&mut DbConn) -> Result<T, E> + Send,
    A: FnOnce(Result<T, E>) + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, conn: &mut DbConn) -> (bool, Answer) {
        let Self { work, answer } = *self;
        let result = catch(|| work(conn));
        let keep = result.is_ok();
        let answer = move |group: Result<(), StoreError>| {
            answer(match group {
                Ok(()) => result,
                Err(error) => Err(error.into()),
            });
        };
        (keep, Box::new(answer))
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        (self.answer)(Err(error.into()));
    }
}

/// Runs `work`; a panic becomes [`StoreError::Panicked`]. Whoever calls this throws away what the job left half done.
pub(super) fn catch<T, E: From<StoreError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

enum Message {
    Work(Box<dyn Work>),
    Close(Box<dyn FnOnce() + Send>),
}

/// The way to the writer thread, which ends when this is dropped and the queue is empty.
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Starts the thread with a connection that is already open.
    pub(super) fn start(
        conn: DbConn,
        path: PathBuf,
        synchronous: SqliteSynchronous,
    ) -> Result<Self, StoreError> {
        let file = FileId::of(&path)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut thread = WriterThread {
            receiver,
            conn: Some((conn, file)),
            path,
            synchronous,
        };
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| StoreError::unavailable(&error))?;
        Ok(Self(sender))
    }

    /// Queues a job; `answer` is called from the writer thread after the commit, or at once when the queue is full.
    pub(super) fn submit<T, E>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
        answer: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let job = Message::Work(Box::new(Job { work, answer }));
        let (message, reason) = match self.0.try_send(job) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(message)) => {
                (message, "too many writes are waiting")
            }
            Err(mpsc::error::TrySendError::Closed(message)) => (message, "the store is closed"),
        };
        if let Message::Work(work) = message {
            work.refuse(StoreError::Unavailable(reason.to_owned()));
        }
    }

    /// Refuses further jobs; `closed` is called when those already queued are done. False: it was closed before.
    pub(super) async fn close(&self, closed: impl FnOnce() + Send + 'static) -> bool {
        self.0.send(Message::Close(Box::new(closed))).await.is_ok()
    }
}

struct WriterThread {
    receiver: mpsc::Receiver<Message>,
    /// Absent after a failure, until it could be opened again.
    conn: Option<(DbConn, FileId)>,
    path: PathBuf,
    synchronous: SqliteSynchronous,
}

impl WriterThread {
    fn run(&mut self) {
        let mut on_close = Vec::new();
        while let Some(message) = self.receiver.blocking_recv() {
            match message {
                Message::Work(first) => {
                    if let Some(closed) = self.group(first) {
                        self.receiver.close();
                        on_close.push(closed);
                    }
                }
                Message::Close(closed) => {
                    self.receiver.close();
                    on_close.push(closed);
                }
            }
        }
        if let Some((mut conn, _)) = self.conn.take() {
            // Only tidiness: the log is replayed at the next start otherwise.
            let _busy = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        for closed in on_close {
            closed();
        }
    }

    /// Runs `first` and whatever else is waiting in one transaction. Returns the wish to close, if one was met.
    fn group(&mut self, first: Box<dyn Work>) -> Option<Box<dyn FnOnce() + Send>> {
        let mut group = Group {
            waiting: Some(first),
            ..Group::default()
        };
        let outcome = match reopened(&mut self.conn, &self.path, self.synchronous) {
            Ok(conn) => group.run(conn, &mut self.receiver),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => group.answers.into_iter().for_each(|answer| answer(Ok(()))),
            Err(error) => {
                log::error!("a group of writes failed: {error}");
                // Dropping the connection rolls back whatever is open, also what diesel no longer understands.
                self.conn = None;
                // Those behind would meet the same trouble, perhaps after a time limit each.
                while group.answers.len() < GROUP && group.close.is_none() {
                    let Some(work) = group.waiting.take() else {
                        break;
                    };
                    group.answers.push(refusal_of(work));
                    group.take_next(&mut self.receiver);
                }
                let reason = match error {
                    StoreError::Unavailable(reason) => reason,
                    other => other.to_string(),
                };
                for answer in group.answers {
                    answer(Err(StoreError::Unavailable(reason.clone())));
                }
                if let Some(work) = group.waiting {
                    work.refuse(StoreError::Unavailable(reason));
                }
            }
        }
        group.close
    }
}

/// Opens the connection again if it was lost, or if its file is another one now.
fn reopened<'c>(
    conn: &'c mut Option<(DbConn, FileId)>,
    path: &Path,
    synchronous: SqliteSynchronous,
) -> Result<&'c mut DbConn, StoreError> {
    let file = FileId::of(path)?;
    let (opened, _) = match conn.take().filter(|(_, opened)| *opened == file) {
        Some(good) => conn.insert(good),
        None => conn.insert((open_sqlite(path, SqliteRole::Writer, synchronous)?, file)),
    };
    Ok(opened)
}

/// Jobs of one transaction.
#[derive(Default)]
struct Group {
    waiting: Option<Box<dyn Work>>,
    answers: Vec<Answer>,
    /// Whether the transaction holds what an earlier job wrote.
    kept: bool,
    close: Option<Box<dyn FnOnce() + Send>>,
}

impl Group {
    fn run(
        &mut self,
        conn: &mut DbConn,
        receiver: &mut mpsc::Receiver<Message>,
    ) -> Result<(), StoreError> {
        let DbConn::Sqlite(sqlite) = conn else {
            return Err(StoreError::Unavailable("not SQLite".to_owned()));
        };
        begin(sqlite)?;
        while let Some(work) = self.waiting.take() {
            self.run_job(conn, work)?;
            if self.answers.len() >= GROUP {
                break;
            }
            self.take_next(receiver);
        }
        match conn {
            DbConn::Sqlite(sqlite) => Ok(AnsiTransactionManager::commit_transaction(sqlite)?),
            DbConn::Postgres(_) => Ok(()),
        }
    }

    fn take_next(&mut self, receiver: &mut mpsc::Receiver<Message>) {
        match receiver.try_recv() {
            Ok(Message::Work(work)) => self.waiting = Some(work),
            Ok(Message::Close(closed)) => self.close = Some(closed),
            Err(_) => {}
        }
    }

    /// An error means that the database failed, not the job: then the whole transaction is lost.
    fn run_job(&mut self, conn: &mut DbConn, work: Box<dyn Work>) -> Result<(), StoreError> {
        if self.kept
            && let DbConn::Sqlite(sqlite) = conn
            && let Err(error) = AnsiTransactionManager::begin_transaction(sqlite)
        {
            self.waiting = Some(work);
            return Err(error.into());
        }
        let (keep, answer) = work.run(conn);
        self.answers.push(answer);
        if let DbConn::Sqlite(sqlite) = conn {
            self.end_job(sqlite, keep)?;
        }
        Ok(())
    }

    fn end_job(
        &mut self,
        conn: &mut diesel::SqliteConnection,
        keep: bool,
    ) -> Result<(), StoreError> {
        let depth = if self.kept {
            IN_SAVEPOINT
        } else {
            IN_TRANSACTION
        };
        // A panic inside a transaction of the job's own leaves that one open too.
        while transaction_depth(conn)? > depth {
            AnsiTransactionManager::rollback_transaction(conn)?;
        }
        if transaction_depth(conn)? < depth {
            return Err(StoreError::Unavailable(
                "a job ended a transaction that is not its own".to_owned(),
            ));
        }
        match (self.kept, keep) {
            (true, true) => AnsiTransactionManager::commit_transaction(conn)?,
            (true, false) => AnsiTransactionManager::rollback_transaction(conn)?,
            (false, true) => self.kept = true,
            (false, false) => {
                AnsiTransactionManager::rollback_transaction(conn)?;
                begin(conn)?;
            }
        }
        Ok(())
    }
}

/// IMMEDIATE: a transaction that reads first and writes later can fail without waiting.
fn begin(conn: &mut diesel::SqliteConnection) -> Result<(), StoreError> {
    Ok(AnsiTransactionManager::begin_transaction_sql(
        conn,
        "BEGIN IMMEDIATE",
    )?)
}

fn refusal_of(work: Box<dyn Work>) -> Answer {
    Box::new(move |group| {
        if let Err(error) = group {
            work.refuse(error);
        }
    })
}

/// How deep a job runs: in the group's transaction, or in a savepoint of its own in it.
const IN_TRANSACTION: u32 = 1;
const IN_SAVEPOINT: u32 = 2;

fn transaction_depth(conn: &mut diesel::SqliteConnection) -> Result<u32, StoreError> {
    let status =
        <AnsiTransactionManager as TransactionManager<diesel::SqliteConnection>>::transaction_manager_status_mut(conn);
    Ok(status
        .transaction_depth()?
        .map_or(0, std::num::NonZeroU32::get))
}
