//! Table `connection`: when a connection began, by the database's clock and by the shop's.

use std::time::Duration;

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// The database's time.
pub async fn database_time(db: &mut PgConnection) -> Result<Timestamp> {
    Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(db).await?)
}

/// Records the database's time for connections that have just been configured; returns these.
pub async fn begin(db: &mut PgConnection, names: &[String], database_now: Timestamp) -> Result<Vec<String>> {
    let begun = sqlx::query_scalar!(
        "update connection set connecting_at = $2
         where name = any($1) and connecting_at is null and shop_connected_at is null
         returning name",
        names,
        database_now,
    );
    Ok(begun.fetch_all(db).await?)
}

/// How long ago a connection was configured.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    /// Measured by the process that recorded it, with a clock that cannot be set.
    Begin(Duration),
    /// What the database's clock says, whose time this is.
    DatabaseTime(Timestamp),
}

/// Stores when a connection began by the shop's clock, which shows `date` now, unless that is known; returns what is
/// stored. Whole seconds, since the shop's times have no fraction.
pub async fn record_shop_date(
    db: &mut PgConnection,
    name: &str,
    date: Timestamp,
    since: Since,
) -> Result<Option<Timestamp>> {
    let (seconds, database_now) = match since {
        Since::Begin(passed) => (Some(passed.as_secs_f64()), None),
        Since::DatabaseTime(now) => (None, Some(now)),
    };
    let stored = sqlx::query_scalar!(
        r#"update connection set shop_connected_at = coalesce(
               shop_connected_at,
               date_trunc('second', $2::timestamptz - greatest(
                   coalesce($3::double precision * interval '1 second', $4::timestamptz - connecting_at, interval '0'), interval '0'
               ))
           )
           where name = $1 returning shop_connected_at as "at!""#,
        name,
        date,
        seconds,
        database_now,
    );
    Ok(stored.fetch_optional(db).await?)
}
