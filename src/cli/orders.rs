//! `silta orders`: each with its status, its whole life in plain words, and what a person may ask for it.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::PgPool;

use super::{print_line, table};
use crate::{
    actions::{self, Actor, OrderRequest},
    domain::{language::Language, order::Intent, vendor::Vendor},
    explain,
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page,
        redaction::Erased,
        views::orders::{self, OrderFilter},
    },
};

/// The orders of the shop.
#[derive(Subcommand)]
pub(super) enum Orders {
    /// Newest first.
    List(ListArgs),
    /// Why an order is where it is: its whole life in plain words.
    Explain {
        /// Which.
        #[command(flatten)]
        order: OrderArgs,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// The calls to one vendor, as call_log for its support.
        #[arg(long, conflicts_with = "json")]
        call_log: Option<VendorArg>,
    },
    /// Sends it to the warehouse now, paid or not: "add order to OGOship for task".
    Transfer(OrderArgs),
    /// Keeps it from going.
    Hold(OrderArgs),
    /// Ends a hold, the person's or the configured one.
    Release(OrderArgs),
    /// Calls it off, while the warehouse still allows it.
    Cancel(OrderArgs),
    /// Looks at both sides now: "update changes to online store".
    Refresh(OrderArgs),
    /// Blanks whatever Silta keeps of it that may speak of a person, for good.
    Erase(OrderArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only this connection's.
    #[arg(long)]
    connection: Option<String>,
    /// `not_transferred`, `waiting_for_collection`, `waiting_for_products`, delivered, cancelled, returned or
    /// `needs_attention`.
    #[arg(long)]
    status: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object a line, with every field.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct OrderArgs {
    /// The connection's name.
    connection: String,
    /// The shop's order number.
    order_id: String,
}

/// One of the two vendors.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum VendorArg {
    /// The shop.
    Mycashflow,
    /// The warehouse.
    Ogoship,
}

pub(super) async fn run(command: Orders, pool: &PgPool, account: &str) -> Result<()> {
    match command {
        Orders::List(args) => list(args, pool).await,
        Orders::Explain { order, json, call_log } => explain(&order, json, call_log, pool).await,
        Orders::Transfer(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Transfer), pool, account).await
        }
        Orders::Hold(order) => request(&order, OrderRequest::SetIntent(Intent::Hold), pool, account).await,
        Orders::Release(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Release), pool, account).await
        }
        Orders::Cancel(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Cancel), pool, account).await
        }
        Orders::Refresh(order) => request(&order, OrderRequest::Refresh, pool, account).await,
        Orders::Erase(order) => erase(&order, pool, account).await,
    }
}

async fn list(ListArgs { connection, status, limit, json }: ListArgs, pool: &PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let filter = OrderFilter { connection, status, ..OrderFilter::default() };
    let rows = orders::list(&mut db, &filter, &Page { before: None, limit: limit.into() }).await?;
    let columns = ["connection", "order_id", "status", "task_state", "reason", "tracking_code", "updated_at"];
    table::show(&rows, &columns, json);
    Ok(())
}

async fn explain(order: &OrderArgs, json: bool, call_log: Option<VendorArg>, pool: &PgPool) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let mut db = pool.acquire().await?;
    let life = explain::order_history(&mut db, connection, order_id, Language::English).await?;
    let life = life.with_context(|| format!("{connection} has no order {order_id} that Silta met"))?;
    let vendor = call_log.map(|vendor| match vendor {
        VendorArg::Mycashflow => Vendor::MyCashflow,
        VendorArg::Ogoship => Vendor::Ogoship,
    });
    if let Some(vendor) = vendor {
        print_line(explain::call_log(&life, vendor).trim_end());
    } else if json {
        print_line(&serde_json::to_string_pretty(&life)?);
    } else {
        print_line(&life.summary);
        for entry in &life.timeline {
            print_line(&format!("{}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), entry.text));
        }
    }
    Ok(())
}

async fn erase(OrderArgs { connection, order_id }: &OrderArgs, pool: &PgPool, account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let Erased { events, attempts } = actions::erase_order(&mut db, &actor, connection, order_id).await?;
    db.commit().await?;
    print_line(&format!("erased: the bodies of {events} events, the payloads of {attempts} attempts"));
    Ok(())
}

async fn request(order: &OrderArgs, request: OrderRequest, pool: &PgPool, account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let OrderArgs { connection, order_id } = order;
    let asked = actions::request_order_action(&mut db, &actor, connection, order_id, request).await?;
    db.commit().await?;
    print_line(&format!("asked: {} by task {}", request.as_str(), asked.task));
    Ok(())
}
