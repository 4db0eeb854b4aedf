//! The two-sided ledger: every order that the shop has since a day, beside every order that the warehouse has.
//!
//! The warehouse's orders are read into rows; the shop's are then read a day at a time, each is decided about with what
//! both sides show, and what would be done is the difference. What looks like one is read again, alone and freshly, before
//! it is told, since a list of thousands is old before its end. What is left over at the warehouse afterwards under our
//! references is looked at one by one.

use std::collections::HashMap;

use super::{Broken, Run, dry_run::Remembered, products::inconsistent, run::patiently};
use crate::{
    domain::{
        Timestamp,
        event::{routing::order_of, subject::Subject},
        order::{Next, OrderView, RelatedOrder, ShopOrder, WarehouseOrder, decide},
        task::outcome::{Outcome, Reason},
        time_window::{Window, Windows},
    },
    flows::{Report, Tied},
    store::{
        sync_differences::Found,
        sync_snapshots::{self, Reading},
    },
    vendors::http::error::Failure,
};

/// How far the two systems' clocks may be apart: so much earlier the warehouse is read.
const CLOCKS_APART: chrono::Duration = chrono::Duration::minutes(10);

/// The stretch after which the reading of the shop is remembered.
const STRETCH: chrono::Duration = chrono::Duration::days(1);

/// Orders left over that are looked at before the place is remembered.
const AT_ONCE: i64 = 20;

impl Run<'_> {
    /// Orders that the warehouse has since the day, into rows: everything placed since was also changed since.
    pub(super) async fn read_orders(&mut self, tied: &Tied) -> Result<(), Broken> {
        let prefix = &tied.orders.reference_prefix;
        let after = self.held.since - CLOCKS_APART;
        loop {
            let page = self.page();
            let read = patiently!(tied.warehouse.whole_orders_changed(after, page));
            let mut kept = Vec::new();
            for order in read.items {
                let Some((id, behind)) = order_of(&order.reference, prefix) else {
                    self.count("foreign", 1);
                    continue;
                };
                let is_part = !behind.is_empty();
                if is_part {
                    self.count("related", 1);
                }
                kept.push(Reading {
                    name: order.reference.clone(),
                    subject: Subject::order(id).to_string(),
                    body: serde_json::json!(order),
                    met: is_part, // a part is looked at with its whole, and never alone
                });
            }
            self.keep_readings(page, &kept).await?;
            if !read.more {
                return Ok(());
            }
        }
    }

    /// The shop's orders since the day, a stretch at a time.
    pub(super) async fn compare_orders(&mut self, tied: &Tied) -> Result<(), Broken> {
        let connected_at = self.syncer.rehearser.connected_at(&self.held.connection).await?;
        let end = self.held.started_at + CLOCKS_APART;
        let mut from = self.progress.cursor.parse().unwrap_or(self.held.since);
        while from < end {
            let to = end.min(from + STRETCH);
            let mut windows = Windows::over([Window { from, to }]);
            while let Some(window) = windows.take() {
                match self.compare_window(tied, connected_at, window).await {
                    Ok(()) => windows.read(),
                    // A stretch that cannot be listed is narrowed down, not waited for.
                    Err(Broken::Call(error)) if error.failure == Failure::Status(500) => {
                        windows.failed(window, error)?;
                    }
                    Err(error) => return Err(error),
                }
            }
            let gaps: Vec<_> = windows.gaps()?.into_iter().map(gap).collect();
            let tx = self.open().await?;
            self.turn(tx, &gaps, to.to_rfc3339(), 0).await?;
            from = to;
        }
        Ok(())
    }

    async fn compare_window(
        &mut self,
        tied: &Tied,
        connected_at: Timestamp,
        window: Window,
    ) -> Result<(), Broken> {
        for page in 1.. {
            // A list that answers 500 is the windows' to narrow down; everything else is a matter of patience.
            let list = async || match tied.shop.orders_created(window, page).await {
                Err(error) if error.failure == Failure::Status(500) => Ok(Err(error)),
                answer => answer.map(Ok),
            };
            let read = patiently!(list())?;
            // Both ends of a window are in it: what stands on the later one is the next window's.
            let within = |order: &ShopOrder| order.created_at.is_none_or(|at| at < window.to);
            let orders: Vec<_> = read.items.into_iter().filter(within).collect();
            let found = self.compare_page(tied, connected_at, &orders).await?;
            let tx = self.open().await?;
            self.turn(tx, &found, self.progress.cursor.clone(), orders.len()).await?;
            if !read.more {
                break;
            }
        }
        Ok(())
    }

    async fn compare_page(
        &mut self,
        tied: &Tied,
        connected_at: Timestamp,
        orders: &[ShopOrder],
    ) -> Result<Vec<Found>, Broken> {
        let subjects: Vec<_> = orders.iter().map(|order| Subject::order(&order.id)).collect();
        let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
        let remembered = self.syncer.rehearser.remember(&self.held.connection, &names).await?;
        let mut db = self.syncer.pool.acquire().await?;
        let there = sync_snapshots::meet(&mut db, self.held.id, &names).await?;
        drop(db); // never held across the network
        let mut there = whole_orders(there, &tied.orders.reference_prefix)?;
        let mut found = Vec::new();
        for ((order, subject), remembered) in orders.iter().zip(&subjects).zip(&remembered) {
            let Remembered { link, intent } = remembered;
            let warehouse = there.remove(&order.id);
            let view = OrderView {
                shop: Some(order),
                warehouse: warehouse.as_ref(),
                link,
                intent: *intent,
                policy: &tied.orders,
                connected_at,
                now: self.syncer.clock.now(),
            };
            match decide(&view) {
                Next::Nothing | Next::Skip(_) => self.count("same", 1),
                _ => found.extend(self.confirm(subject).await?),
            }
        }
        Ok(found)
    }

    /// Reads the order alone and freshly: what still asks for something is a difference.
    async fn confirm(&mut self, subject: &Subject) -> Result<Option<Found>, Broken> {
        self.keep_lease().await?;
        let looked = self.syncer.rehearser.rehearse(&self.held.connection, subject).await?;
        let (report, _) = looked.ok_or(Broken::NotConfigured)?;
        let difference = difference_of(self, subject, report);
        if difference.is_none() {
            self.count("same", 1);
        }
        Ok(difference)
    }

    /// Ours by its reference, and not among the shop's orders since the day: older ones, and ones the shop never had.
    pub(super) async fn compare_left_over(&mut self, tied: &Tied) -> Result<(), Broken> {
        let prefix = &tied.orders.reference_prefix;
        loop {
            let mut db = self.syncer.pool.acquire().await?;
            let left = sync_snapshots::unmet(&mut db, self.held.id, &self.progress.cursor, AT_ONCE).await?;
            drop(db); // never held across the network
            let Some(last) = left.last().map(|reading| reading.name.clone()) else { return Ok(()) };
            let mut found = Vec::new();
            for (id, _) in left.iter().filter_map(|reading| order_of(&reading.name, prefix)) {
                found.extend(self.confirm(&Subject::order(id)).await?);
            }
            let tx = self.open().await?;
            self.turn(tx, &found, last, left.len()).await?;
        }
    }
}

