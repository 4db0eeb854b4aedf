//! Products: the warehouse's are read into rows, the shop's into the register of codes, and the two are compared.

use sqlx::{Connection, PgConnection};

use super::{
    error::SyncError,
    fix::{STILL_AT_WAREHOUSE, found_event},
    read_retries::read_with_retries,
    run::{Run, reported_difference},
};
use crate::{
    domain::{
        event::subject::{Subject, SubjectKind},
        page_walk::PageWalk,
        product::{
            CatalogueItem, CodeKey, Decision, ItemDraft, ItemView, ProductPolicy, ShopProduct, Spellings,
            WarehouseProduct, decide, differences,
        },
        task::reason::Reason,
    },
    flows::ConnectionClients,
    store::{
        connections, ingest, item_stock,
        items::{self, Reading},
        repeated_codes,
        subject_states::{self, InSyncProduct},
        sync_catalogue::{self, CatalogueRow},
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
        tasks,
        views::code_problems,
        warehouse_codes,
    },
};

/// Items compared in one transaction.
const BATCH_SIZE: i64 = 500;

/// An item in sync, or its difference.
enum Compared {
    InSync(InSyncProduct),
    Differs(NewDifference),
}

/// Stores the warehouse's products as rows.
pub(super) async fn read_warehouse(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    loop {
        let walk = run.page_walk();
        let read = read_with_retries(|| clients.warehouse.list_products(walk.page())).await?;
        let to_row = |product: &WarehouseProduct| SnapshotRow {
            name: product.code.clone(),
            subject: CodeKey::of(&product.code).into_string(),
            body: serde_json::json!(product),
            matched: false,
        };
        let rows: Vec<_> = read.items.iter().map(to_row).collect();
        run.record_warehouse_codes(&rows).await?;
        if !run.store_snapshot(walk.next(read.has_more), &rows).await? {
            break;
        }
    }
    let mut tx = run.begin_transaction().await?;
    warehouse_codes::remove_respelt(&mut tx, &run.leased.connection, run.leased.id).await?;
    Ok(tx.commit().await?)
}

/// Registers the shop's catalogue, page by page, and then what the catalogue no longer lists.
pub(super) async fn read_catalogue(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let connection = &run.leased.connection;
    loop {
        let walk = run.page_walk();
        let reading = run.begin_reading().await?;
        let read = read_with_retries(|| clients.shop.list_products(walk.page())).await?;
        let found: Vec<_> = read.items.iter().filter_map(unreadable_difference).collect();
        let readable = read.items.iter().filter(|product| product.unreadable.is_empty());
        let items: Vec<_> = readable
            .map(|product| {
                (Subject::product(&product.id), CatalogueItem::of(product, &clients.product_policy))
            })
            .collect();
        let mut tx = run.begin_transaction().await?;
        items::register_products(&mut tx, connection, &items, reading).await?;
        if !run.leased.dry_run {
            enqueue_new_stock(run, &mut tx, &items).await?;
        }
        run.progress.total = read.total;
        // On the way back only what was not met before is new.
        let compared = if matches!(walk, PageWalk::Forward(_)) { read.items.len() } else { 0 };
        let Some(next) = walk.next(read.has_more) else {
            run.commit_page(tx, &found, run.progress.cursor.clone(), compared).await?;
            break;
        };
        run.commit_page(tx, &found, next.to_cursor(), compared).await?;
    }
    read_unseen_products(run, clients).await?;
    let now = run.deps.clock.now();
    let mut tx = run.begin_transaction().await?;
    repeated_codes::refresh_all(&mut tx, connection).await?;
    connections::record_catalogue_read(&mut tx, connection, now).await?;
    let (kind, reason) = (SubjectKind::Product, Reason::CatalogueUnread);
    tasks::wake_waiting(&mut tx, connection, kind, reason, now).await?;
    Ok(tx.commit().await?)
}

/// A product with fields that cannot be read: it is not compared, and what is registered of it stays.
fn unreadable_difference(product: &ShopProduct) -> Option<NewDifference> {
    let (detail, reason) = (product.unreadable_detail()?, Reason::FieldUnreadable);
    let subject = Subject::product(&product.id).to_string();
    let found = reported_difference(subject, "needs_attention", reason.description());
    Some(NewDifference { reason: Some(reason), detail: Some(detail), ..found })
}

