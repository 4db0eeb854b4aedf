//! Orders that wait for goods at the warehouse.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::domain::Timestamp;
use crate::store::Result;

/// Orders of a connection that have waited for too long.
#[derive(Clone, Debug)]
pub struct OverdueOrders {
    /// Their connection.
    pub connection: String,
    /// How many.
    pub count: i64,
    /// The goods, each with how many orders wait for it, the most wanted first.
    pub detail: String,
}

/// Lists the orders of these connections that have waited since before a time, unless their connection is paused.
pub async fn list_overdue(
    db: &mut PgConnection,
    connections: &[String],
    before: Timestamp,
) -> Result<Vec<OverdueOrders>> {
    let rows = sqlx::query_as!(
        OverdueOrders,
        r#"
        with overdue as (
            select subject_state.connection, subject, waiting_for
            from subject_state
            join connection on connection.name = subject_state.connection and connection.paused_at is null
            where subject_state.connection = any($1) and waiting_since < $2
        ),
        awaited as (
            select connection, line ->> 'code' as code, count(*) as orders
            from overdue cross join jsonb_array_elements(waiting_for) as line
            group by 1, 2
        )
        select
            connection as "connection!",
            (select count(*) from overdue where overdue.connection = awaited.connection) as "count!",
            left(string_agg(code || ' (' || orders || ')', ', ' order by orders desc, code), 300) as "detail!"
        from awaited group by connection
        "#,
        connections,
        before,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Counts the orders that wait.
pub async fn count(db: &mut PgConnection, connection: Option<&str>) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from subject_state
           where waiting_since is not null and ($1::text is null or connection = $1)"#,
        connection,
    );
    Ok(count.fetch_one(db).await?)
}

/// Since when the order has waited that has waited longest, by connection.
pub async fn list_oldest(db: &mut PgConnection) -> Result<HashMap<String, Timestamp>> {
    let oldest = sqlx::query!(
        r#"select connection, min(waiting_since) as "since!" from subject_state
           where waiting_since is not null group by connection"#,
    );
    Ok(oldest.fetch_all(db).await?.into_iter().map(|row| (row.connection, row.since)).collect())
}
