//! Why an action was not performed.

use crate::{domain::conflict::ConflictError, store::StoreError};

/// Why an action was not performed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The target does not exist.
    #[error("not found")]
    NotFound,
    /// The target's state does not allow the action.
    #[error(transparent)]
    Conflict(#[from] ConflictError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
