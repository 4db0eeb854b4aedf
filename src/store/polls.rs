//! Table `poll`: the cursor and the lease of each poll.

use sqlx::PgConnection;
use uuid::Uuid;

pub use super::poll_gaps::list_gaps;
use super::{
    Result,
    poll_gaps::{self, PollKey},
    tasks::Fenced,
};
use crate::domain::{Timestamp, time_window::TimeWindow};

/// A poll under a lease of this process.
#[derive(Clone, Debug)]
pub struct LeasedPoll {
    /// Its connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything that changed before this has been seen.
    pub cursor: Timestamp,
    /// The fence of the lease.
    pub claim: Uuid,
}

/// Ensures a row for a poll; a new one begins at `start` and is due at once.
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

/// Claims one due poll; one whose lease has run out is due too.
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

/// Extends the lease.
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

/// The result of a poll.
#[derive(Clone, Debug)]
pub struct PollResult {
    /// Where the next one begins; `None` after a failure, to begin at the same cursor again.
    pub cursor: Option<Timestamp>,
    /// Events found.
    pub found: i64,
    /// Reason code of the failure.
    pub error: Option<&'static str>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// Gaps, known and new; `None` leaves the known ones as they are.
    pub gaps: Option<Vec<TimeWindow>>,
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
        let poll = PollKey { connection: &leased.connection, what: &leased.what };
        poll_gaps::replace_gaps(db, poll, gaps, now).await?;
    }
    Ok(Fenced::Written)
}

/// Makes a connection's polls due: a webhook said that something happened, but not what.
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

/// A poll as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PollRow {
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything that changed before this has been seen.
    pub cursor: Timestamp,
    /// When it last started.
    pub last_started_at: Option<Timestamp>,
    /// When it last finished without an error.
    pub last_finished_at: Option<Timestamp>,
    /// How long that took.
    pub last_millis: Option<i64>,
    /// Events that it found then.
    pub last_found: Option<i64>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// Reason code of the last failed poll.
    pub last_error: Option<String>,
    /// Events found that no webhook had reported.
    pub found: i64,
    /// Stretches of the list that it cannot read; each poll retries them.
    pub gaps: i64,
}

/// Lists a connection's polls.
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
