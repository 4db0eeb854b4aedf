//! Table `sync_snapshot`: what a running sync has read at the warehouse. Rows instead of memory: a catalogue
//! of any size is compared in the space of a few pages, and after a crash another process continues.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, sync_runs::LeasedSync};

/// One order or product as read at the warehouse.
#[derive(Clone, Debug)]
pub struct SnapshotRow {
    /// An order's reference, or a product code.
    pub name: String,
    /// Its lookup key: the subject, or the key of the product code.
    pub subject: String,
    /// What the warehouse answered; never personal data.
    pub body: serde_json::Value,
    /// True if the shop has it too, or if it only belongs to another row.
    pub matched: bool,
}

/// Stores a page of rows; a row read before keeps its first content.
pub async fn insert(db: &mut PgConnection, sync: Uuid, rows: &[SnapshotRow]) -> Result<()> {
    let names: Vec<_> = rows.iter().map(|it| it.name.clone()).collect();
    let subjects: Vec<_> = rows.iter().map(|it| it.subject.clone()).collect();
    let bodies: Vec<_> = rows.iter().map(|it| it.body.clone()).collect();
    let matched: Vec<_> = rows.iter().map(|it| it.matched).collect();
    sqlx::query!(
        "insert into sync_snapshot (sync_id, name, subject, body, matched)
         select $1, new.* from unnest($2::text[], $3::text[], $4::jsonb[], $5::bool[]) as new
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

/// Lists those of these subjects that have a row which is not matched yet.
pub async fn list_unmatched_among(
    db: &mut PgConnection,
    sync: Uuid,
    subjects: &[String],
) -> Result<HashSet<String>> {
    let unmatched = sqlx::query_scalar!(
        "select subject from sync_snapshot where sync_id = $1 and subject = any($2) and not matched",
        sync,
        subjects,
    );
    Ok(unmatched.fetch_all(db).await?.into_iter().collect())
}

/// Marks the rows of these subjects as matched and returns them.
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

/// Lists rows that the shop does not have, by name, after `after`.
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

/// Lists the warehouse's codes after `after`, and of each whether it is left over: no item of the shop's
/// catalogue has this code or is recorded at the warehouse under it.
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
            and not exists (select 1 from item where item.connection = $2 and item.warehouse_key = page.subject)
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
