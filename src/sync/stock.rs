//! Stock: every figure of the warehouse is read into rows, then the shop's stock items page by page, and `decide` is asked
//! about each figure.

use super::{
    error::SyncError,
    fix::STILL_AT_WAREHOUSE,
    read_retries::read_with_retries,
    run::{Run, reported_difference},
};
use crate::{
    domain::{
        event::subject::Subject,
        page_walk::PageWalk,
        product::{CodeKey, KnownSpellings, ProductPolicy, Stored, code_fault},
        stock::{Basis, Decision, ShopStock, StockView, WarehouseStock, decide},
        stock_figures::StockFigures,
        task::reason::Reason,
    },
    flows::ConnectionClients,
    store::{
        in_flight,
        stock::{self, ShopFigure},
        stock_figures::{self, ReadAt},
        subject_states::{self, KnownStock},
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
        warehouse_codes,
    },
};

/// Codes reported in one transaction.
const BATCH_SIZE: i64 = 500;

/// A page of the shop, with what our tables know of its codes.
struct Page {
    items: Vec<(String, ShopStock)>,
    in_flight: Vec<i64>,
    known: Vec<KnownStock>,
    /// The warehouse's figures of the same codes.
    matched: Vec<SnapshotRow>,
    spellings: KnownSpellings,
}

/// The keys of the products that these items are at the warehouse.
fn keys_of(items: &[(String, ShopStock)], products: &ProductPolicy) -> Vec<String> {
    items.iter().map(|(code, _)| products.product_key(code).into_string()).collect()
}

/// Stores the warehouse's figures as rows.
pub(super) async fn read_warehouse(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    loop {
        let walk = run.page_walk();
        let read = read_with_retries(|| clients.warehouse.list_stock_figures(walk.page())).await?;
        let to_row = |(code, figure): &(String, WarehouseStock)| SnapshotRow {
            name: code.clone(),
            subject: CodeKey::of(code).into_string(),
            body: serde_json::json!(figure),
            matched: false,
        };
        let rows: Vec<_> = read.items.iter().map(to_row).collect();
        run.record_warehouse_codes(&rows).await?;
        if !run.store_snapshot(walk.next(read.has_more), &rows).await? {
            return Ok(());
        }
    }
}

/// Compares the shop's stock items with the stored figures.
pub(super) async fn find_differences(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
) -> Result<(), SyncError> {
    let products = &clients.product_policy;
    loop {
        let walk = run.page_walk();
        let read_at = run.deps.clock.now();
        let read = read_with_retries(|| clients.shop.list_stock_items(walk.page())).await?;
        let connection = &run.leased.connection;
        let mut tx = run.begin_transaction().await?;
        let (mut items, next) = (read.items, walk.next(read.has_more));
        if matches!(walk, PageWalk::Backward(_)) {
            // On the way back only what was not met before is compared.
            let keys = keys_of(&items, products);
            let unmet = sync_snapshots::list_unmatched_among(&mut tx, run.leased.id, &keys).await?;
            items.retain(|(code, _)| unmet.contains(products.product_key(code).as_str()));
        }
        let compared = items.len();
        let codes: Vec<_> = items.iter().map(|(code, _)| code.clone()).collect();
        let keys = keys_of(&items, products);
        let in_flight = match clients.stock_policy.basis {
            Basis::Compensated => in_flight::sum_in_flight(&mut tx, connection, &keys).await?,
            Basis::Physical | Basis::Available => vec![0; codes.len()],
        };
        let known = subject_states::load_stock(&mut tx, connection, &codes).await?;
        let matched = sync_snapshots::mark_matched(&mut tx, run.leased.id, &keys).await?;
        let spelt = codes.iter().map(|code| products.code_at_warehouse(code));
        let spellings = warehouse_codes::load_spellings(&mut tx, connection, spelt).await?;
        let page = Page { items, in_flight, known, matched, spellings };
        let Compared { found, in_shop, figures } = compare_page(run, clients, &page)?;
        stock::record_figures(&mut tx, connection, &in_shop, read_at).await?;
        let figures: Vec<_> = figures.iter().map(|it| (connection.as_str(), it)).collect();
        stock_figures::record(&mut tx, &figures, ReadAt::Listed(read_at)).await?;
        run.progress.total = read.total;
        let cursor = next.map_or_else(|| run.progress.cursor.clone(), PageWalk::to_cursor);
        run.commit_page(tx, &found, cursor, compared).await?;
        if next.is_none() {
            return Ok(());
        }
    }
}

/// Reports what the warehouse counts and the shop does not know. No task is enqueued for it.
pub(super) async fn report_unknown_codes(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
) -> Result<(), SyncError> {
    loop {
        let mut tx = run.begin_transaction().await?;
        let cursor = &run.progress.cursor;
        let unmatched = sync_snapshots::list_unmatched(&mut tx, run.leased.id, cursor, BATCH_SIZE).await?;
        let Some(last) = unmatched.last().map(|row| row.name.clone()) else {
            stock_figures::remove_unmet(&mut tx, &run.leased.connection, run.leased.started_at).await?;
            tx.commit().await?;
            return Ok(());
        };
        let names = unmatched.iter().map(|row| &row.name);
        let found: Vec<_> = names
            .filter(|code| !clients.product_policy.is_excluded(code))
            .map(|code| unknown_difference(code))
            .collect();
        run.commit_page(tx, &found, last, 0).await?;
    }
}

