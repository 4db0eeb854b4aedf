//! Table `sweep`: how far each sweep has come, and whose turn it is.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, tasks::Fenced};
use crate::domain::{Timestamp, time_window::Window};

/// A sweep that we hold under a lease.
#[derive(Clone, Debug)]
pub struct LeasedSweep {
    /// Whose systems.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything changed before this has been seen.
    pub cursor: Timestamp,
    /// Our fence.
    pub claim: Uuid,
}

/// Makes sure that a sweep has its row: a new one begins at `start` and is due at once.
pub async fn ensure(
    db: &mut PgConnection,
    connection: &str,
    what: &str,
    start: Timestamp,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into sweep (connection, what, cursor, due_at) values ($1, $2, $3, $4) on conflict do nothing",
        connection,
        what,
        start,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims one due sweep; one whose lease ran out is due too.
pub async fn claim_due(
    db: &mut PgConnection,
    fence: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Option<LeasedSweep>> {
    let claimed = sqlx::query_as!(
        LeasedSweep,
        r#"
        update sweep set claim_id = $1, leased_until = $3, last_started_at = $2
        where (connection, what) in (
            select sweep.connection, sweep.what
            from sweep join connection on connection.name = sweep.connection
            where sweep.due_at <= $2
              and (sweep.leased_until is null or sweep.leased_until < $2)
              and connection.paused_at is null
              and (connection.held_until is null or connection.held_until <= $2)
            order by sweep.due_at
            limit 1
            for update of sweep skip locked
        )
        returning connection, what, cursor, claim_id as "claim!"
        "#,
        fence,
        now,
        leased_until,
    );
    Ok(claimed.fetch_optional(db).await?)
}

/// A sign of life: the lease runs anew.
pub async fn keep_lease(
    db: &mut PgConnection,
    held: &LeasedSweep,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update sweep set leased_until = $4 where connection = $1 and what = $2 and claim_id = $3",
        held.connection,
        held.what,
        held.claim,
        leased_until,
    );
    Ok(Fenced::of(done.execute(db).await?.rows_affected()))
}

/// What a sweep came to.
#[derive(Clone, Debug)]
pub struct Swept {
    /// Where the next one begins, or `None` to begin again from the same place after a failure.
    pub cursor: Option<Timestamp>,
    /// Events found.
    pub found: i64,
    /// Reason code of the failure.
    pub error: Option<&'static str>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// What it could not read, old and new; `None` leaves the known ones as they are.
    pub gaps: Option<Vec<Window>>,
}

/// The stretches that earlier sweeps could not read.
pub async fn gaps(db: &mut PgConnection, connection: &str, what: &str) -> Result<Vec<Window>> {
    let rows = sqlx::query_as!(
        Window,
        r#"select starts_at as "from", ends_at as "to" from sweep_gap where connection = $1 and what = $2
           order by starts_at"#,
        connection,
        what,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Replaces the known gaps of a sweep; one that stays keeps the time when it was first met.
async fn keep_gaps(db: &mut PgConnection, held: &LeasedSweep, gaps: &[Window], now: Timestamp) -> Result<()> {
    let (starts, ends): (Vec<_>, Vec<_>) = gaps.iter().map(|gap| (gap.from, gap.to)).unzip();
    sqlx::query!(
        "delete from sweep_gap where connection = $1 and what = $2
         and (starts_at, ends_at) not in (select * from unnest($3::timestamptz[], $4::timestamptz[]))",
        held.connection,
        held.what,
        &starts,
        &ends,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "insert into sweep_gap (connection, what, starts_at, ends_at, found_at)
         select $1, $2, starts_at, ends_at, $5
         from unnest($3::timestamptz[], $4::timestamptz[]) as gap (starts_at, ends_at)
         on conflict do nothing",
        held.connection,
        held.what,
        &starts,
        &ends,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a sweep, fenced by its claim. The cursor never moves back. Called inside a transaction.
pub async fn settle(
    db: &mut PgConnection,
    held: &LeasedSweep,
    swept: &Swept,
    now: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        update sweep set
            cursor = greatest(cursor, coalesce($4, cursor)),
            found = found + $5,
            last_error = $6,
            last_found = case when $6::text is null then $5 else last_found end,
            last_millis = case when $6::text is null
                then extract(epoch from $7 - last_started_at) * 1000 else last_millis end,
            last_finished_at = case when $6::text is null then $7 else last_finished_at end,
            due_at = $8,
            claim_id = null, leased_until = null
        where connection = $1 and what = $2 and claim_id = $3
        ",
        held.connection,
        held.what,
        held.claim,
        swept.cursor,
        swept.found,
        swept.error,
        now,
        swept.due_at,
    );
    if done.execute(&mut *db).await?.rows_affected() != 1 {
        return Ok(Fenced::LeaseLost);
    }
    if let Some(gaps) = &swept.gaps {
        keep_gaps(db, held, gaps, now).await?;
    }
    Ok(Fenced::Written)
}

/// Brings a connection's sweeps forward: something was told that we could not read.
pub async fn bring_forward(
    db: &mut PgConnection,
    connection: &str,
    what: &[String],
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update sweep set due_at = least(due_at, $3) where connection = $1 and what = any($2) and due_at > $3",
        connection,
        what,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A sweep as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SweepRow {
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything changed before this has been seen.
    pub cursor: Timestamp,
    /// When it last began.
    pub last_started_at: Option<Timestamp>,
    /// When it last came to its end without an error.
    pub last_finished_at: Option<Timestamp>,
    /// How long that one took.
    pub last_millis: Option<i64>,
    /// Events that that one found.
    pub last_found: Option<i64>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// Reason code of the last failed sweep.
    pub last_error: Option<String>,
    /// Events found that no webhook had told.
    pub found: i64,
    /// Stretches of the list that it cannot read, tried again each time.
    pub gaps: i64,
}

/// A connection's sweeps.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<SweepRow>> {
    let rows = sqlx::query_as!(
        SweepRow,
        r#"
        select what, cursor, last_started_at, last_finished_at, last_millis, last_found, due_at, last_error, found,
            (
                select count(*) from sweep_gap
                where sweep_gap.connection = sweep.connection and sweep_gap.what = sweep.what
            ) as "gaps!"
        from sweep where connection = $1 order by what
        "#,
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
