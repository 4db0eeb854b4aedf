//! Why a poll failed.

use crate::{store::StoreError, vendors::http::error::CallError};

/// Why a poll was cut off before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    #[error("cannot read the list")]
    Call(#[from] CallError),
    #[error("cannot store the changes")]
    Store(#[from] StoreError),
    #[error("the poll took too long")]
    Overran,
    #[error("another replica polls the list now")]
    LeaseLost,
}
