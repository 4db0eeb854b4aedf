//! Table `sync`: full syncs, asked for, approved and shown; how they go on is in `syncing`.

use chrono::Duration;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result};
use crate::domain::{Timestamp, sync::SyncKind};

/// How far back orders are compared unless somebody says otherwise.
const DEFAULT_REACH: Duration = Duration::days(30);

/// Since when orders are compared unless somebody says otherwise: a month, but nothing older than the connection's
/// `start` (when it was first configured, or its `not_before`).
pub fn default_since(start: Timestamp, now: Timestamp) -> Timestamp {
    start.max(now - DEFAULT_REACH)
}

/// A sync asked for.
#[derive(Clone, Debug)]
pub struct NewSync<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Whose vendors.
    pub connection: &'a str,
    /// What is compared.
    pub what: SyncKind,
    /// Only difference_row, nothing fixed.
    pub dry_run: bool,
    /// Who asks.
    pub actor: &'a str,
    /// For orders: only what was placed since.
    pub since: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// Asks for a sync, or joins the one that is running. Answers its id, and true where it is new.
pub async fn request(db: &mut PgConnection, new: &NewSync<'_>) -> Result<(Uuid, bool)> {
    let opened = sqlx::query!(
        "with opened as (
            insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
            values ($1, $2, $3, $4, $5, 'running', $6, $7)
            on conflict (connection, what) where state = 'running' do nothing
            returning 1
         )
         select pg_notify('silta_sync_requested', '') from opened",
        new.id,
        new.connection,
        new.what.as_str(),
        new.dry_run,
        new.actor,
        new.since,
        new.at,
    );
    if opened.execute(&mut *db).await?.rows_affected() == 1 {
        return Ok((new.id, true));
    }
    let running = sqlx::query_scalar!(
        "select id from sync where connection = $1 and what = $2 and state = 'running'",
        new.connection,
        new.what.as_str(),
    );
    // It may have ended in this moment; then the next request finds the way free.
    Ok((running.fetch_optional(db).await?.unwrap_or(new.id), false))
}

/// A person approves what waits: the sync goes on with its fixing. False where nothing waits, or where it, or
/// another one of its kind, is running.
pub async fn approve(db: &mut PgConnection, id: Uuid, actor: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "
        with approved as (
            update sync set
                state = 'running', step = 'fix', cursor = '', finished_at = null, approved_at = $3, approved_by = $2
            where id = $1 and state = 'done'
              and exists (select 1 from sync_difference where sync_id = $1 and awaits_approval)
              and not exists (
                select 1 from sync running
                where running.connection = sync.connection and running.what = sync.what and running.state = 'running'
              )
            returning 1
        )
        select pg_notify('silta_sync_requested', '') from approved
        ",
        id,
        actor,
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// A sync as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct SyncRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Whose vendors.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// Only difference_row, nothing fixed.
    pub dry_run: bool,
    /// Who asked.
    pub actor: String,
    /// running, done or failed.
    pub state: String,
    /// For orders: only what was placed since.
    pub since: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was begun; nothing while it waits for its turn.
    pub started_at: Option<Timestamp>,
    /// `read_warehouse`, `read_shop`, compare, fix or end.
    pub step: String,
    /// How many there are, where that is known.
    pub total: Option<i64>,
    /// How many were compared.
    pub done: i64,
    /// What was found, by word.
    pub counts: serde_json::Value,
    /// Reason code of a failed one.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why nothing was fixed: a reason code; nothing where nothing was held back as a whole.
    pub braked: Option<String>,
    /// When a person approved what waited.
    pub approved_at: Option<Timestamp>,
    /// Who did.
    pub approved_by: Option<String>,
    /// How many differences it found so far.
    pub difference_count: i64,
    /// Of these fixed, or on the way to be.
    pub fixing_count: i64,
    /// Of these waiting for a person's approval.
    pub waiting_count: i64,
}

/// Syncs, newest first; `connection` and `what` left out mean "any".
pub async fn list(
    db: &mut PgConnection,
    connection: Option<&str>,
    what: Option<&str>,
    page: &Page,
) -> Result<Vec<SyncRow>> {
    fetch(db, None, connection, what, page).await
}

async fn fetch(
    db: &mut PgConnection,
    id: Option<Uuid>,
    connection: Option<&str>,
    what: Option<&str>,
    page: &Page,
) -> Result<Vec<SyncRow>> {
    let rows = sqlx::query_as!(
        SyncRow,
        r#"
        select id, connection, what, dry_run, actor, state, since, created_at, started_at, step, total, done, counts,
               error, finished_at, braked, approved_at, approved_by, difference_row.difference_count as "difference_count!",
               difference_row.fixing_count as "fixing_count!", difference_row.waiting_count as "waiting_count!"
        from sync
        cross join lateral (
            select count(*) as difference_count, count(*) filter (where fixing) as fixing_count,
                   count(*) filter (where awaits_approval) as waiting_count
            from sync_difference where sync_id = sync.id
        ) difference_row
        where ($1::text is null or connection = $1) and ($2::text is null or what = $2)
          and ($3::uuid is null or id < $3) and ($5::uuid is null or id = $5)
        order by id desc
        limit $4
        "#,
        connection,
        what,
        page.before,
        page.limit,
        id,
    );
    Ok(rows.fetch_all(db).await?)
}

/// When what was last asked for, and whether that failed; of every connection and kind that ever was.
pub async fn list_last_requests(db: &mut PgConnection) -> Result<Vec<LastRequest>> {
    let rows = sqlx::query_as!(
        LastRequest,
        r#"
        select connection.name as connection, kind.what as "what!", last.created_at, last.state = 'failed' as "failed!"
        from connection
        cross join unnest(array['products', 'stock', 'orders']) as kind (what)
        cross join lateral (
            select created_at, state from sync
            where sync.connection = connection.name and sync.what = kind.what
            order by id desc limit 1
        ) last
        "#
    );
    Ok(rows.fetch_all(db).await?)
}

/// When a sync was last asked for.
#[derive(Clone, Debug)]
pub struct LastRequest {
    /// Of which connection.
    pub connection: String,
    /// Of which kind.
    pub what: String,
    /// When.
    pub created_at: Timestamp,
    /// Did it fail?
    pub failed: bool,
}

/// One sync.
pub async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<SyncRow>> {
    fetch(db, Some(id), None, None, &Page { before: None, limit: 1 })
        .await
        .map(|rows| rows.into_iter().next())
}
