//! Table `poll`: the cursor and the lease of each poll.

use std::{collections::HashSet, time::Duration};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    poll_gaps::{self, GapChanges},
    tasks::Fenced,
};
use crate::domain::Timestamp;

/// A poll under a lease of this process.
#[derive(Clone, Debug)]
pub struct LeasedPoll {
    /// Its connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// Everything that changed before this, by the vendor's clock, has been seen.
    pub cursor: Timestamp,
    /// True where the poll before failed.
    pub has_failed: bool,
    /// True where the list has gaps. Only the holder of the lease changes that.
    pub has_gaps: bool,
    /// The fence of the lease.
    pub claim: Uuid,
}

/// A list that a process polls by its own configuration.
#[derive(Clone, Debug)]
pub struct ConfiguredPoll {
    /// Its connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: &'static str,
    /// How often.
    pub interval: Duration,
}

/// A poll's lease that lasts longer than this many of ours was taken under a wrong clock.
const MAX_LEASES: i32 = 10;

/// Ensures a row for each poll; a new one begins now and is due at once.
pub async fn ensure(db: &mut PgConnection, configured: &[ConfiguredPoll], now: Timestamp) -> Result<()> {
    let connections: Vec<_> = configured.iter().map(|it| it.connection.clone()).collect();
    let lists: Vec<_> = configured.iter().map(|it| it.what.to_owned()).collect();
    sqlx::query!(
        "insert into poll (connection, what, cursor, due_at)
         select connection, what, $3, $3 from unnest($1::text[], $2::text[]) as configured (connection, what)
         on conflict do nothing",
        &connections,
        &lists,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims due polls among these, at most `limit`; one whose lease has run out is due too. Polls that another configuration names
/// are left to its processes. One that is put off for longer than twice our interval, by a process with
/// another interval or another clock, is due as well.
pub async fn claim_due(
    db: &mut PgConnection,
    claim_id: Uuid,
    (configured, limit): (&[ConfiguredPoll], usize),
    now: Timestamp,
    leased_until: Timestamp,
) -> Result<Vec<LeasedPoll>> {
    let connections: Vec<_> = configured.iter().map(|it| it.connection.clone()).collect();
    let lists: Vec<_> = configured.iter().map(|it| it.what.to_owned()).collect();
    let latest: Vec<_> = configured.iter().map(|it| now + it.interval * 2).collect();
    let claimed = sqlx::query_as!(
        LeasedPoll,
        r#"
        with due as materialized (
            select poll.connection, poll.what
            from unnest($4::text[], $5::text[], $6::timestamptz[]) as configured (connection, what, latest)
            join poll on poll.connection = configured.connection and poll.what = configured.what
            join connection on connection.name = poll.connection
            where (poll.due_at <= $2 or poll.due_at > configured.latest)
              and (poll.leased_until is null or poll.leased_until < $2 or poll.leased_until > $7)
              and connection.paused_at is null
              and (connection.circuit_open_until is null or connection.circuit_open_until <= $2)
            order by poll.due_at
            limit $8
            for update of poll skip locked
        )
        update poll set claim_id = $1, leased_until = $3, last_started_at = $2
        from due where poll.connection = due.connection and poll.what = due.what
        returning poll.connection, poll.what, cursor, last_error is not null as "has_failed!", claim_id as "claim!",
            exists (
                select from poll_gap where poll_gap.connection = poll.connection and poll_gap.what = poll.what
            ) as "has_gaps!"
        "#,
        claim_id,
        now,
        leased_until,
        &connections,
        &lists,
        &latest,
        now + (leased_until - now) * MAX_LEASES,
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    Ok(claimed.fetch_all(db).await?)
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
    /// Where the next one begins.
    pub cursor: Timestamp,
    /// Events found.
    pub found: i64,
    /// Reason code of the failure.
    pub error: Option<&'static str>,
    /// When it runs next.
    pub due_at: Timestamp,
    /// What it found out about gaps.
    pub gaps: GapChanges,
}

/// A poll that has ended.
#[derive(Clone, Debug)]
pub struct EndedPoll {
    /// Its lease.
    pub leased: LeasedPoll,
    /// What it came to.
    pub result: PollResult,
}

/// Ends polls, each fenced by its claim: one whose lease was lost is polled by another replica, which will end it. Called inside
/// a transaction.
pub async fn settle(db: &mut PgConnection, ended: &[EndedPoll], now: Timestamp) -> Result<()> {
    fn column<T>(ended: &[EndedPoll], of: impl Fn(&EndedPoll) -> T) -> Vec<T> {
        ended.iter().map(of).collect()
    }
    let settled = sqlx::query!(
        r#"
        with ended as materialized (
            select poll.connection, poll.what, ended.cursor, ended.found, ended.error, ended.due_at
            from unnest(
                $1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::text[], $7::timestamptz[]
            ) as ended (connection, what, claim, cursor, found, error, due_at)
            join poll on poll.connection = ended.connection and poll.what = ended.what and poll.claim_id = ended.claim
            order by poll.connection, poll.what -- one lock order for all who write several
            for update of poll
        )
        update poll set
            cursor = ended.cursor,
            found = poll.found + ended.found,
            last_error = ended.error,
            last_found = case when ended.error is null then ended.found else last_found end,
            last_millis = case when ended.error is null
                then extract(epoch from $8::timestamptz - last_started_at) * 1000 else last_millis end,
            last_finished_at = case when ended.error is null then $8 else last_finished_at end,
            due_at = ended.due_at,
            claim_id = null, leased_until = null
        from ended where poll.connection = ended.connection and poll.what = ended.what
        returning poll.connection, poll.what
        "#,
        &column(ended, |it| it.leased.connection.clone()),
        &column(ended, |it| it.leased.what.clone()),
        &column(ended, |it| it.leased.claim),
        &column(ended, |it| it.result.cursor),
        &column(ended, |it| it.result.found),
        &column(ended, |it| it.result.error.map(str::to_owned)) as &[Option<String>],
        &column(ended, |it| it.result.due_at),
        now,
    );
    let settled: HashSet<_> =
        settled.fetch_all(&mut *db).await?.into_iter().map(|row| (row.connection, row.what)).collect();
    for EndedPoll { leased, result } in ended {
        let list = (leased.connection.clone(), leased.what.clone());
        if settled.contains(&list) {
            poll_gaps::apply(db, (&list.0, &list.1), &result.gaps, now).await?;
        }
    }
    Ok(())
}

/// Makes a connection's polls due: a webhook said that something happened, but not what.
pub async fn bring_forward(
    db: &mut PgConnection,
    connection: &str,
    what: &[String],
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "
        with later as materialized (
            select what from poll where connection = $1 and what = any($2) and due_at > $3
            order by what -- one lock order for all who write several
            for update
        )
        update poll set due_at = $3 from later where poll.connection = $1 and poll.what = later.what
        ",
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

/// How a list of a connection is polled.
#[derive(Clone, Debug)]
pub struct PollAge {
    /// The connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// When it was last read to its end; before that, when the connection was made.
    pub read_at: Timestamp,
    /// Stretches of the list that cannot be read.
    pub gaps: i64,
}

/// Lists how each list of each connection is polled.
pub async fn list_ages(db: &mut PgConnection) -> Result<Vec<PollAge>> {
    let rows = sqlx::query_as!(
        PollAge,
        r#"
        select connection, what, coalesce(last_finished_at, connection.created_at) as "read_at!",
            (
                select count(*) from poll_gap
                where poll_gap.connection = poll.connection and poll_gap.what = poll.what
            ) as "gaps!"
        from poll join connection on connection.name = poll.connection
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}
