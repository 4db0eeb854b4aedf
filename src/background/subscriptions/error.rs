//! Why subscriptions could not be changed.

use crate::{store::StoreError, vendors::http::error::CallError};

/// Why subscriptions could not be changed, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The configuration names no such connection.
    #[error("the configuration names no such connection")]
    UnknownConnection,
    /// There is no address that the vendors could call.
    #[error("http.public_url is empty: it is the address that the vendors call")]
    NoPublicUrl,
    /// Another registration of the connection runs.
    #[error("webhooks of this connection are being registered already: try again once that has ended")]
    Running,
    /// A vendor refused or failed.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The database failed.
    #[error("the database is unavailable")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SubscriptionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
