//! Table `rate_limit`: what all replicas have taken of each vendor's rate. Its times are the database's.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::{Result, StoreError, array_literal::array_literal};
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
    if let Some(row) = load(db, &[connection], Some(vendor)).await?.pop() {
        return Ok(StoredLimit { read_at: row.read_at, limit: Some(row.into()) });
    }
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#);
    Ok(StoredLimit { read_at: now.fetch_one(db).await?, limit: None })
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
    let used = load(db, connections, None).await?.into_iter().map(|row| {
        let inconsistent = StoreError::Inconsistent { table: "rate_limit", column: "vendor" };
        let vendor = row.vendor.parse().map_err(|_| inconsistent)?;
        Ok(((row.connection.clone(), vendor), UsedLimit { read_at: row.read_at, limit: row.into() }))
    });
    used.collect()
}

/// A row, with the database's time when it was read.
struct LimitRow {
    connection: String,
    vendor: String,
    read_at: Timestamp,
    version: i64,
    granted_at: Vec<i64>,
    granted: Vec<i32>,
    blocked_until: Option<Timestamp>,
    blocked_millis: i64,
    share: f64,
    lowered_at: Option<Timestamp>,
}

impl From<LimitRow> for SharedLimit {
    fn from(row: LimitRow) -> Self {
        Self {
            version: row.version,
            calls: GrantedCalls::new(&row.granted_at, &row.granted),
            blocked_until: row.blocked_until,
            blocked_millis: row.blocked_millis,
            lowered: row.lowered_at.map(|at| (at, row.share)),
        }
    }
}

/// Loads the rows of these connections: those of one vendor, or of all.
async fn load(db: &mut PgConnection, connections: &[&str], vendor: Option<&str>) -> Result<Vec<LimitRow>> {
    let rows = sqlx::query_as!(
        LimitRow,
        r#"select connection, vendor, clock_timestamp() as "read_at!", version, granted_at, granted, blocked_until,
                  blocked_millis, share, lowered_at
           from rate_limit where connection = any($1) and ($2::text is null or vendor = $2)"#,
        connections as &[&str],
        vendor,
    );
    Ok(rows.fetch_all(db).await?)
}

/// A rate limit's new state.
#[derive(Clone, Debug)]
pub struct NewLimit {
    /// The connection.
    pub connection: String,
    /// The vendor.
    pub vendor: Vendor,
    /// The state; its version is one more than that of the state which was read.
    pub limit: SharedLimit,
}

/// Replaces states that are still as they were read, all in one statement. Returns for each the database's time; `None`
/// where another process was faster.
pub async fn replace(db: &mut PgConnection, new: &[&NewLimit]) -> Result<Vec<Option<Timestamp>>> {
    let mut columns = Columns::default();
    for new in new {
        columns.push(new);
    }
    let written = sqlx::query!(
        r#"insert into rate_limit (
             connection, vendor, version, granted_at, granted, blocked_until, share, lowered_at, blocked_millis
         )
         select connection, vendor, version, granted_at::bigint[], granted::integer[], blocked_until, share,
                lowered_at, blocked_millis
         from unnest(
             $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::float8[],
             $8::timestamptz[], $9::bigint[]
         ) as new (
             connection, vendor, version, granted_at, granted, blocked_until, share, lowered_at, blocked_millis
         )
         where version = 1 or exists (
             select from rate_limit as old
             where old.connection = new.connection and old.vendor = new.vendor and old.version = new.version - 1
         )
         -- One lock order for all processes.
         order by connection, vendor
         on conflict on constraint rate_limit_pkey do update set
             version = excluded.version, granted_at = excluded.granted_at, granted = excluded.granted,
             blocked_until = excluded.blocked_until, share = excluded.share, lowered_at = excluded.lowered_at,
             blocked_millis = excluded.blocked_millis
         where rate_limit.version = excluded.version - 1
         returning connection, vendor, clock_timestamp() as "written_at!""#,
        &columns.connection as &[&str],
        &columns.vendor as &[&str],
        &columns.version,
        &columns.granted_at,
        &columns.granted,
        &columns.blocked_until as &[Option<Timestamp>],
        &columns.share,
        &columns.lowered_at as &[Option<Timestamp>],
        &columns.blocked_millis,
    );
    let written = written.fetch_all(db).await?;
    let written: HashMap<_, _> =
        written.iter().map(|row| ((&*row.connection, &*row.vendor), row.written_at)).collect();
    Ok(new.iter().map(|it| written.get(&(&*it.connection, it.vendor.as_str())).copied()).collect())
}

/// States, by column.
#[derive(Default)]
struct Columns<'a> {
    connection: Vec<&'a str>,
    vendor: Vec<&'static str>,
    version: Vec<i64>,
    granted_at: Vec<String>,
    granted: Vec<String>,
    blocked_until: Vec<Option<Timestamp>>,
    share: Vec<f64>,
    lowered_at: Vec<Option<Timestamp>>,
    blocked_millis: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, NewLimit { connection, vendor, limit }: &'a NewLimit) {
        self.connection.push(connection);
        self.vendor.push(vendor.as_str());
        self.version.push(limit.version);
        self.granted_at.push(array_literal(&limit.calls.times()));
        self.granted.push(array_literal(&limit.calls.counts()));
        self.blocked_until.push(limit.blocked_until);
        self.share.push(limit.lowered.map_or(1.0, |(_, share)| share));
        self.lowered_at.push(limit.lowered.map(|(at, _)| at));
        self.blocked_millis.push(limit.blocked_millis);
    }
}
