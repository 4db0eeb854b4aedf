//! What was asked for several orders at once: the intents of table `intent` that name the same request.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// The part of a request that can still be taken back.
#[derive(Clone, Debug)]
pub struct PendingBulk {
    /// How many of its orders have not left.
    pub count: i64,
    /// When the last of them leaves.
    pub leaves_at: Timestamp,
}

/// Finds what of a request can still be taken back; `None` where nothing can.
pub async fn find_pending(db: &mut PgConnection, bulk: Uuid, now: Timestamp) -> Result<Option<PendingBulk>> {
    let pending = sqlx::query_as!(
        PendingBulk,
        r#"
        select count(*) as "count!", max(leaves_at) as "leaves_at!" from intent
        where bulk_id = $1 and undone_at is null and leaves_at > $2
        having count(*) > 0
        "#,
        bulk,
        now,
    );
    Ok(pending.fetch_optional(db).await?)
}

/// An order of a request.
#[derive(Clone, Debug)]
pub struct BulkOrder {
    /// Its connection.
    pub connection: String,
    /// As `order:1042`.
    pub subject: String,
    /// When the request's effect on it may leave, or could; `None` where it left at once.
    pub leaves_at: Option<Timestamp>,
    /// True where it was taken back.
    pub is_undone: bool,
}

/// Lists the orders of a request, in the order in which they were asked for.
pub async fn list(db: &mut PgConnection, bulk: Uuid) -> Result<Vec<BulkOrder>> {
    let orders = sqlx::query_as!(
        BulkOrder,
        r#"
        select connection, subject, leaves_at, undone_at is not null as "is_undone!" from intent
        where bulk_id = $1
        order by number
        "#,
        bulk,
    );
    Ok(orders.fetch_all(db).await?)
}

/// Finds an order of a request.
pub async fn find(
    db: &mut PgConnection,
    bulk: Uuid,
    (connection, subject): (&str, &str),
) -> Result<Option<BulkOrder>> {
    let order = sqlx::query_as!(
        BulkOrder,
        r#"
        select connection, subject, leaves_at, undone_at is not null as "is_undone!" from intent
        where bulk_id = $1 and connection = $2 and subject = $3
        order by number desc limit 1
        "#,
        bulk,
        connection,
        subject,
    );
    Ok(order.fetch_optional(db).await?)
}
