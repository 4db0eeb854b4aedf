//! Orders: the state of each subject and of its newest task.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

pub use super::{
    order_filter::{OrderCursor, OrderFilter, OrderPage, OrderSort, parse_day},
    order_list::{find, list},
    order_row::{OrderLineRow, OrderRow, list_lines},
};
use crate::store::Result;

/// What a shopper chose or wrote for a line of an order.
#[derive(Clone, Debug, Serialize)]
pub struct Customization {
    /// The line's product code.
    pub code: String,
    /// In the shopper's words; personal data.
    pub text: String,
}

/// Finds what the shopper chose or wrote for the lines of an order. Personal data: for operators alone.
pub async fn find_customizations(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
) -> Result<Vec<Customization>> {
    let rows = sqlx::query_as!(
        Customization,
        r#"
        select line ->> 'code' as "code!", line ->> 'text' as "text!"
        from subject_state, jsonb_array_elements(customizations) with ordinality as customized (line, position)
        where connection = $1 and subject = $2
        order by position
        "#,
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Counts orders by status: status and count.
pub async fn count_by_status(db: &mut PgConnection, connection: Option<&str>) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"
        select status as "status!", sum(change)::bigint as "count!" from (
            select status, count as change from order_count where ($1::text is null or connection = $1)
            union all
            -- Not folded yet.
            select status, 1 from order_change where status is not null and ($1::text is null or connection = $1)
            union all
            select status_before, -1 from order_change
            where status_before is not null and ($1::text is null or connection = $1)
            union all
            -- Not read yet.
            select 'not_transferred', 1 from task
            where kind = 'order' and state in ('pending', 'leased', 'in_doubt')
              and ($1::text is null or connection = $1) and not exists (
                select 1 from subject_state
                where subject_state.connection = task.connection and subject_state.subject = task.subject
                  and subject_state.status is not null
            )
        ) known group by status having sum(change) > 0
        "#,
        connection,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.status, row.count)).collect())
}

/// First tasks of a connection with an id from `from`, and before `until`.
#[derive(Clone, Copy, Debug)]
pub struct IdSpan<'a> {
    /// The connection.
    pub connection: &'a str,
    /// The first id.
    pub from: Uuid,
    /// The id after the last.
    pub until: Uuid,
}

/// Counts, by connection, the orders whose first task is in one of these spans.
pub async fn count_first_seen(db: &mut PgConnection, spans: &[IdSpan<'_>]) -> Result<HashMap<String, i64>> {
    let connections: Vec<_> = spans.iter().map(|span| span.connection).collect();
    let (from, until): (Vec<_>, Vec<_>) = spans.iter().map(|span| (span.from, span.until)).unzip();
    let counts = sqlx::query!(
        r#"
        select span.connection as "connection!", count(*) as "count!"
        from unnest($1::text[], $2::uuid[], $3::uuid[]) as span (connection, starts, ends)
        join subject_state on subject_state.connection = span.connection and subject_state.status is not null
            and subject_state.first_task_id >= span.starts and subject_state.first_task_id < span.ends
        group by span.connection
        "#,
        &connections as &[&str],
        &from,
        &until,
    );
    Ok(counts.fetch_all(db).await?.into_iter().map(|row| (row.connection, row.count)).collect())
}

/// Finds the first task of the newest order of each of these connections that has one.
pub async fn find_newest_ids(db: &mut PgConnection, connections: &[&str]) -> Result<HashMap<String, Uuid>> {
    let newest = sqlx::query!(
        r#"
        select wanted.connection as "connection!", newest.id as "id!"
        from unnest($1::text[]) as wanted (connection)
        cross join lateral (
            select first_task_id as id from subject_state
            where subject_state.connection = wanted.connection and status is not null and first_task_id is not null
            order by first_task_id desc limit 1
        ) newest
        "#,
        connections as &[&str],
    );
    Ok(newest.fetch_all(db).await?.into_iter().map(|row| (row.connection, row.id)).collect())
}
