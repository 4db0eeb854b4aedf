//! How many orders a stretch of the week usually brings, read from when orders were first seen. `select`
//! only.

use std::collections::HashMap;

use chrono::Duration;
use sqlx::PgConnection;

use super::{
    Result,
    connections::ConnectionRow,
    views::orders::{self, IdSpan},
};
use crate::domain::{
    Timestamp,
    id::{first_id_at, time_of},
    order_rate::{OrderRate, WEEKS, assess},
};

/// Compares the silence of each connection with the same stretch of the weeks before, in two statements for all of them. A
/// connection without any order yet has been silent since it was first configured.
pub async fn read_all(
    db: &mut PgConnection,
    rows: &[ConnectionRow],
    now: Timestamp,
) -> Result<HashMap<String, OrderRate>> {
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    let newest = orders::find_newest_ids(db, &names).await?;
    let silences: Vec<_> = rows
        .iter()
        .map(|row| {
            let last = newest.get(&row.name).and_then(|id| time_of(*id)).unwrap_or(row.created_at);
            Silence { row, since: last.min(now) }
        })
        .collect();
    let spans: Vec<_> = silences.iter().flat_map(|silence| silence.spans(now)).collect();
    let then = orders::count_first_seen(db, &spans).await?;
    let rates = silences.iter().map(|silence| {
        let Silence { row, since } = silence;
        let count = then.get(&row.name).copied().unwrap_or_default().unsigned_abs();
        let weeks = u32::try_from(silence.weeks().count()).unwrap_or_default();
        (row.name.clone(), assess((now - *since).to_std().unwrap_or_default(), count, weeks))
    });
    Ok(rates.collect())
}

/// A connection without an order since a time.
struct Silence<'a> {
    row: &'a ConnectionRow,
    since: Timestamp,
}

impl<'a> Silence<'a> {
    /// How far back the weeks are in which the connection was there.
    fn weeks(&self) -> impl Iterator<Item = Duration> {
        let weeks = (1..=WEEKS).map(|week| Duration::weeks(week.into()));
        weeks.filter(|back| self.since - *back >= self.row.created_at)
    }

    /// The same stretch of those weeks.
    fn spans(&self, now: Timestamp) -> Vec<IdSpan<'a>> {
        let span = |back| {
            // The silence begins after the last order itself.
            let from = first_id_at(self.since - back + Duration::milliseconds(1));
            IdSpan { connection: &self.row.name, from, until: first_id_at(now - back) }
        };
        self.weeks().map(span).collect()
    }
}
