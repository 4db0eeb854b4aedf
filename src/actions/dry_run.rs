//! The dry run of a task: shows what a replay would do now.

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

/// What a dry run came to.
#[derive(Clone, Debug, Serialize)]
pub struct DryRunResult {
    /// The outcome that the attempt would have.
    pub outcome: &'static str,
    /// The closed reason code.
    pub reason: Option<&'static str>,
    /// The action that would be performed.
    pub action: Option<&'static str>,
    /// The detail in words.
    pub detail: Option<String>,
    /// The calls in order: the reads that were made and, last, the call that would be.
    pub calls: Vec<Value>,
    /// The request that would be sent, masked; `None` where nothing would be sent.
    pub request: Option<Value>,
    /// How it differs from the last request sent for the subject by the same call; `None` where there was none.
    pub differs: Option<Vec<String>>,
}

/// Runs the flow of a subject without changing anything. `app` implements it: actions know no flows.
#[async_trait]
pub trait DryRun: Send + Sync {
    /// Reads both vendors and decides. `None` where the connection is not configured here.
    async fn dry_run(&self, connection: &str, subject: &Subject) -> Result<Option<DryRunResult>, StoreError>;
}

/// Shows what a replay of this task would do now. No database connection is held during the calls.
pub async fn dry_run_task(
    pool: &PgPool,
    dry_runner: &dyn DryRun,
    id: TaskId,
) -> Result<(TaskRow, DryRunResult), ActionError> {
    let mut db = pool.acquire().await.map_err(StoreError::from)?;
    let row = overview::find_task(&mut db, id).await?.ok_or(ActionError::NotFound)?;
    drop(db);
    let result = dry_runner.dry_run(&row.connection, &tasks::parse_subject(&row.subject)?).await?;
    let mut result = result.ok_or(ConflictError::NotConfiguredHere)?;
    let call = result.calls.last().and_then(|call| call["call"].as_str());
    if let Some((call, request)) = call.zip(result.request.as_ref()) {
        let mut db = pool.acquire().await.map_err(StoreError::from)?;
        let last = attempts::find_last_request(&mut db, &row.connection, &row.subject, call).await?;
        result.differs = last.map(|last| difference(&last, request));
    }
    Ok((row, result))
}
