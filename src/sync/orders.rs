//! Orders: every order that the shop has created since a day, beside every order of the warehouse.
//!
//! The warehouse's orders are read into rows. Then the shop's are read a day at a time, and `decide` is asked about each
//! with what both sides show. What it would act on is read once more, alone, before it is reported: a list of thousands is
//! old before its end. Last, what is left over at the warehouse under our references is checked one by one.

use std::collections::{HashMap, HashSet};

use super::{
    error::SyncError,
    order_difference::order_difference,
    read_retries::read_with_retries,
    run::{Run, reported_difference},
};
use crate::{
    domain::{
        event::{reference::ReferencePrefixes, subject::Subject},
        order::{Decision, OrderView, ShopOrder, WarehouseOrder, decide},
        page_walk::PageWalk,
        task::{reason::Reason, subject_state::KnownSubject},
        time_window::{TimeWindow, WindowSplitter},
    },
    flows::ConnectionClients,
    store::{
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
    },
    vendors::http::error::{CallError, Failure},
};

/// How far apart the vendors' clocks may be: the warehouse's list starts this much earlier.
const MAX_CLOCK_SKEW: chrono::Duration = chrono::Duration::minutes(10);

/// The part of the shop's list after which the cursor is stored.
const WINDOW_STEP: chrono::Duration = chrono::Duration::days(1);

/// Failed reads of a day after which the rest of it counts as unlistable.
const MAX_FAILURES: usize = 40;

/// Left-over orders that are checked before the cursor is stored.
const BATCH_SIZE: i64 = 20;

/// Stores the warehouse's orders since the day as rows: what was placed since was also changed since.
pub(super) async fn read_warehouse(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let references = &clients.order_policy.references;
    let after = run.leased.since - MAX_CLOCK_SKEW;
    loop {
        let walk = run.page_walk();
        let list = || clients.warehouse.list_whole_orders_changed(after, walk.page());
        let read = read_with_retries(list).await?;
        let mut rows = Vec::new();
        for order in read.items {
            let own = references.parse(&order.reference);
            let origin = || references.parse(order.origin.as_deref()?).map(|(id, _)| (id, "origin"));
            let Some((id, suffix)) = own.or_else(origin) else {
                run.count("foreign", 1);
                continue;
            };
            let is_related = !suffix.is_empty();
            if is_related {
                run.count("related", 1);
            }
            rows.push(SnapshotRow {
                name: order.reference.clone(),
                subject: Subject::order(id).to_string(),
                body: serde_json::json!(order),
                matched: is_related, // checked with its main order, never alone
            });
        }
        if !run.store_snapshot(walk.next(read.has_more), &rows).await? {
            return Ok(());
        }
    }
}

/// Compares the shop's orders since the day, one window at a time.
pub(super) async fn find_differences(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
) -> Result<(), SyncError> {
    let end = (run.leased.started_at + MAX_CLOCK_SKEW).max(run.leased.since + MAX_CLOCK_SKEW);
    let mut from = run.progress.cursor.parse().unwrap_or(run.leased.since);
    while from < end {
        let to = end.min(from + WINDOW_STEP);
        // Our clock may be behind the shop's: the last window reaches further.
        let until = if to == end { to + WINDOW_STEP } else { to };
        let gaps = check_day(run, clients, TimeWindow { from, to: until }).await?;
        let gaps: Vec<_> = gaps.into_iter().map(gap_difference).collect();
        let tx = run.begin_transaction().await?;
        run.commit_page(tx, &gaps, to.to_rfc3339(), 0).await?;
        from = to;
    }
    Ok(())
}

/// Checks the orders of a window, around what the shop cannot list. Returns those gaps.
async fn check_day(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
    day: TimeWindow,
) -> Result<Vec<TimeWindow>, SyncError> {
    let mut windows = WindowSplitter::new(day, MAX_FAILURES);
    while let Some(window) = windows.next_window() {
        match check_window(run, clients, window).await {
            Ok(()) => windows.record_read(),
            // A window that cannot be listed is split instead of retried.
            Err(SyncError::Call(error)) if is_unlistable(&error) => {
                if !windows.split(window) {
                    windows.record_gap(window);
                }
            }
            Err(error) => return Err(error),
        }
    }
    if !windows.has_read() {
        // Is it this day, or the shop? A window without orders tells.
        let later = run.leased.started_at + chrono::Duration::days(365);
        let empty = TimeWindow { from: later, to: later };
        read_with_retries(|| clients.shop.list_orders_created(empty, 1)).await?;
    }
    Ok(windows.into_gaps())
}

/// Whether this stretch of the list fails and another may not.
const fn is_unlistable(error: &CallError) -> bool {
    matches!(error.failure, Failure::Status(500) | Failure::Unreadable)
}

/// Checks what is left over at the warehouse under our references: older orders, and orders the shop never had.
pub(super) async fn check_left_over(run: &mut Run<'_>, clients: &ConnectionClients) -> Result<(), SyncError> {
    let references = &clients.order_policy.references;
    loop {
        let mut db = run.deps.pool.acquire().await?;
        let cursor = &run.progress.cursor;
        let left_over = sync_snapshots::list_unmatched(&mut db, run.leased.id, cursor, BATCH_SIZE).await?;
        drop(db); // never held during a call
        let Some(last) = left_over.last().map(|row| row.name.clone()) else { return Ok(()) };
        let mut found = Vec::new();
        for (id, _) in left_over.iter().filter_map(|row| references.parse(&row.name)) {
            found.extend(confirm(run, &Subject::order(id)).await?);
        }
        let tx = run.begin_transaction().await?;
        run.commit_page(tx, &found, last, left_over.len()).await?;
    }
}

