//! Folds what writers have appended into the counts, and compares the counts with the rows.
//!
//! A count is the sum in `order_count` or `open_task_count` and the changes that are not folded yet, so it is exact in every
//! snapshot. `views` reads it. What a program of before, or a hand, wrote past the counts is found and corrected by
//! [`recount`].

use sqlx::PgConnection;

use super::Result;
use crate::domain::histogram::Scale;

/// Changes that one statement folds at most.
const PAGE_SIZE: i64 = 10_000;

/// Recent changes kept of each connection.
const RECENT: i64 = 50;

/// True if there is anything to fold.
pub async fn has_changes(db: &mut PgConnection) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"select exists (select from order_change) or exists (select from open_task_change) as "changed!""#
    );
    Ok(changed.fetch_one(db).await?)
}

/// Folds a page of changes; returns true if there may be more. Processes that fold at once take different rows.
pub async fn fold(db: &mut PgConnection) -> Result<bool> {
    let orders = fold_orders(db).await?;
    let tasks = fold_open_tasks(db).await?;
    if orders > 0 {
        trim_recent(db).await?;
    }
    Ok(orders == PAGE_SIZE || tasks == PAGE_SIZE)
}

/// Folds changes of orders into the counts, the hours and the recent changes, in one statement.
async fn fold_orders(db: &mut PgConnection) -> Result<i64> {
    let bounds: Vec<_> =
        Scale::Waits.bounds().iter().map(|bound| i64::try_from(*bound).unwrap_or(i64::MAX)).collect();
    let folded = sqlx::query_scalar!(
        r#"
        with taken as (
            delete from order_change where (connection, number) in (
                select connection, number from order_change order by number limit $1 for update skip locked
            )
            returning *
        ),
        counted as (
            insert into order_count (connection, status, count)
            select connection, status, sum(change) from (
                select connection, status, 1 as change from taken where status is not null
                union all
                select connection, status_before, -1 from taken where status_before is not null
            ) changed
            group by 1, 2 having sum(change) <> 0 order by 1, 2
            on conflict on constraint order_count_pkey do update set count = order_count.count + excluded.count
        ),
        happened as (
            select connection, date_trunc('hour', changed_at) as hour,
                   (status_before is null)::int as came_in, is_placed::int as placed,
                   -- An order that was shipped before it was first read was not shipped now.
                   (status_before is not null and status_before <> 'delivered' and status = 'delivered')::int as shipped,
                   (status_before <> 'cancelled' and status = 'cancelled')::int as cancelled,
                   (status_before <> 'returned' and status = 'returned')::int as returned,
                   -- The first step whose bound is not exceeded.
                   (select count(*) from unnest($2::bigint[]) as bound where bound < placed_after_millis) as step,
                   placed_after_millis is not null as has_waited
            from taken where status is not null
        ),
        added as (
            insert into order_hour (connection, hour, came_in, placed, shipped, cancelled, returned, waits)
            select connection, hour, sum(came_in), sum(placed), sum(shipped), coalesce(sum(cancelled), 0),
                   coalesce(sum(returned), 0), array(
                select count(*) filter (where waited.step = steps.step)
                from generate_series(0, cardinality($2)) as steps (step)
                left join happened waited
                    on waited.connection = happened.connection and waited.hour = happened.hour and waited.has_waited
                group by steps.step order by steps.step
            )
            from happened
            group by connection, hour
            having sum(came_in + placed + shipped) + coalesce(sum(cancelled + returned), 0) > 0
            order by connection, hour
            on conflict on constraint order_hour_pkey do update set
                came_in = order_hour.came_in + excluded.came_in,
                placed = order_hour.placed + excluded.placed,
                shipped = order_hour.shipped + excluded.shipped,
                cancelled = order_hour.cancelled + excluded.cancelled,
                returned = order_hour.returned + excluded.returned,
                waits = add_counts(order_hour.waits, excluded.waits)
        ),
        recent as (
            insert into recent_order_change (connection, number, subject, status_before, status, is_placed, changed_at)
            select connection, number, subject, status_before, status, is_placed, changed_at
            from (
                select *, row_number() over (partition by connection order by number desc) as nth
                from taken where status is not null
            ) newest
            where nth <= $3
        )
        select count(*) as "count!" from taken
        "#,
        PAGE_SIZE,
        &bounds,
        RECENT,
    );
    Ok(folded.fetch_one(db).await?)
}

