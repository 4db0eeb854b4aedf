//! `silta orders`: each with its status, its whole life in plain words, and what a person may ask for it.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::PgPool;

use super::{say, table};
use crate::{
    actions::{self, Actor, Ask},
    domain::{language::Language, order::Intent, vendor::System},
    explain,
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page,
        retention::Erased,
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
        /// The calls to one system, as evidence for its support.
        #[arg(long, conflicts_with = "json")]
        evidence: Option<Side>,
    },
    /// Sends it to the warehouse now, paid or not: "add order to OGOship for delivery".
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

/// One of the two systems.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Side {
    /// The shop.
    Mycashflow,
    /// The warehouse.
    Ogoship,
}

pub(super) async fn orders(command: Orders, pool: &PgPool, account: &str) -> Result<()> {
    match command {
        Orders::List(args) => list(args, pool).await,
        Orders::Explain { order, json, evidence } => explain(&order, json, evidence, pool).await,
        Orders::Transfer(order) => ask(&order, Ask::Intend(Intent::Transfer), pool, account).await,
        Orders::Hold(order) => ask(&order, Ask::Intend(Intent::Hold), pool, account).await,
        Orders::Release(order) => ask(&order, Ask::Intend(Intent::Release), pool, account).await,
        Orders::Cancel(order) => ask(&order, Ask::Intend(Intent::Cancel), pool, account).await,
        Orders::Refresh(order) => ask(&order, Ask::Refresh, pool, account).await,
        Orders::Erase(order) => erase(&order, pool, account).await,
    }
}

async fn list(ListArgs { connection, status, limit, json }: ListArgs, pool: &PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    let filter = OrderFilter { connection, status, ..OrderFilter::default() };
    let rows = orders::list(&mut db, &filter, &Page { before: None, limit: limit.into() }).await?;
    let columns =
        ["connection", "order_id", "status", "delivery_state", "reason", "tracking_code", "updated_at"];
    table::show(&rows, &columns, json);
    Ok(())
}

async fn explain(order: &OrderArgs, json: bool, evidence: Option<Side>, pool: &PgPool) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let mut db = pool.acquire().await?;
    let life = explain::order(&mut db, connection, order_id, Language::English).await?;
    let life = life.with_context(|| format!("{connection} has no order {order_id} that Silta met"))?;
    let system = evidence.map(|side| match side {
        Side::Mycashflow => System::MyCashflow,
        Side::Ogoship => System::Ogoship,
    });
    if let Some(system) = system {
        say(explain::evidence(&life, system).trim_end());
    } else if json {
        say(&serde_json::to_string_pretty(&life)?);
    } else {
        say(&life.summary);
        for entry in &life.story {
            say(&format!("{}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), entry.words));
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
    say(&format!("erased: the bodies of {events} events, the payloads of {attempts} attempts"));
    Ok(())
}

async fn ask(order: &OrderArgs, ask: Ask, pool: &PgPool, account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let OrderArgs { connection, order_id } = order;
    let asked = actions::ask_for_order(&mut db, &actor, connection, order_id, ask).await?;
    db.commit().await?;
    say(&format!("asked: {} by delivery {}", ask.as_str(), asked.delivery));
    Ok(())
}
