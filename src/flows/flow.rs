//! The sync logic of one kind of subject.

use async_trait::async_trait;

use super::{AttemptResult, Context};

/// Syncs one kind of subject.
#[async_trait]
pub trait Flow: Send + Sync {
    /// Runs one attempt.
    async fn run(&self, context: &Context) -> AttemptResult;
}
