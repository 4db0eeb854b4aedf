//! What a chaos run does to the database or asks of it. The service never calls this.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// Makes every insert into `event` and `attempt` fail as on a full disk (SQLSTATE 53100). Each table is a
/// commit of its own: both in one could deadlock with a writer of both.
pub async fn simulate_full_disk(db: &mut PgConnection) -> Result<()> {
    for statement in [
        "create or replace function chaos_disk_full() returns trigger language plpgsql as $$
             begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end
         $$",
        "create or replace trigger chaos_disk_full before insert on event
             for each statement execute function chaos_disk_full()",
        "create or replace trigger chaos_disk_full before insert on attempt
             for each statement execute function chaos_disk_full()",
    ] {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}

/// Ends the simulated full disk.
pub async fn end_full_disk(db: &mut PgConnection) -> Result<()> {
    for statement in [
        "drop trigger if exists chaos_disk_full on event",
        "drop trigger if exists chaos_disk_full on attempt",
        "drop function if exists chaos_disk_full()",
    ] {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}

/// Counts how many of these events are stored.
pub async fn count_events(db: &mut PgConnection, ids: &[Uuid]) -> Result<i64> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from event where id = any($1)"#, ids);
    Ok(count.fetch_one(db).await?)
}

/// Counts attempts that were lost and rescued.
pub async fn count_rescued(db: &mut PgConnection) -> Result<i64> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from attempt where outcome = 'lost'"#);
    Ok(count.fetch_one(db).await?)
}
