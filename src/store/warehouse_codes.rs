//! Table `warehouse_code`: the product codes of the warehouse as it spells them; and how both sides spell a code.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    product::{CodeKey, KnownSpellings, Spellings},
};

/// Records codes that the warehouse has, as it spells them.
pub async fn record(
    db: &mut PgConnection,
    connection: &str,
    codes: impl IntoIterator<Item = &str>,
    now: Timestamp,
) -> Result<()> {
    let codes: BTreeSet<_> = codes.into_iter().filter(|code| !code.trim().is_empty()).collect();
    let keys: Vec<_> = codes.iter().map(|code| CodeKey::of(code).into_string()).collect();
    let codes: Vec<_> = codes.into_iter().collect();
    if codes.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into warehouse_code (connection, code, code_key, seen_at)
         select $1, new.*, $4 from unnest($2::text[], $3::text[]) as new on conflict do nothing",
        connection,
        &codes as &[&str],
        &keys,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the spellings that a sync has not found at the warehouse, where it has found another one of the same code.
pub async fn remove_respelt(db: &mut PgConnection, connection: &str, sync: Uuid) -> Result<()> {
    sqlx::query!(
        "delete from warehouse_code as known
         where connection = $1
           and not exists (select 1 from sync_snapshot where sync_id = $2 and name = known.code)
           and exists (select 1 from sync_snapshot where sync_id = $2 and subject = known.code_key)",
        connection,
        sync,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Loads how both sides spell these codes.
pub async fn load_spellings(
    db: &mut PgConnection,
    connection: &str,
    codes: impl IntoIterator<Item = &str>,
) -> Result<KnownSpellings> {
    let keys: BTreeSet<_> = codes.into_iter().map(|code| CodeKey::of(code).into_string()).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let rows = sqlx::query!(
        r#"
        select wanted.key as "key!",
            array(
                select distinct code from item
                where item.connection = $1 and item.code_key = wanted.key and code is not null order by 1
            ) as "shop!: Vec<String>",
            array(
                select code from warehouse_code
                where warehouse_code.connection = $1 and warehouse_code.code_key = wanted.key order by 1
            ) as "warehouse!: Vec<String>"
        from unnest($2::text[]) as wanted (key)
        "#,
        connection,
        &keys,
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    let known =
        rows.map(|row| (CodeKey::of(&row.key), Spellings { shop: row.shop, warehouse: row.warehouse }));
    Ok(KnownSpellings(known.collect()))
}
