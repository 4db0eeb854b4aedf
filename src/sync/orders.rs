//! The two-sided ledger: every order that the shop has since a day, beside every order that the warehouse has.
//!
//! The warehouse is read first and kept whole, in a few hundred bytes an order; the shop is then read page by page, each
//! order is decided about with what both sides show, and what would be done is the difference. What is left over at the
//! warehouse afterwards under our references is looked at one by one.

use std::collections::HashMap;

use super::{Broken, Difference, Patience, Rehearser, Run, rehearse::Remembered};
use crate::{
    domain::{
        order::{Next, OrderView, RelatedOrder, ShopOrder, WarehouseOrder, decide},
        outcome::{Outcome, Reason},
        routing::order_of,
        subject::Subject,
        window::{Window, Windows},
    },
    flows::{Report, Tied},
    store::StoreError,
    systems::call::Failure,
};

/// How far the two systems' clocks may be apart: so much earlier the warehouse is read.
const CLOCKS_APART: chrono::Duration = chrono::Duration::minutes(10);

/// Every order at the warehouse that is ours, by the shop's order number.
type Theirs = HashMap<String, WarehouseOrder>;

impl Run<'_> {
    pub(super) async fn compare_orders(&mut self) -> Result<(), Broken> {
        let tied = self.tied()?.clone();
        let mut theirs = self.read_warehouse(&tied).await?;
        let connected_at = self.syncer.rehearser.connected_at(&self.held.connection).await?;

        let to = self.syncer.clock.now() + CLOCKS_APART;
        let mut windows = Windows::over([Window { from: self.held.since, to }]);
        let ledger = Ledger { tied: &tied, connected_at };
        while let Some(window) = windows.take() {
            match self.compare_window(&ledger, window, &mut theirs).await {
                Ok(()) => windows.read(),
                // A stretch that cannot be listed is narrowed down, not waited for.
                Err(Broken::Call(error)) if error.failure == Failure::Status(500) => {
                    windows.failed(window, error)?;
                }
                Err(error) => return Err(error),
            }
        }
        self.keep_gaps(&windows.gaps()?).await?;
        self.compare_left_over(theirs).await
    }

    async fn compare_window(
        &mut self,
        ledger: &Ledger<'_>,
        window: Window,
        theirs: &mut Theirs,
    ) -> Result<(), Broken> {
        for page in 1.. {
            let mut patience = Patience::default();
            let page = loop {
                match ledger.tied.shop.orders_created(window, page).await {
                    Ok(page) => break page,
                    Err(error) if error.failure == Failure::Status(500) => return Err(error.into()),
                    Err(error) => patience.bear(error).await?,
                }
            };
            let compared = page.items.len();
            self.compare_page(ledger, page.items, theirs).await?;
            self.advance(compared).await?;
            if !page.more {
                break;
            }
        }
        Ok(())
    }

    /// Orders that the warehouse has since the day: everything placed since was also changed since.
    async fn read_warehouse(&mut self, tied: &Tied) -> Result<Theirs, Broken> {
        let mut theirs = Theirs::new();
        let mut parts: Vec<(String, RelatedOrder)> = Vec::new();
        let prefix = &tied.orders.reference_prefix;
        let after = self.held.since - CLOCKS_APART;
        for page in 1.. {
            let mut patience = Patience::default();
            let read = loop {
                match tied.warehouse.whole_orders_changed(after, page).await {
                    Ok(read) => break read,
                    Err(error) => patience.bear(error).await?,
                }
            };
            for order in read.items {
                match order_of(&order.reference, prefix)
                    .map(|(id, behind)| (id.to_owned(), behind.is_empty()))
                {
                    Some((id, true)) => drop(theirs.insert(id, order)),
                    Some((id, false)) => {
                        self.count("related");
                        let WarehouseOrder { reference, status, lines, tracking_code, .. } = order;
                        parts.push((id, RelatedOrder { reference, status, lines, tracking_code }));
                    }
                    None => self.count("foreign"),
                }
            }
            self.advance(0).await?;
            if !read.more {
                break;
            }
        }
        for (id, part) in parts {
            if let Some(order) = theirs.get_mut(&id) {
                order.related.push(part);
            }
        }
        Ok(theirs)
    }

    async fn compare_page(
        &mut self,
        ledger: &Ledger<'_>,
        orders: Vec<ShopOrder>,
        theirs: &mut Theirs,
    ) -> Result<(), Broken> {
        let subjects: Vec<_> = orders.iter().map(|order| Subject::order(&order.id)).collect();
        let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
        let rehearser: &Rehearser = &self.syncer.rehearser;
        let remembered = rehearser.remember(&self.held.connection, &names).await?;
        for ((order, subject), remembered) in orders.iter().zip(&subjects).zip(&remembered) {
            let there = theirs.remove(&order.id);
            if self.is_at_rest(ledger, order, there.as_ref(), remembered) {
                self.count("same");
            } else {
                self.confirm(subject).await?;
            }
        }
        Ok(())
    }

    fn is_at_rest(
        &self,
        ledger: &Ledger<'_>,
        shop: &ShopOrder,
        warehouse: Option<&WarehouseOrder>,
        remembered: &Remembered,
    ) -> bool {
        let Remembered { link, intent } = remembered;
        let view = OrderView {
            shop: Some(shop),
            warehouse,
            link,
            intent: *intent,
            policy: &ledger.tied.orders,
            connected_at: ledger.connected_at,
            now: self.syncer.clock.now(),
        };
        matches!(decide(&view), Next::Nothing | Next::Skip(_))
    }

    /// Reads the order alone and freshly: what still asks for something is a difference.
    async fn confirm(&mut self, subject: &Subject) -> Result<(), Broken> {
        let looked = self.syncer.rehearser.rehearse(&self.held.connection, subject).await?;
        let (report, _) = looked.ok_or(Broken::NotConfigured)?;
        let Some(difference) = difference_of(report) else {
            self.count("same");
            return Ok(());
        };
        self.keep(&subject.to_string(), difference).await
    }

    /// Ours by its reference, and not among the shop's orders since the day: older ones, and ones the shop never had.
    async fn compare_left_over(&mut self, theirs: Theirs) -> Result<(), Broken> {
        let mut ids: Vec<_> = theirs.into_keys().collect();
        ids.sort_unstable();
        for id in ids {
            self.confirm(&Subject::order(&id)).await?;
            self.advance(1).await?;
        }
        Ok(())
    }

    /// What could not be listed was not compared, and a report that hid it would lie.
    async fn keep_gaps(&mut self, gaps: &[Window]) -> Result<(), Broken> {
        for Window { from, to } in gaps {
            let difference = Difference {
                word: "not_listed",
                reason: Some(Reason::SystemFailed),
                detail: Some(format!("the shop cannot list its orders from {from} to {to}")),
                remedy: "look at the shop's orders of these minutes by hand, and tell the shop's support",
                mends_itself: false,
            };
            self.keep("orders", difference).await?;
        }
        Ok(())
    }
}

