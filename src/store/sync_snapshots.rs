//! Table `sync_reading`: what a running comparison has read at the warehouse. In rows and not in memory: a catalogue of
//! any size is compared in the space of a few pages, and a process that dies is followed by one that goes on.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, sync_runs::LeasedSync};

/// What was read of one thing at the warehouse.
#[derive(Clone, Debug)]
pub struct Reading {
    /// An order's reference, or a product code.
    pub name: String,
    /// What it is looked up by.
    pub subject: String,
    /// What the warehouse says of it.
    pub body: serde_json::Value,
    /// The shop has it too; or it is only a part of something else.
    pub met: bool,
}

/// Keeps a page of readings; one that was read before is kept as it was first read.
pub async fn keep(db: &mut PgConnection, sync: Uuid, readings: &[Reading]) -> Result<()> {
    let names: Vec<_> = readings.iter().map(|it| it.name.clone()).collect();
    let subjects: Vec<_> = readings.iter().map(|it| it.subject.clone()).collect();
    let bodies: Vec<_> = readings.iter().map(|it| it.body.clone()).collect();
    let met: Vec<_> = readings.iter().map(|it| it.met).collect();
    sqlx::query!(
        "insert into sync_reading (sync_id, name, subject, body, met)
         select $1, told.* from unnest($2::text[], $3::text[], $4::jsonb[], $5::bool[]) as told
         on conflict do nothing",
        sync,
        &names,
        &subjects,
        &bodies,
        &met,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was read of these subjects; those are met.
pub async fn meet(db: &mut PgConnection, sync: Uuid, subjects: &[String]) -> Result<Vec<Reading>> {
    let rows = sqlx::query_as!(
        Reading,
        "update sync_reading set met = true where sync_id = $1 and subject = any($2)
         returning name, subject, body, met",
        sync,
        subjects,
    );
    Ok(rows.fetch_all(db).await?)
}

/// What was read at the warehouse and not met in the shop, by name, behind `after`.
pub async fn unmet(db: &mut PgConnection, sync: Uuid, after: &str, limit: i64) -> Result<Vec<Reading>> {
    let rows = sqlx::query_as!(
        Reading,
        "select name, subject, body, met from sync_reading where sync_id = $1 and not met and name > $2
         order by name limit $3",
        sync,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Codes of the warehouse behind `after`, and of each whether it is left over: the shop's catalogue has it not, nor had
/// under the code that we remember.
pub async fn codes_left_over(
    db: &mut PgConnection,
    held: &LeasedSync,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, bool)>> {
    let rows = sqlx::query!(
        r#"
        with page as materialized (
            select name, subject from sync_reading where sync_id = $1 and name > $3 order by name limit $4
        )
        select name,
            not exists (select 1 from part where part.connection = $2 and part.code_key = page.subject)
            and not exists (
                select 1 from link
                where link.connection = $2 and link.code = page.name
                  and exists (select 1 from part where part.connection = $2 and part.part = link.subject)
            ) as "left_over!"
        from page
        order by name
        "#,
        held.id,
        held.connection,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.name, row.left_over)).collect())
}
