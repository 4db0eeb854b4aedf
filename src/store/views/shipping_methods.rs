//! The shipping methods that orders have, for a filter.

use sqlx::PgConnection;

use crate::store::Result;

/// Lists the shipping methods of a connection's orders, or of all connections', by name: each found by one step in an index.
pub async fn list_shipping_methods(db: &mut PgConnection, connection: Option<&str>) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"
        with recursive method as (
            select name as connection, (
                select min(shipping_method) from subject_state
                where subject_state.connection = connection.name and shipping_method is not null
            ) as name
            from connection where $1::text is null or connection.name = $1
            union all
            select connection, (
                select min(shipping_method) from subject_state
                where subject_state.connection = method.connection and shipping_method > method.name
            )
            from method where name is not null
        )
        select distinct name as "name!" from method where name <> '' order by 1 limit 200
        "#,
        connection,
    );
    Ok(names.fetch_all(db).await?)
}
