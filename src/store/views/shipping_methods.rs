//! The shipping methods that orders have, for a filter, and for the preview of a rule.

use sqlx::PgConnection;

use crate::{domain::shipping::ShippingMethod, store::Result};

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

/// Lists the shipping methods of a connection's orders, by name, each with its product code as the newest of its orders has it.
pub async fn list_methods_with_codes(db: &mut PgConnection, connection: &str) -> Result<Vec<ShippingMethod>> {
    let names = list_shipping_methods(db, Some(connection)).await?;
    let rows = sqlx::query!(
        r#"
        select name as "name!", (
            select shipping_code from subject_state
            where connection = $1 and shipping_method = listed.name
            order by first_task_id desc limit 1
        ) as product_code
        from unnest($2::text[]) with ordinality as listed (name, position)
        order by position
        "#,
        connection,
        &names,
    );
    let methods = rows.fetch_all(db).await?.into_iter();
    let methods =
        methods.map(|row| ShippingMethod { id: None, product_code: row.product_code, name: Some(row.name) });
    Ok(methods.collect())
}
