//! Table `subject_state`: what was last observed of a subject on both sides. `observations` holds what
//! attempts write.

use sqlx::PgConnection;

use super::{Result, actions, items::Reading};
use crate::domain::{
    id::TaskId,
    order::{Intent, OrderFacts, OrderStatus},
    task::{
        ledger::Ledger,
        subject_state::{KnownSubject, SubjectState},
    },
};

/// Finds what is known of a subject; the default if it was never seen.
pub async fn find(db: &mut PgConnection, connection: &str, subject: &str) -> Result<KnownSubject> {
    Ok(load(db, &[connection], &[subject.to_owned()]).await?.pop().unwrap_or_default())
}

/// Loads what is known of subjects, in their order.
pub async fn load(
    db: &mut PgConnection,
    connections: &[&str],
    subjects: &[String],
) -> Result<Vec<KnownSubject>> {
    let ledgers = actions::load(db, connections, subjects).await?;
    let states = load_with_intents(db, connections, subjects).await?;
    let known = states.into_iter().zip(ledgers);
    let known = known.map(|(asked, ledger)| KnownSubject { ledger, ..asked });
    Ok(known.collect())
}

async fn load_with_intents(
    db: &mut PgConnection,
    connections: &[&str],
    subjects: &[String],
) -> Result<Vec<KnownSubject>> {
    let rows = sqlx::query!(
        r#"
        select mycashflow_id, ogoship_id, reference, code, sent_hash, status, shop_status, shop_version,
               warehouse_status, warehouse_version, warehouse_comments, related, tracking_code, tracking_url,
               ready_at, placed_at, completed_at, figure, figure_at, parcel_state, returned, added_shipments,
               requested.kind as "requested?",
               greatest(requested.leaves_at, confirmation.leaves_at) as leaves_at,
               coalesce(confirmation.targets, '{}') as "confirmed!",
               (
                   select task_id from intent
                   where intent.connection = wanted.connection and intent.subject = wanted.subject and kind = 'sync'
                   order by number desc limit 1
               ) as asked
        from unnest($1::text[], $2::text[]) with ordinality as wanted (connection, subject, position)
        left join subject_state
            on subject_state.connection = wanted.connection and subject_state.subject = wanted.subject
        left join lateral (
            select kind, leaves_at from intent
            where intent.connection = wanted.connection and intent.subject = wanted.subject
              and kind not in ('send_replacement', 'sync') and undone_at is null
            order by number desc limit 1
        ) requested on true
        left join lateral (
            select array_agg(target) as targets, max(leaves_at) as leaves_at from intent
            where intent.connection = wanted.connection and intent.subject = wanted.subject
              and target is not null and undone_at is null
        ) confirmation on true
        order by position
        "#,
        connections as &[&str],
        subjects,
    )
    .fetch_all(db)
    .await?;
    let loaded = rows.into_iter().map(|row| {
        let state = SubjectState {
            mycashflow_id: row.mycashflow_id,
            ogoship_id: row.ogoship_id,
            reference: row.reference,
            code: row.code,
            figure: row.figure,
            figure_at: row.figure_at,
            in_flight: None, // only written by this way: see `store::stock`
            sent_hash: row.sent_hash,
            status: row.status.as_deref().and_then(OrderStatus::parse),
            shop_status: row.shop_status,
            shop_version: row.shop_version,
            warehouse_status: row.warehouse_status,
            warehouse_version: row.warehouse_version,
            warehouse_comments: row.warehouse_comments,
            related: row.related,
            tracking_code: row.tracking_code,
            tracking_url: row.tracking_url,
            parcel_state: row.parcel_state,
            returned: row.returned,
            added_shipments: row.added_shipments,
            customizations: None, // personal, so read only to be shown: see `store::views::orders`
            waiting: None,        // only written by this way: see `store::views::waiting`
            facts: OrderFacts::default(), // the same: see `store::views::orders`
            ready_at: row.ready_at,
            placed_at: row.placed_at,
            completed_at: row.completed_at,
        };
        let intent = row.requested.as_deref().and_then(Intent::parse);
        let asked = row.asked.map(TaskId);
        KnownSubject {
            state,
            ledger: Ledger::default(),
            intent,
            leaves_at: row.leaves_at,
            confirmed: row.confirmed,
            asked,
        }
    });
    Ok(loaded.collect())
}

/// An item that a sync found at the warehouse exactly as it would be sent.
#[derive(Clone, Debug)]
pub struct InSyncProduct {
    /// As `product:77/5`.
    pub item: String,
    /// Its id in the shop.
    pub mycashflow_id: String,
    /// Its id at the warehouse.
    pub ogoship_id: Option<String>,
    /// Its code at the warehouse.
    pub code: String,
    /// The digest of what would be sent.
    pub sent_hash: String,
}

/// Records items that are in sync at the warehouse: from now on they cost no call, and a changed code renames
/// them.
pub async fn record_in_sync_products(
    db: &mut PgConnection,
    connection: &str,
    stands: &[InSyncProduct],
    reading: Reading,
) -> Result<()> {
    let column =
        |pick: fn(&InSyncProduct) -> &String| stands.iter().map(|it| pick(it).clone()).collect::<Vec<_>>();
    let ogoship_ids: Vec<_> = stands.iter().map(|it| it.ogoship_id.clone()).collect();
    sqlx::query!(
        "
        insert into subject_state (connection, subject, mycashflow_id, ogoship_id, code, sent_hash, seen_at, reading)
        select $1, wanted.*, $7, $8 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as wanted
        on conflict (connection, subject) do update set
            mycashflow_id = excluded.mycashflow_id,
            ogoship_id = coalesce(excluded.ogoship_id, subject_state.ogoship_id),
            code = excluded.code,
            sent_hash = excluded.sent_hash
        where subject_state.reading <= excluded.reading
          and (subject_state.code, subject_state.sent_hash) is distinct from (excluded.code, excluded.sent_hash)
        ",
        connection,
        &column(|it| &it.item),
        &column(|it| &it.mycashflow_id),
        &ogoship_ids as &[Option<String>],
        &column(|it| &it.code),
        &column(|it| &it.sent_hash),
        reading.at,
        reading.number,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is known of a code's stock.
#[derive(Clone, Copy, Debug)]
pub struct KnownStock {
    /// Its figure was read at the warehouse.
    pub was_at_warehouse: bool,
    /// The figure that the shop showed or was given last.
    pub figure: Option<i64>,
}

/// Loads what is known of the stock of these codes, in their order.
pub async fn load_stock(
    db: &mut PgConnection,
    connection: &str,
    codes: &[String],
) -> Result<Vec<KnownStock>> {
    let rows = sqlx::query_as!(
        KnownStock,
        r#"
        select subject_state.warehouse_version is not null as "was_at_warehouse!", subject_state.figure as "figure?"
        from unnest($2::text[]) with ordinality as wanted (code, position)
        left join subject_state
            on subject_state.connection = $1 and subject_state.subject = 'stock:' || wanted.code
        order by position
        "#,
        connection,
        codes,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Clears the digests of what was sent of these products, so that the next attempt reads the warehouse
/// instead of assuming that it is unchanged.
pub async fn clear_sent_hash(db: &mut PgConnection, connection: &str, products: &[String]) -> Result<()> {
    sqlx::query!(
        "update subject_state set sent_hash = null
         where connection = $1 and sent_hash is not null
           and subject in (select item from item where connection = $1 and product = any($2))",
        connection,
        products,
    )
    .execute(db)
    .await?;
    Ok(())
}
