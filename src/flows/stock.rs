//! The stock flow: reads both sides and writes the warehouse's figure to the shop where it differs.

use async_trait::async_trait;

use super::{Action, AttemptResult, Context, Flow};
use crate::domain::{
    product::{Stored, Supplier},
    stock::{BRAKE_WINDOW, Basis, Decision, ShopStock, StockView, decide},
    task::{
        outcome::Outcome,
        reason::Reason,
        subject_state::{Observation, SubjectState},
    },
};

/// When an answer that lags is read again. That it lags is no failure.
const STALE_RECHECK: chrono::Duration = chrono::Duration::seconds(30);

/// Syncs a stock figure.
pub(super) struct StockFlow;

#[async_trait]
impl Flow for StockFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        sync(context).await.unwrap_or_else(|result| *result)
    }
}

async fn sync(context: &Context) -> Result<AttemptResult, Box<AttemptResult>> {
    let Context { clients, subject, known, clock, .. } = context;
    let code = &subject.key;
    let now = clock.now();
    let warehouse = clients.warehouse.get_stock(code).await.map_err(AttemptResult::read_failed)?;
    let shop = clients.shop.get_stock(code).await.map_err(AttemptResult::read_failed)?;
    if let Some(reason) = not_stored(context, shop.as_ref()) {
        return Ok(AttemptResult::skipped(reason));
    }
    let in_flight = in_flight(context).await.map_err(AttemptResult::store_failed)?;
    let (warehouse, shop) = (warehouse.as_ref(), shop.as_ref());
    let view = StockView { code, warehouse, shop, in_flight, acted_on: known.figure_at, now };
    let (result, figure) = match decide(&view, &clients.stock_policy) {
        Decision::Nothing => (AttemptResult::new(Outcome::InSync), shop.map(|shop| shop.quantity)),
        Decision::Skip(reason) => (AttemptResult::skipped(reason), None),
        Decision::AskOperator { detail } => {
            return Ok(AttemptResult::permanent(Reason::FieldUnreadable, detail));
        }
        Decision::Stale => {
            let (until, reason) = (now + STALE_RECHECK, Reason::StaleReading);
            return Ok(AttemptResult::new(Outcome::Waiting { until, reason }));
        }
        Decision::Patch { quantity, falls_to_zero } => {
            (write_stock(context, quantity, falls_to_zero).await?, Some(quantity))
        }
    };
    // A shop that no longer shows a figure it has shown may be down: then the next poll reads this version again.
    let is_read = shop.is_some() || known.figure.is_none();
    let version = warehouse.and_then(|stock| stock.version.clone()).filter(|_| is_read);
    let known = SubjectState {
        code: Some(code.clone()),
        warehouse_version: version,
        figure,
        figure_at: warehouse.and_then(|stock| stock.credible_time(view.read_at())),
        ..SubjectState::default()
    };
    Ok(result.with_observation(Observation { subject: subject.to_string(), seen_at: now, known }))
}

/// Why the code is not stored at the warehouse; `None` where it is. A code that the shop does not know at all is
/// left to [`decide`].
fn not_stored(context: &Context, shop: Option<&ShopStock>) -> Option<Reason> {
    let supplier = shop.map_or(&Supplier::NotRead, |shop| &shop.supplier);
    match context.clients.product_policy.check_stored(&context.subject.key, supplier) {
        Stored::Yes => None,
        Stored::Unknown if shop.is_none() => None,
        Stored::No => Some(Reason::Excluded),
        Stored::Unknown => Some(Reason::SupplierUnknown),
    }
}

/// Pieces of our orders at the warehouse that are still open in the shop, where the basis counts them.
async fn in_flight(context: &Context) -> Result<i64, Reason> {
    match context.clients.stock_policy.basis {
        Basis::Compensated => context.task_store.in_flight(&context.subject.key).await,
        Basis::Physical | Basis::Available => Ok(0),
    }
}

/// Writes a quantity; a zero only where the stock brake allows it.
async fn write_stock(
    context: &Context,
    quantity: i64,
    falls_to_zero: bool,
) -> Result<AttemptResult, Box<AttemptResult>> {
    let Context { clients, subject, clock, task_store, .. } = context;
    if falls_to_zero
        && !task_store.can_set_to_zero(&subject.key).await.map_err(AttemptResult::store_failed)?
    {
        // A feed that recovers is seen by itself; an operator can release the brake sooner.
        let (until, reason) = (clock.now() + BRAKE_WINDOW, Reason::StockBraked);
        return Err(Box::new(AttemptResult::new(Outcome::Waiting { until, reason })));
    }
    let action = Action::unrecorded(context, "set_stock", &quantity.to_string());
    let set = async |key: &str| clients.shop.set_stock(&subject.key, quantity, key).await;
    match action.perform(context, |()| None, set).await {
        Ok(((), result)) => Ok(result),
        Err(error) => Err(Box::new(error.result)),
    }
}