async fn fold_open_tasks(db: &mut PgConnection) -> Result<i64> {
    let folded = sqlx::query_scalar!(
        r#"
        with taken as (
            delete from open_task_change where (connection, number) in (
                select connection, number from open_task_change order by number limit $1 for update skip locked
            )
            returning *
        ),
        counted as (
            insert into open_task_count (connection, kind, count)
            select connection, kind, sum(change) from taken group by 1, 2 having sum(change) <> 0 order by 1, 2
            on conflict on constraint open_task_count_pkey do update set
                count = open_task_count.count + excluded.count
        )
        select count(*) as "count!" from taken
        "#,
        PAGE_SIZE,
    );
    Ok(folded.fetch_one(db).await?)
}

/// Keeps the newest changes of each connection.
async fn trim_recent(db: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "delete from recent_order_change using (
             select connection, number, row_number() over (partition by connection order by number desc) as nth
             from recent_order_change
         ) old
         where recent_order_change.connection = old.connection and recent_order_change.number = old.number and nth > $1",
        RECENT,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A count that did not agree with the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The connection.
    pub connection: String,
    /// A status of orders, or the kind of open tasks.
    pub what: String,
    /// What was added.
    pub change: i64,
}

/// Counts all rows and corrects the counts where they differ; returns what it corrected. Rows and counts are read in one
/// snapshot, and the correction is one more change, so writers go on meanwhile and nothing is counted twice.
pub async fn recount(db: &mut PgConnection) -> Result<Vec<Correction>> {
    let mut corrections = recount_orders(db).await?;
    corrections.extend(recount_open_tasks(db).await?);
    Ok(corrections)
}

async fn recount_orders(db: &mut PgConnection) -> Result<Vec<Correction>> {
    let rows = sqlx::query_as!(
        Correction,
        r#"
        with kept as (
            select connection, status, sum(count)::bigint as count from (
                select connection, status, count from order_count
                union all
                select connection, status, 1 from order_change where status is not null
                union all
                select connection, status_before, -1 from order_change where status_before is not null
            ) parts group by 1, 2
        ),
        there as (
            select connection, status, count(*) as count from subject_state where status is not null group by 1, 2
        ),
        wrong as (
            select connection, status, coalesce(there.count, 0) - coalesce(kept.count, 0) as change
            from there full join kept using (connection, status)
            where coalesce(there.count, 0) <> coalesce(kept.count, 0)
        ),
        corrected as (
            insert into order_count (connection, status, count)
            select connection, status, change from wrong order by 1, 2
            on conflict on constraint order_count_pkey do update set count = order_count.count + excluded.count
        )
        select connection as "connection!", status as "what!", change as "change!" from wrong order by 1, 2
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}

async fn recount_open_tasks(db: &mut PgConnection) -> Result<Vec<Correction>> {
    let rows = sqlx::query_as!(
        Correction,
        r#"
        with kept as (
            select connection, kind, sum(count)::bigint as count from (
                select connection, kind, count from open_task_count
                union all
                select connection, kind, change from open_task_change
            ) parts group by 1, 2
        ),
        there as (
            select connection, kind, count(*) as count from task
            where state in ('pending', 'leased', 'in_doubt') group by 1, 2
        ),
        wrong as (
            select connection, kind, coalesce(there.count, 0) - coalesce(kept.count, 0) as change
            from there full join kept using (connection, kind)
            where coalesce(there.count, 0) <> coalesce(kept.count, 0)
        ),
        corrected as (
            insert into open_task_count (connection, kind, count)
            select connection, kind, change from wrong order by 1, 2
            on conflict on constraint open_task_count_pkey do update set
                count = open_task_count.count + excluded.count
        )
        select connection as "connection!", kind as "what!", change as "change!" from wrong order by 1, 2
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}
