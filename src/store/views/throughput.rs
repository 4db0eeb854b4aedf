//! Events received and tasks closed per hour.

use sqlx::PgConnection;

use super::super::Result;
use crate::domain::{Timestamp, id::first_id_at};

/// What was processed in an hour.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Hour {
    /// When it starts.
    pub starts_at: Timestamp,
    /// Events received.
    pub events: i64,
    /// Tasks done or skipped.
    pub done: i64,
    /// Tasks that died.
    pub dead: i64,
}

/// Lists the hours from `since` to `until`, of all connections or of one.
pub async fn list_hours(
    db: &mut PgConnection,
    connection: Option<&str>,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Hour>> {
    let rows = sqlx::query_as!(
        Hour,
        r#"
        with hour as (
            select generate_series(date_trunc('hour', $2::timestamptz), $3, interval '1 hour') as starts_at
        ),
        received as (
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
        from hour left join received using (starts_at) left join closed_tasks using (starts_at)
        order by 1
        "#,
        connection,
        since,
        until,
        first_id_at(since),
    );
    Ok(rows.fetch_all(db).await?)
}
