//! One attempt at an order.

use std::borrow::Cow;

use async_trait::async_trait;

use super::{
    actions::{Sides, activate_payment, adopt, cancel, complete_shipment, place, quick_process, update},
    observe::{apply_known_status, is_newly_completed, observe, observe_parcels, stock_subjects},
    replacement::{adopt_replacement, place_replacement, read_replacements},
};
use crate::{
    domain::{
        order::{
            Decision, Draft, DraftLine, OrderFacts, OrderPolicy, OrderView, ShopOrder, ShopStatus,
            WarehouseOrder, decide,
        },
        product::AmbiguousCode,
        task::{
            action::{ActionKind, ActionState, LedgerEntry},
            ledger::{Ledger, LedgerChange},
            outcome::Outcome,
            reason::Reason,
        },
    },
    flows::{AttemptResult, ConnectionClients, Context, Flow},
    vendors::http::{connection_start::StartStoreError, error::CallError, turn_signal::TurnSignal},
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
    let Context {
        clients, subject, ledger, known, intent, leaves_at, confirmed, clock, connected_at, ..
    } = context;
    let now = clock.now();
    // The reference of the ledger: another prefix in the configuration concerns new orders only.
    let reference = clients.order_policy.reference_of(&subject.key, ledger);
    let (shop, warehouse) = read_both_sides(clients, &subject.key, &reference).await;
    let shop = shop.map_err(AttemptResult::read_failed)?;
    if shop.is_none() && must_be_in_shop(context).await.map_err(AttemptResult::store_failed)? {
        return Ok(AttemptResult::new(Outcome::Retryable { reason: Reason::GoneFromShop }));
    }
    let warehouse = warehouse.map_err(AttemptResult::read_failed)?;
    let warehouse = match warehouse.map(|order| apply_known_status(order, known)) {
        Some(order) => {
            let read = read_replacements(clients, ledger, shop.as_ref(), order).await;
            Some(read.map_err(AttemptResult::read_failed)?)
        }
        None => None,
    };
    let (shop, warehouse) = (shop.as_ref(), warehouse.as_ref());
    let policy = effective_policy(context, shop).await.map_err(AttemptResult::store_failed)?;
    let policy = policy.as_ref();
    // The shop's answer has just shown it, unless that had no date.
    let connected_at = clients.shop.connected_at().map_err(start_unknown)?.unwrap_or(*connected_at);
    let (intent, leaves_at) = (*intent, *leaves_at);
    let view = OrderView {
        shop,
        warehouse,
        reference,
        ledger,
        known,
        intent,
        leaves_at,
        confirmed,
        policy,
        connected_at,
        now,
    };
    let decision = decide(&view);

    let ours = warehouse.filter(|_| is_ours(ledger, &decision));
    let mut observation = observe(context, now, shop, ours);
    observe_parcels(&mut observation, &view, ours);
    observation.known.facts = OrderFacts::of(&view, ours);
    if matches!(decision, Decision::Wait { reason: Reason::HoldPeriod, .. }) {
        observation.known.ready_at = Some(now);
    }
    let changes = completions_found(ledger, shop);
    let mut result = perform(context, decision, &view).await;
    result.ledger.splice(0..0, changes);
    if is_newly_completed(shop, known) {
        // The shop has taken the pieces off its own quantity, and no webhook says so.
        result.follow_ups = stock_subjects(shop);
    }
    // Before what an action observed.
    result.observations.insert(0, observation);
    Ok(result)
}

/// Reads both sides of an order at the same time. Both reads end: what either vendor has answered stands in the call log.
async fn read_both_sides(
    clients: &ConnectionClients,
    number: &str,
    reference: &str,
) -> (Result<Option<ShopOrder>, CallError>, Result<Option<WarehouseOrder>, CallError>) {
    let signal = TurnSignal::default();
    let (shop, warehouse) = (clients.shop.first(&signal), clients.warehouse.second(&signal));
    let in_shop = async {
        let read = shop.get_order(number).await;
        signal.end(); // it may have failed before its first call
        read
    };
    tokio::join!(in_shop, warehouse.get_order(reference))
}

/// Without the moment of connecting, an order can be taken neither for history nor for new.
fn start_unknown(_: StartStoreError) -> Box<AttemptResult> {
    AttemptResult::store_failed(Reason::DatabaseUnavailable)
}

/// True where the order at the warehouse is, or is about to be, known to be ours.
fn is_ours(ledger: &Ledger, decision: &Decision) -> bool {
    matches!(decision, Decision::Adopt { .. })
        || ledger.placing().is_some_and(|entry| entry.state.is_applied())
}

/// Ends the completions of unknown outcome that the shop shows as done.
fn completions_found(ledger: &Ledger, shop: Option<&ShopOrder>) -> Vec<LedgerChange> {
    let Some(shop) = shop else { return Vec::new() };
    let is_completed = shop.status == ShopStatus::Completed;
    let is_found = |entry: &&LedgerEntry| match entry.kind {
        ActionKind::Complete => is_completed,
        ActionKind::ActivatePayment => {
            is_completed
                || shop.payments.iter().any(|it| it.is_paid() && it.id.as_deref() == Some(&*entry.target))
        }
        ActionKind::CompleteShipment => {
            // A completed order may have got a further shipment.
            let own = shop.shipments.iter().find(|it| it.id == entry.target);
            own.map_or(is_completed, |shipment| shipment.is_completed)
        }
        ActionKind::Place
        | ActionKind::PlaceReplacement
        | ActionKind::Adopt
        | ActionKind::Update
        | ActionKind::Cancel
        | ActionKind::Create => false,
    };
    let found = ledger.all_open().filter(is_found).map(|entry| LedgerChange::Ended {
        number: entry.number,
        state: ActionState::Applied,
        remote_id: None,
    });
    found.collect()
}

