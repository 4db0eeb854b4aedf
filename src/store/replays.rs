//! Table `replay`: tasks replayed together, and their progress.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// A new replay.
pub struct NewReplay<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Who asked.
    pub actor: &'a str,
    /// What was asked for.
    pub filter: serde_json::Value,
    /// The open tasks that run again, each subject once.
    pub tasks: &'a [Uuid],
    /// Those of them that the replay opened; the others were open already.
    pub opened: &'a [Uuid],
    /// When.
    pub at: Timestamp,
}

/// A replay as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ReplayRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Who asked.
    pub actor: String,
    /// What was asked for.
    pub filter: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
    /// When an operator cancelled what had not started yet.
    pub cancelled_at: Option<Timestamp>,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// How many tasks run again.
    pub count: i64,
    /// Of these still open.
    pub open: i64,
    /// Of these done or skipped.
    pub succeeded: i64,
    /// Of these dead again.
    pub dead: i64,
    /// Of these cancelled.
    pub cancelled: i64,
}

/// Stores a replay.
pub async fn insert(db: &mut PgConnection, new: &NewReplay<'_>) -> Result<()> {
    sqlx::query!(
        "insert into replay (id, actor, filter, tasks, opened, created_at) values ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.actor,
        new.filter,
        new.tasks,
        new.opened,
        new.at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a replay with its progress.
pub async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<ReplayRow>> {
    let row = sqlx::query_as!(
        ReplayRow,
        r#"
        select replay.id, actor, filter, replay.created_at, cancelled_at, cancelled_by,
               cardinality(tasks)::int8 as "count!",
               count(*) filter (where task.settled_at is null and task.id is not null) as "open!",
               count(*) filter (where task.state in ('done', 'skipped')) as "succeeded!",
               count(*) filter (where task.state = 'dead') as "dead!",
               count(*) filter (where task.state = 'cancelled') as "cancelled!"
        from replay left join task on task.id = any (replay.tasks)
        where replay.id = $1
        group by replay.id
        "#,
        id,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Marks a replay as cancelled and returns the tasks that it had opened; `None` if it is unknown or was
/// cancelled before.
pub async fn cancel(
    db: &mut PgConnection,
    id: Uuid,
    actor: &str,
    now: Timestamp,
) -> Result<Option<Vec<Uuid>>> {
    let opened = sqlx::query_scalar!(
        "update replay set cancelled_at = $3, cancelled_by = $2 where id = $1 and cancelled_at is null
         returning opened",
        id,
        actor,
        now,
    );
    Ok(opened.fetch_optional(db).await?)
}
