//! Syncs that wait for an approval.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain::Timestamp, store::Result};

/// The newest sync of a kind, where it waits for an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingSync {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// Differences that wait.
    pub count: i64,
    /// When it was asked for.
    pub since: Timestamp,
}

/// Lists them, the oldest first. Of each kind only the newest sync that has ended counts: it knows more than those before.
pub async fn list(db: &mut PgConnection) -> Result<Vec<WaitingSync>> {
    let rows = sqlx::query_as!(
        WaitingSync,
        r#"
        select newest.id as "id!", newest.connection as "connection!", newest.what as "what!", waiting.count as "count!",
               newest.created_at as "since!"
        from connection
        cross join unnest(array['products', 'stock', 'orders']) as kind (what)
        cross join lateral (
            select id, sync.connection, sync.what, created_at from sync
            where sync.connection = connection.name and sync.what = kind.what and state = 'done' and not dry_run
            order by id desc limit 1
        ) newest
        cross join lateral (
            select count(*) as count from sync_difference where sync_id = newest.id and awaits_approval
        ) waiting
        where waiting.count > 0
        order by newest.created_at, newest.connection, newest.what
        "#,
    );
    Ok(rows.fetch_all(db).await?)
}
