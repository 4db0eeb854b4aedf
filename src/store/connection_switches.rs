//! Table `connection`: what each connection writes by itself, when a person asks, or never.

use sqlx::PgConnection;

use super::Result;
use crate::domain::switch::{Switch, Switches};

/// A configured connection, and what it writes by itself.
pub type ConfiguredConnection = (String, Switches);

/// Records what each connection writes by itself now, for pages and for what operators ask. What an attempt may write, its
/// own process's configuration says.
pub async fn record(db: &mut PgConnection, configured: &[ConfiguredConnection]) -> Result<()> {
    let names: Vec<_> = configured.iter().map(|(name, _)| name.clone()).collect();
    let [orders, products, stock] = switch_columns(configured);
    sqlx::query!(
        "update connection set orders_transfer = new.orders, products_upload = new.products, stock_update = new.stock
         from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as new (name, orders, products, stock)
         where connection.name = new.name
           and (orders_transfer, products_upload, stock_update) is distinct from (new.orders, new.products, new.stock)",
        &names,
        &orders,
        &products,
        &stock,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The switches of each connection, as columns.
pub(super) fn switch_columns(configured: &[ConfiguredConnection]) -> [Vec<String>; 3] {
    let column = |pick: fn(&Switches) -> Switch| {
        configured.iter().map(|(_, switches)| pick(switches).as_str().to_owned()).collect()
    };
    [column(|it| it.orders), column(|it| it.products), column(|it| it.stock)]
}
