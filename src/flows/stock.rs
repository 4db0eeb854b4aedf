//! The stock figure's flow: read both sides, write the warehouse's figure to the shop where it differs.

use async_trait::async_trait;

use super::{Context, Deed, Flow, Report};
use crate::{
    domain::{
        link::{Learnt, Link},
        outcome::{Outcome, Reason},
        product::{Stored, Supplier},
        stock::{Next, decide},
    },
    systems::call::Effect,
};

pub(super) struct StockFlow;

#[async_trait]
impl Flow for StockFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, clock, .. } = context;
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
        let report = match decide(warehouse.as_ref(), shop.as_ref(), &tied.stock) {
            Next::Nothing => Report::of(Outcome::InStep),
            Next::Skip(reason) => Report::skipped(reason),
            Next::Patch { quantity } => {
                let deed = Deed::new(context, "set_stock", Effect::Idempotent, &quantity.to_string());
                let done =
                    deed.perform(context, async |key| tied.shop.set_stock(code, quantity, key).await).await;
                done.map_or_else(|failed| failed, |((), report)| report)
            }
        };
        let version = warehouse.and_then(|stock| stock.version);
        let link = Link { code: Some(code.clone()), warehouse_version: version, ..Link::default() };
        report.learning(Learnt { subject: subject.to_string(), seen_at: now, link })
    }
}
