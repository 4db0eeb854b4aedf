//! What can go wrong between Silta and PostgreSQL.

/// Result of every function of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL cannot be reached, is shutting down, or the pool has no free connection.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// PostgreSQL rejected a statement.
    #[error("the database rejected a statement")]
    Rejected(#[source] sqlx::Error),
    /// A row holds a value that the domain does not know: written by hand, or by a newer version.
    #[error("table {table} holds a value in {column} that this version does not know")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

impl StoreError {
    /// True if a pooled connection turned out to be broken. A pool that is closed or exhausted does not
    /// count: opening another connection would only add to the load.
    pub const fn is_broken_connection(&self) -> bool {
        match self {
            Self::Unavailable(error) => !matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed),
            Self::Rejected(_) | Self::Inconsistent { .. } => false,
        }
    }

    /// True if a parameter held text that PostgreSQL cannot store (22021: a zero byte). No row can have that
    /// value.
    pub fn is_unstorable_text(&self) -> bool {
        match self {
            Self::Rejected(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == "22021"),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) { Self::Unavailable(error) } else { Self::Rejected(error) }
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // Classes 08 (connection), 28 (login), 3D (no such database), 40 (a deadlock: a repeat may succeed at
        // once), 53 (resources), 57 (operator intervention) and 58 (system error); 25006 is a server that has
        // become a read-only standby, 55000 a database that accepts no connections. PostgreSQL documentation,
        // appendix A.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "28", "3D", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || code == "25006"
                || code == "55000"
        }),
        _ => false,
    }
}

/// True if a statement was refused by the constraint of this name.
pub(super) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some(constraint))
}
