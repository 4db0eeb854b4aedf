//! What is kept for how long, over the tables `event`, `attempt`, `delivery`, `sync` and `idempotency`.
//!
//! Everything goes a page at a time, each page its own statement and commit, found by a range of ids (they sort by time)
//! and never by a walk over the table; what somebody else has locked is passed by and met again. So it blocks nobody.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// Rows of a page.
const PAGE: i64 = 500;

/// What is blanked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blanked {
    /// The bodies of events.
    EventBodies,
    /// What was sent, in the calls of attempts.
    AttemptPayloads,
}

impl Blanked {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EventBodies => "event_bodies",
            Self::AttemptPayloads => "attempt_payloads",
        }
    }
}

/// How far a page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows that it blanked.
    pub blanked: i64,
    /// The last id that it looked at; nothing, once there was none left to look at.
    pub last: Option<Uuid>,
    /// The first id that must be met again: its delivery is still open.
    pub first_open: Option<Uuid>,
}

/// How far the blanking has come.
pub async fn reached(db: &mut PgConnection, what: Blanked) -> Result<Uuid> {
    let row = sqlx::query_scalar!("select reached from retention where what = $1", what.as_str());
    Ok(row.fetch_optional(db).await?.unwrap_or_default())
}

/// Keeps how far it has come.
pub async fn keep_reached(db: &mut PgConnection, what: Blanked, reached: Uuid, now: Timestamp) -> Result<()> {
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
    what: Blanked,
    after: Uuid,
    before: Uuid,
    now: Timestamp,
) -> Result<Page> {
    let page = match what {
        Blanked::EventBodies => {
            sqlx::query_as!(
                Page,
                r#"
                with page as (
                    select id, delivery_id is not null and exists (
                        select 1 from delivery where delivery.id = event.delivery_id and settled_at is null
                    ) as is_open
                    from event where id > $1 and id < $2 order by id limit $3
                ),
                blanked as (
                    update event set body = '', blanked_at = $4
                    from page where event.id = page.id and not is_open and blanked_at is null
                    returning 1
                )
                select
                    (select count(*) from blanked) as "blanked!",
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
        Blanked::AttemptPayloads => {
            sqlx::query_as!(
                Page,
                r#"
                with page as (
                    select id, settled_at is null as is_open
                    from delivery where id > $1 and id < $2 order by id limit $3
                ),
                blanked as (
                    update attempt set blanked_at = $4, calls = (
                        select coalesce(jsonb_agg(call - 'request' order by place), '[]')
                        from jsonb_array_elements(attempt.calls) with ordinality as told (call, place)
                    )
                    from page where attempt.delivery_id = page.id and not is_open and blanked_at is null
                    returning 1
                )
                select
                    (select count(*) from blanked) as "blanked!",
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

/// Removes a page of deliveries closed before `closed_before`, with their events and attempts; answers how many. One
/// that a replay which stays names, stays too.
pub async fn remove_deliveries(db: &mut PgConnection, before: Uuid, closed_before: Timestamp) -> Result<u64> {
    let removed = sqlx::query_scalar!(
        r#"
        with old as materialized (
            select id from delivery
            where id < $1 and settled_at < $2
              and not exists (select 1 from delivery replay where replay.replay_of = delivery.id)
            order by id
            limit $3
            for update skip locked
        ),
        attempts as (delete from attempt using old where attempt.delivery_id = old.id),
        events as (delete from event using old where event.delivery_id = old.id),
        removed as (delete from delivery using old where delivery.id = old.id returning 1)
        select count(*) as "count!" from removed
        "#,
        before,
        closed_before,
        PAGE,
    );
    Ok(removed.fetch_one(db).await?.unsigned_abs())
}

/// Removes a page of events that never had a delivery; answers how many.
pub async fn remove_unread_events(db: &mut PgConnection, before: Uuid) -> Result<u64> {
    let done = sqlx::query!(
        "delete from event where id in (
             select id from event where id < $1 and delivery_id is null order by id limit $2 for update skip locked
         )",
        before,
        PAGE,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes comparisons finished before then, with their differences; answers how many.
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
pub async fn remove_answers(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from idempotency where (actor, key) in (
             select actor, key from idempotency where created_at < $1 limit $2 for update skip locked
         )",
        before,
        PAGE,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// What an erasure has blanked.
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
        "update event set body = '', blanked_at = $3
         from delivery
         where delivery.connection = $1 and delivery.subject = $2
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt')) -- names both indexes
           and event.delivery_id = delivery.id and blanked_at is null",
        connection,
        subject,
        now,
    );
    let events = events.execute(&mut *db).await?.rows_affected();
    let attempts = sqlx::query!(
        "update attempt set blanked_at = $3, calls = (
             select coalesce(jsonb_agg(call - 'request' order by place), '[]')
             from jsonb_array_elements(attempt.calls) with ordinality as told (call, place)
         )
         from delivery
         where delivery.connection = $1 and delivery.subject = $2
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt')) -- names both indexes
           and attempt.delivery_id = delivery.id and blanked_at is null",
        connection,
        subject,
        now,
    );
    let attempts = attempts.execute(&mut *db).await?.rows_affected();
    sqlx::query!(
        "update link
         set sent = null, tracking_code = null, tracking_url = null, warehouse_comments = null, related = null
         where connection = $1 and subject = $2",
        connection,
        subject,
    )
    .execute(&mut *db)
    .await?;
    Ok(Erased { events, attempts })
}

/// Has a subject a debt that is still open?
pub async fn is_open(db: &mut PgConnection, connection: &str, subject: &str) -> Result<bool> {
    let open = sqlx::query_scalar!(
        r#"select exists (
               select 1 from delivery
               where connection = $1 and subject = $2 and state in ('pending', 'leased', 'in_doubt')
           ) as "open!""#,
        connection,
        subject,
    );
    Ok(open.fetch_one(db).await?)
}
