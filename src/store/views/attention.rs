//! What waits for a person, grouped by its cause; and how much went through in each hour.
//!
//! Only a subject's newest task counts: a dead one whose subject has been looked at since is history. A look that
//! was called off was none.

use sqlx::PgConnection;
use uuid::Uuid;

use super::overview::TaskFilter;
use crate::domain::Timestamp;
use crate::store::Result;

/// Tasks that wait for a person for one and the same cause.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AttentionCause {
    /// Whose.
    pub connection: String,
    /// order, stock or product.
    pub kind: String,
    /// dead; `in_doubt`; or held: an order that goes when somebody says so, here or at the warehouse.
    pub state: String,
    /// Closed reason code.
    pub reason: String,
    /// What tells two causes of one reason apart: the shipping method that has no rule.
    pub detail: Option<String>,
    /// How many.
    pub count: i64,
    /// When the oldest of them was opened.
    pub oldest_at: Timestamp,
}

/// Everything that waits for a person, the most first.
pub async fn list_causes(db: &mut PgConnection) -> Result<Vec<AttentionCause>> {
    let rows = sqlx::query_as!(
        AttentionCause,
        r#"
        with stuck as (
            select id, connection, kind, subject, 'dead' as state, reason, created_at from dead_letter
            union all
            select id, connection, kind, subject, 'in_doubt', reason, created_at
            from task where state = 'in_doubt'
            union all
            select latest.id, subject_state.connection, 'order', subject_state.subject, 'on_hold', latest.reason, latest.created_at
            from subject_state
            cross join lateral (
                select id, state, reason, created_at from task
                where task.connection = subject_state.connection and task.subject = subject_state.subject
                  and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
                order by id desc limit 1
            ) latest
            where subject_state.status in ('not_transferred', 'needs_attention')
              and latest.state in ('pending', 'skipped')
              and latest.reason in ('manual_transfer', 'held_by_operator', 'payment_not_activated', 'held_at_warehouse')
        ),
        detailed as (
            select stuck.*, case when reason = 'shipping_unmapped' then (
                select attempt.detail from attempt where task_id = stuck.id order by number desc limit 1
            ) end as detail
            from stuck
        )
        select connection as "connection!", kind as "kind!", state as "state!", coalesce(reason, '') as "reason!",
               detail, count(*) as "count!", min(created_at) as "oldest_at!"
        from detailed
        group by 1, 2, 3, 4, 5
        order by count(*) desc, min(created_at)
        limit 200
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}

/// How many closed tasks match a filter, their subject's newest alone: what a replay by it would look at.
pub async fn count_closed(db: &mut PgConnection, filter: &TaskFilter) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from task
        where ($1::text is null or connection = $1)
          and ($2::text is null or state = $2)
          and ($3::text is null or kind = $3)
          and ($4::text is null or subject = $4)
          and ($5::text is null or reason = $5)
          and ($6::timestamptz is null or created_at >= $6)
          and ($7::timestamptz is null or created_at < $7)
          and ($8::text is null or $8 = (
              select attempt.detail from attempt where task_id = task.id order by number desc limit 1
          ))
          and settled_at is not null
          and not exists (
              select 1 from task as newer
              where newer.connection = task.connection and newer.subject = task.subject
                and newer.id > task.id and newer.state <> 'cancelled'
                and (newer.settled_at is not null or newer.state in ('pending', 'leased', 'in_doubt'))
          )
        "#,
        filter.connection,
        filter.state,
        filter.kind,
        filter.subject,
        filter.reason,
        filter.since,
        filter.until,
        filter.detail,
    );
    Ok(count.fetch_one(db).await?)
}

/// What went through in an hour.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Hour {
    /// Its beginning.
    pub starts_at: Timestamp,
    /// Events received.
    pub events: i64,
    /// Tasks closed well.
    pub done: i64,
    /// Tasks that died.
    pub dead: i64,
}

/// The hours from `since` to `until` of all connections or of one; `first` is the smallest id of `since`.
pub async fn list_hours(
    db: &mut PgConnection,
    connection: Option<&str>,
    (since, first): (Timestamp, Uuid),
    until: Timestamp,
) -> Result<Vec<Hour>> {
    let rows = sqlx::query_as!(
        Hour,
        r#"
        with hour as (select generate_series(date_trunc('hour', $2::timestamptz), $3, interval '1 hour') as starts_at),
        detailed as (
            select date_trunc('hour', received_at) as starts_at, count(*) as events
            from event where id >= $4 and ($1::text is null or connection = $1) group by 1
        ),
        closed_tasks as (
            select date_trunc('hour', settled_at) as starts_at,
                   count(*) filter (where state in ('done', 'skipped')) as done,
                   count(*) filter (where state = 'dead') as dead
            from task
            where id >= $4 and settled_at is not null and ($1::text is null or connection = $1) group by 1
        )
        select hour.starts_at as "starts_at!", coalesce(events, 0) as "events!", coalesce(done, 0) as "done!",
               coalesce(dead, 0) as "dead!"
        from hour left join detailed using (starts_at) left join closed_tasks using (starts_at)
        order by 1
        "#,
        connection,
        since,
        until,
        first,
    );
    Ok(rows.fetch_all(db).await?)
}