/// What a page of orders is compared with.
struct Ledger<'a> {
    tied: &'a Tied,
    connected_at: crate::domain::Timestamp,
}

/// The difference that a rehearsal found, if it is one.
fn difference_of(report: Report) -> Option<Difference<'static>> {
    let Report { outcome, deed, detail, .. } = report;
    let mends = |word, remedy| {
        Some(Difference { word, reason: None, detail: detail.clone(), remedy, mends_itself: true })
    };
    match outcome {
        Outcome::Done => match deed.unwrap_or_default() {
            "place" => mends("missing_at_warehouse", "it is sent to the warehouse"),
            "adopt" => mends("not_remembered", "it is taken up and followed from now on"),
            "update" => mends("edited_in_shop", "the edit is sent on to the warehouse"),
            "cancel" => mends("cancelled_in_shop", "it is cancelled at the warehouse"),
            _ => mends("not_completed_in_shop", "it is completed in the shop, with its tracking code"),
        },
        Outcome::Permanent { reason } => Some(Difference {
            word: "needs_a_person",
            reason: Some(reason),
            detail,
            remedy: reason.words(),
            mends_itself: false,
        }),
        Outcome::Skipped { reason: Reason::UnknownInShop } => Some(Difference {
            word: "unknown_in_shop",
            reason: Some(Reason::UnknownInShop),
            detail,
            remedy: "the warehouse has it under our reference and the shop does not know it: look who placed it",
            mends_itself: false,
        }),
        // It could not be read just now: told, and looked at again by its delivery.
        Outcome::Retryable { reason }
        | Outcome::Snoozed { reason, .. }
        | Outcome::Ambiguous { reason }
        | Outcome::ConnectionFault { reason } => Some(Difference {
            word: "not_read",
            reason: Some(reason),
            detail,
            remedy: "it is looked at again",
            mends_itself: true,
        }),
        Outcome::InStep | Outcome::Skipped { .. } | Outcome::Waiting { .. } => None,
    }
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::from(error))
    }
}
