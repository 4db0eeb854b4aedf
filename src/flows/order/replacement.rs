//! Replacements: what the shop added to an order after it was sent, placed at the warehouse under a reference of its own.

use super::{
    actions::{Sides, send_draft},
    observe::empty_observation,
};
use crate::{
    domain::{
        order::{Draft, OrderView, ShopOrder, WarehouseOrder, added_order, order_inputs},
        task::{
            action::{ActionKind, ActionState, LedgerEntry, NewAction},
            ledger::{Ledger, LedgerChange},
            outcome::Outcome,
        },
    },
    flows::{Action, AttemptResult, ConnectionClients, Context},
    vendors::http::error::{CallError, Effect},
};

/// Adds the replacements that the search for the order itself did not show: whether it finds longer references is not
/// public (docs/contract.md U23).
pub(super) async fn read_replacements(
    clients: &ConnectionClients,
    ledger: &Ledger,
    shop: Option<&ShopOrder>,
    mut warehouse: WarehouseOrder,
) -> Result<WarehouseOrder, CallError> {
    let is_open = |entry: &&LedgerEntry| {
        let shipment = shop.and_then(|shop| shop.shipments.iter().find(|it| it.id == entry.target));
        entry.kind == ActionKind::PlaceReplacement
            && entry.state.may_be_applied()
            && !shipment.is_some_and(|it| it.is_completed)
    };
    let mut references: Vec<_> =
        ledger.0.iter().filter(is_open).filter_map(|it| it.reference.clone()).collect();
    references.dedup();
    for reference in references {
        if warehouse.related.iter().any(|it| it.reference.eq_ignore_ascii_case(&reference)) {
            continue;
        }
        let found = clients.warehouse.get_order(&reference).await?;
        warehouse.related.extend(found.map(|order| order.into_related(false)));
    }
    Ok(warehouse)
}

/// Places a replacement at the warehouse.
pub(super) async fn place_replacement(
    context: &Context,
    view: &OrderView<'_>,
    sides: &Sides<'_>,
    shipment: &str,
    draft: &Draft,
) -> AttemptResult {
    let added = added_order(sides.shop, shipment, view);
    let sides = Sides {
        shop: added.as_ref().unwrap_or(sides.shop),
        policy: sides.policy,
        reference: &draft.reference,
    };
    let action = Action::new(context, ActionKind::PlaceReplacement, Effect::Once, &draft.hash()).on(shipment);
    match send_draft(context, &sides, action, draft).await {
        Ok((_, result)) => result.with_observation(empty_observation(context, context.clock.now())),
        Err(error) => error.result,
    }
}

/// Takes an order at the warehouse for the replacement: the one that action `number` sent, or one that no action of ours is
/// known of.
pub(super) fn adopt_replacement(
    view: &OrderView<'_>,
    number: Option<i32>,
    shipment: String,
    reference: String,
) -> AttemptResult {
    let change = match number {
        Some(number) => LedgerChange::Ended { number, state: ActionState::Applied, remote_id: None },
        None => LedgerChange::Performed {
            action: adoption(view, shipment, reference),
            state: ActionState::Applied,
        },
    };
    let result = AttemptResult::new(Outcome::Acted);
    AttemptResult { action: Some(ActionKind::Adopt.as_str()), ledger: vec![change], ..result }
}

fn adoption(view: &OrderView<'_>, shipment: String, reference: String) -> NewAction {
    let added = view.shop.and_then(|shop| added_order(shop, &shipment, view));
    NewAction {
        kind: ActionKind::PlaceReplacement,
        target: shipment,
        key: String::new(),
        reference: Some(reference),
        sent: None,
        inputs: added.map(|order| order_inputs(&order, view.policy)),
        policy_digest: Some(view.policy.digest()),
    }
}
