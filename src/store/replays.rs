//! Table `replay`: what was replayed together, and how far that is.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// Tasks replayed together, before they are kept.
pub struct NewReplay<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Who asked.
    pub actor: &'a str,
    /// What was asked for.
    pub filter: serde_json::Value,
    /// The tasks that look again, each subject once.
    pub tasks: &'a [Uuid],
    /// Those of them that it opened.
    pub opened: &'a [Uuid],
    /// When.
    pub at: Timestamp,
}

/// Tasks replayed together, as people see them.
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
    /// When a person called off what had not begun yet.
    pub cancelled_at: Option<Timestamp>,
    /// Who did.
    pub cancelled_by: Option<String>,
    /// How many tasks look again.
    pub count: i64,
    /// Of these not closed yet.
    pub open: i64,
    /// Of these closed well: done, or found to need nothing.
    pub succeeded: i64,
    /// Of these dead again.
    pub dead: i64,
    /// Of these called off.
    pub cancelled: i64,
}

/// Keeps what was replayed together.
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

/// How far a replay is.
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

/// Notes that a replay is called off, and answers which tasks it had opened; `None` where it is not known, or was
/// called off before.
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
