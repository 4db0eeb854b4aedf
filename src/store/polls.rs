//! Table `poll`: how far each poll has come, and whose turn it is.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, tasks::Fenced};
use crate::domain::{Timestamp, time_window::TimeWindow};

/// A poll that we hold under a lease.
#[derive(Clone, Debug)]
pub struct LeasedPoll {
    /// Whose vendors.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything changed before this has been seen.
    pub cursor: Timestamp,
    /// Our claim_id.
    pub claim: Uuid,
}

/// Makes sure that a poll has its row: a new one begins at `start` and is due at once.
pub async fn ensure(
    db: &mut PgConnection,
    connection: &str,
    what: &str,
    start: Timestamp,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into poll (connection, what, cursor, due_at) values ($1, $2, $3, $4) on conflict do nothing",
        connection,
        what,
        start,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims one due poll; one whose lease ran out is due too.
pub async fn claim_due(
    db: &mut PgConnection,
    claim_id: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Option<LeasedPoll>> {
    let claimed = sqlx::query_as!(
        LeasedPoll,
        r#"
        update poll set claim_id = $1, leased_until = $3, last_started_at = $2
        where (connection, what) in (
            select poll.connection, poll.what
            from poll join connection on connection.name = poll.connection
            where poll.due_at <= $2
              and (poll.leased_until is null or poll.leased_until < $2)
              and connection.paused_at is null
              and (connection.circuit_open_until is null or connection.circuit_open_until <= $2)
            order by poll.due_at
            limit 1
            for update of poll skip locked
        )
        returning connection, what, cursor, claim_id as "claim!"
        "#,
        claim_id,
        now,
        leased_until,
    );
    Ok(claimed.fetch_optional(db).await?)
}

/// A sign of life: the lease runs anew.
pub async fn extend_lease(
    db: &mut PgConnection,
    leased: &LeasedPoll,
    leased_until: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "update poll set leased_until = $4 where connection = $1 and what = $2 and claim_id = $3",
        leased.connection,
        leased.what,
        leased.claim,
        leased_until,
    );
    Ok(Fenced::from_rows(done.execute(db).await?.rows_affected()))
}

/// What a poll came to.
#[derive(Clone, Debug)]
pub struct PollResult {
    /// Where the next one begins, or `None` to begin again from the same place after a failure.
    pub cursor: Option<Timestamp>,
    /// Events found.
    pub found: i64,
    /// Reason code of the failure.
    pub error: Option<&'static str>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// What it could not read, old and new; `None` leaves the known ones as they are.
    pub gaps: Option<Vec<TimeWindow>>,
}

/// The stretches that earlier polls could not read.
pub async fn list_gaps(db: &mut PgConnection, connection: &str, what: &str) -> Result<Vec<TimeWindow>> {
    let rows = sqlx::query_as!(
        TimeWindow,
        r#"select starts_at as "from", ends_at as "to" from poll_gap where connection = $1 and what = $2
           order by starts_at"#,
        connection,
        what,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Replaces the known gaps of a poll; one that stays keeps the time when it was first met.
async fn replace_gaps(
    db: &mut PgConnection,
    leased: &LeasedPoll,
    gaps: &[TimeWindow],
    now: Timestamp,
) -> Result<()> {
    let (starts, ends): (Vec<_>, Vec<_>) = gaps.iter().map(|gap| (gap.from, gap.to)).unzip();
    sqlx::query!(
        "delete from poll_gap where connection = $1 and what = $2
         and (starts_at, ends_at) not in (select * from unnest($3::timestamptz[], $4::timestamptz[]))",
        leased.connection,
        leased.what,
        &starts,
        &ends,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "insert into poll_gap (connection, what, starts_at, ends_at, found_at)
         select $1, $2, starts_at, ends_at, $5
         from unnest($3::timestamptz[], $4::timestamptz[]) as gap (starts_at, ends_at)
         on conflict do nothing",
        leased.connection,
        leased.what,
        &starts,
        &ends,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a poll, fenced by its claim. The cursor never moves back. Called inside a transaction.
pub async fn settle(
    db: &mut PgConnection,
    leased: &LeasedPoll,
    result: &PollResult,
    now: Timestamp,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        update poll set
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
        leased.connection,
        leased.what,
        leased.claim,
        result.cursor,
        result.found,
        result.error,
        now,
        result.due_at,
    );
    if done.execute(&mut *db).await?.rows_affected() != 1 {
        return Ok(Fenced::LeaseLost);
    }
    if let Some(gaps) = &result.gaps {
        replace_gaps(db, leased, gaps, now).await?;
    }
    Ok(Fenced::Written)
}

/// Brings a connection's polls forward: something was told that we could not read.
pub async fn bring_forward(
    db: &mut PgConnection,
    connection: &str,
    what: &[String],
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update poll set due_at = least(due_at, $3) where connection = $1 and what = any($2) and due_at > $3",
        connection,
        what,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A poll as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PollRow {
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
    /// Reason code of the last failed poll.
    pub last_error: Option<String>,
    /// Events found that no webhook had told.
    pub found: i64,
    /// Stretches of the list that it cannot read, tried again each time.
    pub gaps: i64,
}

/// A connection's polls.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<PollRow>> {
    let rows = sqlx::query_as!(
        PollRow,
        r#"
        select what, cursor, last_started_at, last_finished_at, last_millis, last_found, due_at, last_error, found,
            (
                select count(*) from poll_gap
                where poll_gap.connection = poll.connection and poll_gap.what = poll.what
            ) as "gaps!"
        from poll where connection = $1 order by what
        "#,
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
