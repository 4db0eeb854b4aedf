//! Which items of the catalogue (table `item`) still need a task for the stock of their code.
//!
//! The warehouse reports a figure when it changes. For goods that lay there before the shop had the item, nothing
//! changes any more: the new item itself enqueues the task.

use sqlx::PgConnection;

use super::Result;

/// Lists the codes of these items for which no stock task was enqueued yet.
pub async fn list_not_enqueued(
    db: &mut PgConnection,
    connection: &str,
    items: &[String],
) -> Result<Vec<String>> {
    let codes = sqlx::query_scalar!(
        r#"select distinct code as "code!" from item
           where connection = $1 and item = any($2) and stored and code is not null and not stock_enqueued
           order by 1"#,
        connection,
        items,
    );
    Ok(codes.fetch_all(db).await?)
}

/// Records that the stock tasks of these codes were enqueued. Called in the transaction that enqueues them.
pub async fn mark_enqueued(db: &mut PgConnection, connection: &str, codes: &[String]) -> Result<()> {
    sqlx::query!(
        "update item set stock_enqueued = true where connection = $1 and code = any($2) and not stock_enqueued",
        connection,
        codes,
    )
    .execute(db)
    .await?;
    Ok(())
}
