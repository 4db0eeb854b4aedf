//! Tables `sync` and `sync_difference`: full comparisons, how far they are and what they found.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result, StoreError, deliveries::Fenced};
use crate::domain::{
    Timestamp,
    outcome::Reason,
    sync::{Step, What},
};

/// How far back orders are compared unless somebody says otherwise.
const USUAL_REACH: Duration = Duration::days(30);

/// Since when orders are compared unless somebody says otherwise: a month, but nothing older than the connection's
/// `start` (when it was first configured, or its `not_before`).
pub fn usual_since(start: Timestamp, now: Timestamp) -> Timestamp {
    start.max(now - USUAL_REACH)
}

/// A comparison asked for.
#[derive(Clone, Debug)]
pub struct NewSync<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Whose systems.
    pub connection: &'a str,
    /// What is compared.
    pub what: What,
    /// Only told, nothing mended.
    pub dry_run: bool,
    /// Who asks.
    pub actor: &'a str,
    /// For orders: only what was placed since.
    pub since: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// Asks for a comparison, or joins the one that is running. Answers its id, and true where it is new.
pub async fn request(db: &mut PgConnection, new: &NewSync<'_>) -> Result<(Uuid, bool)> {
    let opened = sqlx::query!(
        "with opened as (
            insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
            values ($1, $2, $3, $4, $5, 'running', $6, $7)
            on conflict (connection, what) where state = 'running' do nothing
            returning 1
         )
         select pg_notify('silta_asked', '') from opened",
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

/// A comparison that we hold under a lease.
#[derive(Clone, Debug)]
pub struct LeasedSync {
    /// Its id.
    pub id: Uuid,
    /// Whose systems.
    pub connection: String,
    /// What is compared.
    pub what: What,
    /// Only told, nothing mended.
    pub dry_run: bool,
    /// Who asked; `schedule` is the clock.
    pub actor: String,
    /// For orders: only what was placed since.
    pub since: Timestamp,
    /// When it was first claimed.
    pub started_at: Timestamp,
    /// Has a person approved what waits?
    pub approved: bool,
    /// Our fence.
    pub claim: Uuid,
    /// How far whoever held it before had come.
    pub progress: Progress,
}

/// How far a comparison is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// How far in that step: a page, a time or a key.
    pub cursor: String,
    /// How many there are to compare, where that is known.
    pub total: Option<i64>,
    /// How many were compared.
    pub done: i64,
    /// What was found, by word.
    pub counts: BTreeMap<String, i64>,
}

/// Claims one waiting comparison of these connections, or `only` this one. One whose lease ran out goes on where it was.
pub async fn claim(
    db: &mut PgConnection,
    connections: &[String],
    only: Option<Uuid>,
    fence: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Option<LeasedSync>> {
    let claimed = sqlx::query!(
        r#"
        update sync set claim_id = $2, leased_until = $4, started_at = coalesce(started_at, $3)
        where id in (
            select id from sync
            where state = 'running' and ($1::uuid is null or id = $1)
              and connection = any($5)
              and (leased_until is null or leased_until < $3)
            order by id
            limit 1
            for update skip locked
        )
        returning id, connection, what, dry_run, actor, since, started_at as "started_at!", step, cursor, total, done,
                  counts, approved_at is not null as "approved!"
        "#,
        only,
        fence,
        now,
        leased_until,
        connections,
    );
    let Some(row) = claimed.fetch_optional(db).await? else { return Ok(None) };
    let unknown = |column| StoreError::Inconsistent { table: "sync", column };
    let progress = Progress {
        step: row.step.parse().map_err(|_| unknown("step"))?,
        cursor: row.cursor,
        total: row.total,
        done: row.done,
        counts: serde_json::from_value(row.counts).map_err(|_| unknown("counts"))?,
    };
    Ok(Some(LeasedSync {
        id: row.id,
        connection: row.connection,
        what: row.what.parse().map_err(|_| unknown("what"))?,
        dry_run: row.dry_run,
        actor: row.actor,
        since: row.since,
        started_at: row.started_at,
        approved: row.approved,
        claim: fence,
        progress,
    }))
}

/// Tells how far it is, and keeps the lease. Called inside the transaction that keeps what was found on the way, so that
/// a page is counted once however often it is begun.
pub async fn advance(
    db: &mut PgConnection,
    held: &LeasedSync,
    progress: &Progress,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set step = $3, cursor = $4, total = $5, done = $6, counts = $7, leased_until = $8
         where id = $1 and claim_id = $2",
        held.id,
        held.claim,
        progress.step.as_str(),
        progress.cursor,
        progress.total,
        progress.done,
        serde_json::json!(progress.counts),
        leased_until,
    );
    Ok(Fenced::of(done.execute(db).await?.rows_affected()))
}

