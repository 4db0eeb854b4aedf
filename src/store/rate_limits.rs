//! Table `rate_limit`: what all replicas have taken of each vendor's rate.

use sqlx::PgConnection;

use super::Result;
use crate::domain::rate_limit::{GrantedCalls, SharedLimit};

/// Finds the state of a rate limit; `None` if it was never used.
pub async fn find(db: &mut PgConnection, connection: &str, vendor: &str) -> Result<Option<SharedLimit>> {
    let row = sqlx::query!(
        "select version, granted_at, granted, blocked_until, blocked_millis, share, lowered_at
         from rate_limit where connection = $1 and vendor = $2",
        connection,
        vendor,
    );
    Ok(row.fetch_optional(db).await?.map(|row| SharedLimit {
        version: row.version,
        calls: GrantedCalls::new(&row.granted_at, &row.granted),
        blocked_until: row.blocked_until,
        blocked_millis: row.blocked_millis,
        lowered: row.lowered_at.map(|at| (at, row.share)),
    }))
}

/// Replaces the state if it is still of the version that was read (`old` is `None` if there was none); false if
/// another process was faster.
pub async fn replace(
    db: &mut PgConnection,
    connection: &str,
    vendor: &str,
    old: Option<i64>,
    new: &SharedLimit,
) -> Result<bool> {
    let SharedLimit { version, calls, blocked_until, blocked_millis, lowered } = new;
    let (lowered_at, share) = (lowered.map(|(at, _)| at), lowered.map_or(1.0, |(_, share)| share));
    let done = sqlx::query!(
        "insert into rate_limit (
             connection, vendor, version, granted_at, granted, blocked_until, share, lowered_at, blocked_millis
         )
         select $1, $2, $3, $4, $5, $6, $7, $8, $10
         where $9::bigint is null or exists (
             select from rate_limit where connection = $1 and vendor = $2 and version = $9
         )
         on conflict on constraint rate_limit_pkey do update set
             version = $3, granted_at = $4, granted = $5, blocked_until = $6, share = $7, lowered_at = $8,
             blocked_millis = $10
         where rate_limit.version = $9",
        connection,
        vendor,
        version,
        &calls.times(),
        &calls.counts(),
        *blocked_until,
        share,
        lowered_at,
        old,
        blocked_millis,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}
