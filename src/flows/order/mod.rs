//! The order's flow: read the shop's order and the warehouse's, decide, do that one thing.

mod actions;
mod snapshot;

use std::borrow::Cow;

use actions::{cancel, complete_shipment, place, quick_process, update};
use async_trait::async_trait;
use snapshot::{compensates_anew, newly_completed, no_older, reading, stock_of};

use super::{Context, Flow, Report};
use crate::domain::{
    order::{Next, OrderPolicy, OrderView, ShopOrder, decide},
    task::outcome::{Outcome, Reason},
};

pub(super) struct OrderFlow;

#[async_trait]
impl Flow for OrderFlow {
    async fn run(&self, context: &Context) -> Report {
        let Context { tied, subject, link, intent, clock, .. } = context;
        let now = clock.now();
        let shop = match tied.shop.order(&subject.key).await {
            Ok(shop) => shop,
            Err(error) => return Report::unread(&error),
        };
        let reference = tied.orders.reference(&subject.key);
        let warehouse = match tied.warehouse.order(&reference).await {
            Ok(warehouse) => warehouse.map(|order| no_older(order, link)),
            Err(error) => return Report::unread(&error),
        };
        let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
        let connected_at = context.connected_at;
        let policy = match filled_policy(context, shop).await {
            Ok(policy) => policy,
            Err(reason) => return Report::broken(reason, false),
        };
        let policy = policy.as_ref();
        let view = OrderView { shop, warehouse, link, intent: *intent, policy, connected_at, now };

        let next = decide(&view);
        let mut read = reading(context, now, shop, warehouse);
        if matches!(next, Next::Wait { reason: Reason::HoldPeriod, .. }) {
            read.link.ready_at = Some(now);
        }
        let mut report = act(context, next, shop, policy).await;
        let moved = compensates_anew(context, shop, warehouse);
        if newly_completed(shop, link) || moved {
            // It moves the figure that the shop should show in a way that no webhook tells.
            report.follow_ups = stock_of(shop);
        }
        // Before what a deed taught: the older reading must not be the one that is turned away.
        report.learnt.insert(0, read);
        report
    }
}

/// The connection's rules, with those made by hand where none of the configuration matches the order's shipping method.
async fn filled_policy<'a>(
    context: &'a Context,
    shop: Option<&ShopOrder>,
) -> Result<Cow<'a, OrderPolicy>, Reason> {
    let policy = &context.tied.orders;
    let method = shop.and_then(|shop| shop.shipping.as_ref());
    if !method.is_some_and(|it| policy.lacks_rule(it)) {
        return Ok(Cow::Borrowed(policy));
    }
    let by_hand = context.ledger.shipping_rules().await?;
    // Behind the configuration's own: none of those matches, and one that did would win.
    let shipping = policy.shipping.iter().cloned().chain(by_hand).collect();
    Ok(Cow::Owned(OrderPolicy { shipping, ..policy.clone() }))
}

/// Does the one thing decided on.
async fn act(context: &Context, next: Next, shop: Option<&ShopOrder>, policy: &OrderPolicy) -> Report {
    match next {
        Next::Nothing => Report::of(Outcome::InStep),
        Next::Skip(reason) => Report::skipped(reason),
        Next::Wait { until, reason } => Report::of(Outcome::Waiting { until, reason }),
        Next::AskPerson { reason, detail } => Report::permanent(reason, detail),
        Next::Adopt => Report { deed: Some("adopt"), ..Report::of(Outcome::Done) },
        Next::Place(draft) => place(context, &draft).await,
        Next::Update { draft, difference } => update(context, &draft, difference).await,
        Next::Cancel => cancel(context, shop, policy).await,
        Next::QuickProcess { tracking_code, cash_on_delivery } => {
            quick_process(context, tracking_code.as_deref(), cash_on_delivery).await
        }
        Next::CompleteShipment { id, tracking_code } => {
            complete_shipment(context, &id, tracking_code.as_deref()).await
        }
    }
}
