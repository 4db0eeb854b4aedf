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

/// What a page of a list shows.
#[derive(Clone, Debug)]
pub struct ListedChanges {
    /// The connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: String,
    /// What has changed.
    pub subjects: Vec<String>,
    /// The version that the list shows of each.
    pub versions: Vec<String>,
}

/// Tells of each change whether its subject was already read at this version, in the shop or at the warehouse, and removes
/// those that were: a read has covered them. Returns one answer per change, in order.
pub async fn take_covered(db: &mut PgConnection, listed: &[ListedChanges]) -> Result<Vec<Vec<bool>>> {
    let of_each = |name: fn(&ListedChanges) -> &str| -> Vec<&str> {
        listed.iter().flat_map(|it| std::iter::repeat_n(name(it), it.subjects.len())).collect()
    };
    let subjects: Vec<_> = listed.iter().flat_map(|it| it.subjects.iter().cloned()).collect();
    let versions: Vec<_> = listed.iter().flat_map(|it| it.versions.iter().cloned()).collect();
    let covered = sqlx::query_scalar!(
        r#"
        with listed as materialized (
            select listed.*, exists (
                select from subject_state
                where subject_state.connection = listed.connection and subject_state.subject = listed.subject
                  and listed.version in (subject_state.shop_version, subject_state.warehouse_version)
            ) as is_covered
            from unnest($1::text[], $2::text[], $3::text[], $4::text[])
                with ordinality as listed (connection, what, subject, version, position)
        ),
        removed as (
            delete from polled_change using listed
            where is_covered and polled_change.connection = listed.connection
              and polled_change.what = listed.what and polled_change.subject = listed.subject
        )
        select is_covered as "is_covered!" from listed order by position
        "#,
        &of_each(|it| &it.connection) as &[&str],
        &of_each(|it| &it.what) as &[&str],
        &subjects,
        &versions,
    );
    let mut covered = covered.fetch_all(db).await?.into_iter();
    Ok(listed.iter().map(|it| covered.by_ref().take(it.subjects.len()).collect()).collect())
}

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
