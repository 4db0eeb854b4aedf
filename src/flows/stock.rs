//! The stock figure's flow: read both sides, write the warehouse's figure to the shop where it differs.

use async_trait::async_trait;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        product::{Stored, Supplier},
        stock::{BRAKE_WINDOW, Basis, Next, View, decide},
        task::{
            outcome::{Outcome, Reason},
            subject_state::{Learnt, Link},
        },
    },
    vendors::http::error::Effect,
};

pub(super) struct StockFlow;

#[async_trait]
impl Flow for StockFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, link, clock, ledger, .. } = context;
        let code = &subject.key;
        let now = clock.now();
        let warehouse = match tied.warehouse.stock(code).await {
            Ok(warehouse) => warehouse,
            Err(error) => return Report::unread(&error),
        };
        let shop = match tied.shop.stock(code).await {
            Ok(shop) => shop,
            Err(error) => return Report::unread(&error),
        };
        let supplier = shop.as_ref().map_or(&Supplier::NotRead, |shop| &shop.supplier);
        match tied.products.stores(code, supplier) {
            Stored::Yes => {}
            // What the shop does not know at all is told as that, below.
            Stored::CannotTell if shop.is_none() => {}
            Stored::No => return Report::skipped(Reason::Excluded),
            Stored::CannotTell => return Report::skipped(Reason::SupplierUnknown),
        }
        let in_flight = match tied.stock.basis {
            Basis::Compensated => match ledger.in_flight(code).await {
                Ok(pieces) => pieces,
                Err(reason) => return Report::broken(reason, false),
            },
            Basis::Physical | Basis::Available => 0,
        };
        let (warehouse, shop) = (warehouse.as_ref(), shop.as_ref());
        let view = View { code, warehouse, shop, in_flight, acted_on: link.figure_at };
        let next = decide(&view, &tied.stock);
        let figure_at = warehouse.and_then(|stock| stock.modified);
        let (report, figure) = match next {
            Next::Nothing => (Report::of(Outcome::InStep), shop.map(|shop| shop.quantity)),
            Next::Skip(reason) => (Report::skipped(reason), None),
            Next::Stale => {
                return Report::of(Outcome::Retryable { reason: Reason::StaleReading });
            }
            Next::Patch { quantity, empties } => match set(context, quantity, empties).await {
                report if matches!(report.outcome, Outcome::Done) => (report, Some(quantity)),
                report => return report,
            },
        };
        let version = warehouse.and_then(|stock| stock.version.clone());
        let link = Link {
            code: Some(code.clone()),
            warehouse_version: version,
            figure,
            figure_at,
            ..Link::default()
        };
        report.learning(Learnt { subject: subject.to_string(), seen_at: now, link })
    }
}

/// Writes a figure; one that empties the shelf only where the brake lets it.
async fn set(context: &Context, quantity: i64, empties: bool) -> Report {
    let Context { tied, subject, clock, ledger, .. } = context;
    if empties {
        match ledger.may_empty(&subject.key).await {
            Ok(true) => {}
            Ok(false) => {
                // A feed that comes back to its senses is seen by itself; a person lets go sooner.
                let (until, reason) = (clock.now() + BRAKE_WINDOW, Reason::StockBraked);
                return Report::of(Outcome::Waiting { until, reason });
            }
            Err(reason) => return Report::broken(reason, false),
        }
    }
    let deed = Deed::new(context, "set_stock", Effect::Idempotent, &quantity.to_string());
    let done =
        deed.perform(context, async |key| tied.shop.set_stock(&subject.key, quantity, key).await).await;
    done.map_or_else(|undone| undone.report, |((), report)| report)
}
