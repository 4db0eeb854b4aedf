//! A dry_run: what would be done for a subject now, shown before anybody does it.
//!
//! Control asks for it and knows nothing of how: the composition root hands in somebody who can run a flow with its
//! hands clients.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;

use super::{ActionError, ConflictError};
use crate::{
    domain::{difference::difference, event::subject::Subject, id::TaskId},
    store::{
        StoreError, attempts, tasks,
        views::overview::{self, TaskRow},
    },
};

/// What would be done.
#[derive(Clone, Debug, Serialize)]
pub struct DryRunResult {
    /// What the attempt would come to.
    pub outcome: &'static str,
    /// Closed reason code.
    pub reason: Option<&'static str>,
    /// The one thing that would be done.
    pub action: Option<&'static str>,
    /// Plain words.
    pub detail: Option<String>,
    /// Every call in order: the reads that were made, and last the one that would be.
    pub calls: Vec<Value>,
    /// The request that would be sent, masked; `None` where nothing would be.
    pub request: Option<Value>,
    /// How it differs from the last one sent for the subject by the same call; `None` where there was none.
    pub differs: Option<Vec<String>>,
}

/// Somebody who can dry_run.
#[async_trait]
pub trait DryRun: Send + Sync {
    /// Reads both vendors and decides, without doing anything. `None` for a connection that is not configured here.
    async fn dry_run(&self, connection: &str, subject: &Subject) -> Result<Option<DryRunResult>, StoreError>;
}

/// What a replay of this task would do now, `by` somebody who can tell: the row, and the dry_run of its subject.
/// No connection to the database is held across its calls.
pub async fn dry_run_task(
    pool: &PgPool,
    dry_runner: &dyn DryRun,
    id: TaskId,
) -> Result<(TaskRow, DryRunResult), ActionError> {
    let mut db = pool.acquire().await.map_err(StoreError::from)?;
    let row = overview::find_task(&mut db, id).await?.ok_or(ActionError::NotFound)?;
    drop(db);
    let result = dry_runner.dry_run(&row.connection, &tasks::parse_subject(&row.subject)?).await?;
    let mut result = result.ok_or(ActionError::Conflict(ConflictError::NotConfiguredHere))?;
    let call = result.calls.last().and_then(|call| call["call"].as_str());
    if let Some((call, request)) = call.zip(result.request.as_ref()) {
        let mut db = pool.acquire().await.map_err(StoreError::from)?;
        let last = attempts::find_last_request(&mut db, &row.connection, &row.subject, call).await?;
        result.differs = last.map(|last| difference(&last, request));
    }
    Ok((row, result))
}
