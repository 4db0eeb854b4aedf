//! The two-sided ledger: every order that the shop has since a day, beside every order that the warehouse has.
//!
//! The warehouse's orders are read into rows; the shop's are then read a day at a time, each is decided about with what
//! both sides show, and what would be done is the difference. What looks like one is read again, alone and freshly, before
//! it is told, since a list of thousands is old before its end. What is left over at the warehouse afterwards under our
//! references is looked at one by one.

use std::collections::HashMap;

use super::{Run, SyncError, dry_run::KnownState, products::inconsistent, run::read_with_retries};
use crate::{
    domain::{
        Timestamp,
        event::{routing::parse_reference, subject::Subject},
        order::{Decision, OrderView, RelatedOrder, ShopOrder, WarehouseOrder, decide},
        task::outcome::{Outcome, Reason},
        time_window::{TimeWindow, WindowSplitter},
    },
    flows::{AttemptResult, ConnectionClients},
    store::{
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
    },
    vendors::http::error::Failure,
};

/// How far the two vendors' clocks may be apart: so much earlier the warehouse is read.
const MAX_CLOCK_SKEW: chrono::Duration = chrono::Duration::minutes(10);

/// The stretch after which the reading of the shop is remembered.
const WINDOW_STEP: chrono::Duration = chrono::Duration::days(1);

/// Orders left over that are looked at before the place is remembered.
const BATCH_SIZE: i64 = 20;

impl Run<'_> {
    /// Orders that the warehouse has since the day, into rows: everything placed since was also changed since.
    pub(super) async fn read_orders(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        let prefix = &clients.orders.reference_prefix;
        let after = self.leased.since - MAX_CLOCK_SKEW;
        loop {
            let page = self.page();
            let read = read_with_retries!(clients.warehouse.list_whole_orders_changed(after, page));
            let mut kept = Vec::new();
            for order in read.items {
                let Some((id, behind)) = parse_reference(&order.reference, prefix) else {
                    self.count("foreign", 1);
                    continue;
                };
                let is_related = !behind.is_empty();
                if is_related {
                    self.count("related", 1);
                }
                kept.push(SnapshotRow {
                    name: order.reference.clone(),
                    subject: Subject::order(id).to_string(),
                    body: serde_json::json!(order),
                    matched: is_related, // a part is looked at with its whole, and never alone
                });
            }
            self.store_readings(page, &kept).await?;
            if !read.has_more {
                return Ok(());
            }
        }
    }

    /// The shop's orders since the day, a stretch at a time.
    pub(super) async fn find_order_differences(
        &mut self,
        clients: &ConnectionClients,
    ) -> Result<(), SyncError> {
        let connected_at = self.syncer.dry_runner.connected_at(&self.leased.connection).await?;
        let end = self.leased.started_at + MAX_CLOCK_SKEW;
        let mut from = self.progress.cursor.parse().unwrap_or(self.leased.since);
        while from < end {
            let to = end.min(from + WINDOW_STEP);
            let mut windows = WindowSplitter::new([TimeWindow { from, to }]);
            while let Some(window) = windows.next_window() {
                match self.check_window(clients, connected_at, window).await {
                    Ok(()) => windows.record_read(),
                    // A stretch that cannot be listed is narrowed down, not waited for.
                    Err(SyncError::Call(error)) if error.failure == Failure::Status(500) => {
                        windows.record_failure(window, error)?;
                    }
                    Err(error) => return Err(error),
                }
            }
            let gaps: Vec<_> = windows.into_gaps()?.into_iter().map(gap_difference).collect();
            let tx = self.begin_transaction().await?;
            self.commit_page(tx, &gaps, to.to_rfc3339(), 0).await?;
            from = to;
        }
        Ok(())
    }

    async fn check_window(
        &mut self,
        clients: &ConnectionClients,
        connected_at: Timestamp,
        window: TimeWindow,
    ) -> Result<(), SyncError> {
        for page in 1.. {
            // A list that answers 500 is the windows' to narrow down; everything else is a matter of grace_period.
            let list = async || match clients.shop.list_orders_created(window, page).await {
                Err(error) if error.failure == Failure::Status(500) => Ok(Err(error)),
                answer => answer.map(Ok),
            };
            let read = read_with_retries!(list())?;
            // Both ends of a window are in it: what stands on the later one is the next window's.
            let within = |order: &ShopOrder| order.created_at.is_none_or(|at| at < window.to);
            let orders: Vec<_> = read.items.into_iter().filter(within).collect();
            let found = self.check_page(clients, connected_at, &orders).await?;
            let tx = self.begin_transaction().await?;
            self.commit_page(tx, &found, self.progress.cursor.clone(), orders.len()).await?;
            if !read.has_more {
                break;
            }
        }
        Ok(())
    }

    async fn check_page(
        &mut self,
        clients: &ConnectionClients,
        connected_at: Timestamp,
        orders: &[ShopOrder],
    ) -> Result<Vec<NewDifference>, SyncError> {
        let subjects: Vec<_> = orders.iter().map(|order| Subject::order(&order.id)).collect();
        let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
        let known_states = self.syncer.dry_runner.load_states(&self.leased.connection, &names).await?;
        let mut db = self.syncer.pool.acquire().await?;
        let there = sync_snapshots::mark_matched(&mut db, self.leased.id, &names).await?;
        drop(db); // never held across the network
        let mut there = group_related_orders(there, &clients.orders.reference_prefix)?;
        let mut found = Vec::new();
        for ((order, subject), known_state) in orders.iter().zip(&subjects).zip(&known_states) {
            let KnownState { subject_state, intent } = known_state;
            let warehouse = there.remove(&order.id);
            let view = OrderView {
                shop: Some(order),
                warehouse: warehouse.as_ref(),
                known: subject_state,
                intent: *intent,
                policy: &clients.orders,
                connected_at,
                now: self.syncer.clock.now(),
            };
            match decide(&view) {
                Decision::Nothing | Decision::Skip(_) => self.count("same", 1),
                _ => found.extend(self.confirm(subject).await?),
            }
        }
        Ok(found)
    }

    /// Reads the order alone and freshly: what still asks for something is a difference.
    async fn confirm(&mut self, subject: &Subject) -> Result<Option<NewDifference>, SyncError> {
        self.extend_lease().await?;
        let result = self.syncer.dry_runner.dry_run(&self.leased.connection, subject).await?;
        let (report, _) = result.ok_or(SyncError::NotConfigured)?;
        let difference = difference_from_report(self, subject, report);
        if difference.is_none() {
            self.count("same", 1);
        }
        Ok(difference)
    }

    /// Ours by its reference, and not among the shop's orders since the day: older ones, and ones the shop never had.
    pub(super) async fn check_left_over_orders(
        &mut self,
        clients: &ConnectionClients,
    ) -> Result<(), SyncError> {
        let prefix = &clients.orders.reference_prefix;
        loop {
            let mut db = self.syncer.pool.acquire().await?;
            let left_over =
                sync_snapshots::list_unmatched(&mut db, self.leased.id, &self.progress.cursor, BATCH_SIZE)
                    .await?;
            drop(db); // never held across the network
            let Some(last) = left_over.last().map(|reading| reading.name.clone()) else { return Ok(()) };
            let mut found = Vec::new();
            for (id, _) in left_over.iter().filter_map(|reading| parse_reference(&reading.name, prefix)) {
                found.extend(self.confirm(&Subject::order(id)).await?);
            }
            let tx = self.begin_transaction().await?;
            self.commit_page(tx, &found, last, left_over.len()).await?;
        }
    }
}

