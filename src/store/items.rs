//! Table `item`: the shop's catalogue as last read, which is also the register of product codes.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::Result;
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    product::{CatalogueItem, CodeRegister, DuplicateItem, KnownItem, code_key},
};

/// Replaces a product's items by those read at `seen_at`. Commits before it looks up the codes, so that of
/// two processes that register the same code at once, the later one sees the other.
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
         from item
         left join subject_state
             on subject_state.connection = item.connection and subject_state.subject = item.item
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
        register.released = waiting.iter().filter_map(|subject| subject.parse().ok()).collect();
    }
    Ok(register)
}

/// Registers whole pages of products. Items that are gone are found by `sync_catalogue::list_unseen`.
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

/// Looks up the codes of these items without registering them.
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
        let duplicate = DuplicateItem { item: row.item, code: row.code, name: row.name };
        register.duplicates.entry(row.key).or_default().push(duplicate);
    }
    let owners = sqlx::query!(
        r#"
        select subject_state.code as "code!", subject_state.subject
        from subject_state
        join item on item.connection = subject_state.connection and item.item = subject_state.subject
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
