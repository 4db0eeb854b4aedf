//! The actions of an order: one call each, and what it shows.

use super::observe::{empty_observation, observe, record_sent};
use crate::flows::{Action, AttemptResult, Context};
use crate::{
    domain::{
        order::{Draft, OrderPolicy, ShopOrder, draft},
        task::reason::Reason,
    },
    vendors::http::error::Effect,
};

/// Places the order at the warehouse.
pub(super) async fn place(context: &Context, draft: &Draft) -> AttemptResult {
    let action = Action::new(context, "place", Effect::Once, &draft.hash());
    let placed =
        action.perform(context, async |key| context.clients.warehouse.place_order(draft, key).await).await;
    let (order, result) = match placed {
        Ok(done) => done,
        Err(error) => return error.result,
    };
    let mut observation = observe(context, context.clock.now(), None, Some(&order));
    record_sent(&mut observation.known, draft, context);
    result.with_observation(observation)
}

/// Sends an edit. If the warehouse refuses, it keeps the old version, and an operator must fix it there.
pub(super) async fn update(context: &Context, draft: &Draft, difference: String) -> AttemptResult {
    let action = Action::new(context, "update", Effect::Idempotent, &draft.hash());
    let sent =
        action.perform(context, async |key| context.clients.warehouse.edit_order(draft, key).await).await;
    match sent {
        Ok(((), result)) => {
            let mut observation = empty_observation(context, context.clock.now());
            record_sent(&mut observation.known, draft, context);
            AttemptResult { detail: Some(difference), ..result }.with_observation(observation)
        }
        Err(error) => error.into_permanent_if_refused(Reason::OldVersionAtWarehouse, || {
            format!("the warehouse refused the edit, fix it there: {difference}")
        }),
    }
}

/// Cancels the order at the warehouse. An accepted cancellation is recorded, so that it is asked for once.
pub(super) async fn cancel(
    context: &Context,
    shop: Option<&ShopOrder>,
    policy: &OrderPolicy,
) -> AttemptResult {
    let reason = Reason::CancelledAfterTransfer;
    let draft = match shop.map(|shop| draft(shop, policy)) {
        Some(Ok(draft)) => draft,
        Some(Err(error)) => {
            let detail = format!("cancelled: cancel it at the warehouse by hand ({})", error.detail);
            return AttemptResult::permanent(reason, detail);
        }
        None => return AttemptResult::skipped(Reason::UnknownInShop),
    };
    let action = Action::new(context, "cancel", Effect::Idempotent, &draft.reference);
    let cancelled =
        action.perform(context, async |key| context.clients.warehouse.cancel_order(&draft, key).await).await;
    match cancelled {
        Ok(((), result)) => {
            let now = context.clock.now();
            let mut observation = empty_observation(context, now);
            observation.known.cancel_requested_at = Some(now);
            result.with_observation(observation)
        }
        Err(error) => error.into_permanent_if_refused(reason, || {
            "the warehouse refused to cancel over its API: cancel it there by hand".to_owned()
        }),
    }
}

/// Completes the whole order in the shop.
pub(super) async fn quick_process(
    context: &Context,
    tracking_code: Option<&str>,
    cash_on_delivery: bool,
) -> AttemptResult {
    let Context { clients, subject, .. } = context;
    let action = Action::new(context, "complete", Effect::Once, tracking_code.unwrap_or_default());
    let emails = clients.order_policy.send_emails;
    let done = action
        .perform(context, async |key| {
            clients.shop.quick_process(&subject.key, tracking_code, cash_on_delivery, emails, key).await
        })
        .await;
    done.map_or_else(|error| error.result, |((), result)| result)
}

/// Completes one shipment of the order in the shop.
pub(super) async fn complete_shipment(
    context: &Context,
    shipment: &str,
    tracking_code: Option<&str>,
) -> AttemptResult {
    let Context { clients, subject, .. } = context;
    let code = tracking_code.filter(|_| clients.order_policy.shipment_tracking);
    let action = Action::new(context, "complete_shipment", Effect::Once, shipment);
    let done = action
        .perform(context, async |key| {
            if let Some(code) = code
                && let Err(error) = clients.shop.write_tracking(&subject.key, shipment, code, key).await
                && !error.is_refused()
            {
                return Err(error); // a refused tracking code must not stop the completion
            }
            clients.shop.complete_shipment(&subject.key, shipment, key).await
        })
        .await;
    done.map_or_else(|error| error.result, |((), result)| result)
}
