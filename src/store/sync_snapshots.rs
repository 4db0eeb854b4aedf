//! Table `sync_snapshot`: what a running sync has read at the warehouse. In rows and not in memory: a catalogue of
//! any size is compared in the space of a few pages, and a process that dies is followed by one that goes on.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, sync_runs::LeasedSync};

/// What was read of one thing at the warehouse.
#[derive(Clone, Debug)]
pub struct SnapshotRow {
    /// An order's reference, or a product code.
    pub name: String,
    /// What it is looked up by.
    pub subject: String,
    /// What the warehouse says of it.
    pub body: serde_json::Value,
    /// The shop has it too; or it is only a part of something else.
    pub matched: bool,
}

/// Keeps a page of readings; one that was read before is kept as it was first read.
pub async fn insert(db: &mut PgConnection, sync: Uuid, readings: &[SnapshotRow]) -> Result<()> {
    let names: Vec<_> = readings.iter().map(|it| it.name.clone()).collect();
    let subjects: Vec<_> = readings.iter().map(|it| it.subject.clone()).collect();
    let bodies: Vec<_> = readings.iter().map(|it| it.body.clone()).collect();
    let matched: Vec<_> = readings.iter().map(|it| it.matched).collect();
    sqlx::query!(
        "insert into sync_snapshot (sync_id, name, subject, body, matched)
         select $1, new_row.* from unnest($2::text[], $3::text[], $4::jsonb[], $5::bool[]) as new_row
         on conflict do nothing",
        sync,
        &names,
        &subjects,
        &bodies,
        &matched,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was read of these subjects; those are matched.
pub async fn mark_matched(
    db: &mut PgConnection,
    sync: Uuid,
    subjects: &[String],
) -> Result<Vec<SnapshotRow>> {
    let rows = sqlx::query_as!(
        SnapshotRow,
        "update sync_snapshot set matched = true where sync_id = $1 and subject = any($2)
         returning name, subject, body, matched",
        sync,
        subjects,
    );
    Ok(rows.fetch_all(db).await?)
}

/// What was read at the warehouse and not matched in the shop, by name, behind `after`.
pub async fn list_unmatched(
    db: &mut PgConnection,
    sync: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<SnapshotRow>> {
    let rows = sqlx::query_as!(
        SnapshotRow,
        "select name, subject, body, matched from sync_snapshot where sync_id = $1 and not matched and name > $2
         order by name limit $3",
        sync,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Codes of the warehouse behind `after`, and of each whether it is left over: the shop's catalogue has it not, nor had
/// under the code that we remember.
pub async fn list_codes_left_over(
    db: &mut PgConnection,
    leased: &LeasedSync,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, bool)>> {
    let rows = sqlx::query!(
        r#"
        with page as materialized (
            select name, subject from sync_snapshot where sync_id = $1 and name > $3 order by name limit $4
        )
        select name,
            not exists (select 1 from item where item.connection = $2 and item.code_key = page.subject)
            and not exists (
                select 1 from subject_state
                where subject_state.connection = $2 and subject_state.code = page.name
                  and exists (select 1 from item where item.connection = $2 and item.item = subject_state.subject)
            ) as "left_over!"
        from page
        order by name
        "#,
        leased.id,
        leased.connection,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.name, row.left_over)).collect())
}
