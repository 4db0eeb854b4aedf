//! Tables `sync` and `sync_difference`: full comparisons, how far they are and what they found.

use chrono::Duration;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result, deliveries::Fenced};
use crate::domain::Timestamp;

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
    /// products, stock or orders.
    pub what: &'a str,
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
        "insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
         values ($1, $2, $3, $4, $5, 'running', $6, $7)
         on conflict (connection, what) where state = 'running' do nothing",
        new.id,
        new.connection,
        new.what,
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
        new.what,
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
    /// products, stock or orders.
    pub what: String,
    /// Only told, nothing mended.
    pub dry_run: bool,
    /// For orders: only what was placed since.
    pub since: Timestamp,
    /// Our fence.
    pub claim: Uuid,
}

/// Claims one waiting comparison of these connections, or `only` this one; one whose lease ran out begins anew.
pub async fn claim(
    db: &mut PgConnection,
    connections: &[String],
    only: Option<Uuid>,
    fence: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Option<LeasedSync>> {
    let claimed = sqlx::query_as!(
        LeasedSync,
        r#"
        with ready as (
            select id from sync
            where state = 'running' and ($1::uuid is null or id = $1)
              and connection = any($5)
              and (leased_until is null or leased_until < $3)
            order by id
            limit 1
            for update skip locked
        ),
        forgotten as (delete from sync_difference where sync_id in (select id from ready))
        update sync set claim_id = $2, leased_until = $4, done = 0, total = null
        where id in (select id from ready)
        returning id, connection, what, dry_run, since, claim_id as "claim!"
        "#,
        only,
        fence,
        now,
        leased_until,
        connections,
    );
    Ok(claimed.fetch_optional(db).await?)
}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many there are, where that is known.
    pub total: Option<i64>,
    /// How many were compared.
    pub done: i64,
}

/// Tells how far it is, and keeps the lease.
pub async fn advance(
    db: &mut PgConnection,
    held: &LeasedSync,
    progress: Progress,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set total = $3, done = $4, leased_until = $5 where id = $1 and claim_id = $2",
        held.id,
        held.claim,
        progress.total,
        progress.done,
        leased_until,
    );
    let rows = done.execute(db).await?.rows_affected();
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// A difference that a comparison found.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceRow {
    /// From 1, in the order of finding.
    pub place: i32,
    /// As `order:1042`, or the warehouse's own reference for what is not ours.
    pub subject: String,
    /// What differs, a word of a closed set.
    pub difference: String,
    /// Closed reason code, where a person must decide.
    pub reason: Option<String>,
    /// Plain words; never personal data.
    pub detail: Option<String>,
    /// What mends it.
    pub remedy: String,
    /// True where a delivery was opened to mend it.
    pub mending: bool,
}

/// Keeps a difference, fenced by the claim.
pub async fn insert_difference(
    db: &mut PgConnection,
    held: &LeasedSync,
    row: &DifferenceRow,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "insert into sync_difference (sync_id, place, subject, difference, reason, detail, remedy, mending)
         select $1, $3, $4, $5, $6, $7, $8, $9 from sync where id = $1 and claim_id = $2",
        held.id,
        held.claim,
        row.place,
        row.subject,
        row.difference,
        row.reason,
        row.detail,
        row.remedy,
        row.mending,
    );
    let rows = done.execute(db).await?.rows_affected();
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// Ends a comparison, fenced by its claim: done, or failed for a reason.
pub async fn finish(
    db: &mut PgConnection,
    held: &LeasedSync,
    counts: &serde_json::Value,
    error: Option<&str>,
    now: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set
            state = case when $4::text is null then 'done' else 'failed' end,
            counts = $3, error = $4, finished_at = $5, claim_id = null, leased_until = null
         where id = $1 and claim_id = $2",
        held.id,
        held.claim,
        counts,
        error,
        now,
    );
    let rows = done.execute(db).await?.rows_affected();
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
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
    /// How many differences it found so far.
    pub difference_count: i64,
}

/// Comparisons, newest first; `connection` and `what` left out mean "any".
pub async fn list(
    db: &mut PgConnection,
    connection: Option<&str>,
    what: Option<&str>,
    page: &Page,
) -> Result<Vec<SyncRow>> {
    let rows = sqlx::query_as!(
        SyncRow,
        r#"
        select id, connection, what, dry_run, actor, state, since, created_at, total, done, counts, error, finished_at,
               (select count(*) from sync_difference where sync_id = sync.id) as "difference_count!"
        from sync
        where ($1::text is null or connection = $1) and ($2::text is null or what = $2)
          and ($3::uuid is null or id < $3)
        order by id desc
        limit $4
        "#,
        connection,
        what,
        page.before,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// One comparison.
pub async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<SyncRow>> {
    let row = sqlx::query_as!(
        SyncRow,
        r#"
        select id, connection, what, dry_run, actor, state, since, created_at, total, done, counts, error, finished_at,
               (select count(*) from sync_difference where sync_id = sync.id) as "difference_count!"
        from sync where id = $1
        "#,
        id,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Its differences in the order of finding, at most so many.
pub async fn differences(db: &mut PgConnection, id: Uuid, limit: i64) -> Result<Vec<DifferenceRow>> {
    let rows = sqlx::query_as!(
        DifferenceRow,
        "select place, subject, difference, reason, detail, remedy, mending from sync_difference
         where sync_id = $1 order by place limit $2",
        id,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
