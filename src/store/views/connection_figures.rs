//! How each connection fares, in a few figures. Each is read at the end of an index or from a kept count, however many orders
//! there are.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain::Timestamp, store::Result};

/// The most stock figures and products that are counted here.
pub const MOST_COUNTED: i64 = 1000;

/// The figures of a connection.
#[derive(Clone, Debug)]
pub struct ConnectionFigures {
    /// The connection.
    pub connection: String,
    /// Open tasks.
    pub open: i64,
    /// Since when the oldest due task is due.
    pub oldest_due_at: Option<Timestamp>,
    /// The first task of the order that came last; its id holds the time.
    pub last_order_task: Option<Uuid>,
    /// Stock figures that differ by the last read, up to [`MOST_COUNTED`].
    pub stock_differs: i64,
    /// Codes that the warehouse does not have by the last read, up to [`MOST_COUNTED`].
    pub absent: i64,
}

/// Lists every connection's.
pub async fn list(db: &mut PgConnection, now: Timestamp) -> Result<Vec<ConnectionFigures>> {
    let rows = sqlx::query_as!(
        ConnectionFigures,
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
                select min(first.due_at)
                from generate_series(0, 3) as u (priority)
                cross join lateral (
                    select due_at from task
                    where task.connection = connection.name and task.priority = u.priority::smallint
                      and state in ('pending', 'in_doubt') and due_at <= $1
                    order by due_at limit 1
                ) first
            ) as oldest_due_at,
            (
                select first_task_id from subject_state
                where subject_state.connection = connection.name and status is not null and first_task_id is not null
                order by first_task_id desc limit 1
            ) as last_order_task,
            (
                select count(*) from (
                    select 1 from stock_figure
                    where stock_figure.connection = connection.name and differs
                    order by code_key, code limit $2
                ) as differing
            ) as "stock_differs!",
            (
                select count(*) from (
                    select 1 from stock_figure
                    where stock_figure.connection = connection.name and physical is null
                    order by code_key, code limit $2
                ) as absent
            ) as "absent!"
        from connection
        order by connection.name
        "#,
        now,
        MOST_COUNTED,
    );
    Ok(rows.fetch_all(db).await?)
}
