//! Table `sync_difference`: the differences that syncs found, and the tasks that fix them.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::task::reason::Reason;

/// A new difference.
#[derive(Clone, Debug)]
pub struct NewDifference {
    /// As `order:1042`; for what is not the shop's, the warehouse's reference or code.
    pub subject: String,
    /// The item of a product; empty if the difference concerns the whole subject.
    pub item: String,
    /// What differs, from a closed set.
    pub difference: &'static str,
    /// Closed reason code, if an operator must decide.
    pub reason: Option<Reason>,
    /// Explanation for people; never personal data.
    pub detail: Option<String>,
    /// What fixes it.
    pub remedy: String,
    /// True if a task can fix it. The sync opens that task at its end, or leaves it for approval.
    pub awaits_approval: bool,
}

/// Stores differences in the order they were found, each once. Returns the kinds of the new ones. Called
/// inside a transaction that is fenced by the claim.
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
        select $1, before.position + row_number() over (order by new.position), new.subject, new.item,
               new.difference, new.reason, new.detail, new.remedy, new.awaits_approval, false
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[])
            with ordinality
            as new (subject, item, difference, reason, detail, remedy, awaits_approval, position)
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

/// Lists differences that a task can fix and none does yet, by position: position and subject.
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

/// Records which tasks fix these differences.
pub async fn mark_fixing(db: &mut PgConnection, sync: Uuid, positions: &[i32], tasks: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "update sync_difference set awaits_approval = false, fixing = true, task_id = fix.task_id
         from unnest($2::integer[], $3::uuid[]) as fix (position, task_id)
         where sync_id = $1 and sync_difference.position = fix.position",
        sync,
        positions,
        tasks,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A difference as pages and the API show it.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceRow {
    /// From 1, in the order found.
    pub position: i32,
    /// As `order:1042`; for what is not the shop's, the warehouse's reference or code.
    pub subject: String,
    /// The item of a product, as `product:77/5`; empty if the difference concerns the whole subject.
    pub item: String,
    /// What differs, from a closed set.
    pub difference: String,
    /// Closed reason code, if an operator must decide.
    pub reason: Option<String>,
    /// Explanation for people; never personal data.
    pub detail: Option<String>,
    /// What fixes it.
    pub remedy: String,
    /// True if a task was opened to fix it.
    pub fixing: bool,
    /// True if it waits for an operator's approval.
    pub awaits_approval: bool,
    /// The task that fixes it.
    pub task_id: Option<Uuid>,
    /// That task's state: once `done`, the difference is fixed.
    pub task_state: Option<String>,
}

/// Lists up to `limit` differences of a sync after a position, in the order found.
pub async fn list(db: &mut PgConnection, id: Uuid, after: i32, limit: i64) -> Result<Vec<DifferenceRow>> {
    let rows = sqlx::query_as!(
        DifferenceRow,
        r#"
        select found.position, found.subject, found.item, found.difference, found.reason, found.detail,
               found.remedy, found.fixing, found.awaits_approval, found.task_id, task.state as "task_state?"
        from sync_difference found left join task on task.id = found.task_id
        where found.sync_id = $1 and found.position > $2
        order by found.position
        limit $3
        "#,
        id,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
