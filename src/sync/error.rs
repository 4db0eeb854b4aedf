//! Why a sync ended before its last step.

use crate::{
    store::StoreError,
    vendors::http::{connection_start::StartStoreError, error::CallError},
};

/// Why a sync ended before its last step.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncError {
    /// A vendor's list could not be read.
    #[error("a vendor's list could not be read")]
    Call(#[from] CallError),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// When the connection began is unknown.
    #[error(transparent)]
    StartUnknown(#[from] StartStoreError),
    /// This process's configuration does not name the connection.
    #[error("the connection is not configured here")]
    NotConfigured,
    /// Another process has taken the sync over, or an operator has cancelled it.
    #[error("the lease was lost")]
    LeaseLost,
}

impl From<sqlx::Error> for SyncError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::from(error))
    }
}

impl SyncError {
    /// A stored body that cannot be parsed.
    pub(super) const fn inconsistent(table: &'static str) -> Self {
        Self::Store(StoreError::Inconsistent { table, column: "body" })
    }
}
