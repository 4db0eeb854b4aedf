//! How many orders a stretch of the week usually brings, read from when orders were first seen. `select`
//! only.

use chrono::Duration;
use sqlx::PgConnection;

use super::{Result, views::orders};
use crate::domain::{
    Timestamp,
    id::{first_id_at, time_of},
    order_rate::{OrderRate, WEEKS, assess},
};

/// Compares a connection's silence with the same stretch of the weeks before. A connection without any order
/// yet has been silent since it was first configured.
pub async fn read(
    db: &mut PgConnection,
    connection: &str,
    connected_at: Timestamp,
    now: Timestamp,
) -> Result<OrderRate> {
    let last = orders::find_newest_id(db, connection).await?.and_then(time_of).unwrap_or(connected_at);
    let since = last.min(now);
    let weeks: Vec<_> =
        (1..=WEEKS).filter(|week| since - Duration::weeks((*week).into()) >= connected_at).collect();
    let spans: Vec<_> = weeks
        .iter()
        .map(|week| {
            let back = Duration::weeks((*week).into());
            // The silence begins after the last order itself.
            (first_id_at(since - back + Duration::milliseconds(1)), first_id_at(now - back))
        })
        .collect();
    let then = orders::count_first_seen(db, connection, &spans).await?;
    let silence = (now - since).to_std().unwrap_or_default();
    Ok(assess(silence, then.unsigned_abs(), u32::try_from(weeks.len()).unwrap_or(0)))
}
