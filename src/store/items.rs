//! Table `part`: the shop's catalogue as last read, and the register of codes that it makes.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    product::{CodeProblem, Entered, Entry, Known, Twin, code_key},
    task::outcome::Reason,
};

/// Enters a product's parts as read at `seen_at`, in place of what was known of it; a part that is not among them has
/// gone. Commits, and then looks: of two that enter the same code at once the later one sees the other.
pub async fn enter(
    db: &mut PgConnection,
    connection: &str,
    product: &Subject,
    entries: &[Entry],
    seen_at: Timestamp,
) -> Result<Entered> {
    let mut tx = db.begin().await?;
    let before = sqlx::query!(
        "select part.part, part.code, link.code as stands_as
         from part left join link on link.connection = part.connection and link.subject = part.part
         where part.connection = $1 and part.product = $2",
        connection,
        product.to_string(),
    );
    let before = before.fetch_all(&mut *tx).await?;
    let products = vec![product.to_string(); entries.len()];
    write(&mut tx, connection, &products, entries, seen_at).await?;
    let parts: Vec<_> = entries.iter().map(|entry| entry.part.clone()).collect();
    sqlx::query!(
        "delete from part where connection = $1 and product = $2 and seen_at <= $4 and not part = any($3)",
        connection,
        product.to_string(),
        &parts,
        seen_at,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;

    let mut entered = ask(db, connection, entries).await?;
    let has: BTreeSet<_> = entries.iter().filter_map(|entry| entry.code.as_deref()).map(code_key).collect();
    let had = before.iter().flat_map(|row| [&row.code, &row.stands_as]).flatten().map(|code| code_key(code));
    let left: Vec<_> = had.filter(|key| !has.contains(key)).collect();
    if !left.is_empty() {
        let waiting = sqlx::query_scalar!(
            "select distinct product from part
             where connection = $1 and code_key = any($2) and product <> $3 and stored order by product",
            connection,
            &left,
            product.to_string(),
        );
        let waiting = waiting.fetch_all(db).await?;
        entered.left = waiting.iter().filter_map(|subject| subject.parse().ok()).collect();
    }
    Ok(entered)
}

/// Enters whole pages of products; what is gone is told by [`unseen`].
pub async fn enter_pages(
    db: &mut PgConnection,
    connection: &str,
    pages: &[(Subject, Vec<Entry>)],
    seen_at: Timestamp,
) -> Result<()> {
    let products = pages.iter().flat_map(|(product, entries)| entries.iter().map(|_| product.to_string()));
    let entries: Vec<_> = pages.iter().flat_map(|(_, entries)| entries.iter().cloned()).collect();
    write(db, connection, &products.collect::<Vec<_>>(), &entries, seen_at).await
}

async fn write(
    db: &mut PgConnection,
    connection: &str,
    products: &[String],
    entries: &[Entry],
    seen_at: Timestamp,
) -> Result<()> {
    let parts: Vec<_> = entries.iter().map(|entry| entry.part.clone()).collect();
    let codes: Vec<_> = entries.iter().map(|entry| entry.code.clone()).collect();
    let keys: Vec<_> = entries.iter().map(|entry| entry.code.as_deref().map(code_key)).collect();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    let reasons: Vec<_> =
        entries.iter().map(|entry| entry.item.as_ref().err().map(|it| it.code().to_owned())).collect();
    let stored: Vec<_> = entries.iter().map(|entry| entry.stored).collect();
    let items: Vec<Option<Value>> =
        entries.iter().map(|entry| entry.item.as_ref().ok().map(|item| serde_json::json!(item))).collect();
    sqlx::query!(
        "
        insert into part (connection, part, product, code, code_key, name, reason, stored, item, seen_at)
        select $1, entry.*, $10 from unnest(
            $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::jsonb[]
        ) as entry
        order by 2 -- one lock order for all writers
        on conflict (connection, part) do update set
            product = excluded.product, code = excluded.code, code_key = excluded.code_key, name = excluded.name,
            reason = excluded.reason, stored = excluded.stored, item = excluded.item, seen_at = excluded.seen_at
        where part.seen_at <= excluded.seen_at
        ",
        connection,
        &parts,
        products,
        &codes as &[Option<String>],
        &keys as &[Option<String>],
        &names as &[Option<String>],
        &reasons as &[Option<String>],
        &stored,
        &items as &[Option<Value>],
        seen_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What the register says of these parts, without entering them.
pub async fn ask(db: &mut PgConnection, connection: &str, entries: &[Entry]) -> Result<Entered> {
    let parts: Vec<_> = entries.iter().map(|entry| entry.part.clone()).collect();
    let codes: Vec<_> = entries.iter().filter_map(|entry| entry.code.clone()).collect();
    let keys: Vec<_> = codes.iter().map(|code| code_key(code)).collect();
    let is_whole = sqlx::query_scalar!(
        r#"select catalogue_read_at is not null as "is_whole!" from connection where name = $1"#,
        connection,
    );
    let is_whole = is_whole.fetch_optional(&mut *db).await?.unwrap_or(false);
    let mut entered = Entered { is_whole, ..Entered::default() };
    let known = sqlx::query!(
        "select subject, code, sent_hash from link where connection = $1 and subject = any($2)",
        connection,
        &parts,
    );
    for row in known.fetch_all(&mut *db).await? {
        entered.known.insert(row.subject, Known { code: row.code, sent_hash: row.sent_hash });
    }
    let twins = sqlx::query!(
        r#"select part, code as "code!", code_key as "key!", name from part
           where connection = $1 and code_key = any($2) order by part"#,
        connection,
        &keys,
    );
    for row in twins.fetch_all(&mut *db).await? {
        let twin = Twin { part: row.part, code: row.code, name: row.name };
        entered.twins.entry(row.key).or_default().push(twin);
    }
    let owners = sqlx::query!(
        r#"
        select link.code as "code!", link.subject
        from link join part on part.connection = link.connection and part.part = link.subject
        where link.connection = $1 and link.code = any($2)
        "#,
        connection,
        &codes,
    );
    for row in owners.fetch_all(db).await? {
        entered.owners.entry(row.code).or_default().push(row.subject);
    }
    Ok(entered)
}

/// Parts whose codes cannot be sent as they are, in order of their names behind `after`: empty, over-long, or another
/// part's too. What is not the warehouse's to store is only told where it stands in another's way.
pub async fn code_problems(
    db: &mut PgConnection,
    connection: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<CodeProblem>> {
    let rows = sqlx::query_as!(
        CodeProblem,
        r#"
        select part.part, part.product, part.code, part.name, coalesce(part.reason, $4) as "reason!",
            coalesce((
                select array_agg(
                    format('%s of %s (%s)', to_json(twin.code), to_json(coalesce(twin.name, '?')), twin.part)
                    order by twin.part
                )
                from part twin
                where twin.connection = part.connection and twin.code_key = part.code_key and twin.part <> part.part
            ), '{}') as "others!"
        from part
        where part.connection = $1 and part.part > $2
          and (
            part.reason is not null and part.stored
            or exists (
                select 1 from part twin
                where twin.connection = part.connection and twin.code_key = part.code_key
                  and twin.part <> part.part and (twin.stored or part.stored)
            )
          )
        order by part.part
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
pub async fn unseen(
    db: &mut PgConnection,
    connection: &str,
    since: Timestamp,
    after: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let products = sqlx::query_scalar!(
        "select distinct product from part where connection = $1 and seen_at < $2 and product > $3
         order by product limit $4",
        connection,
        since,
        after,
        limit,
    );
    Ok(products.fetch_all(db).await?)
}

/// A part of the catalogue beside what the warehouse was read to have: a line of the comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// As `product:77/5`.
    pub part: String,
    /// As `product:77`.
    pub product: String,
    /// What would be sent of it; nothing where it is held back.
    pub item: Option<Value>,
    /// The code under which we remember it at the warehouse.
    pub stands_as: Option<String>,
    /// What the warehouse has under the part's code.
    pub there: Option<Value>,
    /// What it has under the remembered code, where that is another one.
    pub before: Option<Value>,
    /// Another part of the catalogue that we remember at the warehouse under this code.
    pub owner: Option<String>,
    /// Another part has the same code.
    pub is_repeated: bool,
    /// An attempt has looked at it since the comparison began: what was read before is out of date.
    pub moved: bool,
}

/// The stored parts behind `after`, each beside what a comparison has read at the warehouse.
pub async fn beside(
    db: &mut PgConnection,
    connection: &str,
    sync: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<Compared>> {
    let rows = sqlx::query_as!(
        Compared,
        r#"
        with page as materialized (
            select * from part where connection = $1 and stored and part > $3 order by part limit $4
        )
        select page.part, page.product, page.item, link.code as "stands_as?",
            there.body as "there?", before.body as "before?", owner.subject as "owner?",
            exists (
                select 1 from part twin
                where twin.connection = $1 and twin.code_key = page.code_key and twin.part <> page.part
            ) as "is_repeated!",
            coalesce(link.seen_at > sync.started_at, false) as "moved!"
        from page
        join sync on sync.id = $2
        -- A limit in each keeps it a probe of its index, however new the tables' statistics are.
        left join lateral (
            select code, seen_at from link where connection = $1 and subject = page.part limit 1
        ) link on true
        left join lateral (
            select body from sync_reading where sync_id = $2 and name = page.code limit 1
        ) there on true
        left join lateral (
            select body from sync_reading where sync_id = $2 and name = link.code and link.code <> page.code limit 1
        ) before on true
        left join lateral (
            select owner.subject from link owner
            where owner.connection = $1 and owner.code = page.code and owner.subject <> page.part
              and exists (select 1 from part where part.connection = $1 and part.part = owner.subject)
            limit 1
        ) owner on true
        order by page.part
        "#,
        connection,
        sync,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
