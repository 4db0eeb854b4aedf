//! The actions of an order: one call each, and what it shows.

use serde_json::json;

use super::observe::{empty_observation, observe};
use crate::flows::{Action, ActionError, AttemptResult, Context};
use crate::{
    domain::{
        order::{Draft, OrderPolicy, ShopOrder, WarehouseOrder, cancel_inputs, draft, order_inputs},
        task::{
            action::{ActionKind, ActionState, NewAction},
            ledger::LedgerChange,
            outcome::Outcome,
            reason::Reason,
        },
    },
    vendors::http::error::Effect,
};

/// What the actions of an order are made from.
pub(super) struct Sides<'a> {
    pub(super) shop: &'a ShopOrder,
    pub(super) policy: &'a OrderPolicy,
    /// Our reference at the warehouse.
    pub(super) reference: &'a str,
}

/// Enters what is sent, and what it was made from.
fn record_version(sides: &Sides<'_>, action: Action, draft: &Draft) -> Action {
    let Sides { shop, policy, reference } = sides;
    let sent = draft.redacted(&policy.redactor);
    action.sending(reference, Some(sent), order_inputs(shop, policy), policy.digest())
}

/// Sends a new order to the warehouse.
pub(super) async fn send_draft(
    context: &Context,
    sides: &Sides<'_>,
    action: Action,
    draft: &Draft,
) -> Result<(WarehouseOrder, AttemptResult), ActionError> {
    record_version(sides, action, draft)
        .perform(
            context,
            |order: &WarehouseOrder| order.id.clone(),
            async |key| context.clients.warehouse.place_order(draft, key).await,
        )
        .await
}

/// Places the order at the warehouse.
pub(super) async fn place(context: &Context, sides: &Sides<'_>, draft: &Draft) -> AttemptResult {
    let action = Action::new(context, ActionKind::Place, Effect::Once, &draft.hash());
    match send_draft(context, sides, action, draft).await {
        Ok((order, result)) => {
            result.with_observation(observe(context, context.clock.now(), None, Some(&order)))
        }
        Err(error) => error.result,
    }
}

/// Takes the warehouse's order for ours: the one that action `number` sent, or one that no action of ours is known of.
pub(super) fn adopt(
    sides: &Sides<'_>,
    warehouse: Option<&WarehouseOrder>,
    number: Option<i32>,
) -> AttemptResult {
    let remote_id = warehouse.and_then(|order| order.id.clone());
    let change = match number {
        Some(number) => LedgerChange::Ended { number, state: ActionState::Applied, remote_id },
        None => LedgerChange::Performed { action: adoption(sides), state: ActionState::Applied },
    };
    let result = AttemptResult::new(Outcome::Acted);
    AttemptResult { action: Some(ActionKind::Adopt.as_str()), ledger: vec![change], ..result }
}

fn adoption(Sides { shop, policy, reference }: &Sides<'_>) -> NewAction {
    NewAction {
        kind: ActionKind::Adopt,
        target: String::new(),
        key: String::new(),
        reference: Some((*reference).to_owned()),
        sent: None,
        inputs: Some(order_inputs(shop, policy)),
        policy_digest: Some(policy.digest()),
    }
}

/// Sends an edit. If the warehouse refuses, it keeps the old version, and an operator must fix it there.
pub(super) async fn update(
    context: &Context,
    sides: &Sides<'_>,
    draft: &Draft,
    difference: String,
) -> AttemptResult {
    let action = Action::new(context, ActionKind::Update, Effect::Idempotent, &draft.hash());
    let sent = record_version(sides, action, draft)
        .perform(context, |()| None, async |key| context.clients.warehouse.edit_order(draft, key).await)
        .await;
    match sent {
        Ok(((), result)) => AttemptResult { detail: Some(difference), ..result }
            .with_observation(empty_observation(context, context.clock.now())),
        Err(error) => error.into_permanent_if_refused(Reason::OldVersionAtWarehouse, || {
            format!("the warehouse refused the edit, fix it there: {difference}")
        }),
    }
}

