//! The products of a connection with their stock on both sides, by name: what people compare.
//!
//! `item_lists` says which of them a page shows.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::item_lists::{ItemFilter, ItemList, list_items};

use crate::{
    domain::{Timestamp, task::reason::Reason},
    store::Result,
};

/// An item with its stock on both sides.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ItemRow {
    /// As `product:77/5`.
    pub item: String,
    /// Its product, as `product:77`.
    pub product: String,
    /// Its code as the shop spells it.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// True where the connection's rules say that the warehouse stores it.
    pub stored: bool,
    /// Why its code cannot be sent: `code_empty`, `code_too_long`, `code_dots` or `code_repeated`.
    pub code_problem: Option<String>,
    /// Names of other items with the same code.
    pub same_code: Vec<String>,
    /// Pieces in the shop.
    pub shop: Option<i64>,
    /// What the shop should show.
    pub target: Option<i64>,
    /// All pieces at the warehouse.
    pub physical: Option<i64>,
    /// Pieces at the warehouse that are free for orders.
    pub available: Option<i64>,
    /// Pieces that are never shown for sale.
    pub buffer: Option<i64>,
    /// Pieces of orders at the warehouse that are still open in the shop.
    pub in_flight: i64,
    /// When both sides were last read; `None` where they never were.
    pub read_at: Option<Timestamp>,
    /// The state of the open task of its stock, if there is one.
    pub task_state: Option<String>,
    /// Why that task waits.
    pub task_reason: Option<String>,
}

impl ItemRow {
    /// Pieces at the warehouse that are reserved for orders.
    pub fn reserved(&self) -> Option<i64> {
        Some(self.physical? - self.available?)
    }

    /// How many pieces the shop shows too many; too few where it is negative.
    pub fn difference(&self) -> Option<i64> {
        Some(self.shop? - self.target?)
    }

    /// True where the warehouse was asked and does not know it.
    pub const fn is_absent(&self) -> bool {
        self.stored && self.read_at.is_some() && self.physical.is_none()
    }
}

/// Lists items by name.
pub async fn list(db: &mut PgConnection, filter: &ItemFilter<'_>) -> Result<Vec<ItemRow>> {
    let items = list_items(db, filter).await?;
    load(db, filter.connection, &items).await
}

/// Finds an item.
pub async fn find(db: &mut PgConnection, connection: &str, item: &str) -> Result<Option<ItemRow>> {
    Ok(load(db, connection, &[item.to_owned()]).await?.pop())
}

/// The names of these products, with their codes; of a product with variations the first one's.
pub async fn list_names(
    db: &mut PgConnection,
    connection: &str,
    products: &[String],
) -> Result<HashMap<String, String>> {
    let rows = sqlx::query!(
        r#"
        select distinct on (product) product as "product!", concat_ws(' ', name, '(' || code || ')') as "name!"
        from item
        where connection = $1 and product = any($2) and name is not null
        order by product, item
        "#,
        connection,
        products,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.product, row.name)).collect())
}

/// Loads these items, in their order.
async fn load(db: &mut PgConnection, connection: &str, items: &[String]) -> Result<Vec<ItemRow>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"
        select item.item, item.product, item.code, item.name, item.stored,
            coalesce(case when item.stored then item.reason end, case when same.names <> '{}' then $3 end)
                as code_problem,
            same.names as "same_code!", figure.shop as "shop?", figure.target, figure.physical, figure.available,
            figure.buffer as "buffer?", moving.pieces as "in_flight!", figure.read_at as "read_at?",
            task.state as "task_state?", task.reason as task_reason
        from unnest($2::text[]) with ordinality as wanted (item, position)
        join item on item.connection = $1 and item.item = wanted.item
        left join stock_figure as figure on figure.connection = $1 and figure.code = item.code
        left join task on task.connection = $1 and task.subject = 'stock:' || item.code
            and task.state in ('pending', 'leased', 'in_doubt')
        cross join lateral (
            select coalesce(array_agg(coalesce(other.name, other.code) order by other.item), '{}') as names
            from item as other
            where other.connection = $1 and other.code_key = item.code_key and other.item <> item.item
              and (other.stored or item.stored)
        ) as same
        cross join lateral (
            select coalesce(sum(pieces), 0)::bigint as pieces from in_flight
            where in_flight.connection = $1
              and coalesce(in_flight.code_key, lower(in_flight.code)) = coalesce(item.warehouse_key, item.code_key)
        ) as moving
        order by wanted.position
        "#,
        connection,
        items,
        Reason::CodeRepeated.code(),
    );
    Ok(rows.fetch_all(db).await?)
}

/// How many items each list has.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct ItemCounts {
    /// All.
    pub all: i64,
    /// Another figure than the shop should show, counted up to [`MAX_COUNTED`].
    pub differs: i64,
    /// A code to fix.
    pub code: i64,
    /// Not at the warehouse, counted up to [`MAX_COUNTED`].
    pub absent: i64,
}

/// Beyond so many the exact number says nothing more.
pub const MAX_COUNTED: i64 = 1000;

impl ItemCounts {
    /// The count of a list.
    pub const fn of(&self, list: ItemList) -> i64 {
        match list {
            ItemList::All => self.all,
            ItemList::Differs => self.differs,
            ItemList::Code => self.code,
            ItemList::Absent => self.absent,
        }
    }
}

/// Counts the items of each list.
pub async fn count(db: &mut PgConnection, connection: &str) -> Result<ItemCounts> {
    let counts = sqlx::query_as!(
        ItemCounts,
        r#"
        select
            (select count(*) from item where connection = $1) as "all!",
            (select count(*) from (
                select 1 from (
                    select code_key, code from stock_figure
                    where connection = $1 and differs
                    order by code_key, code limit 20000
                ) as figure
                where exists (
                    select 1 from item
                    where item.connection = $1 and item.code_key = figure.code_key and item.code = figure.code
                )
                limit $2
            ) as differing) as "differs!",
            (
                -- An item that has a fault of its own and shares its code has two problems and is one item.
                select (
                    select count(*) from repeated_code as repeated
                    join item on item.connection = $1 and item.code_key = repeated.code_key
                    where repeated.connection = $1
                ) + (
                    select count(*) from item
                    where connection = $1 and reason is not null and stored and not exists (
                        select 1 from repeated_code as repeated
                        where repeated.connection = $1 and repeated.code_key = item.code_key
                    )
                )
            ) as "code!",
            (select count(*) from (
                select 1 from (
                    select code_key, code from stock_figure
                    where connection = $1 and physical is null
                    order by code_key, code limit 20000
                ) as figure
                where exists (
                    select 1 from item
                    where item.connection = $1 and item.code_key = figure.code_key and item.code = figure.code
                      and item.stored
                )
                limit $2
            ) as missing) as "absent!"
        "#,
        connection,
        MAX_COUNTED,
    );
    Ok(counts.fetch_one(db).await?)
}
