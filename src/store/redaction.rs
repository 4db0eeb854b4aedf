//! Redacts personal data: what is old enough and closed, or what is to be erased on request.
//!
//! Rows are read by ranges of ids, which sort by time; each page is a statement and a commit of its own.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, actions, unread_events};
use crate::domain::{Timestamp, event::subject::Subject};

/// Rows of a page.
const PAGE_SIZE: i64 = 500;

/// What retention redacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Redacted {
    /// The bodies of events.
    EventBodies,
    /// The requests in the calls of attempts.
    AttemptPayloads,
}

impl Redacted {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedactedPage {
    /// Rows redacted.
    pub redacted: i64,
    /// The last id read; `None` if there was none left.
    pub last: Option<Uuid>,
    /// The first id that must be read again, because its task is still open.
    pub first_open: Option<Uuid>,
}

/// Finds the id up to which rows are redacted.
pub async fn find_reached(db: &mut PgConnection, what: Redacted) -> Result<Uuid> {
    let row = sqlx::query_scalar!("select reached from retention where what = $1", what.as_str());
    Ok(row.fetch_optional(db).await?.unwrap_or_default())
}

/// Stores the id up to which rows are redacted.
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

/// Redacts a page of closed rows with ids after `after` and before `before`.
pub async fn redact(
    db: &mut PgConnection,
    what: Redacted,
    after: Uuid,
    before: Uuid,
    now: Timestamp,
) -> Result<RedactedPage> {
    match what {
        Redacted::EventBodies => redact_events(db, after, before, now).await,
        Redacted::AttemptPayloads => redact_attempts(db, after, before, now).await,
    }
}

/// Empties the bodies of a page of events.
async fn redact_events(
    db: &mut PgConnection,
    after: Uuid,
    before: Uuid,
    now: Timestamp,
) -> Result<RedactedPage> {
    let page = sqlx::query_as!(
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
        PAGE_SIZE,
        now,
    );
    Ok(page.fetch_one(db).await?)
}

/// Removes the requests from the calls of the attempts of a page of tasks.
async fn redact_attempts(
    db: &mut PgConnection,
    after: Uuid,
    before: Uuid,
    now: Timestamp,
) -> Result<RedactedPage> {
    let page = sqlx::query_as!(
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
        PAGE_SIZE,
        now,
    );
    Ok(page.fetch_one(db).await?)
}

/// What an erasure redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Events whose bodies are gone.
    pub events: u64,
    /// Attempts whose payloads are gone.
    pub attempts: u64,
}

/// Redacts all personal data of an order: bodies (also of webhooks that could not be read and name it), payloads, tracking,
/// comments, customizations. Ids, codes, states and times remain. Called inside the transaction that audits it.
pub async fn erase_order(
    db: &mut PgConnection,
    connection: &str,
    order_id: &str,
    now: Timestamp,
) -> Result<Erased> {
    let subject = &Subject::order(order_id).to_string();
    // Before what names it is gone.
    let unread = unread_events::erase(db, connection, (subject, order_id), now).await?;
    let events = sqlx::query!(
        "update event set body = '', redacted_at = $3
         from task
         where task.connection = $1 and task.subject = $2
           -- Always true; it names both indexes of a subject's tasks.
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
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
           -- Always true; it names both indexes of a subject's tasks.
           and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
           and attempt.task_id = task.id and redacted_at is null",
        connection,
        subject,
        now,
    );
    let attempts = attempts.execute(&mut *db).await?.rows_affected();
    sqlx::query!(
        "update subject_state
         set tracking_code = null, tracking_url = null, warehouse_comments = null, related = null,
             customizations = null, pickup_point = null
         where connection = $1 and subject = $2",
        connection,
        subject,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "update order_line set name = null where connection = $1 and subject = $2 and name is not null",
        connection,
        subject,
    )
    .execute(&mut *db)
    .await?;
    actions::redact(db, connection, subject).await?;
    Ok(Erased { events: events + unread, attempts })
}

/// True if our tables hold anything of a subject. Retention removes its tasks long before what was sent.
pub async fn is_known(db: &mut PgConnection, connection: &str, subject: &str) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"select exists (
               select 1 from task
               where connection = $1 and subject = $2
                 -- Always true; it names both indexes of a subject's tasks.
                 and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
           ) or exists (
               select 1 from subject_state where connection = $1 and subject = $2
           ) or exists (
               select 1 from action where connection = $1 and subject = $2
           ) as "known!""#,
        connection,
        subject,
    );
    Ok(known.fetch_one(db).await?)
}

/// True if a subject has an open task.
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
