//! Table `stock_figure`: what both sides last showed of a code's stock. For people: nothing is decided by it.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    Timestamp,
    product::CodeKey,
    stock_figures::{StockFigures, WarehouseFigures},
};

/// When figures were read.
#[derive(Clone, Copy, Debug)]
pub enum ReadAt {
    /// By an attempt that holds its claim: it knows best.
    Fenced(Timestamp),
    /// By a list: an attempt that has read later knows better.
    Listed(Timestamp),
}

/// Records figures, each with its connection, by one statement.
pub async fn record(db: &mut PgConnection, figures: &[(&str, &StockFigures)], read_at: ReadAt) -> Result<()> {
    if figures.is_empty() {
        return Ok(());
    }
    let (is_fenced, at) = match read_at {
        ReadAt::Fenced(at) => (true, at),
        ReadAt::Listed(at) => (false, at),
    };
    let there = |pick: fn(WarehouseFigures) -> i64| -> Vec<Option<i64>> {
        figures.iter().map(|(_, it)| it.warehouse.map(pick)).collect()
    };
    sqlx::query!(
        "
        insert into stock_figure (connection, code, code_key, shop, physical, available, buffer, target, read_at)
        select distinct on (connection, code) new.*, $9
        from unnest(
            $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]
        ) as new (connection, code, code_key, shop, physical, available, buffer, target)
        order by connection, code -- one lock order for all writers
        on conflict (connection, code) do update set
            shop = excluded.shop, physical = excluded.physical, available = excluded.available,
            buffer = excluded.buffer, target = excluded.target, read_at = excluded.read_at
        where $10 or stock_figure.read_at <= excluded.read_at
        ",
        &figures.iter().map(|(connection, _)| (*connection).to_owned()).collect::<Vec<_>>(),
        &figures.iter().map(|(_, it)| it.code.clone()).collect::<Vec<_>>(),
        &figures.iter().map(|(_, it)| CodeKey::of(&it.code).into_string()).collect::<Vec<_>>(),
        &figures.iter().map(|(_, it)| it.shop).collect::<Vec<_>>(),
        &there(|it| it.physical) as &[Option<i64>],
        &there(|it| it.available) as &[Option<i64>],
        &figures.iter().map(|(_, it)| it.buffer).collect::<Vec<_>>(),
        &there(|it| it.target) as &[Option<i64>],
        at,
        is_fenced,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How much earlier than a sync began a figure must have been read to count as gone: clocks of two processes differ.
const MARGIN: chrono::Duration = chrono::Duration::hours(1);

/// Removes the figures that a whole walk of the shop's list did not meet again: the shop does not have these codes any more,
/// or the warehouse does not store them.
pub async fn remove_unmet(db: &mut PgConnection, connection: &str, walk_began_at: Timestamp) -> Result<()> {
    sqlx::query!(
        "delete from stock_figure where connection = $1 and read_at < $2",
        connection,
        walk_began_at - MARGIN,
    )
    .execute(db)
    .await?;
    Ok(())
}
