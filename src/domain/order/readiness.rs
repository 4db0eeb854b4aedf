//! Decides whether an order that is not at the warehouse may go there now.

use std::time::Duration;

use super::{
    Decision, Intent, OrderView, ShopOrder, TransferTime,
    payment::{PaymentCheck, check_payments},
    unreadable::ask,
};
use crate::domain::{Timestamp, switch::Switch, task::reason::Reason};

/// Returns what prevents the transfer, or `None` where the order may go. An operator's intent comes before
/// the rules; the rules are in the order in which a merchant would name them.
pub(super) fn find_blocker(shop: &ShopOrder, view: &OrderView<'_>) -> Option<Decision> {
    let policy = view.policy;
    match view.intent {
        Some(Intent::Cancel) => return Some(Decision::Skip(Reason::CancelledByOperator)),
        Some(Intent::Hold) => return Some(Decision::Skip(Reason::HeldByOperator)),
        Some(Intent::Transfer | Intent::Release | Intent::Adopt) | None => {}
    }
    if policy.transfer == Switch::Off {
        return Some(Decision::Skip(Reason::TransferOff)); // whatever an operator asks
    }
    // Not even an operator can send what cannot be read.
    let unreadable = &shop.unreadable.content;
    if !unreadable.is_empty() {
        return Some(ask("the shop's order", unreadable));
    }
    if view.intent == Some(Intent::Transfer) {
        return None; // an operator has looked at it
    }
    if policy.transfer == Switch::Manual {
        return Some(Decision::Skip(Reason::ManualTransfer));
    }
    if view.known.completed_at.is_some() {
        return Some(Decision::Skip(Reason::ReopenedInShop));
    }
    let start = view.start();
    match shop.created_at {
        // It may be history: only an operator can say.
        None => return Some(ask("the shop's order", &["created_at".to_owned()])),
        Some(created_at) if created_at < start => return Some(Decision::Skip(Reason::BeforeStart)),
        Some(_) => {}
    }
    if let Some(decision) = find_payment_blocker(shop, policy.when) {
        return Some(decision);
    }
    let ready_at = view.known.ready_at.unwrap_or(view.now);
    let until = ready_at + policy.hold;
    (view.intent.is_none() && view.now < until)
        .then_some(Decision::Wait { until, reason: Reason::HoldPeriod })
}

/// The longest time that anything waits to be taken back, whatever the clock says of who asked.
const LONGEST_UNDO: Duration = Duration::from_secs(600);

/// Until when the operator who sent the order by hand can take that back.
pub(super) fn can_be_undone_until(view: &OrderView<'_>) -> Option<Timestamp> {
    view.intent?;
    undo_ends_at(view)
}

/// Until when what was sent by hand, an order or a replacement, can be taken back.
pub(super) fn undo_ends_at(view: &OrderView<'_>) -> Option<Timestamp> {
    view.leaves_at.filter(|until| view.now < *until && *until <= view.now + LONGEST_UNDO)
}

/// What stands against the transfer by the order's payments.
fn find_payment_blocker(shop: &ShopOrder, when: TransferTime) -> Option<Decision> {
    if when == TransferTime::Created {
        return None;
    }
    match check_payments(shop, when) {
        PaymentCheck::Covered => None,
        PaymentCheck::NotPaid => Some(Decision::Skip(Reason::NotPaid)),
        PaymentCheck::NotActivated => Some(Decision::Skip(Reason::PaymentNotActivated)),
        PaymentCheck::Unknown(fields) => Some(ask("the shop's order", &fields)),
    }
}