/// What comparing a page came to.
#[derive(Default)]
struct Compared {
    found: Vec<NewDifference>,
    /// The figures that the shop shows.
    in_shop: Vec<ShopFigure>,
    /// Both sides' figures, for people.
    figures: Vec<StockFigures>,
}

/// The differences of a page, and the figures on it.
fn compare_page(run: &mut Run<'_>, clients: &ConnectionClients, page: &Page) -> Result<Compared, SyncError> {
    let Compared { mut found, mut in_shop, mut figures } = Compared::default();
    let now = run.deps.clock.now();
    let states = page.in_flight.iter().zip(&page.known);
    for ((code, shop), (in_flight, known)) in page.items.iter().zip(states) {
        match clients.product_policy.check_stored(code, &shop.supplier) {
            Stored::Yes => {}
            Stored::No => {
                run.count("excluded", 1);
                continue;
            }
            Stored::Unknown => {
                run.count("supplier_unknown", 1);
                continue;
            }
        }
        let spelt = match page.spellings.at_warehouse(clients.product_policy.code_at_warehouse(code)) {
            Ok(spelt) if code_fault(code) != Some(Reason::CodeDots) => spelt,
            Ok(_) => {
                found.push(attention_difference(code, Reason::CodeDots, format!("the code is {code:?}")));
                continue;
            }
            Err(ambiguous) => {
                found.push(attention_difference(code, Reason::CodeRepeated, ambiguous.detail()));
                continue;
            }
        };
        let warehouse = stored_figure(spelt, &page.matched)?;
        run.count(STILL_AT_WAREHOUSE, i64::from(known.was_at_warehouse && warehouse.is_some()));
        let warehouse = warehouse.as_ref();
        let (in_flight, written) = (*in_flight, known.figure);
        let view = StockView { code, warehouse, shop: Some(shop), in_flight, written, acted_on: None, now };
        figures.extend(StockFigures::of(&view, &clients.stock_policy));
        let (mut is_zeroed, mut in_sync_version) = (false, None);
        match decide(&view, &clients.stock_policy) {
            Decision::Patch { quantity, falls_to_zero } => {
                is_zeroed = falls_to_zero;
                let class = if falls_to_zero { "falls_to_zero" } else { "figure_differs" };
                let kept = if shop.enabled { "" } else { ", where no stock is kept" };
                let detail = format!("the shop shows {}{kept}, should show {quantity}", shop.quantity);
                let remedy = "the warehouse's figure is written to the shop";
                let difference = run.fixable_difference(Subject::stock(code).to_string(), class, remedy);
                found.push(NewDifference { detail: Some(detail), ..difference });
            }
            Decision::Skip(_) => found.push(missing_difference(code, known.was_at_warehouse)),
            Decision::AskOperator { detail } => {
                found.push(attention_difference(code, Reason::FieldUnreadable, detail));
                continue; // what the shop shows is unknown
            }
            Decision::Nothing | Decision::Stale => {
                in_sync_version = warehouse.and_then(|stock| stock.version.clone());
                run.count("same", 1);
            }
        }
        run.count("in_stock", i64::from(shop.quantity > 0 && !is_zeroed));
        if !shop.enabled && !clients.stock_policy.tracking {
            continue; // what was written last is known better than what the shop shows of it
        }
        in_shop.push(ShopFigure { code: code.clone(), quantity: shop.quantity, in_sync_version });
    }
    Ok(Compared { found, in_shop, figures })
}

/// The warehouse's figure of a code, from the stored rows.
fn stored_figure(code: &str, rows: &[SnapshotRow]) -> Result<Option<WarehouseStock>, SyncError> {
    let body = rows.iter().find(|row| row.name == code).map(|row| row.body.clone());
    body.map(serde_json::from_value).transpose().map_err(|_| SyncError::inconsistent("sync_snapshot"))
}

fn attention_difference(code: &str, reason: Reason, detail: String) -> NewDifference {
    let subject = Subject::stock(code).to_string();
    let found = reported_difference(subject, "needs_attention", reason.description());
    NewDifference { reason: Some(reason), detail: Some(detail), ..found }
}

fn missing_difference(code: &str, was_at_warehouse: bool) -> NewDifference {
    let class = if was_at_warehouse { "vanished_at_warehouse" } else { "missing_at_warehouse" };
    let remedy = "sync the products, or exclude the code, if it is not stored at the warehouse";
    let found = reported_difference(Subject::stock(code).to_string(), class, remedy);
    NewDifference { reason: Some(Reason::UnknownAtWarehouse), ..found }
}

fn unknown_difference(code: &str) -> NewDifference {
    let remedy = "add it to the shop, or exclude the code, if it is this shop's";
    let found = reported_difference(Subject::stock(code).to_string(), "unknown_in_shop", remedy);
    NewDifference { reason: Some(Reason::UnknownInShop), ..found }
}