/// Enqueues the stock of items that the shop did not have before.
async fn enqueue_new_stock(
    run: &Run<'_>,
    tx: &mut PgConnection,
    products: &[(Subject, Vec<CatalogueItem>)],
) -> Result<(), SyncError> {
    let connection = &run.leased.connection;
    let items: Vec<_> = products.iter().flat_map(|(_, items)| items).map(|item| item.item.clone()).collect();
    let codes = item_stock::list_not_enqueued(tx, connection, &items).await?;
    let events: Vec<_> = codes.iter().map(|code| found_event(run, Subject::stock(code))).collect();
    ingest::ingest(tx, &events).await?;
    Ok(item_stock::mark_enqueued(tx, connection, &codes).await?)
}

/// Compares the register with the stored rows; then reports codes that cannot be sent, and what only the warehouse has.
pub(super) async fn find_differences(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
) -> Result<(), SyncError> {
    loop {
        let mut tx = run.begin_transaction().await?;
        let (connection, after) = (&run.leased.connection, run.progress.cursor.clone());
        let rows =
            sync_catalogue::list_beside_snapshot(&mut tx, connection, run.leased.id, &after, BATCH_SIZE)
                .await?;
        let Some(last) = rows.last().map(|row| row.item.clone()) else { break };
        let (mut found, mut in_sync) = (Vec::new(), Vec::new());
        for row in rows.into_iter().filter(|row| !row.has_duplicate_code && !row.is_outdated) {
            let Some(draft) = row.draft.clone() else { continue };
            let draft: ItemDraft =
                serde_json::from_value(draft).map_err(|_| SyncError::inconsistent("item"))?;
            let shop_code = row.code.clone().unwrap_or_default();
            let draft = ItemDraft { item: row.item.clone(), shop_code, ..draft };
            match compare(run, &clients.product_policy, &draft, &row)? {
                Compared::InSync(product) => in_sync.push(product),
                Compared::Differs(difference) => found.push(difference),
            }
        }
        run.count("same", i64::try_from(in_sync.len()).unwrap_or(0));
        let reading = Reading { number: run.leased.reading, at: run.leased.started_at };
        subject_states::record_in_sync_products(&mut tx, connection, &in_sync, reading).await?;
        run.commit_page(tx, &found, last, 0).await?;
    }
    report_code_problems(run).await?;
    report_orphans(run, clients).await
}

/// Reads each registered product that the catalogue did not list, alone: only its own 404 says that it is gone.
async fn read_unseen_products(run: &Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let connection = &run.leased.connection;
    let mut after = String::new();
    loop {
        let mut db = run.deps.pool.acquire().await?;
        let unseen =
            sync_catalogue::list_unseen(&mut db, connection, run.leased.reading, &after, BATCH_SIZE).await?;
        drop(db); // never held during a call
        let Some(last) = unseen.last() else { return Ok(()) };
        after.clone_from(last);
        for subject in unseen.iter().filter_map(|text| text.parse::<Subject>().ok()) {
            let reading = run.begin_reading().await?;
            let product = read_with_retries(|| clients.shop.get_product(&subject.key)).await?;
            if product.as_ref().is_some_and(|product| !product.unreadable.is_empty()) {
                run.extend_lease().await?;
                continue;
            }
            let items = product.map(|product| CatalogueItem::of(&product, &clients.product_policy));
            let items = items.unwrap_or_default();
            let mut db = run.deps.pool.acquire().await?;
            let register = items::register_product(&mut db, connection, &subject, &items, reading).await?;
            if !run.leased.dry_run {
                // Products that were withheld for a code of this one may go on now.
                let stock = register.codes_without_stock_task.iter().map(Subject::stock);
                let subjects = register.released.into_iter().chain(stock);
                let events: Vec<_> = subjects.map(|subject| found_event(run, subject)).collect();
                let mut tx = db.begin().await?;
                ingest::ingest(&mut tx, &events).await?;
                item_stock::mark_enqueued(&mut tx, connection, &register.codes_without_stock_task).await?;
                tx.commit().await?;
            }
            drop(db);
            run.extend_lease().await?;
        }
    }
}

