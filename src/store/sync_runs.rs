//! Runs of syncs: table `sync` claimed, advanced and finished under a lease.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError, tasks::Fenced};
use crate::domain::{
    Timestamp,
    sync::{Step, SyncKind},
    task::reason::Reason,
};

/// A sync under a lease of this process.
#[derive(Clone, Debug)]
pub struct LeasedSync {
    /// Its id.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// What is compared.
    pub what: SyncKind,
    /// True if differences are only reported, not fixed.
    pub dry_run: bool,
    /// Who requested it; `schedule` for a scheduled sync.
    pub actor: String,
    /// For orders: only those placed since.
    pub since: Timestamp,
    /// When it was first claimed.
    pub started_at: Timestamp,
    /// The number of its first read.
    pub reading: i64,
    /// True if an operator has approved the waiting differences.
    pub approved: bool,
    /// Who that is.
    pub approved_by: Option<String>,
    /// The fence of the lease.
    pub claim: Uuid,
    /// How far an earlier lease had come.
    pub progress: Progress,
}

/// The progress of a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: Step,
    /// The position in that step: a page, a time or a key.
    pub cursor: String,
    /// How many there are to compare, if known.
    pub total: Option<i64>,
    /// How many were compared.
    pub done: i64,
    /// What was found, counted by kind.
    pub counts: BTreeMap<String, i64>,
}

/// Which syncs a claim may take.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// Those of this kind.
    Kind(SyncKind),
    /// This one.
    Only(Uuid),
}

/// Claims one waiting sync of these connections. One whose lease has run out continues where it was. No kind waits for
/// another, with one exception: until a connection's catalogue was read once, there is nothing to compare stock and orders
/// with, so they wait for the first products sync.
pub async fn claim(
    db: &mut PgConnection,
    connections: &[String],
    wanted: Wanted,
    claim_id: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Option<LeasedSync>> {
    let (only, what) = match wanted {
        Wanted::Kind(kind) => (None, Some(kind.as_str())),
        Wanted::Only(id) => (Some(id), None),
    };
    let claimed = sqlx::query!(
        r#"
        update sync set claim_id = $2, leased_until = $4, started_at = coalesce(started_at, $3),
            reading = coalesce(reading, nextval('reading_number'))
        where id in (
            select id from sync
            where state = 'running' and ($1::uuid is null or id = $1) and ($6::text is null or what = $6)
              and connection = any($5)
              and (leased_until is null or leased_until < $3)
              and ($1::uuid is not null or what = 'products' or not exists (
                  select from sync products
                  join connection on connection.name = products.connection
                  where products.connection = sync.connection and products.what = 'products'
                    and products.state = 'running' and connection.catalogue_read_at is null
              ))
            order by id
            limit 1
            for update skip locked
        )
        returning id, connection, what, dry_run, actor, since, started_at as "started_at!", reading as "reading!", step, cursor, total, done,
                  counts, approved_at is not null as "approved!", approved_by
        "#,
        only,
        claim_id,
        now,
        leased_until,
        connections,
        what,
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
        reading: row.reading,
        approved: row.approved,
        approved_by: row.approved_by,
        claim: claim_id,
        progress,
    }))
}

/// Stores the progress and extends the lease. Called inside the transaction that stores what was found, so
/// that a page is counted once however often it is started.
pub async fn advance(
    db: &mut PgConnection,
    leased: &LeasedSync,
    progress: &Progress,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set step = $3, cursor = $4, total = $5, done = $6, counts = $7, leased_until = $8
         where id = $1 and claim_id = $2",
        leased.id,
        leased.claim,
        progress.step.as_str(),
        progress.cursor,
        progress.total,
        progress.done,
        serde_json::json!(progress.counts),
        leased_until,
    );
    Ok(Fenced::from_rows(done.execute(db).await?.rows_affected()))
}

/// Extends the lease.
pub async fn extend_lease(
    db: &mut PgConnection,
    leased: &LeasedSync,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sync set leased_until = $3 where id = $1 and claim_id = $2",
        leased.id,
        leased.claim,
        leased_until,
    );
    Ok(Fenced::from_rows(done.execute(db).await?.rows_affected()))
}

/// Ends a sync, fenced by its claim: done, or failed with a reason. Deletes its snapshot.
pub async fn finish(
    db: &mut PgConnection,
    leased: &LeasedSync,
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
        emptied as (delete from sync_snapshot where sync_id in (select id from ended))
        select id from ended
        ",
        leased.id,
        leased.claim,
        error.map(Reason::code),
        braked.map(Reason::code),
        now,
    );
    Ok(Fenced::from_rows(done.fetch_all(db).await?.len() as u64))
}
