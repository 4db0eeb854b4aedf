//! The figures of the Overview, read from the hours that `counts` and the processes have written: a few seconds old, and as
//! fast for a month as for a day.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DurationRound, TimeDelta};
use sqlx::PgConnection;

use crate::{
    domain::{
        Timestamp,
        histogram::{Histogram, Scale},
        order::OrderStatus,
        vendor::Vendor,
    },
    store::Result,
};

/// What happened from a time until now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Every hour, the oldest first; hours in which nothing happened too.
    pub hours: Vec<OrderHour>,
    /// Of the orders that were shipped: how many have come back.
    pub shipped_and_returned: i64,
    /// How long orders waited from the webhook, or from the payment, until they were placed at the warehouse.
    pub waits: Spread,
    /// The calls to each vendor: the shop first.
    pub vendors: Vec<VendorFigures>,
}

/// What happened to orders in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct OrderHour {
    /// When it starts.
    pub starts_at: Timestamp,
    /// Orders that came in.
    pub came_in: i64,
    /// Orders that were sent to the warehouse.
    pub placed: i64,
    /// Orders that the warehouse shipped.
    pub shipped: i64,
    /// Orders that were cancelled, on either side.
    pub cancelled: i64,
    /// Orders that came back.
    pub returned: i64,
}

/// Durations, as near as their histogram tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Half of them were not longer; `None` if there is none.
    pub median: Option<Duration>,
    /// 95 of 100 were not longer.
    pub p95: Option<Duration>,
}

/// The calls to a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorFigures {
    /// The vendor.
    pub vendor: Vendor,
    /// Calls that it answered as it does when it works, even by a refusal.
    pub succeeded: u64,
    /// Calls without such an answer.
    pub failed: u64,
    /// How long the calls took.
    pub times: Spread,
}

impl OrderHour {
    /// An hour in which nothing has happened yet.
    fn at(starts_at: Timestamp) -> Self {
        Self { starts_at, ..Self::default() }
    }
}

impl Figures {
    /// How many orders ended with a status, each counted once; `None` for a status that an order leaves again.
    pub fn finished(&self, status: OrderStatus) -> Option<i64> {
        let count = |of: fn(&OrderHour) -> i64| self.hours.iter().map(of).sum::<i64>();
        match status {
            OrderStatus::Delivered => Some((count(|hour| hour.shipped) - self.shipped_and_returned).max(0)),
            OrderStatus::Cancelled => Some(count(|hour| hour.cancelled)),
            OrderStatus::Returned => Some(count(|hour| hour.returned)),
            OrderStatus::NotTransferred
            | OrderStatus::WaitingForCollection
            | OrderStatus::WaitingForProducts
            | OrderStatus::NeedsAttention => None,
        }
    }
}

impl Spread {
    fn of(histogram: &Histogram, scale: Scale) -> Self {
        Self {
            count: histogram.total(),
            median: histogram.quantile(scale, 0.5),
            p95: histogram.quantile(scale, 0.95),
        }
    }
}

/// Loads the figures from the hour of `since` to that of `until`, of all connections or of one.
pub async fn load(
    db: &mut PgConnection,
    connection: Option<&str>,
    since: Timestamp,
    until: Timestamp,
) -> Result<Figures> {
    let since = since.duration_trunc(TimeDelta::hours(1)).unwrap_or(since);
    let (hours, waits) = load_orders(db, connection, since, until).await?;
    let shipped_and_returned = count_returned(db, connection, since).await?;
    let vendors = load_vendors(db, connection, since, until).await?;
    Ok(Figures { hours, shipped_and_returned, waits: Spread::of(&waits, Scale::Waits), vendors })
}

/// Counts the orders that came back of those that were shipped since a time: few, and found by their status.
async fn count_returned(db: &mut PgConnection, connection: Option<&str>, since: Timestamp) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from connection
           join subject_state on subject_state.connection = connection.name and subject_state.status = 'returned'
           where ($1::text is null or connection.name = $1) and completed_at >= $2"#,
        connection,
        since,
    );
    Ok(count.fetch_one(db).await?)
}

async fn load_orders(
    db: &mut PgConnection,
    connection: Option<&str>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(Vec<OrderHour>, Histogram)> {
    let rows = sqlx::query!(
        "select hour, came_in, placed, shipped, cancelled, returned, waits from order_hour
         where ($1::text is null or connection = $1) and hour >= $2 and hour <= $3",
        connection,
        since,
        until,
    );
    let mut hours: BTreeMap<_, _> =
        std::iter::successors(Some(since), |hour| Some(*hour + TimeDelta::hours(1)))
            .take_while(|hour| *hour <= until)
            .map(|starts_at| (starts_at, OrderHour::at(starts_at)))
            .collect();
    let mut waits = Histogram::default();
    for row in rows.fetch_all(db).await? {
        waits.merge(&Histogram::from_counts(&row.waits));
        if let Some(hour) = hours.get_mut(&row.hour) {
            hour.came_in += row.came_in;
            hour.placed += row.placed;
            hour.shipped += row.shipped;
            hour.cancelled += row.cancelled;
            hour.returned += row.returned;
        }
    }
    Ok((hours.into_values().collect(), waits))
}

async fn load_vendors(
    db: &mut PgConnection,
    connection: Option<&str>,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<VendorFigures>> {
    let rows = sqlx::query!(
        "select vendor, succeeded, failed, times from call_hour
         where ($1::text is null or connection = $1) and hour >= $2 and hour <= $3",
        connection,
        since,
        until,
    );
    let rows = rows.fetch_all(db).await?;
    let figures = [Vendor::MyCashflow, Vendor::Ogoship].map(|vendor| {
        let (mut succeeded, mut failed, mut times) = (0, 0, Histogram::default());
        for row in rows.iter().filter(|row| row.vendor == vendor.as_str()) {
            succeeded += row.succeeded.unsigned_abs();
            failed += row.failed.unsigned_abs();
            times.merge(&Histogram::from_counts(&row.times));
        }
        VendorFigures { vendor, succeeded, failed, times: Spread::of(&times, Scale::Calls) }
    });
    Ok(figures.into())
}
