//! What just happened to orders.

use sqlx::PgConnection;

use crate::domain::Timestamp;
use crate::store::Result;

/// A change of an order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RecentChange {
    /// The order's connection.
    pub connection: String,
    /// The shop's order number.
    pub order_id: String,
    /// Its status before; `None` where it came in with this change.
    pub status_before: Option<String>,
    /// Its status since; as before where it was only placed.
    pub status: String,
    /// True where it was first seen at the warehouse with this change.
    pub is_placed: bool,
    /// When it was seen.
    pub at: Timestamp,
}

/// Lists the newest changes, of all connections or of one; of each connection some fifty are kept.
pub async fn list(db: &mut PgConnection, connection: Option<&str>, limit: i64) -> Result<Vec<RecentChange>> {
    let rows = sqlx::query_as!(
        RecentChange,
        r#"
        select connection as "connection!", substr(subject, 7) as "order_id!", status_before, status as "status!",
               is_placed as "is_placed!", changed_at as "at!"
        from (
            select * from recent_order_change
            union all
            -- Not folded yet.
            select connection, number, subject, status_before, status, is_placed, changed_at
            from order_change where status is not null
        ) changes
        where $1::text is null or connection = $1
        order by number desc limit $2
        "#,
        connection,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
