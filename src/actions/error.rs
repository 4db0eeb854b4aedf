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
    /// The first day of a sync is before 2000 or in the future.
    #[error("since must be from 2000-01-01 on, and not in the future")]
    ImpossibleStart,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
