//! The syncs of a connection's products and stock that run, and the newest that has ended: their progress, without the counts
//! of what they found, which takes as long as they found much.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain::Timestamp, store::Result};

/// A sync with its progress.
#[derive(Clone, Debug)]
pub struct RecentSync {
    /// Its id.
    pub id: Uuid,
    /// products or stock.
    pub what: String,
    /// running, done, failed or cancelled.
    pub state: String,
    /// How many were compared.
    pub done: i64,
    /// How many there are to compare, if known.
    pub total: Option<i64>,
    /// When it was requested.
    pub created_at: Timestamp,
}

/// Lists them, the newest first.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<RecentSync>> {
    let rows = sqlx::query_as!(
        RecentSync,
        "
        select id, what, state, done, total, created_at from sync
        where connection = $1 and what in ('products', 'stock')
        order by id desc limit 20
        ",
        connection,
    );
    let mut rows = rows.fetch_all(db).await?;
    let newest_ended = rows.iter().find(|sync| sync.state != "running").map(|sync| sync.id);
    rows.retain(|sync| sync.state == "running" || Some(sync.id) == newest_ended);
    Ok(rows)
}
