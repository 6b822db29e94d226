use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or cannot work now (pool exhausted, connection lost, disk full, locked,
    /// serialization conflict, shutting down). Nothing was written; trying later can help: HTTP 503.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database refused a statement: a constraint, or a defect of this program.
    #[error("a query failed: {0}")]
    Query(#[source] DieselError),
    /// A row that this version cannot understand.
    #[error("row {key} of table {table} cannot be understood: column {column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key; hashes in hexadecimal.
        key: String,
    },
    /// A migration failed, and was rolled back.
    #[error("the schema could not be changed: {0}")]
    Migration(String),
    /// Not a URL of a database that Varco supports; shown without its password.
    #[error("{0} is no URL of a supported database: sqlite://FILE or postgres://USER@HOST/NAME")]
    UnknownScheme(String),
    /// The job panicked; what it had written was rolled back.
    #[error("a database job panicked")]
    Panicked,
}

impl StoreError {
    /// Whether the request can be answered 503 and tried again later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether a unique key or primary key was already there.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Query(DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                _
            ))
        )
    }

    pub(super) fn unavailable(cause: &impl ToString) -> Self {
        Self::Unavailable(cause.to_string())
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if is_outage(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Query(error)
        }
    }
}

/// diesel hands out no error codes, only kinds and the database's text. SQLite's texts are never translated; the ones of
/// PostgreSQL that matter and have no kind are matched in the languages of its common installations.
const OUTAGE_TEXTS: [&str; 22] = [
    // SQLite
    "database is locked",
    "database table is locked",
    "disk i/o error",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "database disk image is malformed",
    "file is not a database",
    "locking protocol",
    "large file support is disabled",
    // PostgreSQL
    "deadlock",
    "verkehrsklemme",
    "timeout",
    "zeitüberschreitung",
    "no space left on device",
    "could not extend file",
    "out of shared memory",
    "too many clients",
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "could not connect",
];

fn is_outage(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction
            | DatabaseErrorKind::UnableToSendCommand => true,
            DatabaseErrorKind::Unknown => {
                let text = information.message().to_lowercase();
                OUTAGE_TEXTS.iter().any(|known| text.contains(known))
            }
            _ => false,
        },
        DieselError::BrokenTransactionManager
        | DieselError::AlreadyInTransaction
        | DieselError::NotInTransaction => true,
        DieselError::RollbackErrorOnCommit { commit_error, .. } => is_outage(commit_error),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_text(kind: DatabaseErrorKind, text: &str) -> StoreError {
        DieselError::DatabaseError(kind, Box::new(text.to_owned())).into()
    }

    #[test]
    fn outages_are_told_from_refused_statements() {
        assert!(with_text(DatabaseErrorKind::Unknown, "database is locked").is_unavailable());
        assert!(with_text(DatabaseErrorKind::Unknown, "deadlock detected").is_unavailable());
        assert!(with_text(DatabaseErrorKind::SerializationFailure, "x").is_unavailable());
        assert!(!with_text(DatabaseErrorKind::Unknown, "no such table: x").is_unavailable());
        assert!(!with_text(DatabaseErrorKind::UniqueViolation, "x").is_unavailable());
        assert!(with_text(DatabaseErrorKind::UniqueViolation, "x").is_duplicate());
    }
}
