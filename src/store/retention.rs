//! Removes old rows of tables `event`, `attempt`, `task`, `sync` and `idempotency`.
//!
//! Each page is a statement and a commit of its own, found by an index and never by a scan. Rows that others
//! have locked are skipped until the next page. So retention blocks nobody.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// Rows of a page.
const PAGE_SIZE: i64 = 500;

/// Removes a page of tasks closed before `closed_before`, with their events and attempts; returns how many. A
/// task stays if a replay of it stays.
pub async fn remove_tasks(db: &mut PgConnection, before: Uuid, closed_before: Timestamp) -> Result<u64> {
    let removed = sqlx::query_scalar!(
        r#"
        with old as materialized (
            select id from task
            where id < $1 and settled_at < $2
              and not exists (select 1 from task replay where replay.replay_of = task.id)
            order by id
            limit $3
            for update skip locked
        ),
        attempts as (delete from attempt using old where attempt.task_id = old.id),
        events as (delete from event using old where event.task_id = old.id),
        removed as (delete from task using old where task.id = old.id returning 1)
        select count(*) as "count!" from removed
        "#,
        before,
        closed_before,
        PAGE_SIZE,
    );
    Ok(removed.fetch_one(db).await?.unsigned_abs())
}

/// Removes a page of events that never had a task; returns how many.
pub async fn remove_events_without_task(db: &mut PgConnection, before: Uuid) -> Result<u64> {
    let done = sqlx::query!(
        "delete from event where id in (
             select id from event where id < $1 and task_id is null order by id limit $2 for update skip locked
         )",
        before,
        PAGE_SIZE,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes a page of syncs finished before a time, with their differences; returns how many.
pub async fn remove_syncs(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sync where id in (
             select id from sync where finished_at < $1 order by id limit 20 for update skip locked
         )",
        before,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes a page of idempotency keys that no request will repeat; returns how many.
pub async fn remove_idempotency_keys(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from idempotency where (actor, key) in (
             select actor, key from idempotency where created_at < $1 limit $2 for update skip locked
         )",
        before,
        PAGE_SIZE,
    );
    Ok(done.execute(db).await?.rows_affected())
}
