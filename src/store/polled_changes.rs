//! Table `polled_change`: changes that a list shows and that no read of the subject has covered yet.
//!
//! A change that was found is not done with: its task may have read the subject before it changed, or got a 404 for
//! it. So each poll that meets the change again enqueues the subject again, until a
//! read covers its version. The count bounds that where no read ever does, because a vendor dates nothing or
//! the subject cannot be read.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::{Result, polls::LeasedPoll};
use crate::domain::Timestamp;

/// A change is counted again only after this time: two polls within it say the same.
const COUNT_AGAIN_AFTER: chrono::Duration = chrono::Duration::seconds(30);

/// Counts that a poll met these changes; returns the count of each subject.
pub async fn count(
    db: &mut PgConnection,
    leased: &LeasedPoll,
    changes: &[(String, String)],
    now: Timestamp,
) -> Result<HashMap<String, i32>> {
    let (subjects, versions): (Vec<_>, Vec<_>) = changes.iter().cloned().unzip();
    let counted = sqlx::query!(
        "insert into polled_change as known (connection, what, subject, version, counted_at)
         select distinct on (new.subject) $1, $2, new.subject, new.version, $5
         from unnest($3::text[], $4::text[]) as new (subject, version)
         order by new.subject
         on conflict (connection, what, subject) do update set
             version = excluded.version,
             times = case
                 when known.version <> excluded.version then 1
                 -- A clock that was set back counts on.
                 when known.counted_at between $6 and $5 then known.times
                 else known.times + 1
             end,
             counted_at = case
                 when known.version = excluded.version and known.counted_at between $6 and $5 then known.counted_at
                 else $5
             end
         returning subject, times",
        leased.connection,
        leased.what,
        &subjects,
        &versions,
        now,
        now - COUNT_AGAIN_AFTER,
    );
    Ok(counted.fetch_all(db).await?.into_iter().map(|row| (row.subject, row.times)).collect())
}

/// Removes the changes of these subjects: a read has covered them.
pub async fn remove(db: &mut PgConnection, leased: &LeasedPoll, subjects: &[String]) -> Result<()> {
    sqlx::query!(
        "delete from polled_change where connection = $1 and what = $2 and subject = any($3)",
        leased.connection,
        leased.what,
        subjects,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a list shows a change of this subject that no read has covered yet.
pub async fn is_listed(db: &mut PgConnection, connection: &str, subject: &str) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (
            select 1 from polled_change where connection = $1 and subject = $2 and what in ('orders', 'products')
        ) as "found!""#,
        connection,
        subject,
    );
    Ok(found.fetch_one(db).await?)
}
