//! Table `attempt`, append-only. Written by `settle`, and by a rescue for a lost attempt.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Timestamp, id::TaskId};

/// An attempt as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AttemptRow {
    /// From 1.
    pub number: i32,
    /// When the claim was taken.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Timestamp,
    /// Its outcome.
    pub outcome: String,
    /// Closed reason code.
    pub reason: Option<String>,
    /// The action decided on.
    pub action: Option<String>,
    /// The key sent with the action.
    pub idempotency_key: Option<String>,
    /// Explanation for people.
    pub detail: Option<String>,
    /// Every call in order.
    pub calls: serde_json::Value,
}

/// Lists the attempts of a task, oldest first.
pub async fn list(db: &mut PgConnection, task: TaskId) -> Result<Vec<AttemptRow>> {
    let id: Uuid = task.0;
    let rows = sqlx::query_as!(
        AttemptRow,
        "select number, started_at, ended_at, outcome, reason, action, idempotency_key, detail, calls
         from attempt where task_id = $1 order by number",
        id,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Finds the newest attempt of each of these tasks that has one, by task.
pub async fn list_newest(db: &mut PgConnection, tasks: &[Uuid]) -> Result<HashMap<Uuid, AttemptRow>> {
    let rows = sqlx::query!(
        r#"
        select wanted.task as "task!", newest.number as "number!", newest.started_at as "started_at!",
               newest.ended_at as "ended_at!", newest.outcome as "outcome!", newest.reason as "reason?",
               newest.action as "action?", newest.idempotency_key as "idempotency_key?",
               newest.detail as "detail?", newest.calls as "calls!"
        from unnest($1::uuid[]) as wanted (task)
        cross join lateral (
            select number, started_at, ended_at, outcome, reason, action, idempotency_key, detail, calls
            from attempt where attempt.task_id = wanted.task order by number desc limit 1
        ) newest
        "#,
        tasks,
    );
    let rows = rows.fetch_all(db).await?.into_iter().map(|row| {
        let newest = AttemptRow {
            number: row.number,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            reason: row.reason,
            action: row.action,
            idempotency_key: row.idempotency_key,
            detail: row.detail,
            calls: row.calls,
        };
        (row.task, newest)
    });
    Ok(rows.collect())
}

/// Finds what a call last sent for a subject, redacted.
pub async fn find_last_request(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    call: &str,
) -> Result<Option<serde_json::Value>> {
    let request = sqlx::query_scalar!(
        r#"
        select sent -> 'request' as "request!"
        from task
        join attempt on attempt.task_id = task.id
        cross join lateral jsonb_array_elements(attempt.calls) as sent
        where task.connection = $1 and task.subject = $2
          -- Always true; it names both indexes of a subject's tasks.
          and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
          and sent ->> 'call' = $3 and sent ? 'request'
        order by attempt.ended_at desc
        limit 1
        "#,
        connection,
        subject,
        call,
    );
    Ok(request.fetch_optional(db).await?)
}
