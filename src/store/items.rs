//! Table `item`: the shop's catalogue as last read, and the register of codes that it makes.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    product::{CatalogueItem, CodeProblem, CodeRegister, DuplicateItem, KnownItem, code_key},
    task::outcome::Reason,
};

/// Enters a product's items as read at `seen_at`, in place of what was known of it; a item that is not among them has
/// gone. Commits, and then looks: of two that enter the same code at once the later one sees the other.
pub async fn register_product(
    db: &mut PgConnection,
    connection: &str,
    product: &Subject,
    entries: &[CatalogueItem],
    seen_at: Timestamp,
) -> Result<CodeRegister> {
    let mut tx = db.begin().await?;
    let before = sqlx::query!(
        "select item.item, item.code, subject_state.code as warehouse_code
         from item left join subject_state on subject_state.connection = item.connection and subject_state.subject = item.item
         where item.connection = $1 and item.product = $2",
        connection,
        product.to_string(),
    );
    let before = before.fetch_all(&mut *tx).await?;
    let products = vec![product.to_string(); entries.len()];
    upsert(&mut tx, connection, &products, entries, seen_at).await?;
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    sqlx::query!(
        "delete from item where connection = $1 and product = $2 and seen_at <= $4 and not item = any($3)",
        connection,
        product.to_string(),
        &items,
        seen_at,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;

    let mut register = look_up(db, connection, entries).await?;
    let has: BTreeSet<_> = entries.iter().filter_map(|entry| entry.code.as_deref()).map(code_key).collect();
    let had =
        before.iter().flat_map(|row| [&row.code, &row.warehouse_code]).flatten().map(|code| code_key(code));
    let left: Vec<_> = had.filter(|key| !has.contains(key)).collect();
    if !left.is_empty() {
        let waiting = sqlx::query_scalar!(
            "select distinct product from item
             where connection = $1 and code_key = any($2) and product <> $3 and stored order by product",
            connection,
            &left,
            product.to_string(),
        );
        let waiting = waiting.fetch_all(db).await?;
        register.left = waiting.iter().filter_map(|subject| subject.parse().ok()).collect();
    }
    Ok(register)
}

/// Enters whole pages of products; what is gone is told by [`list_unseen`].
pub async fn register_products(
    db: &mut PgConnection,
    connection: &str,
    pages: &[(Subject, Vec<CatalogueItem>)],
    seen_at: Timestamp,
) -> Result<()> {
    let products = pages.iter().flat_map(|(product, entries)| entries.iter().map(|_| product.to_string()));
    let entries: Vec<_> = pages.iter().flat_map(|(_, entries)| entries.iter().cloned()).collect();
    upsert(db, connection, &products.collect::<Vec<_>>(), &entries, seen_at).await
}

async fn upsert(
    db: &mut PgConnection,
    connection: &str,
    products: &[String],
    entries: &[CatalogueItem],
    seen_at: Timestamp,
) -> Result<()> {
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    let codes: Vec<_> = entries.iter().map(|entry| entry.code.clone()).collect();
    let keys: Vec<_> = entries.iter().map(|entry| entry.code.as_deref().map(code_key)).collect();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    let reasons: Vec<_> =
        entries.iter().map(|entry| entry.draft.as_ref().err().map(|it| it.code().to_owned())).collect();
    let stored: Vec<_> = entries.iter().map(|entry| entry.stored).collect();
    let drafts: Vec<Option<Value>> =
        entries.iter().map(|entry| entry.draft.as_ref().ok().map(|item| serde_json::json!(item))).collect();
    sqlx::query!(
        "
        insert into item (connection, item, product, code, code_key, name, reason, stored, draft, seen_at)
        select $1, entry.*, $10 from unnest(
            $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::jsonb[]
        ) as entry
        order by 2 -- one lock order for all writers
        on conflict (connection, item) do update set
            product = excluded.product, code = excluded.code, code_key = excluded.code_key, name = excluded.name,
            reason = excluded.reason, stored = excluded.stored, draft = excluded.draft, seen_at = excluded.seen_at
        where item.seen_at <= excluded.seen_at
        ",
        connection,
        &items,
        products,
        &codes as &[Option<String>],
        &keys as &[Option<String>],
        &names as &[Option<String>],
        &reasons as &[Option<String>],
        &stored,
        &drafts as &[Option<Value>],
        seen_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What the register says of these items, without entering them.
pub async fn look_up(
    db: &mut PgConnection,
    connection: &str,
    entries: &[CatalogueItem],
) -> Result<CodeRegister> {
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    let codes: Vec<_> = entries.iter().filter_map(|entry| entry.code.clone()).collect();
    let keys: Vec<_> = codes.iter().map(|code| code_key(code)).collect();
    let is_complete = sqlx::query_scalar!(
        r#"select catalogue_read_at is not null as "is_complete!" from connection where name = $1"#,
        connection,
    );
    let is_complete = is_complete.fetch_optional(&mut *db).await?.unwrap_or(false);
    let mut register = CodeRegister { is_complete, ..CodeRegister::default() };
    let known = sqlx::query!(
        "select subject, code, sent_hash from subject_state where connection = $1 and subject = any($2)",
        connection,
        &items,
    );
    for row in known.fetch_all(&mut *db).await? {
        register.known.insert(row.subject, KnownItem { code: row.code, sent_hash: row.sent_hash });
    }
    let duplicates = sqlx::query!(
        r#"select item, code as "code!", code_key as "key!", name from item
           where connection = $1 and code_key = any($2) order by item"#,
        connection,
        &keys,
    );
    for row in duplicates.fetch_all(&mut *db).await? {
        let twin = DuplicateItem { item: row.item, code: row.code, name: row.name };
        register.duplicates.entry(row.key).or_default().push(twin);
    }
    let owners = sqlx::query!(
        r#"
        select subject_state.code as "code!", subject_state.subject
        from subject_state join item on item.connection = subject_state.connection and item.item = subject_state.subject
        where subject_state.connection = $1 and subject_state.code = any($2)
        "#,
        connection,
        &codes,
    );
    for row in owners.fetch_all(db).await? {
        register.owners.entry(row.code).or_default().push(row.subject);
    }
    Ok(register)
}

/// Parts whose codes cannot be sent as they are, in order of their names behind `after`: empty, over-long, or another
/// item's too. What is not the warehouse's to store is only told where it stands in another's way.
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
                    format('%s of %s (%s)', to_json(twin.code), to_json(coalesce(twin.name, '?')), twin.item)
                    order by twin.item
                )
                from item twin
                where twin.connection = item.connection and twin.code_key = item.code_key and twin.item <> item.item
            ), '{}') as "others!"
        from item
        where item.connection = $1 and item.item > $2
          and (
            item.reason is not null and item.stored
            or exists (
                select 1 from item twin
                where twin.connection = item.connection and twin.code_key = item.code_key
                  and twin.item <> item.item and (twin.stored or item.stored)
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

/// Products that a whole reading of the catalogue, begun at `since`, has not met, behind `after`.
pub async fn list_unseen(
    db: &mut PgConnection,
    connection: &str,
    since: Timestamp,
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let products = sqlx::query_scalar!(
        "select distinct product from item where connection = $1 and seen_at < $2 and product > $3
         order by product limit $4",
        connection,
        since,
        after,
        limit,
    );
    Ok(products.fetch_all(db).await?)
}

/// A part of the catalogue beside what the warehouse was read to have: a line of the sync.
#[derive(Clone, Debug)]
pub struct CatalogueRow {
    /// As `product:77/5`.
    pub item: String,
    /// As `product:77`.
    pub product: String,
    /// What would be sent of it; nothing where it is held back.
    pub draft: Option<Value>,
    /// The code under which we remember it at the warehouse.
    pub warehouse_code: Option<String>,
    /// What the warehouse has under the item's code.
    pub at_warehouse: Option<Value>,
    /// What it has under the remembered code, where that is another one.
    pub before: Option<Value>,
    /// Another part of the catalogue that we remember at the warehouse under this code.
    pub owner: Option<String>,
    /// Another item has the same code.
    pub has_duplicate_code: bool,
    /// An attempt has looked at it since the sync began: what was read before is out of date.
    pub is_outdated: bool,
}

/// The stored items behind `after`, each beside what a sync has read at the warehouse.
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
        select page.item, page.product, page.draft, subject_state.code as "warehouse_code?",
            at_warehouse.body as "at_warehouse?", before.body as "before?", owner.subject as "owner?",
            exists (
                select 1 from item twin
                where twin.connection = $1 and twin.code_key = page.code_key and twin.item <> page.item
            ) as "has_duplicate_code!",
            coalesce(subject_state.seen_at > sync.started_at, false) as "is_outdated!"
        from page
        join sync on sync.id = $2
        -- A limit in each keeps it a probe of its index, however new the tables' statistics are.
        left join lateral (
            select code, seen_at from subject_state where connection = $1 and subject = page.item limit 1
        ) subject_state on true
        left join lateral (
            select body from sync_snapshot where sync_id = $2 and name = page.code limit 1
        ) at_warehouse on true
        left join lateral (
            select body from sync_snapshot where sync_id = $2 and name = subject_state.code and subject_state.code <> page.code limit 1
        ) before on true
        left join lateral (
            select owner.subject from subject_state owner
            where owner.connection = $1 and owner.code = page.code and owner.subject <> page.item
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
