//! What the ledger says against an action that must happen once.

use chrono::Duration;

use super::{Decision, OrderView};
use crate::domain::task::{
    action::{ActionKind, ActionState, Doubt, LedgerEntry, MAX_REPEATS},
    reason::Reason,
};

/// What stands against a completion; `None` where nothing does. It happens once in the life of what it completes.
pub(super) fn decide_completion_once(
    kind: ActionKind,
    target: &str,
    view: &OrderView<'_>,
) -> Option<Decision> {
    let entry = view.ledger.last(kind, target)?;
    match entry.state {
        ActionState::ResolvedApplied => Some(Decision::Skip(Reason::ResolvedByOperator)),
        // It was completed, and the shop shows it open: somebody opened it again, and it is theirs.
        ActionState::Applied => Some(Decision::Skip(Reason::ReopenedInShop)),
        ActionState::Begun
        | ActionState::Unknown
        | ActionState::Refused
        | ActionState::NotSent
        | ActionState::ResolvedNotApplied => {
            wait_in_doubt(entry, view).or_else(|| repeated_too_often(kind, target, view))
        }
    }
}

/// What stands against the activation of a payment that the shop shows as not activated; `None` where nothing does.
pub(super) fn decide_activation_once(payment: &str, view: &OrderView<'_>) -> Option<Decision> {
    let entry = view.ledger.last(ActionKind::ActivatePayment, payment)?;
    if entry.state.is_applied() {
        return Some(Decision::ask_operator(
            Reason::PaymentNotActivated,
            "the shop accepted that a payment is activated, and still shows it as not activated: look there",
        ));
    }
    wait_in_doubt(entry, view).or_else(|| repeated_too_often(ActionKind::ActivatePayment, payment, view))
}

/// The wait before an action of unknown outcome, whose effect was not found, is repeated. `None` where it may be.
pub(super) fn wait_in_doubt(entry: &LedgerEntry, view: &OrderView<'_>) -> Option<Decision> {
    match entry.doubt(view.now, view.policy.recheck_delay) {
        Doubt::Wait { until, counts } => {
            Some(Decision::WaitInDoubt { until, read_in_vain: counts.then_some(entry.number) })
        }
        Doubt::MayRepeat => None,
    }
}

/// How long the warehouse's search may lag behind an order that was placed. After that the order has
/// vanished.
const SEARCH_LAG: Duration = Duration::minutes(10);

/// Decides for an order that was placed and that the search does not show: it is never placed again.
pub(super) fn wait_for_search(entry: &LedgerEntry, view: &OrderView<'_>, vanished: Reason) -> Decision {
    if view.now - entry.ended_at.unwrap_or(entry.begun_at) < SEARCH_LAG {
        return Decision::Wait { until: view.now + view.policy.recheck_delay, reason: Reason::SettlingTime };
    }
    Decision::ask_operator(vanished, "we placed this order and the warehouse no longer shows it")
}

/// Asks an operator where an action was begun too often, whatever the reads show.
pub(super) fn repeated_too_often(kind: ActionKind, target: &str, view: &OrderView<'_>) -> Option<Decision> {
    (view.ledger.repeats(kind, target) >= MAX_REPEATS).then(|| {
        Decision::ask_operator(
            Reason::RepeatedTooOften,
            "sent as often as is allowed, and never found: look at the vendor, then resolve what happened",
        )
    })
}
