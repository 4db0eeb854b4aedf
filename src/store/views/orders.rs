//! Orders as people see them: what is remembered of each, and the state of its newest task. SELECT only.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::store::{Page, Result};

/// An order as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    /// Its place in lists: `UUIDv7` of our first meeting.
    pub id: Uuid,
    /// Whose.
    pub connection: String,
    /// The shop's order number.
    pub order_id: String,
    /// Ours at the warehouse, once it stands there.
    pub reference: Option<String>,
    /// Where it stands, in one word.
    pub status: String,
    /// The shop's word.
    pub shop_status: Option<String>,
    /// The warehouse's word.
    pub warehouse_status: Option<String>,
    /// Why it stands there as it stands.
    pub warehouse_comments: Option<String>,
    /// Orders that the warehouse made out of this one.
    pub related: Option<serde_json::Value>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gave it.
    pub tracking_url: Option<String>,
    /// When we learnt that it stands at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When we learnt that the shop has it completed.
    pub completed_at: Option<Timestamp>,
    /// When it was last read.
    pub updated_at: Timestamp,
    /// Its newest task.
    pub task_id: Option<Uuid>,
    /// Where that stands.
    pub task_state: Option<String>,
    /// Why it stands where it stands: a closed reason code.
    pub reason: Option<String>,
}

/// Which orders to list; every field left out means "any".
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderFilter {
    /// By connection.
    pub connection: Option<String>,
    /// By status.
    pub status: Option<String>,
    /// The beginning of an order number, a reference or a tracking code.
    pub q: Option<String>,
    /// By the reason of its newest task.
    pub reason: Option<String>,
}

/// Orders, newest first. One that was told of and not looked at yet is among them, as not transferred.
pub async fn list(db: &mut PgConnection, filter: &OrderFilter, page: &Page) -> Result<Vec<OrderRow>> {
    fetch(db, filter, None, page).await
}

/// One order.
pub async fn find(db: &mut PgConnection, connection: &str, order_id: &str) -> Result<Option<OrderRow>> {
    let filter = OrderFilter { connection: Some(connection.to_owned()), ..OrderFilter::default() };
    let rows = fetch(db, &filter, Some(order_id), &Page { before: None, limit: 1 }).await?;
    Ok(rows.into_iter().next())
}

async fn fetch(
    db: &mut PgConnection,
    filter: &OrderFilter,
    order_id: Option<&str>,
    page: &Page,
) -> Result<Vec<OrderRow>> {
    let rows = sqlx::query_as!(
        OrderRow,
        r#"
        with order_row as (
            select first_task_id as id, connection, subject, reference, status, shop_status, warehouse_status,
                   nullif(warehouse_comments, '') as warehouse_comments, related, tracking_code, tracking_url, placed_at, completed_at,
                   seen_at as updated_at
            from subject_state where status is not null
            union all
            select id, connection, subject, null, 'not_transferred', null, null, null, null, null, null, null, null,
                   created_at
            from task
            where kind = 'order' and state in ('pending', 'leased', 'in_doubt') and not exists (
                select 1 from subject_state
                where subject_state.connection = task.connection and subject_state.subject = task.subject
                  and subject_state.status is not null
            )
        )
        select
            order_row.id as "id!", order_row.connection as "connection!", substr(order_row.subject, 7) as "order_id!", order_row.reference,
            order_row.status as "status!", order_row.shop_status, order_row.warehouse_status, order_row.warehouse_comments, order_row.related,
            order_row.tracking_code, order_row.tracking_url, order_row.placed_at, order_row.completed_at, order_row.updated_at as "updated_at!",
            latest.id as "task_id?", latest.state as "task_state?", latest.reason
        from order_row
        left join lateral (
            select id, state, reason from task
            where task.connection = order_row.connection and task.subject = order_row.subject
              and (settled_at is not null or state in ('pending', 'leased', 'in_doubt')) -- names both indexes
            order by id desc limit 1
        ) latest on true
        where ($1::text is null or order_row.connection = $1)
          and ($2::text is null or order_row.status = $2)
          and ($3::text is null or starts_with(substr(order_row.subject, 7), $3) or starts_with(order_row.reference, $3)
               or starts_with(order_row.tracking_code, $3))
          and ($4::text is null or latest.reason = $4)
          and ($5::text is null or order_row.subject = 'order:' || $5)
          and ($6::uuid is null or order_row.id < $6)
        order by order_row.id desc
        limit $7
        "#,
        filter.connection,
        filter.status,
        filter.q,
        filter.reason,
        order_id,
        page.before,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// How many orders stand at each status: status and count.
pub async fn count_by_status(db: &mut PgConnection, connection: Option<&str>) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"
        select status as "status!", count(*) as "count!" from (
            select status from subject_state where status is not null and ($1::text is null or connection = $1)
            union all
            select 'not_transferred' from task
            where kind = 'order' and state in ('pending', 'leased', 'in_doubt')
              and ($1::text is null or connection = $1) and not exists (
                select 1 from subject_state
                where subject_state.connection = task.connection and subject_state.subject = task.subject
                  and subject_state.status is not null
            )
        ) order_row group by status
        "#,
        connection,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.status, row.count)).collect())
}

/// How many orders were first order_row between two points in the order of meeting.
pub async fn count_first_seen(
    db: &mut PgConnection,
    connection: &str,
    spans: &[(Uuid, Uuid)],
) -> Result<i64> {
    let (from, to): (Vec<_>, Vec<_>) = spans.iter().copied().unzip();
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!"
        from unnest($2::uuid[], $3::uuid[]) as span (starts, ends)
        join subject_state on subject_state.connection = $1 and subject_state.status is not null
            and subject_state.first_task_id >= span.starts and subject_state.first_task_id < span.ends
        "#,
        connection,
        &from,
        &to,
    );
    Ok(count.fetch_one(db).await?)
}

/// The newest order that we order_row.
pub async fn find_newest_id(db: &mut PgConnection, connection: &str) -> Result<Option<Uuid>> {
    let id = sqlx::query_scalar!(
        r#"select first_task_id as "id!" from subject_state where connection = $1 and status is not null and first_task_id is not null
           order by first_task_id desc limit 1"#,
        connection,
    );
    Ok(id.fetch_optional(db).await?)
}
