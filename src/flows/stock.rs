//! The stock flow: reads both sides and writes the warehouse's figure to the shop where it differs.

use async_trait::async_trait;

use super::{Action, AttemptResult, Context, Flow};
use crate::{
    domain::{
        event::subject::Subject,
        product::{AmbiguousCode, KnownSpellings, Stored, Supplier, code_fault},
        stock::{BRAKE_WINDOW, Basis, Decision, ShopStock, StockView, WarehouseStock, decide},
        stock_figures::StockFigures,
        switch::Switch,
        task::{
            outcome::Outcome,
            reason::Reason,
            subject_state::{Observation, SubjectState},
        },
    },
    vendors::mycashflow::NewStock,
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
    let Context { clients, subject, known, clock, task_store, .. } = context;
    let code = &subject.key;
    if code_fault(code) == Some(Reason::CodeDots) {
        return Ok(AttemptResult::skipped(Reason::CodeDots));
    }
    if clients.stock_policy.update == Switch::Off {
        return Ok(AttemptResult::skipped(Reason::StockUpdateOff));
    }
    let aliases = clients.product_policy.extra.aliases_of(code);
    let codes = [code.as_str(), clients.product_policy.code_at_warehouse(code)];
    let codes: Vec<_> = codes.into_iter().chain(aliases.iter().map(String::as_str)).collect();
    let spellings = task_store.spellings(&codes).await.map_err(AttemptResult::store_failed)?;
    let in_shop = spellings.in_shop(code).map_err(|code| ambiguous(&code))?;
    if in_shop != code {
        // One subject for each code, so that its figures are written one after the other: the shop's spelling names it.
        let follow_ups = vec![Subject::stock(in_shop)];
        return Ok(AttemptResult { follow_ups, ..AttemptResult::new(Outcome::InSync) });
    }
    let now = clock.now();
    let warehouse = read_warehouse(context, &spellings).await?;
    let shop = clients.shop.get_stock(code).await.map_err(AttemptResult::read_failed)?;
    if let Some(reason) = not_stored(context, shop.as_ref()) {
        return Ok(AttemptResult::skipped(reason));
    }
    let in_flight = in_flight(context).await.map_err(AttemptResult::store_failed)?;
    let (warehouse, shop) = (warehouse.as_ref(), shop.as_ref());
    let (written, acted_on) = (known.figure, known.figure_at);
    let view = StockView { code, warehouse, shop, in_flight, written, acted_on, now };
    let mut figures = StockFigures::of(&view, &clients.stock_policy);
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
        Decision::Patch { quantity, .. } if context.withholds().is_some() => {
            (unasked(context, shop, quantity), None)
        }
        Decision::Patch { quantity, falls_to_zero } => {
            match write_stock(context, quantity, falls_to_zero).await {
                Ok(result) => {
                    figures = figures.map(|figures| figures.after_write(quantity));
                    (result, Some(quantity))
                }
                Err(result) => return Ok(AttemptResult { figures, ..*result }),
            }
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
    // The shop's other codes for this product show the same figure.
    let follow_ups = aliases.iter().map(|alias| Subject::stock(spellings.in_shop(alias).unwrap_or(alias)));
    let result = AttemptResult { follow_ups: follow_ups.collect(), figures, ..result };
    Ok(result.with_observation(Observation { subject: subject.to_string(), seen_at: now, known }))
}

/// Reads the warehouse's figure, under the code as the warehouse spells it. The spelling that is known may be an old one.
async fn read_warehouse(
    context: &Context,
    spellings: &KnownSpellings,
) -> Result<Option<WarehouseStock>, Box<AttemptResult>> {
    let Context { clients, subject, task_store, .. } = context;
    let code = clients.product_policy.code_at_warehouse(&subject.key);
    let spelt = spellings.at_warehouse(code).map_err(|code| ambiguous(&code))?;
    let own = Some(code).filter(|code| *code != spelt);
    for code in std::iter::once(spelt).chain(own) {
        let figure = clients.warehouse.get_stock(code).await.map_err(AttemptResult::read_failed)?;
        if figure.is_some() {
            if !spellings.is_at_warehouse(code) {
                task_store.record_warehouse_codes(&[code]).await.map_err(AttemptResult::store_failed)?;
            }
            return Ok(figure);
        }
    }
    Ok(None)
}

/// Only a person knows which of several products of the same code is meant.
fn ambiguous(code: &AmbiguousCode) -> Box<AttemptResult> {
    Box::new(AttemptResult::permanent(Reason::CodeRepeated, code.detail()))
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
    let Context { clients, subject, task_store, .. } = context;
    let code = clients.product_policy.code_at_warehouse(&subject.key);
    match clients.stock_policy.basis {
        Basis::Compensated => task_store.in_flight(code).await,
        Basis::Physical | Basis::Available => Ok(0),
    }
}

/// What would be written, once an operator asks. The stock brake counts only what is about to be written.
fn unasked(context: &Context, shop: Option<&ShopStock>, quantity: i64) -> AttemptResult {
    let reason = context.withholds().unwrap_or(Reason::ManualStockUpdate);
    let shown = shop.map_or(0, |shop| shop.quantity);
    let detail = Some(format!("the shop shows {shown}, should show {quantity}"));
    AttemptResult { action: Some("set_stock"), detail, ..AttemptResult::skipped(reason) }
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
    let stock = NewStock { quantity, tracking: clients.stock_policy.tracking };
    let set = async |key: &str| clients.shop.set_stock(&subject.key, stock, key).await;
    match action.perform(context, |()| None, set).await {
        Ok(((), result)) => Ok(result),
        Err(error) => Err(Box::new(error.result)),
    }
}
