//! Table `poll_gap`: stretches of a list that the shop cannot give. Each poll retries them.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{Timestamp, time_window::TimeWindow};

/// Lists the gaps of a poll, by their start.
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

/// Identifies a poll.
#[derive(Clone, Copy)]
pub(super) struct PollKey<'a> {
    pub(super) connection: &'a str,
    pub(super) what: &'a str,
}

/// Replaces the gaps of a poll; one that stays keeps the time when it was found.
pub(super) async fn replace_gaps(
    db: &mut PgConnection,
    poll: PollKey<'_>,
    gaps: &[TimeWindow],
    now: Timestamp,
) -> Result<()> {
    let (starts, ends): (Vec<_>, Vec<_>) = gaps.iter().map(|gap| (gap.from, gap.to)).unzip();
    sqlx::query!(
        "delete from poll_gap where connection = $1 and what = $2
         and (starts_at, ends_at) not in (select * from unnest($3::timestamptz[], $4::timestamptz[]))",
        poll.connection,
        poll.what,
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
        poll.connection,
        poll.what,
        &starts,
        &ends,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
