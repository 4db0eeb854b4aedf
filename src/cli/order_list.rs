//! `silta orders list`.

use anyhow::Result;
use chrono::NaiveDate;
use clap::{Args, builder::PossibleValuesParser};
use sqlx::PgPool;
use strum::VariantArray as _;

use super::{names, table};
use crate::{
    runtime::clock::{Clock as _, SystemClock},
    store::views::orders::{self, OrderFilter, OrderPage, OrderSort, parse_day},
};

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only this connection
    #[arg(long)]
    connection: Option<String>,
    /// `not_transferred`, `waiting_for_collection`, `waiting_for_products`, `delivered`, `cancelled`, `returned` or
    /// `needs_attention`
    #[arg(long, value_parser = names::order_statuses(), hide_possible_values = true)]
    status: Option<String>,
    /// The beginning of an order number, a reference or a tracking code, or a whole product code
    #[arg(long)]
    search: Option<String>,
    /// Only this shipping method, by its name in the shop
    #[arg(long)]
    method: Option<String>,
    /// Only orders placed on this day of the shop or later, as 2026-11-01
    #[arg(long, value_parser = day)]
    from: Option<NaiveDate>,
    /// Only orders placed on this day of the shop or earlier
    #[arg(long, value_parser = day)]
    to: Option<NaiveDate>,
    /// Only orders that were placed more than so many hours ago and are not delivered, cancelled or returned
    #[arg(long, value_parser = clap::value_parser!(u32).range(..=87_600))]
    waits_hours: Option<u32>,
    /// Only orders whose newest task has this reason
    #[arg(long, value_parser = names::reasons(), hide_possible_values = true)]
    reason: Option<String>,
    /// Only orders that wait for products at the warehouse, with since when and for which
    #[arg(long)]
    waiting: bool,
    /// `newest`, `oldest`, `last_change` or `total` first
    #[arg(long, default_value = "newest", value_parser = sorts(), hide_possible_values = true)]
    sort: String,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object per line, with every field
    #[arg(long)]
    json: bool,
}

fn day(text: &str) -> Result<NaiveDate, String> {
    parse_day(text).ok_or_else(|| "not a day, as 2026-11-30".to_owned())
}

fn sorts() -> PossibleValuesParser {
    PossibleValuesParser::new(OrderSort::VARIANTS.iter().map(|sort| sort.as_str()))
}

impl ListArgs {
    /// The connection that the list is limited to.
    pub(super) const fn connection(&self) -> Option<&String> {
        self.connection.as_ref()
    }
}

pub(super) async fn list(args: ListArgs, pool: &PgPool) -> Result<()> {
    let ListArgs { connection, status, waiting, limit, json, .. } = args;
    let filter = OrderFilter {
        connection,
        status,
        q: args.search,
        reason: args.reason,
        waiting: waiting.then_some(true),
        shipping_method: args.method,
        placed_from: args.from,
        placed_to: args.to,
        waits_hours: args.waits_hours,
        sort: args.sort.parse()?,
    };
    let page = OrderPage { after: None, limit: limit.into() };
    let mut db = pool.acquire().await?;
    let rows = orders::list(&mut db, &filter, &page, SystemClock.now()).await?;
    let usual = ["connection", "order_id", "status", "task_state", "reason", "tracking_code", "updated_at"];
    let of_waiting = ["connection", "order_id", "status", "waiting_since", "waiting_for"];
    table::show(&rows, if waiting { &of_waiting } else { &usual }, json);
    Ok(())
}
