//! Table `configuration`: the newest configuration that a process has started with.

use std::time::Duration;

use sqlx::PgConnection;

use super::Result;
use crate::domain::configuration_watch::ConfigurationWatch;

/// Makes a process's configuration the newest.
pub async fn adopt(db: &mut PgConnection, watch: &ConfigurationWatch) -> Result<()> {
    sqlx::query!(
        "insert into configuration (digest) values ($1)
         on conflict on constraint configuration_pkey do update set
             generation = configuration.generation + 1, digest = excluded.digest, checks = 0
         where configuration.digest <> excluded.digest",
        watch.digest(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// True where a process's configuration is the newest. One whose newer configuration has no process any more makes its own
/// the newest again. `monotonic` is the process's time by a clock that never steps.
pub async fn is_newest(
    db: &mut PgConnection,
    watch: &ConfigurationWatch,
    monotonic: Duration,
) -> Result<bool> {
    let newest = sqlx::query!("select digest, checks from configuration").fetch_optional(&mut *db).await?;
    match newest {
        Some(newest) if newest.digest == watch.digest() => Ok(true),
        Some(newest) if !watch.is_abandoned(&newest.digest, newest.checks, monotonic) => Ok(false),
        Some(_) | None => {
            adopt(db, watch).await?;
            Ok(true)
        }
    }
}

/// Shows older configurations that a process of this one is at work.
pub async fn count_check(db: &mut PgConnection, watch: &ConfigurationWatch) -> Result<()> {
    sqlx::query!("update configuration set checks = checks + 1 where digest = $1", watch.digest())
        .execute(db)
        .await?;
    Ok(())
}