/// Keeps the lease without a step further.
pub async fn keep_lease(db: &mut PgConnection, held: &LeasedSync, leased_until: Timestamp) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set leased_until = $3 where id = $1 and claim_id = $2",
        held.id,
        held.claim,
        leased_until,
    );
    Ok(Fenced::of(done.execute(db).await?.rows_affected()))
}

/// A person approves what waits: the comparison goes on with its mending. False where nothing waits, or where it, or
/// another one of its kind, is running.
pub async fn approve(db: &mut PgConnection, id: Uuid, actor: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "
        with approved as (
            update sync set
                state = 'running', step = 'mend', cursor = '', finished_at = null, approved_at = $3, approved_by = $2
            where id = $1 and state = 'done'
              and exists (select 1 from sync_difference where sync_id = $1 and waits)
              and not exists (
                select 1 from sync running
                where running.connection = sync.connection and running.what = sync.what and running.state = 'running'
              )
            returning 1
        )
        select pg_notify('silta_asked', '') from approved
        ",
        id,
        actor,
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Ends a comparison, fenced by its claim: done, or failed for a reason. What it read is let go.
pub async fn finish(
    db: &mut PgConnection,
    held: &LeasedSync,
    error: Option<Reason>,
    braked: Option<Reason>,
    now: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        with ended as (
            update sync set
                state = case when $3::text is null then 'done' else 'failed' end,
                error = $3, braked = $4, finished_at = $5, claim_id = null, leased_until = null
            where id = $1 and claim_id = $2
            returning id
        ),
        emptied as (delete from sync_reading where sync_id in (select id from ended))
        select id from ended
        ",
        held.id,
        held.claim,
        error.map(Reason::code),
        braked.map(Reason::code),
        now,
    );
    Ok(Fenced::of(done.fetch_all(db).await?.len() as u64))
}

/// A comparison as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct SyncRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Whose systems.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// Only told, nothing mended.
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
    /// `read_warehouse`, `read_shop`, compare, mend or end.
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
    /// Why nothing was mended: a reason code; nothing where nothing was held back as a whole.
    pub braked: Option<String>,
    /// When a person approved what waited.
    pub approved_at: Option<Timestamp>,
    /// Who did.
    pub approved_by: Option<String>,
    /// How many differences it found so far.
    pub difference_count: i64,
    /// Of these mended, or on the way to be.
    pub mending_count: i64,
    /// Of these waiting for a person's approval.
    pub waiting_count: i64,
}

/// Comparisons, newest first; `connection` and `what` left out mean "any".
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
               error, finished_at, braked, approved_at, approved_by, told.difference_count as "difference_count!",
               told.mending_count as "mending_count!", told.waiting_count as "waiting_count!"
        from sync
        cross join lateral (
            select count(*) as difference_count, count(*) filter (where mending) as mending_count,
                   count(*) filter (where waits) as waiting_count
            from sync_difference where sync_id = sync.id
        ) told
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
pub async fn last_asked(db: &mut PgConnection) -> Result<Vec<LastAsked>> {
    let rows = sqlx::query_as!(
        LastAsked,
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

/// When a comparison was last asked for.
#[derive(Clone, Debug)]
pub struct LastAsked {
    /// Of which connection.
    pub connection: String,
    /// Of which kind.
    pub what: String,
    /// When.
    pub created_at: Timestamp,
    /// Did it fail?
    pub failed: bool,
}

/// One comparison.
pub async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<SyncRow>> {
    fetch(db, Some(id), None, None, &Page { before: None, limit: 1 })
        .await
        .map(|rows| rows.into_iter().next())
}
