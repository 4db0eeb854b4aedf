//! Product codes that cannot be sent to the warehouse.

use sqlx::PgConnection;

use crate::{
    domain::{product::CodeProblem, task::reason::Reason},
    store::Result,
};

/// Lists items after `after` whose codes cannot be sent: empty, too long, or shared with another item. Items
/// that are not stored at the warehouse are listed only if they share a code with one that is.
pub async fn list_code_problems(
    db: &mut PgConnection,
    connection: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<CodeProblem>> {
    let rows = sqlx::query_as!(
        CodeProblem,
        r#"
        select item.item, item.product, item.code, item.name, coalesce(item.reason, $4) as "reason!",
            coalesce((
                select array_agg(
                    format('%s of %s (%s)', to_json(other.code), to_json(coalesce(other.name, '?')), other.item)
                    order by other.item
                )
                from item other
                where other.connection = item.connection and other.code_key = item.code_key and other.item <> item.item
            ), '{}') as "others!"
        from item
        where item.connection = $1 and item.item > $2 and item.item in (
            select item from item where connection = $1 and reason is not null and stored
            union
            -- Each asked of the items again: they may have changed since the code was noted.
            select same.item
            from repeated_code
            join item same on same.connection = $1 and same.code_key = repeated_code.code_key
            where repeated_code.connection = $1 and exists (
                select 1 from item other
                where other.connection = $1 and other.code_key = repeated_code.code_key and other.item <> same.item
            ) and exists (
                select 1 from item other
                where other.connection = $1 and other.code_key = repeated_code.code_key and other.stored
            )
        )
        order by item.item
        limit $3
        "#,
        connection,
        after,
        limit,
        Reason::CodeRepeated.code(),
    );
    Ok(rows.fetch_all(db).await?)
}
