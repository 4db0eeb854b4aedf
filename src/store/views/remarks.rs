//! Products that lack what the warehouse asks for.

use sqlx::PgConnection;

use crate::{
    domain::product::{Remark, RemarkedItem},
    store::Result,
};

/// Lists the items after `after` that can be sent and lack something: an EAN, or a code without slashes.
pub async fn list_remarked(
    db: &mut PgConnection,
    connection: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<RemarkedItem>> {
    // The condition is that of the index item_remarked.
    let rows = sqlx::query!(
        r#"
        select item, coalesce(code, '') as "code!", coalesce(name, '') as "name!",
            draft ->> 'ean' is not null as "has_ean!"
        from item
        where connection = $1 and item > $2
          and stored and draft is not null and (draft ->> 'ean' is null or code ~ '[/\\]')
        order by item
        limit $3
        "#,
        connection,
        after,
        limit,
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    let remarked = rows.map(|row| {
        let remarks = Remark::of(&row.code, row.has_ean);
        RemarkedItem { item: row.item, code: row.code, name: row.name, remarks }
    });
    Ok(remarked.collect())
}
