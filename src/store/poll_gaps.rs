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

/// Removes closed gaps and stores new ones. Called inside the transaction that settles the poll.
pub(super) async fn apply(
    db: &mut PgConnection,
    (connection, what): (&str, &str),
    changes: &GapChanges,
    now: Timestamp,
) -> Result<()> {
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
