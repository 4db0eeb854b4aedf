//! Tasks that wait for something in the configuration: for a switch, or for a shipping rule.
//!
//! Only a subject's newest task counts, and of each reason the newest twenty thousand are looked at: the view
//! `switched_task` says so for all who ask.

use sqlx::PgConnection;
use uuid::Uuid;

use super::overview::TaskRow;
use crate::domain::Timestamp;
use crate::store::Result;

/// Tasks that wait for the same.
#[derive(Clone, Debug)]
pub struct WaitingGroup {
    /// Their connection.
    pub connection: String,
    /// order, product or stock.
    pub kind: String,
    /// Closed reason code.
    pub reason: String,
    /// For a missing shipping rule: what the last attempt said, which names the method.
    pub detail: Option<String>,
    /// How many.
    pub count: i64,
    /// When the oldest of them was opened.
    pub oldest_at: Timestamp,
}

/// Lists what waits for a switch or a shipping rule, the most first.
pub async fn list_groups(db: &mut PgConnection) -> Result<Vec<WaitingGroup>> {
    let rows = sqlx::query_as!(
        WaitingGroup,
        r#"
        select connection as "connection!", kind as "kind!", reason as "reason!", detail, count(*) as "count!",
               min(created_at) as "oldest_at!"
        from (
            select connection, kind, reason, null as detail, created_at from switched_task
            union all
            select connection, kind, reason, (
                select attempt.detail from attempt where task_id = dead_letter.id order by number desc limit 1
            ), created_at
            from dead_letter where reason = 'shipping_unmapped'
        ) each
        group by 1, 2, 3, 4
        order by count(*) desc, 1, 3, 4
        limit 200
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Which tasks of a group.
#[derive(Clone, Copy, Debug)]
pub struct WaitingFilter<'a> {
    /// Their connection.
    pub connection: &'a str,
    /// Their reason code.
    pub reason: &'a str,
    /// What the last attempt said; any where it is left out.
    pub detail: Option<&'a str>,
    /// Only these; all where it is left out.
    pub ids: Option<&'a [Uuid]>,
}

/// Lists tasks of a group, the oldest first.
pub async fn list(db: &mut PgConnection, filter: &WaitingFilter<'_>, limit: i64) -> Result<Vec<TaskRow>> {
    let rows = sqlx::query_as!(
        TaskRow,
        r#"
        with waiting as (
            select id from switched_task where connection = $1 and reason = $2
            union all
            select id from dead_letter
            where connection = $1 and reason = $2 and reason = 'shipping_unmapped' and ($3::text is null or $3 = (
                select attempt.detail from attempt where task_id = dead_letter.id order by number desc limit 1
            ))
        )
        select id, connection, kind, subject, state, reason, attempts, failures, due_at, created_at, settled_at,
               replay_of
        from task
        where id in (select waiting.id from waiting) and ($4::uuid[] is null or id = any($4))
        order by id
        limit $5
        "#,
        filter.connection,
        filter.reason,
        filter.detail,
        filter.ids,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
