//! What a rate limiter needs of the store that replicas share.

use std::fmt;

use async_trait::async_trait;

use crate::domain::rate_limit::SharedLimit;

/// Stores what was granted for all replicas. Its times are of the clock of the limiter that reads or writes them.
#[async_trait]
pub trait RateLimitStore: fmt::Debug + Send + Sync {
    /// The stored state; `None` before its first use.
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError>;

    /// Replaces the state if it is still of the version before that of `new`; version 1 is the first. False where another
    /// replica has replaced it, or where the times written have proved wrong: the state is to be read again.
    async fn replace(&self, new: &SharedLimit) -> Result<bool, RateLimitStoreError>;
}

/// The store cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit store is unavailable")]
pub struct RateLimitStoreError;
