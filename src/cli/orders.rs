//! `silta orders`: lists and explains orders, and requests actions for them.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use sqlx::PgPool;

use super::{
    database::Database,
    names,
    order_list::{ListArgs, list},
    print::{print_foreign, print_line},
};
use crate::{
    actions::{self, ActionError, Actor, OrderRequest},
    app::{App, config::Config},
    domain::{language::Language, order::Intent, vendor::Vendor},
    explain::{self, Audience},
    runtime::clock::{Entropy, SystemClock},
    store::{redaction::Erased, views::orders::Customization},
};

/// Commands for orders.
#[derive(Subcommand)]
pub(super) enum Orders {
    /// Lists orders
    List(ListArgs),
    /// Explains why an order is where it is: its whole history
    Explain {
        /// The order
        #[command(flatten)]
        order: OrderArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print the calls to one vendor, for its support
        #[arg(long, conflicts_with = "json")]
        call_log: Option<VendorArg>,
    },
    /// Sends an order to the warehouse now, paid or not: "add order to OGOship for delivery"
    Transfer(OrderArgs),
    /// Takes the order that the warehouse has under our reference for this one, though Silta did not send it
    Adopt(OrderArgs),
    /// Sends what the shop added to an order that was sent already, as a replacement of its own
    SendReplacement {
        /// The order
        #[command(flatten)]
        order: OrderArgs,
        /// The shop's id of the added shipment, where several wait
        shipment: Option<String>,
    },
    /// Holds an order back from the warehouse
    Hold(OrderArgs),
    /// Releases an order from a hold
    Release(OrderArgs),
    /// Cancels an order while the warehouse still allows it
    Cancel(OrderArgs),
    /// Reads both sides now: "update changes to online store"
    Refresh(OrderArgs),
    /// Erases all personal data that Silta keeps of an order, for good
    Erase(OrderArgs),
}

#[derive(Args)]
pub(super) struct OrderArgs {
    /// The connection's name
    connection: String,
    /// The shop's order number
    order_id: String,
}

/// One of the two vendors.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum VendorArg {
    /// The shop
    Mycashflow,
    /// The warehouse
    Ogoship,
}

pub(super) async fn run(command: Orders, config: Config, account: &str) -> Result<()> {
    let database = Database::open(&config).await?;
    let configured = names::configured(&config);
    let named = command.order();
    let connection = named.map(|order| &order.connection).or(command.filter());
    if let Some(name) = connection {
        names::ensure_connection(&mut *database.pool.acquire().await?, &configured, name).await?;
    }
    if let Some(order) = named {
        names::ensure_order_number(&order.order_id)?;
    }
    let pool = &database.pool;
    match command {
        Orders::List(args) => list(args, pool).await,
        Orders::Explain { order, json, call_log } => explain(&order, json, call_log, pool).await,
        Orders::SendReplacement { order, shipment } => {
            send_replacement(&order, shipment.as_deref(), pool, account).await
        }
        Orders::Erase(order) => erase(&order, pool, account).await,
        Orders::Transfer(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Transfer), (config, &database), account).await
        }
        Orders::Adopt(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Adopt), (config, &database), account).await
        }
        Orders::Hold(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Hold), (config, &database), account).await
        }
        Orders::Release(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Release), (config, &database), account).await
        }
        Orders::Cancel(order) => {
            request(&order, OrderRequest::SetIntent(Intent::Cancel), (config, &database), account).await
        }
        Orders::Refresh(order) => request(&order, OrderRequest::Refresh, (config, &database), account).await,
    }
}

impl Orders {
    /// The order that the command names.
    const fn order(&self) -> Option<&OrderArgs> {
        match self {
            Self::List(_) => None,
            Self::Explain { order, .. }
            | Self::SendReplacement { order, .. }
            | Self::Transfer(order)
            | Self::Adopt(order)
            | Self::Hold(order)
            | Self::Release(order)
            | Self::Cancel(order)
            | Self::Refresh(order)
            | Self::Erase(order) => Some(order),
        }
    }

    /// The connection that a list is limited to.
    const fn filter(&self) -> Option<&String> {
        match self {
            Self::List(args) => args.connection(),
            _ => None,
        }
    }
}

async fn explain(order: &OrderArgs, json: bool, call_log: Option<VendorArg>, pool: &PgPool) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let mut db = pool.acquire().await?;
    let history =
        explain::order_history(&mut db, connection, order_id, Audience::Operator, Language::English).await?;
    let history =
        history.with_context(|| format!("{connection} has no order {order_id} that Silta knows"))?;
    let vendor = call_log.map(|vendor| match vendor {
        VendorArg::Mycashflow => Vendor::MyCashflow,
        VendorArg::Ogoship => Vendor::Ogoship,
    });
    if let Some(vendor) = vendor {
        print_line(explain::call_log(&history, vendor).trim_end());
    } else if json {
        print_line(&serde_json::to_string_pretty(&history)?);
    } else {
        print_foreign(&history.summary);
        for choice in &history.choices {
            print_foreign(&format!("  {}: {}", choice.title, choice.text));
        }
        for Customization { code, text } in &history.customizations {
            print_foreign(&format!("  {code}: {text}"));
        }
        for entry in &history.timeline {
            print_foreign(&format!("{}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), entry.text));
        }
    }
    Ok(())
}

async fn erase(order: &OrderArgs, pool: &PgPool, account: &str) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let erased = actions::erase_order(&mut db, &actor, connection, order_id).await;
    let Erased { events, attempts } = known(erased, order)?;
    db.commit().await?;
    print_line(&format!("erased: the bodies of {events} events, the payloads of {attempts} attempts"));
    Ok(())
}

/// Requests an action for an order that Silta or one of the vendors knows.
async fn request(
    order: &OrderArgs,
    request: OrderRequest,
    (config, database): (Config, &Database),
    account: &str,
) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let app = App::new(config, database.deps());
    app.prepare().await?; // on a fresh database nobody would know the connection
    let confirmed = actions::confirm_order(&database.pool, &*app.order_finder, connection, order_id).await;
    let confirmed = known(confirmed, order)?;
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.pool.begin().await?;
    let requested = actions::request_order_action(&mut db, &actor, &confirmed, request).await?;
    db.commit().await?;
    print_line(&format!("requested: {} by task {}", request.as_str(), requested.task));
    Ok(())
}

/// The error of an order that nobody has names it.
fn known<T>(result: Result<T, ActionError>, OrderArgs { connection, order_id }: &OrderArgs) -> Result<T> {
    match result {
        Err(ActionError::NotFound) => {
            bail!(
                "there is no order {order_id} of {connection}: neither Silta nor one of the vendors knows it"
            )
        }
        result => Ok(result?),
    }
}

async fn send_replacement(
    order: &OrderArgs,
    shipment: Option<&str>,
    pool: &PgPool,
    account: &str,
) -> Result<()> {
    let OrderArgs { connection, order_id } = order;
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let requested = actions::send_replacement(&mut db, &actor, connection, order_id, shipment).await;
    let requested = known(requested, order)?;
    db.commit().await?;
    print_line(&format!("requested: send_replacement by task {}", requested.task));
    Ok(())
}
