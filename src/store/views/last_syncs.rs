//! The last sync of each connection and kind.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain::Timestamp, store::Result};

/// The most differences of each that are counted.
pub const MOST_COUNTED: i64 = 1000;

/// The last request of a sync, and what became of it.
#[derive(Clone, Debug)]
pub struct LastSync {
    /// Its connection.
    pub connection: String,
    /// products, stock or orders.
    pub what: String,
    /// Its id.
    pub id: Uuid,
    /// running, done, failed or cancelled.
    pub state: String,
    /// When it was requested.
    pub created_at: Timestamp,
    /// Reason code of a failed one.
    pub error: Option<String>,
    /// How many differences it found, up to [`MOST_COUNTED`].
    pub differences: i64,
}

/// Lists them.
pub async fn list(db: &mut PgConnection) -> Result<Vec<LastSync>> {
    let rows = sqlx::query_as!(
        LastSync,
        r#"
        select connection.name as connection, kind.what as "what!", last.id, last.state, last.created_at, last.error,
               (
                   select count(*) from (
                       select 1 from sync_difference where sync_id = last.id limit $1
                   ) as counted
               ) as "differences!"
        from connection
        cross join unnest(array['products', 'stock', 'orders']) as kind (what)
        cross join lateral (
            select id, state, created_at, error from sync
            where sync.connection = connection.name and sync.what = kind.what
            order by id desc limit 1
        ) last
        "#,
        MOST_COUNTED,
    );
    Ok(rows.fetch_all(db).await?)
}
