//! The stock figure's flow: read both sides, write the warehouse's figure to the shop where it differs.

use async_trait::async_trait;

use super::{Action, AttemptResult, Context, Flow};
use crate::{
    domain::{
        product::{Stored, Supplier},
        stock::{BRAKE_WINDOW, Basis, Decision, StockView, decide},
        task::{
            outcome::{Outcome, Reason},
            subject_state::{Learnt, SubjectState},
        },
    },
    vendors::http::error::Effect,
};

pub(super) struct StockFlow;

#[async_trait]
impl Flow for StockFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        let Context { clients, subject, known, clock, ledger, .. } = context;
        let code = &subject.key;
        let now = clock.now();
        let warehouse = match clients.warehouse.get_stock(code).await {
            Ok(warehouse) => warehouse,
            Err(error) => return AttemptResult::read_failed(&error),
        };
        let shop = match clients.shop.get_stock(code).await {
            Ok(shop) => shop,
            Err(error) => return AttemptResult::read_failed(&error),
        };
        let supplier = shop.as_ref().map_or(&Supplier::NotRead, |shop| &shop.supplier);
        match clients.products.check_stored(code, supplier) {
            Stored::Yes => {}
            // What the shop does not know at all is told as that, below.
            Stored::Unknown if shop.is_none() => {}
            Stored::No => return AttemptResult::skipped(Reason::Excluded),
            Stored::Unknown => return AttemptResult::skipped(Reason::SupplierUnknown),
        }
        let in_flight = match clients.stock.basis {
            Basis::Compensated => match ledger.in_flight(code).await {
                Ok(pieces) => pieces,
                Err(reason) => return AttemptResult::interrupted(reason, false),
            },
            Basis::Physical | Basis::Available => 0,
        };
        let (warehouse, shop) = (warehouse.as_ref(), shop.as_ref());
        let view = StockView { code, warehouse, shop, in_flight, acted_on: known.figure_at };
        let next = decide(&view, &clients.stock);
        let figure_at = warehouse.and_then(|stock| stock.modified);
        let (result, figure) = match next {
            Decision::Nothing => (AttemptResult::new(Outcome::InSync), shop.map(|shop| shop.quantity)),
            Decision::Skip(reason) => (AttemptResult::skipped(reason), None),
            Decision::Stale => {
                return AttemptResult::new(Outcome::Retryable { reason: Reason::StaleReading });
            }
            Decision::Patch { quantity, falls_to_zero } => {
                match write_stock(context, quantity, falls_to_zero).await {
                    result if matches!(result.outcome, Outcome::Acted) => (result, Some(quantity)),
                    result => return result,
                }
            }
        };
        let version = warehouse.and_then(|stock| stock.version.clone());
        let known = SubjectState {
            code: Some(code.clone()),
            warehouse_version: version,
            figure,
            figure_at,
            ..SubjectState::default()
        };
        result.with_observation(Learnt { subject: subject.to_string(), seen_at: now, known })
    }
}

/// Writes a figure; one that empties the shelf only where the brake lets it.
async fn write_stock(context: &Context, quantity: i64, falls_to_zero: bool) -> AttemptResult {
    let Context { clients, subject, clock, ledger, .. } = context;
    if falls_to_zero {
        match ledger.can_set_to_zero(&subject.key).await {
            Ok(true) => {}
            Ok(false) => {
                // A feed that comes back to its senses is seen by itself; a person lets go sooner.
                let (until, reason) = (clock.now() + BRAKE_WINDOW, Reason::StockBraked);
                return AttemptResult::new(Outcome::Waiting { until, reason });
            }
            Err(reason) => return AttemptResult::interrupted(reason, false),
        }
    }
    let action = Action::new(context, "set_stock", Effect::Idempotent, &quantity.to_string());
    let done =
        action.perform(context, async |key| clients.shop.set_stock(&subject.key, quantity, key).await).await;
    done.map_or_else(|error| error.result, |((), result)| result)
}
