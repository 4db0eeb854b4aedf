//! Tables `order_hour` and `call_hour`: what happened in each hour. `counts` writes the orders' hours.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{Timestamp, call_figures::HourOfCalls};

/// Adds the calls that a process has counted.
pub async fn add_calls(db: &mut PgConnection, hours: &[HourOfCalls]) -> Result<()> {
    // In one order, so that two processes cannot deadlock; each row by itself, so that no other waits.
    let mut in_lock_order: Vec<_> = hours.iter().collect();
    in_lock_order.sort_by_key(|it| (&it.connection, it.vendor.as_str(), it.hour));
    for HourOfCalls { connection, vendor, hour, counts } in in_lock_order {
        let times: Vec<_> = counts.times.0.iter().map(|count| saturating(*count)).collect();
        sqlx::query!(
            "insert into call_hour (connection, vendor, hour, succeeded, failed, times) values ($1, $2, $3, $4, $5, $6)
             on conflict on constraint call_hour_pkey do update set
                 succeeded = call_hour.succeeded + excluded.succeeded,
                 failed = call_hour.failed + excluded.failed,
                 times = add_counts(call_hour.times, excluded.times)",
            connection,
            vendor.as_str(),
            hour,
            saturating(counts.succeeded),
            saturating(counts.failed),
            &times,
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

fn saturating(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Removes the hours before a time; returns how many rows.
pub async fn remove_before(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let orders = sqlx::query!("delete from order_hour where hour < $1", before).execute(&mut *db).await?;
    let calls = sqlx::query!("delete from call_hour where hour < $1", before).execute(db).await?;
    Ok(orders.rows_affected() + calls.rows_affected())
}
