//! Orders: the state of each subject and of its newest task.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::store::{Page, Result};

/// An order as pages and the API show it.
#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    /// Its position in lists: the `UUIDv7` of its first task.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// The shop's order number.
    pub order_id: String,
    /// Its reference at the warehouse, once it is there.
    pub reference: Option<String>,
    /// Its status.
    pub status: String,
    /// The shop's status.
    pub shop_status: Option<String>,
    /// The warehouse's status.
    pub warehouse_status: Option<String>,
    /// The warehouse's comments on its status.
    pub warehouse_comments: Option<String>,
    /// Orders at the warehouse that belong to this one: parts, exchanges, replacements.
    pub related: Option<serde_json::Value>,
    /// What is known of the parcel beyond the warehouse's status.
    pub parcel_state: Option<String>,
    /// What came back: side, code and pieces.
    pub returned: Option<serde_json::Value>,
    /// What the shop added after the order was sent.
    pub added_shipments: Option<serde_json::Value>,
    /// When it was first seen waiting for goods at the warehouse; `None` while it waits for none.
    pub waiting_since: Option<Timestamp>,
    /// The goods of what waits: code, quantity, and the pieces that the shop shows of it.
    pub waiting_for: Option<serde_json::Value>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gave it.
    pub tracking_url: Option<String>,
    /// When it was first seen at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When the shop was first seen to have it completed.
    pub completed_at: Option<Timestamp>,
    /// When it was last read.
    pub updated_at: Timestamp,
    /// Its newest task.
    pub task_id: Option<Uuid>,
    /// That task's state.
    pub task_state: Option<String>,
    /// That task's reason: a closed code.
    pub reason: Option<String>,
}

/// Which orders to list; `None` means any.
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
    /// Only those that wait for goods at the warehouse, or only the others.
    #[serde(deserialize_with = "waiting_from_text")]
    pub waiting: Option<bool>,
}

/// The value of a query, which is text.
fn waiting_from_text<'de, D: serde::Deserializer<'de>>(
    given: D,
) -> std::result::Result<Option<bool>, D::Error> {
    let text: String = serde::Deserialize::deserialize(given)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Lists orders, newest first. One that has a task but was not read yet is listed as not transferred.
pub async fn list(db: &mut PgConnection, filter: &OrderFilter, page: &Page) -> Result<Vec<OrderRow>> {
    fetch(db, filter, None, page).await
}

/// Finds one order.
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
        with known as (
            select first_task_id as id, connection, subject, reference, status, shop_status, warehouse_status,
                   nullif(warehouse_comments, '') as warehouse_comments, related, parcel_state, returned,
                   added_shipments, waiting_since, waiting_for, tracking_code, tracking_url, placed_at, completed_at,
                   seen_at as updated_at
            from subject_state where status is not null
            union all
            select id, connection, subject, null, 'not_transferred', null, null, null, null, null, null, null, null,
                   null, null, null, null, null, created_at
            from task
            where kind = 'order' and state in ('pending', 'leased', 'in_doubt') and not exists (
                select 1 from subject_state
                where subject_state.connection = task.connection and subject_state.subject = task.subject
                  and subject_state.status is not null
            )
        )
        select
            known.id as "id!", known.connection as "connection!", substr(known.subject, 7) as "order_id!",
            known.reference, known.status as "status!", known.shop_status, known.warehouse_status,
            known.warehouse_comments, known.related, known.parcel_state, known.returned, known.added_shipments,
            known.waiting_since, (
                select jsonb_agg(line || jsonb_build_object('shop_stock', stock.figure) order by position)
                from jsonb_array_elements(known.waiting_for) with ordinality as awaited (line, position)
                left join subject_state as stock
                    on stock.connection = known.connection and stock.subject = 'stock:' || (line ->> 'code')
                where known.waiting_since is not null
            ) as waiting_for,
            known.tracking_code, known.tracking_url, known.placed_at,
            known.completed_at, known.updated_at as "updated_at!",
            latest.id as "task_id?", latest.state as "task_state?", latest.reason
        from known
        left join lateral (
            select id, state, reason from task
            where task.connection = known.connection and task.subject = known.subject
              -- Always true; it names both indexes of a subject's tasks.
              and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
            order by number desc limit 1
        ) latest on true
        where ($1::text is null or known.connection = $1)
          and ($2::text is null or known.status = $2)
          and ($3::text is null or starts_with(substr(known.subject, 7), $3) or starts_with(known.reference, $3)
               or starts_with(known.tracking_code, $3))
          and ($4::text is null or latest.reason = $4)
          and ($5::text is null or known.subject = 'order:' || $5)
          and ($6::uuid is null or known.id < $6)
          and ($7::boolean is null or (known.waiting_since is not null) = $7)
        order by known.id desc
        limit $8
        "#,
        filter.connection,
        filter.status,
        filter.q,
        filter.reason,
        order_id,
        page.before,
        filter.waiting,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

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

/// Counts the orders whose first task has an id in one of these spans.
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

/// Finds the first task of the newest order.
pub async fn find_newest_id(db: &mut PgConnection, connection: &str) -> Result<Option<Uuid>> {
    let id = sqlx::query_scalar!(
        r#"select first_task_id as "id!" from subject_state
           where connection = $1 and status is not null and first_task_id is not null
           order by first_task_id desc limit 1"#,
        connection,
    );
    Ok(id.fetch_optional(db).await?)
}