/// Whether the shop must have the order: it was read there before, or a list shows it. A 404 is an outage then.
async fn must_be_in_shop(context: &Context) -> Result<bool, Reason> {
    let Context { known, subject, task_store, .. } = context;
    Ok(known.shop_status.is_some() || task_store.is_listed(subject).await?)
}

/// The connection's rules, extended by the operators' shipping rules where none of the configuration matches.
async fn effective_policy<'a>(
    context: &'a Context,
    shop: Option<&ShopOrder>,
) -> Result<Cow<'a, OrderPolicy>, Reason> {
    let policy = &*context.clients.order_policy;
    let methods = shop.into_iter().flat_map(|shop| {
        shop.shipping.iter().chain(shop.shipments.iter().filter_map(|it| it.shipping.as_ref()))
    });
    if !methods.into_iter().any(|it| policy.has_no_rule_for(it)) {
        return Ok(Cow::Borrowed(policy));
    }
    let by_hand = context.task_store.shipping_rules().await?;
    // After the configuration's own rules, none of which matches.
    let shipping = policy.shipping.iter().cloned().chain(by_hand).collect();
    Ok(Cow::Owned(OrderPolicy { shipping, ..policy.clone() }))
}

/// Performs what was decided.
async fn perform(context: &Context, decision: Decision, view: &OrderView<'_>) -> AttemptResult {
    let Some(shop) = view.shop else { return perform_nothing(decision) };
    let sides = Sides { shop, policy: view.policy, reference: &view.reference };
    match decision {
        Decision::Adopt { number } => adopt(&sides, view.warehouse, number),
        Decision::PlaceReplacement { shipment, draft } => match spelt(context, *draft).await {
            Ok(draft) => place_replacement(context, view, &sides, &shipment, &draft).await,
            Err(result) => *result,
        },
        Decision::AdoptReplacement { number, shipment, reference } => {
            adopt_replacement(view, number, shipment, reference)
        }
        Decision::Place(draft) => match spelt(context, *draft).await {
            Ok(draft) => place(context, &sides, &draft).await,
            Err(result) => *result,
        },
        Decision::Update { draft, difference } => match spelt(context, *draft).await {
            Ok(draft) => update(context, &sides, &draft, difference).await,
            Err(result) => *result,
        },
        Decision::Cancel => cancel(context, &sides).await,
        Decision::ActivatePayment { id } => activate_payment(context, &sides, &id).await,
        Decision::QuickProcess { tracking_code, cash_on_delivery } => {
            quick_process(context, &sides, tracking_code.as_deref(), cash_on_delivery).await
        }
        Decision::CompleteShipment { id, tracking_code } => {
            complete_shipment(context, &sides, &id, tracking_code.as_deref()).await
        }
        decision @ (Decision::Nothing
        | Decision::Skip(_)
        | Decision::Wait { .. }
        | Decision::WaitInDoubt { .. }
        | Decision::AskOperator { .. }) => perform_nothing(decision),
    }
}

/// The draft with each code as the warehouse spells it.
async fn spelt(context: &Context, draft: Draft) -> Result<Draft, Box<AttemptResult>> {
    let codes: Vec<_> = draft.lines.iter().map(|line| line.code.as_str()).collect();
    let spellings = context.task_store.spellings(&codes).await.map_err(AttemptResult::store_failed)?;
    let spelt = |line: &DraftLine| {
        let code = spellings.at_warehouse(&line.code)?.to_owned();
        Ok(DraftLine { code, ..line.clone() })
    };
    let lines = draft.lines.iter().map(spelt).collect::<Result<_, AmbiguousCode>>();
    let lines = lines.map_err(|code| AttemptResult::permanent(Reason::CodeRepeated, code.detail()))?;
    Ok(Draft { lines, ..draft })
}

/// The result of a decision that calls nobody.
fn perform_nothing(decision: Decision) -> AttemptResult {
    match decision {
        Decision::Skip(reason) => AttemptResult::skipped(reason),
        Decision::Wait { until, reason } => AttemptResult::new(Outcome::Waiting { until, reason }),
        Decision::WaitInDoubt { until, read_in_vain } => {
            let reason = Reason::SettlingTime;
            let ledger = read_in_vain.map(|number| LedgerChange::ReadInVain { number });
            let ledger = ledger.into_iter().collect();
            AttemptResult { ledger, ..AttemptResult::new(Outcome::Waiting { until, reason }) }
        }
        Decision::AskOperator { reason, detail } => AttemptResult::permanent(reason, detail),
        // Without the shop's order there is no action.
        Decision::Nothing
        | Decision::Adopt { .. }
        | Decision::Place(_)
        | Decision::PlaceReplacement { .. }
        | Decision::AdoptReplacement { .. }
        | Decision::Update { .. }
        | Decision::Cancel
        | Decision::ActivatePayment { .. }
        | Decision::QuickProcess { .. }
        | Decision::CompleteShipment { .. } => AttemptResult::new(Outcome::InSync),
    }
}
