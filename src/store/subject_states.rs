//! Table `link`: what we remember of a subject across both systems; what an attempt writes there is in `learning`.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    Timestamp,
    order::{Intent, OrderStatus},
    task::subject_state::{Begun, Link},
};

/// What we remember of a subject; nothing, where we never met it.
pub async fn find(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Link> {
    let mut remembered = remember(db, &[connection], &[subject.to_owned()]).await?;
    Ok(remembered.pop().map(|(link, _)| link).unwrap_or_default())
}

/// What we remember of subjects, and what a person last asked for each; in their order.
pub async fn remember(
    db: &mut PgConnection,
    connections: &[&str],
    subjects: &[String],
) -> Result<Vec<(Link, Option<Intent>)>> {
    let rows = sqlx::query!(
        r#"
        select mycashflow_id, ogoship_id, reference, code, sent_hash, sent, status, shop_status, shop_version,
               warehouse_status, warehouse_version, warehouse_comments, related, tracking_code, tracking_url,
               ready_at, placed_at, cancel_asked_at, completed_at, begun_deed, begun_key, begun_at, figure, figure_at,
               (
                   select action from intent
                   where intent.connection = told.connection and intent.subject = told.subject
                   order by id desc limit 1
               ) as asked
        from unnest($1::text[], $2::text[]) with ordinality as told (connection, subject, place)
        left join link on link.connection = told.connection and link.subject = told.subject
        order by place
        "#,
        connections as &[&str],
        subjects,
    )
    .fetch_all(db)
    .await?;
    let remembered = rows.into_iter().map(|row| {
        let begun = match (row.begun_deed, row.begun_key, row.begun_at) {
            (Some(deed), Some(key), Some(at)) => Some(Begun { deed, key, at }),
            _ => None, // link_begun_whole: all three or none
        };
        let link = Link {
            mycashflow_id: row.mycashflow_id,
            ogoship_id: row.ogoship_id,
            reference: row.reference,
            code: row.code,
            figure: row.figure,
            figure_at: row.figure_at,
            in_flight: None, // only ever written from here: see `store::stock`
            sent_hash: row.sent_hash,
            sent: row.sent,
            status: row.status.as_deref().and_then(OrderStatus::parse),
            shop_status: row.shop_status,
            shop_version: row.shop_version,
            warehouse_status: row.warehouse_status,
            warehouse_version: row.warehouse_version,
            warehouse_comments: row.warehouse_comments,
            related: row.related,
            tracking_code: row.tracking_code,
            tracking_url: row.tracking_url,
            ready_at: row.ready_at,
            placed_at: row.placed_at,
            cancel_asked_at: row.cancel_asked_at,
            completed_at: row.completed_at,
            begun,
        };
        (link, row.asked.as_deref().and_then(Intent::parse))
    });
    Ok(remembered.collect())
}

/// A product that a comparison found at the warehouse exactly as it would be sent.
#[derive(Clone, Debug)]
pub struct Stands {
    /// As `product:77/5`.
    pub part: String,
    /// Its id in the shop.
    pub mycashflow_id: String,
    /// Its id at the warehouse.
    pub ogoship_id: Option<String>,
    /// The code under which it stands there.
    pub code: String,
    /// The fingerprint of what would be sent.
    pub sent_hash: String,
}

/// Remembers products that stand at the warehouse as they should: from now on they cost no call, and a changed code
/// renames them.
pub async fn note_products(
    db: &mut PgConnection,
    connection: &str,
    stands: &[Stands],
    seen_at: Timestamp,
) -> Result<()> {
    let column = |pick: fn(&Stands) -> &String| stands.iter().map(|it| pick(it).clone()).collect::<Vec<_>>();
    let ogoship_ids: Vec<_> = stands.iter().map(|it| it.ogoship_id.clone()).collect();
    sqlx::query!(
        "
        insert into link (connection, subject, mycashflow_id, ogoship_id, code, sent_hash, seen_at)
        select $1, told.*, $7 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as told
        on conflict (connection, subject) do update set
            mycashflow_id = excluded.mycashflow_id,
            ogoship_id = coalesce(excluded.ogoship_id, link.ogoship_id),
            code = excluded.code,
            sent_hash = excluded.sent_hash
        where link.seen_at <= excluded.seen_at
          and (link.code, link.sent_hash) is distinct from (excluded.code, excluded.sent_hash)
        ",
        connection,
        &column(|it| &it.part),
        &column(|it| &it.mycashflow_id),
        &ogoship_ids as &[Option<String>],
        &column(|it| &it.code),
        &column(|it| &it.sent_hash),
        seen_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Which of these subjects have we already read in the shop, or at the warehouse, at these versions? A sweep passes
/// them by. Answers one truth per pair, in order.
pub async fn seen(
    db: &mut PgConnection,
    connection: &str,
    subjects: &[String],
    versions: &[String],
) -> Result<Vec<bool>> {
    let rows = sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from link
            where link.connection = $1 and link.subject = told.subject
              and told.version in (link.shop_version, link.warehouse_version)
        ) as "seen!"
        from unnest($2::text[], $3::text[]) with ordinality as told (subject, version, place)
        order by place
        "#,
        connection,
        subjects,
        versions,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Which of these codes' figures did we once read at the warehouse? Answers one truth per code, in order.
pub async fn once_there(db: &mut PgConnection, connection: &str, codes: &[String]) -> Result<Vec<bool>> {
    let rows = sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from link
            where link.connection = $1 and link.subject = 'stock:' || told.code and link.warehouse_version is not null
        ) as "there!"
        from unnest($2::text[]) with ordinality as told (code, place)
        order by place
        "#,
        connection,
        codes,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Forgets what was sent of products and their parts, so that the next attempt reads the warehouse instead of believing
/// that what was sent still stands there.
pub async fn forget_sent(db: &mut PgConnection, connection: &str, products: &[String]) -> Result<()> {
    sqlx::query!(
        "update link set sent_hash = null
         where connection = $1 and sent_hash is not null
           and subject in (select part from part where connection = $1 and product = any($2))",
        connection,
        products,
    )
    .execute(db)
    .await?;
    Ok(())
}
