//! What needs an operator's attention, grouped by cause.
//!
//! Only a subject's newest task counts: a dead task is history once a later task of its subject has run. A
//! cancelled task did not run.

use sqlx::PgConnection;
use uuid::Uuid;

use super::overview::TaskFilter;
use crate::domain::Timestamp;
use crate::store::Result;

/// Tasks that need attention for the same cause.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AttentionCause {
    /// Their connection.
    pub connection: String,
    /// order, stock or product.
    pub kind: String,
    /// dead; `in_doubt`; or `on_hold`: what waits for a release, here or at the warehouse.
    pub state: String,
    /// Closed reason code.
    pub reason: String,
    /// Tells two causes with one reason apart: the shipping method that has no rule.
    pub detail: Option<String>,
    /// How many.
    pub count: i64,
    /// When the oldest of them was opened.
    pub oldest_at: Timestamp,
    /// The oldest of them, up to [`MAX_OLDEST`]; for pages.
    #[serde(skip)]
    pub oldest_ids: Vec<Uuid>,
    /// The subjects of these.
    #[serde(skip)]
    pub oldest_subjects: Vec<String>,
}

/// Tasks that a cause names.
pub const MAX_OLDEST: i32 = 5;

/// Lists all causes, the most frequent first.
pub async fn list_causes(db: &mut PgConnection) -> Result<Vec<AttentionCause>> {
    let rows = sqlx::query_as!(
        AttentionCause,
        r#"
        with stuck as (
            select id, connection, kind, subject, 'dead' as state, reason, created_at from dead_letter
            union all
            select id, connection, kind, subject, 'in_doubt', reason, created_at
            from task where state = 'in_doubt' and state in ('dead', 'in_doubt') and not is_superseded
            union all
            -- Orders on hold: the newest task of each, whatever became of an older one. "offset 0" keeps it to the indexes.
            select held.id, held.connection, held.kind, held.subject, 'on_hold', held.reason, held.created_at
            from task as held
            where state in ('pending', 'skipped') and not is_superseded
              and reason in (
                  'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update',
                  'stock_update_off', 'held_by_operator', 'payment_not_activated', 'held_at_warehouse'
              )
              and reason in ('manual_transfer', 'held_by_operator', 'payment_not_activated', 'held_at_warehouse')
              and exists (
                select 1 from subject_state
                where subject_state.connection = held.connection and subject_state.subject = held.subject
                  and status in ('not_transferred', 'needs_attention')
                offset 0
              )
              -- An open task is the newest of its subject.
              and (state = 'pending' or not exists (
                select 1 from task as newer
                where newer.connection = held.connection and newer.subject = held.subject
                  and newer.number > held.number and newer.settled_at is not null
                offset 0
              )
              and not exists (
                select 1 from task as newer
                where newer.connection = held.connection and newer.subject = held.subject
                  and newer.number > held.number and newer.state in ('pending', 'leased', 'in_doubt')
                offset 0
              ))
            union all
            select id, connection, kind, subject, 'on_hold', reason, created_at
            from switched_task where reason in ('manual_upload', 'manual_stock_update')
        ),
        detailed as (
            select stuck.*, case when reason in ('shipping_unmapped', 'refused', 'conflict', 'payment_not_activated') then (
                select attempt.detail from attempt where task_id = stuck.id order by number desc limit 1
            ) end as detail
            from stuck
        )
        select connection as "connection!", kind as "kind!", state as "state!", coalesce(reason, '') as "reason!",
               detail, count(*) as "count!", min(created_at) as "oldest_at!",
               (array_agg(id order by created_at, id))[:$1] as "oldest_ids!",
               (array_agg(subject order by created_at, id))[:$1] as "oldest_subjects!"
        from detailed
        group by 1, 2, 3, 4, 5
        order by count(*) desc, min(created_at)
        limit 200
        "#,
        MAX_OLDEST,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Counts the closed tasks that match a filter, are their subject's newest and not marked as handled: what a replay by it would
/// run.
pub async fn count_closed(db: &mut PgConnection, filter: &TaskFilter) -> Result<i64> {
    let reasons: Vec<_> = filter.reason.as_deref().into_iter().collect();
    count_closed_for(db, filter, Some(&*reasons).filter(|it| !it.is_empty())).await
}

/// Counts those of them that closed for one of these reasons; for any of them where `None`. The filter's own is not asked.
pub async fn count_closed_for(
    db: &mut PgConnection,
    filter: &TaskFilter,
    reasons: Option<&[&str]>,
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from task
        where ($1::text is null or connection = $1)
          and ($2::text is null or state = $2)
          and ($3::text is null or kind = $3)
          and ($4::text is null or subject = $4)
          and ($5::text[] is null or reason = any($5))
          and ($6::timestamptz is null or created_at >= $6)
          and ($7::timestamptz is null or created_at < $7)
          and ($8::text is null or $8 = (
              select attempt.detail from attempt where task_id = task.id order by number desc limit 1
          ))
          and settled_at is not null
          and not is_superseded
          and handled_at is null
          and not exists (
              select 1 from task as newer
              where newer.connection = task.connection and newer.subject = task.subject
                and newer.number > task.number and newer.state <> 'cancelled' and newer.settled_at is not null
              offset 0
          )
          and not exists (
              select 1 from task as newer
              where newer.connection = task.connection and newer.subject = task.subject
                and newer.number > task.number and newer.state in ('pending', 'leased', 'in_doubt')
              offset 0
          )
        "#,
        filter.connection,
        filter.state,
        filter.kind,
        filter.subject,
        reasons as Option<&[&str]>,
        filter.since,
        filter.until,
        filter.detail,
    );
    Ok(count.fetch_one(db).await?)
}
