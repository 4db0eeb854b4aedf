//! Table `sync_difference`: what syncs found, and what fixes it.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::task::outcome::Reason;

/// A difference found, before it is kept.
#[derive(Clone, Debug)]
pub struct NewDifference {
    /// As `order:1042`, or the warehouse's own reference or code for what is not ours.
    pub subject: String,
    /// The part of a product; empty where the subject is whole.
    pub item: String,
    /// What differs, a word of a closed set.
    pub difference: &'static str,
    /// Closed reason code, where a person must decide.
    pub reason: Option<Reason>,
    /// Plain words; never personal data.
    pub detail: Option<String>,
    /// What fixes it.
    pub remedy: String,
    /// It could be fixed by a task, once the whole is known and nothing speaks against it.
    pub awaits_approval: bool,
}

/// Keeps differences in the order of finding; one that was found before is kept once. Answers the words of the new ones.
/// Called inside a transaction that the claim fences.
pub async fn insert(db: &mut PgConnection, sync: Uuid, found: &[NewDifference]) -> Result<Vec<String>> {
    let column = |pick: fn(&NewDifference) -> String| found.iter().map(pick).collect::<Vec<_>>();
    let reasons: Vec<_> = found.iter().map(|it| it.reason.map(|reason| reason.code().to_owned())).collect();
    let details: Vec<_> = found.iter().map(|it| it.detail.clone()).collect();
    let awaits_approval: Vec<_> = found.iter().map(|it| it.awaits_approval).collect();
    let new = sqlx::query_scalar!(
        "
        insert into sync_difference (
            sync_id, position, subject, item, difference, reason, detail, remedy, awaits_approval, fixing
        )
        select $1, before.position + row_number() over (order by difference_row.position), difference_row.subject, difference_row.item, difference_row.difference,
               difference_row.reason, difference_row.detail, difference_row.remedy, difference_row.awaits_approval, false
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[])
            with ordinality as difference_row (subject, item, difference, reason, detail, remedy, awaits_approval, position)
        cross join (select coalesce(max(position), 0) as position from sync_difference where sync_id = $1) before
        on conflict on constraint sync_difference_unique do nothing
        returning difference
        ",
        sync,
        &column(|it| it.subject.clone()),
        &column(|it| it.item.clone()),
        &column(|it| it.difference.to_owned()),
        &reasons as &[Option<String>],
        &details as &[Option<String>],
        &column(|it| it.remedy.clone()),
        &awaits_approval,
    );
    Ok(new.fetch_all(db).await?)
}

/// Differences that wait to be fixed, in the order of finding: position, subject and word.
pub async fn list_awaiting_approval(
    db: &mut PgConnection,
    sync: Uuid,
    withheld: &[String],
    limit: i64,
) -> Result<Vec<(i32, String)>> {
    let rows = sqlx::query!(
        "select position, subject from sync_difference
         where sync_id = $1 and awaits_approval and not difference = any($2) order by position limit $3",
        sync,
        withheld,
        limit,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.position, row.subject)).collect())
}

/// These differences are fixed by these tasks.
pub async fn mark_fixing(db: &mut PgConnection, sync: Uuid, places: &[i32], tasks: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "update sync_difference set awaits_approval = false, fixing = true, task_id = difference_row.task_id
         from unnest($2::integer[], $3::uuid[]) as difference_row (position, task_id)
         where sync_id = $1 and sync_difference.position = difference_row.position",
        sync,
        places,
        tasks,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A difference that a sync found, as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceRow {
    /// From 1, in the order of finding.
    pub position: i32,
    /// As `order:1042`, or the warehouse's own reference or code for what is not ours.
    pub subject: String,
    /// The part of a product, as `product:77/5`; empty where the subject is whole.
    pub item: String,
    /// What differs, a word of a closed set.
    pub difference: String,
    /// Closed reason code, where a person must decide.
    pub reason: Option<String>,
    /// Plain words; never personal data.
    pub detail: Option<String>,
    /// What fixes it.
    pub remedy: String,
    /// True where a task was opened to fix it.
    pub fixing: bool,
    /// True where it awaits_approval for a person's approval.
    pub awaits_approval: bool,
    /// The task that fixes it.
    pub task_id: Option<Uuid>,
    /// Where that stands: once `done`, the difference is fixed.
    pub task_state: Option<String>,
}

/// A sync's differences behind a position, in the order of finding, at most so many.
pub async fn list(db: &mut PgConnection, id: Uuid, after: i32, limit: i64) -> Result<Vec<DifferenceRow>> {
    let rows = sqlx::query_as!(
        DifferenceRow,
        r#"
        select difference_row.position, difference_row.subject, difference_row.item, difference_row.difference, difference_row.reason, difference_row.detail, difference_row.remedy,
               difference_row.fixing, difference_row.awaits_approval, difference_row.task_id, task.state as "task_state?"
        from sync_difference difference_row left join task on task.id = difference_row.task_id
        where difference_row.sync_id = $1 and difference_row.position > $2
        order by difference_row.position
        limit $3
        "#,
        id,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
