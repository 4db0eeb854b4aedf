//! The shop's catalogue (table `item`) as a sync compares it with its snapshot of the warehouse.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// Lists products after `after` that were not read since the reading of this number, the first of the whole catalogue.
pub async fn list_unseen(
    db: &mut PgConnection,
    connection: &str,
    reading: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let products = sqlx::query_scalar!(
        "select distinct product from item where connection = $1 and reading < $2 and product > $3
         order by product limit $4",
        connection,
        reading,
        after,
        limit,
    );
    Ok(products.fetch_all(db).await?)
}

/// An item of the catalogue beside what the sync has read at the warehouse.
#[derive(Clone, Debug)]
pub struct CatalogueRow {
    /// As `product:77/5`.
    pub item: String,
    /// As `product:77`.
    pub product: String,
    /// Its code exactly as the shop spells it.
    pub code: Option<String>,
    /// What would be sent; `None` if the item is withheld.
    pub draft: Option<Value>,
    /// The code under which it was last seen at the warehouse.
    pub warehouse_code: Option<String>,
    /// What the warehouse has under the item's code, exactly spelt so before any other spelling.
    pub at_warehouse: Option<Value>,
    /// Every spelling of the item's code that the warehouse has.
    pub codes_there: Vec<String>,
    /// What the warehouse has under `warehouse_code`, if that differs.
    pub before: Option<Value>,
    /// Another item that was last seen at the warehouse under this code.
    pub owner: Option<String>,
    /// True if another item has the same code, or the code that this one's is an alias of.
    pub has_duplicate_code: bool,
    /// True if an attempt has read it since the sync began: the snapshot is out of date.
    pub is_outdated: bool,
}

/// Lists the stored items after `after`, each beside what the sync has read at the warehouse.
pub async fn list_beside_snapshot(
    db: &mut PgConnection,
    connection: &str,
    sync: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<CatalogueRow>> {
    let rows = sqlx::query_as!(
        CatalogueRow,
        r#"
        with page as materialized (
            select * from item where connection = $1 and stored and item > $3 order by item limit $4
        )
        select page.item, page.product, page.code, page.draft, subject_state.code as "warehouse_code?",
            at_warehouse.body as "at_warehouse?", coalesce(at_warehouse.codes, '{}') as "codes_there!", before.body as "before?", owner.subject as "owner?",
            exists (
                select 1 from item other
                where other.connection = $1 and other.item <> page.item
                  and other.code_key in (page.code_key, page.warehouse_key)
            ) as "has_duplicate_code!",
            coalesce(subject_state.reading > sync.reading, false) as "is_outdated!"
        from page
        join sync on sync.id = $2
        -- The limits keep each an index probe, whatever the tables' statistics say.
        left join lateral (
            select code, reading from subject_state where connection = $1 and subject = page.item limit 1
        ) subject_state on true
        left join lateral (
            select (array_agg(body order by name <> page.draft ->> 'code', name))[1] as body,
                (array_agg(name order by name <> page.draft ->> 'code', name))[1] as code,
                array_agg(name order by name) as codes
            from sync_snapshot where sync_id = $2 and subject = coalesce(page.warehouse_key, page.code_key)
        ) at_warehouse on true
        left join lateral (
            select body from sync_snapshot
            where sync_id = $2 and name = subject_state.code and subject_state.code <> page.code
            limit 1
        ) before on true
        left join lateral (
            select owner.subject from subject_state owner
            where owner.connection = $1 and owner.code = coalesce(at_warehouse.code, page.code)
              and owner.subject <> page.item
              and exists (select 1 from item where item.connection = $1 and item.item = owner.subject)
            limit 1
        ) owner on true
        order by page.item
        "#,
        connection,
        sync,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
