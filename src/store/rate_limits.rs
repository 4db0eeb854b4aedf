//! Table `rate_limit`: what all replicas have taken of each vendor's rate. Its times are the database's.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    rate_limit::{GrantedCalls, SharedLimit},
    vendor::Vendor,
};

/// The state of a rate limit as it was read.
#[derive(Clone, Debug)]
pub struct StoredLimit {
    /// The database's time when it was read.
    pub read_at: Timestamp,
    /// The state; `None` if it was never used.
    pub limit: Option<SharedLimit>,
}

/// Finds the state of a rate limit.
pub async fn find(db: &mut PgConnection, connection: &str, vendor: &str) -> Result<StoredLimit> {
    let row = sqlx::query!(
        r#"select clock_timestamp() as "read_at!", version as "version?", granted_at as "granted_at?",
                  granted as "granted?", blocked_until as "blocked_until?", blocked_millis as "blocked_millis?",
                  share as "share?", lowered_at as "lowered_at?"
           from (values (1)) as one left join rate_limit on connection = $1 and vendor = $2"#,
        connection,
        vendor,
    );
    let row = row.fetch_one(db).await?;
    let limit = row.version.map(|version| SharedLimit {
        version,
        calls: GrantedCalls::new(&row.granted_at.unwrap_or_default(), &row.granted.unwrap_or_default()),
        blocked_until: row.blocked_until,
        blocked_millis: row.blocked_millis.unwrap_or_default(),
        lowered: row.lowered_at.zip(row.share),
    });
    Ok(StoredLimit { read_at: row.read_at, limit })
}

/// A rate limit that was used, as it was read.
#[derive(Clone, Debug)]
pub struct UsedLimit {
    /// The database's time when it was read.
    pub read_at: Timestamp,
    /// The state.
    pub limit: SharedLimit,
}

/// Lists the rate limits of these connections that were ever used.
pub async fn list(
    db: &mut PgConnection,
    connections: &[&str],
) -> Result<HashMap<(String, Vendor), UsedLimit>> {
    let rows = sqlx::query!(
        r#"select connection, vendor, clock_timestamp() as "read_at!", version, granted_at, granted, blocked_until,
                  blocked_millis, share, lowered_at
           from rate_limit where connection = any($1)"#,
        connections as &[&str],
    );
    let used = rows.fetch_all(db).await?.into_iter().map(|row| {
        let inconsistent = StoreError::Inconsistent { table: "rate_limit", column: "vendor" };
        let vendor = row.vendor.parse().map_err(|_| inconsistent)?;
        let limit = SharedLimit {
            version: row.version,
            calls: GrantedCalls::new(&row.granted_at, &row.granted),
            blocked_until: row.blocked_until,
            blocked_millis: row.blocked_millis,
            lowered: row.lowered_at.map(|at| (at, row.share)),
        };
        Ok(((row.connection, vendor), UsedLimit { read_at: row.read_at, limit }))
    });
    used.collect()
}

/// Replaces the state if it is still of the version that was read (`old` is `None` if there was none), and returns the
/// database's time; `None` if another process was faster.
pub async fn replace(
    db: &mut PgConnection,
    (connection, vendor): (&str, &str),
    old: Option<i64>,
    new: &SharedLimit,
) -> Result<Option<Timestamp>> {
    let SharedLimit { version, calls, blocked_until, blocked_millis, lowered } = new;
    let (lowered_at, share) = (lowered.map(|(at, _)| at), lowered.map_or(1.0, |(_, share)| share));
    let written_at = sqlx::query_scalar!(
        r#"insert into rate_limit (
             connection, vendor, version, granted_at, granted, blocked_until, share, lowered_at, blocked_millis
         )
         select $1, $2, $3, $4, $5, $6, $7, $8, $10
         where $9::bigint is null or exists (
             select from rate_limit where connection = $1 and vendor = $2 and version = $9
         )
         on conflict on constraint rate_limit_pkey do update set
             version = $3, granted_at = $4, granted = $5, blocked_until = $6, share = $7, lowered_at = $8,
             blocked_millis = $10
         where rate_limit.version = $9
         returning clock_timestamp() as "written_at!""#,
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
    Ok(written_at.fetch_optional(db).await?)
}
