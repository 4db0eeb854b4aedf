//! Table `sync`: syncs requested, approved and shown. `sync_runs` runs them.

use chrono::Duration;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result};
use crate::domain::{Timestamp, sync::SyncKind};

/// How far back orders are compared by default.
const DEFAULT_REACH: Duration = Duration::days(30);

/// Since when orders are compared by default: a month back, but not before the connection's `start` (when it
/// began by the shop's clock, or its `not_before`).
pub fn default_since(start: Timestamp, now: Timestamp) -> Timestamp {
    start.max(now - DEFAULT_REACH)
}

/// A requested sync.
#[derive(Clone, Debug)]
pub struct NewSync<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: &'a str,
    /// What is compared.
    pub what: SyncKind,
    /// True if differences are only reported, not fixed.
    pub dry_run: bool,
    /// Who requests it.
    pub actor: &'a str,
    /// For orders: only those placed since.
    pub since: Timestamp,
    /// True where nobody asked for this day.
    pub is_default_since: bool,
    /// When.
    pub at: Timestamp,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It is a new sync.
    New(Uuid),
    /// The same is running already: this one.
    Running(Uuid),
    /// Another one of its kind is running: with another `dry_run`, or since another day.
    OtherRunning,
}

/// How often a request is tried while the running sync that it met ends at the same moment.
const MAX_TRIES: usize = 3;

/// Requests a sync, or joins the one that is running, if that does the same.
pub async fn request(db: &mut PgConnection, new: &NewSync<'_>) -> Result<Requested> {
    for _ in 0..MAX_TRIES {
        if insert(db, new).await? {
            return Ok(Requested::New(new.id));
        }
        if let Some(running) = find_running(db, new).await? {
            return Ok(running);
        }
    }
    Ok(Requested::OtherRunning)
}

/// Stores a sync; false if one of its kind is running.
async fn insert(db: &mut PgConnection, new: &NewSync<'_>) -> Result<bool> {
    let opened = sqlx::query!(
        "with opened as (
            insert into sync (id, connection, what, dry_run, actor, state, since, is_default_since, created_at)
            values ($1, $2, $3, $4, $5, 'running', $6, $7, $8)
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
        new.is_default_since,
        new.at,
    );
    Ok(opened.execute(db).await?.rows_affected() == 1)
}

/// The running sync of the same kind, compared with the requested one. `None` if it has just ended.
async fn find_running(db: &mut PgConnection, new: &NewSync<'_>) -> Result<Option<Requested>> {
    let running = sqlx::query!(
        "select id, dry_run, since, is_default_since from sync
         where connection = $1 and what = $2 and state = 'running'",
        new.connection,
        new.what.as_str(),
    );
    let Some(running) = running.fetch_optional(db).await? else { return Ok(None) };
    let has_same_start = new.what != SyncKind::Orders
        || running.is_default_since && new.is_default_since
        || running.since == new.since;
    let is_same = running.dry_run == new.dry_run && has_same_start;
    Ok(Some(if is_same { Requested::Running(running.id) } else { Requested::OtherRunning }))
}

/// Approves the waiting differences: the sync continues with its `fix` step. False if nothing waits, or if it
/// or another sync of its kind is running.
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

/// Cancels a sync that runs or waits, and deletes its snapshot. False if it has ended. Without its claim the process that
/// runs it commits no further page.
pub async fn cancel(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "
        with cancelled as (
            update sync set state = 'cancelled', finished_at = $2, claim_id = null, leased_until = null
            where id = $1 and state = 'running'
            returning id
        ),
        emptied as (delete from sync_snapshot where sync_id in (select id from cancelled))
        select id from cancelled
        ",
        id,
        now,
    );
    Ok(done.fetch_optional(db).await?.is_some())
}

/// A sync as pages and the API show it.
#[derive(Clone, Debug, Serialize)]
pub struct SyncRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// True if differences are only reported, not fixed.
    pub dry_run: bool,
    /// Who requested it.
    pub actor: String,
    /// running, done, failed or cancelled.
    pub state: String,
    /// For orders: only those placed since.
    pub since: Timestamp,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When it was first claimed; `None` while it waits.
    pub started_at: Option<Timestamp>,
    /// `read_warehouse`, `read_shop`, `find_differences`, fix or end.
    pub step: String,
    /// How many there are, if known.
    pub total: Option<i64>,
    /// How many were compared.
    pub done: i64,
    /// What was found, counted by kind.
    pub counts: serde_json::Value,
    /// Reason code of a failed sync.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why nothing was fixed without approval: a reason code; `None` if nothing was withheld as a whole.
    pub braked: Option<String>,
    /// When an operator approved the waiting differences.
    pub approved_at: Option<Timestamp>,
    /// Who approved them.
    pub approved_by: Option<String>,
    /// How many differences it found so far.
    pub difference_count: i64,
    /// Of these fixed, or with a task that fixes them.
    pub fixing_count: i64,
    /// Of these waiting for an operator's approval.
    pub waiting_count: i64,
}

/// Lists syncs, newest first; `None` for `connection` or `what` means any.
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
               error, finished_at, braked, approved_at, approved_by, found.difference_count as "difference_count!",
               found.fixing_count as "fixing_count!", found.waiting_count as "waiting_count!"
        from sync
        cross join lateral (
            select count(*) as difference_count, count(*) filter (where fixing) as fixing_count,
                   count(*) filter (where awaits_approval) as waiting_count
            from sync_difference where sync_id = sync.id
        ) found
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

/// Lists the last request of every connection and kind, and whether it failed.
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

/// The last request of a sync.
#[derive(Clone, Debug)]
pub struct LastRequest {
    /// Its connection.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// When.
    pub created_at: Timestamp,
    /// True if it failed.
    pub failed: bool,
}

/// Finds one sync.
pub async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<SyncRow>> {
    fetch(db, Some(id), None, None, &Page { before: None, limit: 1 })
        .await
        .map(|rows| rows.into_iter().next())
}