/// The orders of exactly our references by the shop's number, each with the parts that the warehouse made of it.
fn whole_orders(readings: Vec<Reading>, prefix: &str) -> Result<HashMap<String, WarehouseOrder>, Broken> {
    let (mut whole, mut parts) = (HashMap::new(), Vec::new());
    for reading in readings {
        let order: WarehouseOrder =
            serde_json::from_value(reading.body).map_err(|_| inconsistent("sync_reading"))?;
        match order_of(&reading.name, prefix) {
            Some((id, "")) => drop(whole.insert(id.to_owned(), order)),
            Some((id, _)) => {
                let WarehouseOrder { reference, status, lines, tracking_code, .. } = order;
                parts.push((id.to_owned(), RelatedOrder { reference, status, lines, tracking_code }));
            }
            None => {}
        }
    }
    for (id, part) in parts {
        if let Some(order) = whole.get_mut(&id) {
            order.related.push(part);
        }
    }
    Ok(whole)
}

/// What could not be listed was not compared, and a report that hid it would lie.
fn gap(Window { from, to }: Window) -> Found {
    let remedy = "look at the shop's orders of these minutes by hand, and tell the shop's support";
    Found {
        part: format!("{from} to {to}"),
        reason: Some(Reason::SystemFailed),
        detail: Some(format!("the shop cannot list its orders from {from} to {to}")),
        ..Run::told("orders", "not_listed", remedy)
    }
}

/// The difference that a rehearsal found, if it is one.
fn difference_of(run: &Run<'_>, subject: &Subject, report: Report) -> Option<Found> {
    let Report { outcome, deed, detail, .. } = report;
    let subject = subject.to_string();
    let found = match outcome {
        Outcome::Done => match deed.unwrap_or_default() {
            "place" => run.mends(subject, "missing_at_warehouse", "it is sent to the warehouse"),
            "adopt" => run.mends(subject, "not_remembered", "it is taken up and followed from now on"),
            "update" => run.mends(subject, "edited_in_shop", "the edit is sent on to the warehouse"),
            "cancel" => run.mends(subject, "cancelled_in_shop", "it is cancelled at the warehouse"),
            _ => run.mends(
                subject,
                "not_completed_in_shop",
                "it is completed in the shop, with its tracking code",
            ),
        },
        Outcome::Permanent { reason } => {
            Found { reason: Some(reason), ..Run::told(subject, "needs_a_person", reason.words()) }
        }
        Outcome::Skipped { reason: reason @ Reason::UnknownInShop } => {
            let remedy =
                "the warehouse has it under our reference and the shop does not know it: look who placed it";
            Found { reason: Some(reason), ..Run::told(subject, "unknown_in_shop", remedy) }
        }
        // It could not be read just now: told, and looked at again by its delivery.
        Outcome::Retryable { reason }
        | Outcome::Snoozed { reason, .. }
        | Outcome::Ambiguous { reason }
        | Outcome::ConnectionFault { reason } => {
            Found { reason: Some(reason), ..run.mends(subject, "not_read", "it is looked at again") }
        }
        Outcome::InStep | Outcome::Skipped { .. } | Outcome::Waiting { .. } => return None,
    };
    Some(Found { detail, ..found })
}