/// Cancels the order at the warehouse. An accepted cancellation is recorded, so that it is asked for once.
pub(super) async fn cancel(context: &Context, sides: &Sides<'_>) -> AttemptResult {
    let reason = Reason::CancelledAfterTransfer;
    let Sides { shop, policy, reference } = *sides;
    let draft = match draft(shop, policy, reference) {
        Ok(draft) => draft,
        Err(error) => {
            let detail = format!("cancelled: cancel it at the warehouse by hand ({})", error.detail);
            return AttemptResult::permanent(reason, detail);
        }
    };
    let inputs = cancel_inputs(shop, context.intent);
    let cancelled = Action::new(context, ActionKind::Cancel, Effect::Idempotent, &inputs.to_string())
        .sending(reference, Some(json!({ "status": "cancelled" })), inputs, policy.digest())
        .perform(context, |()| None, async |key| context.clients.warehouse.cancel_order(&draft, key).await)
        .await;
    match cancelled {
        Ok(((), result)) => result.with_observation(empty_observation(context, context.clock.now())),
        Err(error) => error.into_permanent_if_refused(reason, || {
            "the warehouse refused to cancel over its API: cancel it there by hand".to_owned()
        }),
    }
}

/// Completes the whole order in the shop.
pub(super) async fn quick_process(
    context: &Context,
    sides: &Sides<'_>,
    tracking_code: Option<&str>,
    cash_on_delivery: bool,
) -> AttemptResult {
    let Context { clients, subject, .. } = context;
    let action = Action::new(context, ActionKind::Complete, Effect::Once, tracking_code.unwrap_or_default());
    let emails = clients.order_policy.send_emails;
    let sent = json!({ "tracking_code": tracking_code, "emails": emails });
    let done = action
        .sending(sides.reference, Some(sent), completion_inputs(sides), sides.policy.digest())
        .perform(
            context,
            |()| None,
            async |key| {
                clients.shop.quick_process(&subject.key, tracking_code, cash_on_delivery, emails, key).await
            },
        )
        .await;
    // With several payments, one of them cancelled, its shipment can still be completed.
    let has_another_way = sides.shop.payments.len() > 1;
    let failed =
        |error: ActionError| if has_another_way { error.into_retryable_if_refused() } else { error.result };
    done.map_or_else(failed, |((), result)| result)
}

/// Activates a payment in the shop. If the shop refuses, an operator must do it there: the order is not completed before.
pub(super) async fn activate_payment(context: &Context, sides: &Sides<'_>, payment: &str) -> AttemptResult {
    let Context { clients, subject, .. } = context;
    let done = Action::new(context, ActionKind::ActivatePayment, Effect::Once, payment)
        .on(payment)
        .sending(
            sides.reference,
            Some(json!({ "payment": payment })),
            completion_inputs(sides),
            sides.policy.digest(),
        )
        .perform(
            context,
            |()| None,
            async |key| clients.shop.activate_payment(&subject.key, payment, key).await,
        )
        .await;
    match done {
        Ok(((), result)) => result,
        Err(error) => error.with_reason_if_permanent(
            Reason::PaymentNotActivated,
            "the shop refused to activate the payment: activate it there, then replay",
        ),
    }
}

/// Completes one shipment of the order in the shop.
pub(super) async fn complete_shipment(
    context: &Context,
    sides: &Sides<'_>,
    shipment: &str,
    tracking_code: Option<&str>,
) -> AttemptResult {
    let Context { clients, subject, .. } = context;
    let code = tracking_code.filter(|_| clients.order_policy.shipment_tracking);
    let action = Action::new(context, ActionKind::CompleteShipment, Effect::Once, shipment).on(shipment);
    let sent = json!({ "shipment": shipment, "tracking_code": code });
    let done = action
        .sending(sides.reference, Some(sent), completion_inputs(sides), sides.policy.digest())
        .perform(
            context,
            |()| None,
            async |key| {
                if let Some(code) = code
                    && let Err(error) = clients.shop.write_tracking(&subject.key, shipment, code, key).await
                    && !error.is_refused()
                {
                    return Err(error); // a refused tracking code must not stop the completion
                }
                clients.shop.complete_shipment(&subject.key, shipment, key).await
            },
        )
        .await;
    done.map_or_else(|error| error.result, |((), result)| result)
}

/// What the shop's order was like when it was completed.
fn completion_inputs(sides: &Sides<'_>) -> serde_json::Value {
    json!({ "status": sides.shop.status.as_str(), "version": sides.shop.version })
}
