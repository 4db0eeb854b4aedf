//! An order and its lines, as pages and the API show them.

use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{domain::Timestamp, store::Result};

/// An order as pages and the API show it.
#[derive(Clone, Debug, FromRow, Serialize)]
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
    pub related: Option<Value>,
    /// What is known of the parcel beyond the warehouse's status.
    pub parcel_state: Option<String>,
    /// What came back: side, code and pieces.
    pub returned: Option<Value>,
    /// What the shop added after the order was sent.
    pub added_shipments: Option<Value>,
    /// When it was first seen waiting for goods at the warehouse; `None` while it waits for none.
    pub waiting_since: Option<Timestamp>,
    /// The goods of what waits: code, quantity, and the pieces that the shop shows of it.
    pub waiting_for: Option<Value>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gave it.
    pub tracking_url: Option<String>,
    /// When the shopper ordered.
    pub ordered_at: Option<Timestamp>,
    /// What it costs altogether: a decimal number.
    pub total: Option<String>,
    /// The currency of the total, ISO 4217.
    pub currency: Option<String>,
    /// The shop's name of its shipping method.
    pub shipping_method: Option<String>,
    /// The method's product code in the shop.
    pub shipping_code: Option<String>,
    /// What the rules made of the method at the last read: `mapped`, `left_to_shop`, `unmapped` or `not_needed`.
    pub shipping_mapping: Option<String>,
    /// The warehouse's shipping code that it is mapped to.
    pub warehouse_shipping: Option<String>,
    /// The id of its pickup point.
    pub pickup_point: Option<String>,
    /// How many lines are ordered.
    pub line_count: Option<i32>,
    /// How much is ordered altogether: a decimal number.
    pub pieces: Option<String>,
    /// When it was first seen at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When the shop was first seen to have it completed.
    pub completed_at: Option<Timestamp>,
    /// When a read last showed something of it in another way than before.
    pub changed_at: Option<Timestamp>,
    /// When it was last read.
    pub updated_at: Timestamp,
    /// Its newest task.
    pub task_id: Option<Uuid>,
    /// That task's state.
    pub task_state: Option<String>,
    /// That task's reason: a closed code.
    pub reason: Option<String>,
    /// When a person marked what that task asked for as handled.
    pub handled_at: Option<Timestamp>,
    /// Who did.
    pub handled_by: Option<String>,
    /// When it is looked at again though nothing happens; `None` where its task is closed or runs.
    pub next_at: Option<Timestamp>,
}

/// Selects `OrderRow`s from a table `page` of id, connection, subject, whether it was read, and when its task was opened.
pub(super) const SELECT: &str = "
    select
        page.id, page.connection, substr(page.subject, 7) as order_id, known.reference,
        coalesce(known.status, 'not_transferred') as status, known.shop_status, known.warehouse_status,
        nullif(known.warehouse_comments, '') as warehouse_comments, known.related, known.parcel_state, known.returned,
        known.added_shipments, known.waiting_since, (
            select jsonb_agg(line || jsonb_build_object('shop_stock', stock.figure) order by position)
            from jsonb_array_elements(known.waiting_for) with ordinality as awaited (line, position)
            left join subject_state as stock
                on stock.connection = page.connection and stock.subject = 'stock:' || (line ->> 'code')
            where known.waiting_since is not null
        ) as waiting_for,
        known.tracking_code, known.tracking_url, known.ordered_at, known.total::text as total, known.currency,
        nullif(known.shipping_method, '') as shipping_method, known.shipping_code, known.shipping_mapping,
        known.warehouse_shipping, nullif(known.pickup_point, '') as pickup_point, known.line_count,
        trim_scale(known.pieces)::text as pieces, known.placed_at, known.completed_at,
        coalesce(known.changed_at, page.opened_at) as changed_at,
        coalesce(known.seen_at, page.opened_at) as updated_at,
        latest.id as task_id, latest.state as task_state, latest.reason, latest.handled_at, latest.handled_by,
        case when latest.state in ('pending', 'in_doubt') then latest.due_at end as next_at
    from page
    left join subject_state as known
        on page.is_read and known.connection = page.connection and known.subject = page.subject
    left join lateral (
        select id, state, reason, due_at, handled_at, handled_by from task
        where task.connection = page.connection and task.subject = page.subject
          -- Always true; it names both indexes of a subject's tasks.
          and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
        order by number desc limit 1
    ) latest on true";

/// A line of an order.
#[derive(Clone, Debug, Serialize)]
pub struct OrderLineRow {
    /// The product code; empty where the line has none.
    pub code: String,
    /// The shop's name of the product, else that of the catalogue.
    pub name: Option<String>,
    /// As the shop counts: a decimal number, below zero for what is taken back.
    pub quantity: String,
    /// `warehouse`, `shop` or `nobody`; `None` where the supplier decides and is unknown.
    pub shipped_by: Option<String>,
    /// How much of it has left: a decimal number; `None` where that is not known.
    pub shipped: Option<String>,
    /// How much of it came back: a decimal number; `None` where that is not known.
    pub returned: Option<String>,
}

/// Lists the lines of an order, in the shop's order.
pub async fn list_lines(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Vec<OrderLineRow>> {
    let rows = sqlx::query_as!(
        OrderLineRow,
        r#"
        select code, coalesce(name, (
                   select item.name from item
                   where item.connection = order_line.connection and item.code_key = order_line.code_key
                   order by item.item limit 1
               )) as name, trim_scale(quantity)::text as "quantity!", shipped_by, trim_scale(shipped)::text as shipped,
               trim_scale(returned)::text as returned
        from order_line
        where connection = $1 and subject = $2
        order by position
        "#,
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}
