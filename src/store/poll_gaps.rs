//! Table `poll_gap`: stretches of a list that its vendor cannot give. Each has a schedule of its own.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{Timestamp, time_window::TimeWindow};

/// A gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollGap {
    /// The stretch of time.
    pub window: TimeWindow,
    /// How often it was read again in vain.
    pub attempts: i32,
    /// When it is read again.
    pub due_at: Timestamp,
}

/// What a poll found out about gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GapChanges {
    /// Gaps that could be read, or were narrowed down.
    pub closed: Vec<TimeWindow>,
    /// New ones.
    pub opened: Vec<PollGap>,
}

/// Lists the gaps of a poll, the one due first first.
pub async fn list(db: &mut PgConnection, connection: &str, what: &str) -> Result<Vec<PollGap>> {
    let rows = sqlx::query!(
        "select starts_at, ends_at, attempts, due_at from poll_gap where connection = $1 and what = $2
         order by due_at, starts_at",
        connection,
        what,
    );
    let gap = |from, to, attempts, due_at| PollGap { window: TimeWindow { from, to }, attempts, due_at };
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows.map(|row| gap(row.starts_at, row.ends_at, row.attempts, row.due_at)).collect())
}

/// The lasting gaps of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastingGaps {
    /// The connection.
    pub connection: String,
    /// How many.
    pub count: i64,
    /// The first of them: which list, and from when to when in UTC.
    pub detail: String,
}

/// Finds the gaps that were read again in vain at least this often, in these lists (each by its connection and name). Those
/// of paused connections are left out.
pub async fn list_lasting(
    db: &mut PgConnection,
    (connections, lists): (&[String], &[String]),
    attempts: i32,
) -> Result<Vec<LastingGaps>> {
    let rows = sqlx::query_as!(
        LastingGaps,
        r#"
        select connection, count(*) as "count!",
               array_to_string((array_agg(stretch order by what, starts_at))[1:3], ', ')
               || case when count(*) > 3 then ', …' else '' end as "detail!"
        from (
            select poll_gap.connection, poll_gap.what, starts_at,
                   poll_gap.what || ' ' || to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') || ' – '
                   || to_char(
                       ends_at at time zone 'UTC',
                       case when (starts_at at time zone 'UTC')::date = (ends_at at time zone 'UTC')::date
                           then 'HH24:MI"Z"' else 'YYYY-MM-DD"T"HH24:MI"Z"' end
                   ) as stretch
            from poll_gap
            join unnest($1::text[], $2::text[]) as polled (connection, what)
                on polled.connection = poll_gap.connection and polled.what = poll_gap.what
            join connection on connection.name = poll_gap.connection
            where attempts >= $3 and connection.paused_at is null
        ) lasting
        group by connection
        "#,
        connections,
        lists,
        attempts,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Removes closed gaps and stores new ones. Called inside the transaction that settles the poll.
pub(super) async fn apply(
    db: &mut PgConnection,
    (connection, what): (&str, &str),
    changes: &GapChanges,
    now: Timestamp,
) -> Result<()> {
    if changes.closed.is_empty() && changes.opened.is_empty() {
        return Ok(());
    }
    let (starts, ends): (Vec<_>, Vec<_>) = changes.closed.iter().map(|gap| (gap.from, gap.to)).unzip();
    sqlx::query!(
        "delete from poll_gap where connection = $1 and what = $2
         and (starts_at, ends_at) in (select * from unnest($3::timestamptz[], $4::timestamptz[]))",
        connection,
        what,
        &starts,
        &ends,
    )
    .execute(&mut *db)
    .await?;
    for PollGap { window, attempts, due_at } in &changes.opened {
        sqlx::query!(
            "insert into poll_gap (connection, what, starts_at, ends_at, found_at, attempts, due_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            connection,
            what,
            window.from,
            window.to,
            now,
            attempts,
            due_at,
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
