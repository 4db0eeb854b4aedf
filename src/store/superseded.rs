//! Marks tasks that ended badly, or wait for something in the configuration, and are history: a later task of their subject has
//! ended. The lists of what needs attention look past them; nothing else reads the mark.

use sqlx::PgConnection;

use super::Result;

/// Tasks that one statement looks at.
const PAGE_SIZE: i64 = 5_000;

/// Marks all that can be; returns how many. A later task that ended other than by being cancelled stays ended, so a mark is
/// never taken back.
pub async fn mark(db: &mut PgConnection) -> Result<u64> {
    let mut marked = 0;
    let mut after = 0;
    loop {
        let page = mark_page(db, after).await?;
        marked += page.marked.unsigned_abs();
        let Some(last) = page.last else { return Ok(marked) };
        after = last;
    }
}

struct MarkedPage {
    last: Option<i64>,
    marked: i64,
}

async fn mark_page(db: &mut PgConnection, after: i64) -> Result<MarkedPage> {
    let page = sqlx::query_as!(
        MarkedPage,
        r#"
        with looked_at as materialized (
            select id, connection, subject, number from task
            where number > $1 and not is_superseded and (
                state in ('dead', 'in_doubt') and state = 'dead'
                or state in ('pending', 'skipped') and state = 'skipped' and reason in (
                    'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update',
                    'stock_update_off', 'held_by_operator', 'payment_not_activated', 'held_at_warehouse'
                )
            )
            order by number limit $2
        ),
        marked as (
            update task set is_superseded = true
            from looked_at
            where task.id = looked_at.id and task.connection = looked_at.connection
              and task.state in ('dead', 'skipped') and exists (
                select 1 from task as newer
                where newer.connection = looked_at.connection and newer.subject = looked_at.subject
                  and newer.number > looked_at.number and newer.state <> 'cancelled' and newer.settled_at is not null
                offset 0
            )
            returning 1
        )
        select (select max(number) from looked_at) as last, (select count(*) from marked) as "marked!"
        "#,
        after,
        PAGE_SIZE,
    );
    Ok(page.fetch_one(db).await?)
}
