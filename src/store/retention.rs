//! What is kept for how long, over the tables `event`, `attempt`, `task`, `sync` and `idempotency`.
//!
//! Everything goes a page at a time, each page its own statement and commit, found by a range of ids (they sort by time)
//! and never by a walk over the table; what somebody else has locked is passed by and met again. So it blocks nobody.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// Rows of a page.
const PAGE: i64 = 500;

/// What is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// The bodies of events.
    EventBodies,
    /// What was sent, in the calls of attempts.
    AttemptPayloads,
}

impl Redacted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EventBodies => "event_bodies",
            Self::AttemptPayloads => "attempt_payloads",
        }
    }
}

/// How far a page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedactedPage {
    /// Rows that it redacted.
    pub redacted: i64,
    /// The last id that it looked at; nothing, once there was none left to look at.
    pub last: Option<Uuid>,
    /// The first id that must be met again: its task is still open.
    pub first_open: Option<Uuid>,
}

/// How far the blanking has come.
pub async fn find_reached(db: &mut PgConnection, what: Redacted) -> Result<Uuid> {
    let row = sqlx::query_scalar!("select reached from retention where what = $1", what.as_str());
    Ok(row.fetch_optional(db).await?.unwrap_or_default())
}

/// Keeps how far it has come.
pub async fn record_reached(
    db: &mut PgConnection,
    what: Redacted,
    reached: Uuid,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into retention (what, reached, ran_at) values ($1, $2, $3)
         on conflict (what) do update set reached = excluded.reached, ran_at = excluded.ran_at",
        what.as_str(),
        reached,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Blanks a page of closed things with ids after `after` and before `before`.
pub async fn blank(
    db: &mut PgConnection,
    what: Redacted,
    after: Uuid,
    before: Uuid,
    now: Timestamp,
) -> Result<RedactedPage> {
    let page = match what {
        Redacted::EventBodies => {
            sqlx::query_as!(
                RedactedPage,
                r#"
                with page as (
                    select id, task_id is not null and exists (
                        select 1 from task where task.id = event.task_id and settled_at is null
                    ) as is_open
                    from event where id > $1 and id < $2 order by id limit $3
                ),
                redacted as (
                    update event set body = '', redacted_at = $4
                    from page where event.id = page.id and not is_open and redacted_at is null
                    returning 1
                )
                select
                    (select count(*) from redacted) as "redacted!",
                    (array_agg(id order by id desc))[1] as last,
                    (array_agg(id order by id) filter (where is_open))[1] as first_open
                from page
                "#,
                after,
                before,
                PAGE,
                now,
            )
            .fetch_one(db)
            .await?
        }
        Redacted::AttemptPayloads => {
            sqlx::query_as!(
                RedactedPage,
                r#"
                with page as (
                    select id, settled_at is null as is_open
                    from task where id > $1 and id < $2 order by id limit $3
                ),
                redacted as (
                    update attempt set redacted_at = $4, calls = (
                        select coalesce(jsonb_agg(call - 'request' order by position), '[]')
                        from jsonb_array_elements(attempt.calls) with ordinality as entry (call, position)
                    )
                    from page where attempt.task_id = page.id and not is_open and redacted_at is null
                    returning 1
                )
                select
                    (select count(*) from redacted) as "redacted!",
                    (array_agg(id order by id desc))[1] as last,
                    (array_agg(id order by id) filter (where is_open))[1] as first_open
                from page
                "#,
                after,
                before,
                PAGE,
                now,
            )
            .fetch_one(db)
            .await?
        }
    };
    Ok(page)
}

/// Removes a page of tasks closed before `closed_before`, with their events and attempts; answers how many. One
/// that a replay which stays names, stays too.
pub async fn remove_tasks(db: &mut PgConnection, before: Uuid, closed_before: Timestamp) -> Result<u64> {
    let removed = sqlx::query_scalar!(
        r#"
        with old as materialized (
            select id from task
            where id < $1 and settled_at < $2
              and not exists (select 1 from task replay where replay.replay_of = task.id)
            order by id
            limit $3
            for update skip locked
        ),
        attempts as (delete from attempt using old where attempt.task_id = old.id),
        events as (delete from event using old where event.task_id = old.id),
        removed as (delete from task using old where task.id = old.id returning 1)
        select count(*) as "count!" from removed
        "#,
        before,
        closed_before,
        PAGE,
    );
    Ok(removed.fetch_one(db).await?.unsigned_abs())
}

/// Removes a page of events that never had a task; answers how many.
pub async fn remove_events_without_task(db: &mut PgConnection, before: Uuid) -> Result<u64> {
    let done = sqlx::query!(
        "delete from event where id in (
             select id from event where id < $1 and task_id is null order by id limit $2 for update skip locked
         )",
        before,
        PAGE,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes syncs finished before then, with their differences; answers how many.
pub async fn remove_syncs(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sync where id in (
             select id from sync where finished_at < $1 order by id limit 20 for update skip locked
         )",
        before,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes answers to keyed requests that nobody will repeat any more; answers how many.
pub async fn remove_idempotency_keys(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from idempotency where (actor, key) in (
             select actor, key from idempotency where created_at < $1 limit $2 for update skip locked
         )",
        before,
        PAGE,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// What an erasure has redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Events whose bodies are gone.
    pub events: u64,
    /// Attempts whose payloads are gone.
    pub attempts: u64,
}

/// Blanks everything kept of a subject that may speak of a person: bodies, payloads, tracking, the warehouse's comments.
/// What remains are ids, codes, states and times. Called inside the transaction that audits it.
pub async fn erase(db: &mut PgConnection, connection: &str, subject: &str, now: Timestamp) -> Result<Erased> {
    let events = sqlx::query!(
        "update event set body = '', redacted_at = $3
         from task
         where task.connection = $1 and task.subject = $2
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt')) -- names both indexes
           and event.task_id = task.id and redacted_at is null",
        connection,
        subject,
        now,
    );
    let events = events.execute(&mut *db).await?.rows_affected();
    let attempts = sqlx::query!(
        "update attempt set redacted_at = $3, calls = (
             select coalesce(jsonb_agg(call - 'request' order by position), '[]')
             from jsonb_array_elements(attempt.calls) with ordinality as entry (call, position)
         )
         from task
         where task.connection = $1 and task.subject = $2
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt')) -- names both indexes
           and attempt.task_id = task.id and redacted_at is null",
        connection,
        subject,
        now,
    );
    let attempts = attempts.execute(&mut *db).await?.rows_affected();
    sqlx::query!(
        "update subject_state
         set sent = null, tracking_code = null, tracking_url = null, warehouse_comments = null, related = null
         where connection = $1 and subject = $2",
        connection,
        subject,
    )
    .execute(&mut *db)
    .await?;
    Ok(Erased { events, attempts })
}

/// Has a subject a task that is still open?
pub async fn has_open_task(db: &mut PgConnection, connection: &str, subject: &str) -> Result<bool> {
    let open = sqlx::query_scalar!(
        r#"select exists (
               select 1 from task
               where connection = $1 and subject = $2 and state in ('pending', 'leased', 'in_doubt')
           ) as "open!""#,
        connection,
        subject,
    );
    Ok(open.fetch_one(db).await?)
}