async fn check_window(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
    window: TimeWindow,
) -> Result<(), SyncError> {
    let mut seen = HashSet::new();
    let mut walk = PageWalk::forward();
    loop {
        let page = walk.page();
        // A list that cannot be read is returned at once, to be split; other failures are retried.
        let list = || async move {
            match clients.shop.list_orders_created(window, page).await {
                Err(error) if is_unlistable(&error) => Ok(Err(error)),
                answer => answer.map(Ok),
            }
        };
        let read = read_with_retries(list).await??;
        // A window includes both ends: an order at the later one belongs to the next window.
        let is_within = |order: &ShopOrder| order.created_at.is_none_or(|at| at < window.to);
        let orders = read.items.into_iter().filter(is_within);
        let orders: Vec<_> = orders.filter(|order| seen.insert(order.id.clone())).collect();
        let found = check_page(run, clients, &orders).await?;
        let tx = run.begin_transaction().await?;
        run.commit_page(tx, &found, run.progress.cursor.clone(), orders.len()).await?;
        match walk.next(read.has_more) {
            Some(next) => walk = next,
            None => return Ok(()),
        }
    }
}

async fn check_page(
    run: &mut Run<'_>,
    clients: &ConnectionClients,
    orders: &[ShopOrder],
) -> Result<Vec<NewDifference>, SyncError> {
    let subjects: Vec<_> = orders.iter().map(|order| Subject::order(&order.id)).collect();
    let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
    let states = run.deps.dry_runner.load_known(&run.leased.connection, &names).await?;
    let connected_at = run.deps.dry_runner.connected_at(clients).await?;
    let mut db = run.deps.pool.acquire().await?;
    let rows = sync_snapshots::mark_matched(&mut db, run.leased.id, &names).await?;
    drop(db); // never held during a call
    let mut at_warehouse = group_related_orders(rows, &clients.order_policy.references)?;
    let mut found = Vec::new();
    for ((order, subject), known) in orders.iter().zip(&subjects).zip(&states) {
        let warehouse = at_warehouse.remove(&order.id);
        let KnownSubject { state, ledger, intent, leaves_at, confirmed, asked: _ } = known;
        let view = OrderView {
            shop: Some(order),
            warehouse: warehouse.as_ref(),
            reference: clients.order_policy.reference_of(&order.id, ledger),
            ledger,
            known: state,
            intent: *intent,
            leaves_at: *leaves_at,
            confirmed,
            policy: &clients.order_policy,
            connected_at,
            now: run.deps.clock.now(),
        };
        match decide(&view) {
            Decision::Nothing | Decision::Skip(_) => run.count("same", 1),
            _ => found.extend(confirm(run, subject).await?),
        }
    }
    Ok(found)
}

/// Reads the order alone: what would still be acted on is a difference.
async fn confirm(run: &mut Run<'_>, subject: &Subject) -> Result<Option<NewDifference>, SyncError> {
    run.extend_lease().await?;
    let planned = run.deps.dry_runner.plan(&run.leased.connection, subject).await?;
    let planned = planned.ok_or(SyncError::NotConfigured)?;
    let difference = order_difference(run, subject, planned.result);
    if difference.is_none() {
        run.count("same", 1);
    }
    Ok(difference)
}

/// The orders under exactly our references by the shop's number, each with the orders that the warehouse split off it.
fn group_related_orders(
    rows: Vec<SnapshotRow>,
    references: &ReferencePrefixes,
) -> Result<HashMap<String, WarehouseOrder>, SyncError> {
    let (mut main, mut related) = (HashMap::new(), Vec::new());
    for row in rows {
        let order: WarehouseOrder =
            serde_json::from_value(row.body).map_err(|_| SyncError::inconsistent("sync_snapshot"))?;
        let origin = order.origin.clone();
        match (references.parse(&row.name), origin.as_deref().and_then(|it| references.parse(it))) {
            (Some((id, "")), _) => drop(main.insert(id.to_owned(), order)),
            (Some((id, _)), _) => related.push((id.to_owned(), order.into_related(false))),
            (None, Some((id, _))) => related.push((id.to_owned(), order.into_related(true))),
            (None, None) => {}
        }
    }
    for (id, related_order) in related {
        if let Some(order) = main.get_mut(&id) {
            order.related.push(related_order);
        }
    }
    Ok(main)
}

/// A part of the shop's list that cannot be read: the report must show that it was not compared.
fn gap_difference(TimeWindow { from, to }: TimeWindow) -> NewDifference {
    let remedy = "look at the shop's orders of these minutes by hand, and tell the shop's support";
    NewDifference {
        item: format!("{from} to {to}"),
        reason: Some(Reason::VendorFailed),
        detail: Some(format!("the shop cannot list its orders from {from} to {to}")),
        ..reported_difference("orders", "not_listed", remedy)
    }
}
