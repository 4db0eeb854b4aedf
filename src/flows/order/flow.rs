//! One attempt at an order.

use std::borrow::Cow;

use async_trait::async_trait;

use super::{
    actions::{cancel, complete_shipment, place, quick_process, update},
    observe::{apply_known_status, is_newly_completed, observe, stock_subjects},
};
use crate::{
    domain::{
        order::{Decision, OrderPolicy, OrderView, ShopOrder, decide},
        task::{outcome::Outcome, reason::Reason},
    },
    flows::{AttemptResult, Context, Flow},
};

/// Syncs an order.
pub(in crate::flows) struct OrderFlow;

#[async_trait]
impl Flow for OrderFlow {
    async fn run(&self, context: &Context) -> AttemptResult {
        sync(context).await.unwrap_or_else(|result| *result)
    }
}

async fn sync(context: &Context) -> Result<AttemptResult, Box<AttemptResult>> {
    let Context { clients, subject, known, intent, clock, .. } = context;
    let now = clock.now();
    let shop = clients.shop.get_order(&subject.key).await.map_err(AttemptResult::read_failed)?;
    let reference = clients.order_policy.reference(&subject.key);
    let warehouse = clients.warehouse.get_order(&reference).await.map_err(AttemptResult::read_failed)?;
    let warehouse = warehouse.map(|order| apply_known_status(order, known));
    let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
    let policy = effective_policy(context, shop).await.map_err(AttemptResult::store_failed)?;
    let policy = policy.as_ref();
    let connected_at = context.connected_at;
    let decision = decide(&OrderView { shop, warehouse, known, intent: *intent, policy, connected_at, now });

    let mut observation = observe(context, now, shop, warehouse);
    if matches!(decision, Decision::Wait { reason: Reason::HoldPeriod, .. }) {
        observation.known.ready_at = Some(now);
    }
    let mut result = perform(context, decision, shop, policy).await;
    if is_newly_completed(shop, known) {
        // The shop has taken the pieces off its own quantity, and no webhook says so.
        result.follow_ups = stock_subjects(shop);
    }
    // Before what an action observed: an older observation after a newer one would be dropped.
    result.observations.insert(0, observation);
    Ok(result)
}

/// The connection's rules, extended by the operators' shipping rules where none of the configuration matches.
async fn effective_policy<'a>(
    context: &'a Context,
    shop: Option<&ShopOrder>,
) -> Result<Cow<'a, OrderPolicy>, Reason> {
    let policy = &context.clients.order_policy;
    let method = shop.and_then(|shop| shop.shipping.as_ref());
    if !method.is_some_and(|it| policy.has_no_rule_for(it)) {
        return Ok(Cow::Borrowed(policy));
    }
    let by_hand = context.task_store.shipping_rules().await?;
    // After the configuration's own rules, none of which matches.
    let shipping = policy.shipping.iter().cloned().chain(by_hand).collect();
    Ok(Cow::Owned(OrderPolicy { shipping, ..policy.clone() }))
}

/// Performs what was decided.
async fn perform(
    context: &Context,
    decision: Decision,
    shop: Option<&ShopOrder>,
    policy: &OrderPolicy,
) -> AttemptResult {
    match decision {
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
