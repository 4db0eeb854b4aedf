//! Tasks and the backlog, for pages, the API and gauges.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{Timestamp, id::TaskId};
use crate::store::Result;

/// A task as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TaskRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its subject's connection.
    pub connection: String,
    /// order, stock or product.
    pub kind: String,
    /// As `order:1042`.
    pub subject: String,
    /// Its state.
    pub state: String,
    /// Closed reason code.
    pub reason: Option<String>,
    /// Attempts so far.
    pub attempts: i32,
    /// Failed attempts that count towards the limit.
    pub failures: i32,
    /// Not claimed before this time.
    pub due_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was closed.
    pub settled_at: Option<Timestamp>,
    /// The task that it replays.
    pub replay_of: Option<Uuid>,
}

/// Which tasks to list; `None` means any.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskFilter {
    /// By connection.
    pub connection: Option<String>,
    /// By state.
    pub state: Option<String>,
    /// By kind.
    pub kind: Option<String>,
    /// By subject.
    pub subject: Option<String>,
    /// By reason code.
    pub reason: Option<String>,
    /// Opened at or after.
    pub since: Option<Timestamp>,
    /// Opened before.
    pub until: Option<Timestamp>,
    /// By the exact detail of its last attempt.
    pub detail: Option<String>,
}

/// Finds one task.
pub async fn find_task(db: &mut PgConnection, id: TaskId) -> Result<Option<TaskRow>> {
    let row = sqlx::query_as!(
        TaskRow,
        "select id, connection, kind, subject, state, reason, attempts, failures, due_at, created_at,
                settled_at, replay_of
         from task where id = $1",
        id.0,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Lists the closed tasks that match a filter, oldest first: the order of a replay. Only a subject's newest
/// task is listed, since a later one has dealt with it; a cancelled task has not. What a person has marked as handled is done.
pub async fn list_closed_oldest_first(
    db: &mut PgConnection,
    filter: &TaskFilter,
    limit: i64,
) -> Result<Vec<TaskRow>> {
    let rows = sqlx::query_as!(
        TaskRow,
        "
        select id, connection, kind, subject, state, reason, attempts, failures, due_at, created_at,
               settled_at, replay_of
        from task
        where ($1::text is null or connection = $1)
          and ($2::text is null or state = $2)
          and ($3::text is null or kind = $3)
          and ($4::text is null or subject = $4)
          and ($5::text is null or reason = $5)
          and ($6::timestamptz is null or created_at >= $6)
          and ($7::timestamptz is null or created_at < $7)
          and ($9::text is null or $9 = (
              select attempt.detail from attempt where task_id = task.id order by number desc limit 1
          ))
          and settled_at is not null
          and not is_superseded
          and handled_at is null
          and not exists (
              select 1 from task as newer
              where newer.connection = task.connection and newer.subject = task.subject
                and newer.number > task.number and newer.state <> 'cancelled' and newer.settled_at is not null
              offset 0
          )
          and not exists (
              select 1 from task as newer
              where newer.connection = task.connection and newer.subject = task.subject
                and newer.number > task.number and newer.state in ('pending', 'leased', 'in_doubt')
              offset 0
          )
        order by id
        limit $8
        ",
        filter.connection,
        filter.state,
        filter.kind,
        filter.subject,
        filter.reason,
        filter.since,
        filter.until,
        limit,
        filter.detail,
    );
    Ok(rows.fetch_all(db).await?)
}

/// The backlog of a connection.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Backlog {
    /// The connection.
    pub connection: String,
    /// Open tasks.
    pub open: i64,
    /// Of these in doubt.
    pub in_doubt: i64,
    /// Of these due, and not claimed; of each priority ten thousand are counted at most.
    pub due: i64,
    /// Since when the oldest due task is due.
    pub oldest_due_at: Option<Timestamp>,
}

/// Due tasks of one priority that are counted at most: enough to say that there are many.
const MAX_DUE: i64 = 10_000;

/// Tells every connection's backlog, from the kept count and by indexes of what is due and in doubt.
pub async fn backlog(db: &mut PgConnection, now: Timestamp) -> Result<Vec<Backlog>> {
    let rows = sqlx::query_as!(
        Backlog,
        r#"
        select
            connection.name as connection,
            (
                select coalesce(sum(change), 0)::bigint from (
                    select count as change from open_task_count where open_task_count.connection = connection.name
                    union all
                    select change from open_task_change where open_task_change.connection = connection.name
                ) parts
            ) as "open!",
            (
                select count(*) from task
                where task.connection = connection.name and state = 'in_doubt' and state in ('dead', 'in_doubt')
                  and not is_superseded
            ) as "in_doubt!",
            due.count as "due!",
            due.oldest_at as oldest_due_at
        from connection
        cross join lateral (
            select sum(of_priority.count)::bigint as count, min(of_priority.oldest_at) as oldest_at
            from generate_series(0, 3) as u (priority)
            cross join lateral (
                select count(*) as count, min(due_at) as oldest_at
                from (
                    select due_at from task
                    where task.connection = connection.name and task.priority = u.priority::smallint
                      and state in ('pending', 'in_doubt') and due_at <= $1
                    order by due_at
                    limit $2
                ) counted
            ) of_priority
        ) due
        order by connection.name
        "#,
        now,
        MAX_DUE,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Counts the dead tasks that need attention.
pub async fn count_dead(db: &mut PgConnection) -> Result<i64> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from dead_letter"#);
    Ok(count.fetch_one(db).await?)
}

/// True if a subject ever had a task.
pub async fn has_task(db: &mut PgConnection, connection: &str, subject: &str) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"select exists (
               select 1 from task
               where connection = $1 and subject = $2
                 and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
           ) as "known!""#,
        connection,
        subject,
    );
    Ok(known.fetch_one(db).await?)
}