/// The orders of exactly our references by the shop's number, each with the parts that the warehouse made of it.
fn group_related_orders(
    readings: Vec<SnapshotRow>,
    prefix: &str,
) -> Result<HashMap<String, WarehouseOrder>, SyncError> {
    let (mut whole, mut related) = (HashMap::new(), Vec::new());
    for reading in readings {
        let order: WarehouseOrder =
            serde_json::from_value(reading.body).map_err(|_| inconsistent("sync_snapshot"))?;
        match parse_reference(&reading.name, prefix) {
            Some((id, "")) => drop(whole.insert(id.to_owned(), order)),
            Some((id, _)) => {
                let WarehouseOrder { reference, status, lines, tracking_code, .. } = order;
                related.push((id.to_owned(), RelatedOrder { reference, status, lines, tracking_code }));
            }
            None => {}
        }
    }
    for (id, related_order) in related {
        if let Some(order) = whole.get_mut(&id) {
            order.related.push(related_order);
        }
    }
    Ok(whole)
}

/// What could not be listed was not compared, and a report that hid it would lie.
fn gap_difference(TimeWindow { from, to }: TimeWindow) -> NewDifference {
    let remedy = "look at the shop's orders of these minutes by hand, and tell the shop's support";
    NewDifference {
        item: format!("{from} to {to}"),
        reason: Some(Reason::VendorFailed),
        detail: Some(format!("the shop cannot list its orders from {from} to {to}")),
        ..Run::reported_difference("orders", "not_listed", remedy)
    }
}

/// The difference that a dry_run found, if it is one.
fn difference_from_report(run: &Run<'_>, subject: &Subject, report: AttemptResult) -> Option<NewDifference> {
    let AttemptResult { outcome, action, detail, .. } = report;
    let subject = subject.to_string();
    let found = match outcome {
        Outcome::Acted => match action.unwrap_or_default() {
            "place" => run.fixable_difference(subject, "missing_at_warehouse", "it is sent to the warehouse"),
            "adopt" => {
                run.fixable_difference(subject, "not_remembered", "it is taken up and followed from now on")
            }
            "update" => {
                run.fixable_difference(subject, "edited_in_shop", "the edit is sent on to the warehouse")
            }
            "cancel" => {
                run.fixable_difference(subject, "cancelled_in_shop", "it is cancelled at the warehouse")
            }
            _ => run.fixable_difference(
                subject,
                "not_completed_in_shop",
                "it is completed in the shop, with its tracking code",
            ),
        },
        Outcome::Permanent { reason } => NewDifference {
            reason: Some(reason),
            ..Run::reported_difference(subject, "needs_a_person", reason.description())
        },
        Outcome::Skipped { reason: reason @ Reason::UnknownInShop } => {
            let remedy =
                "the warehouse has it under our reference and the shop does not know it: look who placed it";
            NewDifference {
                reason: Some(reason),
                ..Run::reported_difference(subject, "unknown_in_shop", remedy)
            }
        }
        // It could not be read just now: told, and looked at again by its task.
        Outcome::Retryable { reason }
        | Outcome::Snoozed { reason, .. }
        | Outcome::Unknown { reason }
        | Outcome::ConnectionFault { reason } => NewDifference {
            reason: Some(reason),
            ..run.fixable_difference(subject, "not_read", "it is looked at again")
        },
        Outcome::InSync | Outcome::Skipped { .. } | Outcome::Waiting { .. } => return None,
    };
    Some(NewDifference { detail, ..found })
}
