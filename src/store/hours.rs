//! Tables `order_hour` and `call_hour`: what happened in each hour. `counts` writes the orders' hours.

use sqlx::PgConnection;

use super::{Result, array_literal::array_literal};
use crate::domain::{Timestamp, call_figures::HourOfCalls};

/// Adds the calls that a process has counted: all or none.
pub async fn add_calls(db: &mut PgConnection, hours: &[HourOfCalls]) -> Result<()> {
    if hours.is_empty() {
        return Ok(());
    }
    let connections: Vec<_> = hours.iter().map(|it| it.connection.clone()).collect();
    let vendors: Vec<_> = hours.iter().map(|it| it.vendor.as_str()).collect();
    let starts: Vec<_> = hours.iter().map(|it| it.hour).collect();
    let succeeded: Vec<_> = hours.iter().map(|it| saturating(it.counts.succeeded)).collect();
    let failed: Vec<_> = hours.iter().map(|it| saturating(it.counts.failed)).collect();
    let times: Vec<_> = hours.iter().map(|it| array_literal(&it.counts.times.0)).collect();
    sqlx::query!(
        "insert into call_hour (connection, vendor, hour, succeeded, failed, times)
         select connection, vendor, hour, succeeded, failed, times::bigint[]
         from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[])
             as new (connection, vendor, hour, succeeded, failed, times)
         order by connection, vendor, hour -- one lock order for all processes
         on conflict on constraint call_hour_pkey do update set
             succeeded = call_hour.succeeded + excluded.succeeded,
             failed = call_hour.failed + excluded.failed,
             times = add_counts(call_hour.times, excluded.times)",
        &connections,
        &vendors as &[&str],
        &starts,
        &succeeded,
        &failed,
        &times,
    )
    .execute(db)
    .await?;
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
