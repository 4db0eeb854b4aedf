//! Table `item`: the shop's catalogue as last read, which is also the register of product codes.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::{Result, item_stock, repeated_codes, warehouse_codes};
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    product::{CatalogueItem, CodeKey, CodeRegister, DuplicateItem, KnownItem},
};

/// A read of the shop's catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Its number, from [`begin_reading`].
    pub number: i64,
    /// When it was made; for people.
    pub at: Timestamp,
}

/// Numbers a read that is about to begin: of two reads, the one with the greater number began later.
pub async fn begin_reading(db: &mut PgConnection) -> Result<i64> {
    let number = sqlx::query_scalar!(r#"select nextval('reading_number') as "number!""#);
    Ok(number.fetch_one(db).await?)
}

/// Replaces a product's items by those of a reading. Commits before it looks up the codes, so that of
/// two processes that register the same code at once, the later one sees the other.
pub async fn register_product(
    db: &mut PgConnection,
    connection: &str,
    product: &Subject,
    entries: &[CatalogueItem],
    reading: Reading,
) -> Result<CodeRegister> {
    let mut tx = db.begin().await?;
    let codes_before = list_code_keys(&mut tx, connection, product).await?;
    let products = vec![product.to_string(); entries.len()];
    upsert(&mut tx, connection, &products, entries, reading).await?;
    remove_others(&mut tx, connection, product, entries, reading).await?;
    tx.commit().await?;

    let mut register = look_up(db, connection, entries).await?;
    let codes: BTreeSet<_> = entries.iter().filter_map(|entry| entry.code.as_deref()).map(key_of).collect();
    let touched: Vec<_> = codes_before.iter().chain(&codes).cloned().collect();
    repeated_codes::refresh(db, connection, &touched).await?;
    let released: Vec<_> = codes_before.into_iter().filter(|key| !codes.contains(key)).collect();
    if !released.is_empty() {
        register.released = list_products_with(db, connection, product, &released).await?;
    }
    Ok(register)
}

/// Lists the code keys of a product's items, in the shop and as last seen at the warehouse.
async fn list_code_keys(db: &mut PgConnection, connection: &str, product: &Subject) -> Result<Vec<String>> {
    let rows = sqlx::query!(
        "select item.code, subject_state.code as warehouse_code
         from item
         left join subject_state
             on subject_state.connection = item.connection and subject_state.subject = item.item
         where item.connection = $1 and item.product = $2",
        connection,
        product.to_string(),
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows.flat_map(|row| [row.code, row.warehouse_code]).flatten().map(|code| key_of(&code)).collect())
}

/// Removes a product's items that are not among these, unless they were read later.
async fn remove_others(
    db: &mut PgConnection,
    connection: &str,
    product: &Subject,
    entries: &[CatalogueItem],
    reading: Reading,
) -> Result<()> {
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    sqlx::query!(
        "delete from item where connection = $1 and product = $2 and reading <= $4 and not item = any($3)",
        connection,
        product.to_string(),
        &items,
        reading.number,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lists the other products whose stored items have one of these code keys.
async fn list_products_with(
    db: &mut PgConnection,
    connection: &str,
    except: &Subject,
    code_keys: &[String],
) -> Result<Vec<Subject>> {
    let products = sqlx::query_scalar!(
        "select distinct product from item
         where connection = $1 and (code_key = any($2) or warehouse_key = any($2)) and product <> $3 and stored
         order by product",
        connection,
        code_keys,
        except.to_string(),
    );
    Ok(products.fetch_all(db).await?.iter().filter_map(|subject| subject.parse().ok()).collect())
}

/// Registers whole pages of products. Items that are gone are found by `sync_catalogue::list_unseen`.
pub async fn register_products(
    db: &mut PgConnection,
    connection: &str,
    pages: &[(Subject, Vec<CatalogueItem>)],
    reading: Reading,
) -> Result<()> {
    let products = pages.iter().flat_map(|(product, entries)| entries.iter().map(|_| product.to_string()));
    let entries: Vec<_> = pages.iter().flat_map(|(_, entries)| entries.iter().cloned()).collect();
    upsert(db, connection, &products.collect::<Vec<_>>(), &entries, reading).await
}

async fn upsert(
    db: &mut PgConnection,
    connection: &str,
    products: &[String],
    entries: &[CatalogueItem],
    reading: Reading,
) -> Result<()> {
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    let codes: Vec<_> = entries.iter().map(|entry| entry.code.clone()).collect();
    let keys: Vec<_> = entries.iter().map(|entry| entry.code.as_deref().map(key_of)).collect();
    let sent_as = |entry: &CatalogueItem| entry.draft.as_ref().ok().map(|draft| key_of(&draft.code));
    let warehouse_keys: Vec<_> = entries.iter().map(sent_as).collect();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    let reasons: Vec<_> =
        entries.iter().map(|entry| entry.draft.as_ref().err().map(|it| it.code().to_owned())).collect();
    let stored: Vec<_> = entries.iter().map(|entry| entry.stored).collect();
    let drafts: Vec<Option<Value>> =
        entries.iter().map(|entry| entry.draft.as_ref().ok().map(|item| serde_json::json!(item))).collect();
    sqlx::query!(
        "
        insert into item
            (connection, item, product, code, code_key, name, reason, stored, draft, warehouse_key, seen_at, reading,
             stock_enqueued)
        select $1, entry.*, $10, $11, entry.stored and exists (
            select 1 from connection where name = $1 and catalogue_read_at is null
        )
        from unnest(
            $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::jsonb[],
            $12::text[]
        ) as entry (item, product, code, code_key, name, reason, stored, draft, warehouse_key)
        order by 2 -- one lock order for all writers
        on conflict (connection, item) do update set
            product = excluded.product, code = excluded.code, code_key = excluded.code_key, name = excluded.name,
            reason = excluded.reason, stored = excluded.stored, draft = excluded.draft,
            warehouse_key = excluded.warehouse_key, seen_at = excluded.seen_at, reading = excluded.reading,
            stock_enqueued = item.stock_enqueued and item.code is not distinct from excluded.code
        where item.reading <= excluded.reading
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
        reading.at,
        reading.number,
        &warehouse_keys as &[Option<String>],
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
    // In the shop, and at the warehouse where that is another one.
    let codes = entries.iter().filter_map(|entry| entry.code.clone());
    let codes = codes.chain(entries.iter().filter_map(|entry| Some(entry.draft.as_ref().ok()?.code.clone())));
    let codes: Vec<_> = codes.collect::<BTreeSet<_>>().into_iter().collect();
    let is_complete = sqlx::query_scalar!(
        r#"select catalogue_read_at is not null as "is_complete!" from connection where name = $1"#,
        connection,
    );
    let is_complete = is_complete.fetch_optional(&mut *db).await?.unwrap_or(false);
    let mut register = CodeRegister { is_complete, ..CodeRegister::default() };
    add_known(db, connection, &items, &mut register).await?;
    add_duplicates(db, connection, &codes, &mut register).await?;
    let spelt = codes.iter().map(String::as_str);
    register.spellings = warehouse_codes::load_spellings(db, connection, spelt).await?;
    add_owners(db, connection, &codes, &mut register).await?;
    register.codes_without_stock_task = item_stock::list_not_enqueued(db, connection, &items).await?;
    Ok(register)
}

/// Adds what was last sent of these items.
async fn add_known(
    db: &mut PgConnection,
    connection: &str,
    items: &[String],
    register: &mut CodeRegister,
) -> Result<()> {
    let known = sqlx::query!(
        "select subject, code, sent_hash from subject_state where connection = $1 and subject = any($2)",
        connection,
        items,
    );
    for row in known.fetch_all(db).await? {
        register.known.insert(row.subject, KnownItem { code: row.code, sent_hash: row.sent_hash });
    }
    Ok(())
}

/// Adds all items that have one of these codes.
async fn add_duplicates(
    db: &mut PgConnection,
    connection: &str,
    codes: &[String],
    register: &mut CodeRegister,
) -> Result<()> {
    let keys: Vec<_> = codes.iter().map(|code| key_of(code)).collect();
    let duplicates = sqlx::query!(
        r#"select item, code as "code!", code_key as "key!", name from item
           where connection = $1 and code_key = any($2) order by item"#,
        connection,
        &keys,
    );
    for row in duplicates.fetch_all(db).await? {
        let duplicate = DuplicateItem { item: row.item, code: row.code, name: row.name };
        register.duplicates.entry(CodeKey::of(&row.key)).or_default().push(duplicate);
    }
    Ok(())
}

/// Adds the items that were last seen at the warehouse under one of these codes, in any spelling.
async fn add_owners(
    db: &mut PgConnection,
    connection: &str,
    codes: &[String],
    register: &mut CodeRegister,
) -> Result<()> {
    let known = register.spellings.0.values().flat_map(|known| known.shop.iter().chain(&known.warehouse));
    let spellings: BTreeSet<_> = known.chain(codes).cloned().collect();
    let owners = sqlx::query!(
        r#"
        select subject_state.code as "code!", subject_state.subject
        from subject_state
        join item on item.connection = subject_state.connection and item.item = subject_state.subject
        where subject_state.connection = $1 and subject_state.code = any($2)
        "#,
        connection,
        &spellings.into_iter().collect::<Vec<_>>(),
    );
    for row in owners.fetch_all(db).await? {
        register.owners.entry(CodeKey::of(&row.code)).or_default().push(row.subject);
    }
    Ok(())
}

fn key_of(code: &str) -> String {
    CodeKey::of(code).into_string()
}
