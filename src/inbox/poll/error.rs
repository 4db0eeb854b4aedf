//! Why a poll failed.

use crate::{store::StoreError, vendors::http::error::CallError};

/// Why a poll was cut off before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    #[error("cannot read the list")]
    Call(#[from] CallError),
    #[error("cannot store the changes")]
    Store(#[from] StoreError),
    #[error("cannot read which changes are new")]
    CoverUnknown,
    #[error("the poll took too long")]
    Overran,
    #[error("another replica polls the list now")]
    LeaseLost,
}

impl PollError {
    /// The reason code of a failed poll; `None` where another replica polls the list now and will settle it.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Call(error) => Some(error.read_failure_reason().code()),
            Self::Store(_) | Self::CoverUnknown => Some("database_unavailable"),
            Self::Overran => Some("overran"),
            Self::LeaseLost => None,
        }
    }
}

/// Why a poll was not brought to its end. It runs again when its lease ends.
#[derive(Debug, thiserror::Error)]
pub enum UnfinishedPoll {
    /// It could not be begun.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its end could not be stored, which is logged.
    #[error("the end of the poll could not be stored")]
    NotSettled,
}