/// Compares an item with what the warehouse has.
fn compare(
    run: &mut Run<'_>,
    policy: &ProductPolicy,
    draft: &ItemDraft,
    row: &CatalogueRow,
) -> Result<Compared, SyncError> {
    let product = |body: &Option<serde_json::Value>| -> Result<Option<WarehouseProduct>, SyncError> {
        let body = body.clone().map(serde_json::from_value).transpose();
        body.map_err(|_| SyncError::inconsistent("sync_snapshot"))
    };
    let (there, before) = (product(&row.at_warehouse)?, product(&row.before)?);
    let was_there = row.warehouse_code.is_some();
    if was_there && (there.is_some() || before.is_some()) {
        run.count(STILL_AT_WAREHOUSE, 1);
    }
    let (owner, rename) = (row.owner.as_deref(), policy.rename);
    let view = ItemView { draft, there: there.as_ref(), before: before.as_ref(), owner, rename };
    let item = row.item.clone();
    let needs_attention = |reason: Reason, detail| {
        let found = reported_difference(&row.product, "needs_attention", reason.description());
        let (item, reason) = (item.clone(), Some(reason));
        Compared::Differs(NewDifference { item, reason, detail: Some(detail), ..found })
    };
    let spellings = Spellings { shop: vec![draft.code.clone()], warehouse: row.codes_there.clone() };
    if let Err(ambiguous) = spellings.at_warehouse(&draft.code) {
        return Ok(needs_attention(Reason::CodeRepeated, ambiguous.detail()));
    }
    let fixable = |class, remedy, detail| {
        let found = run.fixable_difference(&row.product, class, remedy);
        Compared::Differs(NewDifference { item: item.clone(), detail: Some(detail), ..found })
    };
    let named = format!("{:?} {:?}", draft.code, draft.name);
    Ok(match decide(&view) {
        Decision::Nothing => {
            let WarehouseProduct { id: ogoship_id, code, .. } = there.unwrap_or_default();
            let (mycashflow_id, sent_hash) = (draft.id().to_owned(), draft.hash());
            Compared::InSync(InSyncProduct { item, mycashflow_id, ogoship_id, code, sent_hash })
        }
        Decision::Create if was_there => {
            fixable("vanished_at_warehouse", "it is created at the warehouse again", named)
        }
        Decision::Create => fixable("missing_at_warehouse", "it is created at the warehouse", named),
        Decision::Update => {
            let fields = there.map(|there| differences(draft, &there).join(", ")).unwrap_or_default();
            let remedy = "the shop's fields are sent to the warehouse";
            fixable("differs_at_warehouse", remedy, format!("{named}: {fields}"))
        }
        Decision::Rename { from } => {
            fixable("renamed_in_shop", "it is renamed at the warehouse", format!("{named}, was {from:?}"))
        }
        Decision::AskOperator { reason, detail } => needs_attention(reason, detail),
    })
}

/// Reports codes that cannot be sent: the same that the admin API and the doctor list.
async fn report_code_problems(run: &mut Run<'_>) -> Result<(), SyncError> {
    let mut after = String::new();
    loop {
        let mut tx = run.begin_transaction().await?;
        let problems =
            code_problems::list_code_problems(&mut tx, &run.leased.connection, &after, BATCH_SIZE).await?;
        let Some(last) = problems.last() else { return Ok(()) };
        after.clone_from(&last.item);
        let found: Vec<_> = problems
            .iter()
            .map(|problem| {
                let reason = Reason::parse(&problem.reason).unwrap_or(Reason::CodeRepeated);
                let remedy = "give each product and variation a code of its own in the shop";
                let found = reported_difference(&problem.product, "held_back", remedy);
                let (item, detail) = (problem.item.clone(), Some(problem.to_string()));
                NewDifference { item, reason: Some(reason), detail, ..found }
            })
            .collect();
        run.commit_page(tx, &found, run.progress.cursor.clone(), 0).await?;
    }
}

/// Reports what only the warehouse has: another channel's product, one that was identified there, or an orphan.
async fn report_orphans(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let mut after = String::new();
    loop {
        let mut tx = run.begin_transaction().await?;
        let codes = sync_snapshots::list_codes_left_over(&mut tx, run.leased, &after, BATCH_SIZE).await?;
        let Some((last, _)) = codes.last() else { return Ok(()) };
        after.clone_from(last);
        let found: Vec<_> = codes
            .iter()
            .filter(|(code, left_over)| *left_over && !clients.product_policy.is_excluded(code))
            .map(|(code, _)| {
                let remedy =
                    "nothing flows back: add it to the shop, or exclude the code, if it is this shop's";
                let found = reported_difference(code, "unknown_in_shop", remedy);
                NewDifference { reason: Some(Reason::UnknownInShop), ..found }
            })
            .collect();
        run.commit_page(tx, &found, run.progress.cursor.clone(), 0).await?;
    }
}
