//! The order's flow: read the shop's order and the warehouse's, decide, do that one thing.

mod actions;
mod snapshot;

use std::borrow::Cow;

use actions::{cancel, complete_shipment, place, quick_process, update};
use async_trait::async_trait;
use snapshot::{apply_known_status, has_compensation_changed, is_newly_completed, observe, stock_subjects};

use super::{AttemptResult, Context, Flow};
use crate::domain::{
    order::{Decision, OrderPolicy, OrderView, ShopOrder, decide},
    task::outcome::{Outcome, Reason},
};

pub(super) struct OrderFlow;

#[async_trait]
impl Flow for OrderFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        let Context { clients, subject, known, intent, clock, .. } = context;
        let now = clock.now();
        let shop = match clients.shop.get_order(&subject.key).await {
            Ok(shop) => shop,
            Err(error) => return AttemptResult::read_failed(&error),
        };
        let reference = clients.orders.reference(&subject.key);
        let warehouse = match clients.warehouse.get_order(&reference).await {
            Ok(warehouse) => warehouse.map(|order| apply_known_status(order, known)),
            Err(error) => return AttemptResult::read_failed(&error),
        };
        let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
        let connected_at = context.connected_at;
        let policy = match effective_policy(context, shop).await {
            Ok(policy) => policy,
            Err(reason) => return AttemptResult::interrupted(reason, false),
        };
        let policy = policy.as_ref();
        let view = OrderView { shop, warehouse, known, intent: *intent, policy, connected_at, now };

        let next = decide(&view);
        let mut read = observe(context, now, shop, warehouse);
        if matches!(next, Decision::Wait { reason: Reason::HoldPeriod, .. }) {
            read.known.ready_at = Some(now);
        }
        let mut result = act(context, next, shop, policy).await;
        let moved = has_compensation_changed(context, shop, warehouse);
        if is_newly_completed(shop, known) || moved {
            // It moves the figure that the shop should show in a way that no webhook tells.
            result.follow_ups = stock_subjects(shop);
        }
        // Before what an action taught: the older reading must not be the one that is turned away.
        result.learnt.insert(0, read);
        result
    }
}

/// The connection's rules, with those made by hand where none of the configuration matches the order's shipping method.
async fn effective_policy<'a>(
    context: &'a Context,
    shop: Option<&ShopOrder>,
) -> Result<Cow<'a, OrderPolicy>, Reason> {
    let policy = &context.clients.orders;
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
async fn act(
    context: &Context,
    next: Decision,
    shop: Option<&ShopOrder>,
    policy: &OrderPolicy,
) -> AttemptResult {
    match next {
        Decision::Nothing => AttemptResult::new(Outcome::InSync),
        Decision::Skip(reason) => AttemptResult::skipped(reason),
        Decision::Wait { until, reason } => AttemptResult::new(Outcome::Waiting { until, reason }),
        Decision::AskOperator { reason, detail } => AttemptResult::permanent(reason, detail),
        Decision::Adopt => AttemptResult { action: Some("adopt"), ..AttemptResult::new(Outcome::Acted) },
        Decision::Place(draft) => place(context, &draft).await,
        Decision::Update { draft, difference } => update(context, &draft, difference).await,
        Decision::Cancel => cancel(context, shop, policy).await,
        Decision::QuickProcess { tracking_code, cash_on_delivery } => {
            quick_process(context, tracking_code.as_deref(), cash_on_delivery).await
        }
        Decision::CompleteShipment { id, tracking_code } => {
            complete_shipment(context, &id, tracking_code.as_deref()).await
        }
    }
}
