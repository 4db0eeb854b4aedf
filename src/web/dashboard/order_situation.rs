//! Where an order is, beyond its status: whether it stopped, whether anybody knows what the warehouse has, what it waits for.
//! Its page, the list of orders and what is offered judge by the same.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    badge::{Tone, badge},
    user::User,
    widgets::{inline_time, order_status, reason},
};
use crate::{
    domain::task::reason::Reason,
    explain::order_texts,
    store::{
        self,
        views::{attention, orders::OrderRow, overview::TaskFilter},
    },
};

/// The kind of subject.
const ORDER: &str = "order";

/// The reasons of an attempt whose effect at the vendor is not known.
const UNKNOWN: [Reason; 5] = [
    Reason::OutcomeUnknown,
    Reason::RepeatedTooOften,
    Reason::AnswerLost,
    Reason::SettlingTime,
    Reason::LeaseExpired,
];

/// The reasons of an order that Silta never sends, whatever an operator asks.
const NEVER_SENT: [Reason; 6] = [
    Reason::CompletedInShop,
    Reason::CancelledInShop,
    Reason::UnknownInShop,
    Reason::ReturnOrder,
    Reason::LeftToShop,
    Reason::NoWarehouseLines,
];

/// The reasons of an order that waits for a person, though nothing of it stopped.
const WAITS_FOR_YOU: [Reason; 4] =
    [Reason::ManualTransfer, Reason::HeldByOperator, Reason::PaymentNotActivated, Reason::HeldAtWarehouse];

/// The reason of an order's newest task.
pub(super) fn reason_of(order: &OrderRow) -> Option<Reason> {
    order.reason.as_deref().and_then(Reason::parse)
}

/// True where something was sent and nobody knows whether it was applied.
pub(super) fn is_unknown(order: &OrderRow) -> bool {
    match order.task_state.as_deref() {
        Some("in_doubt") => true,
        Some("dead" | "leased") => reason_of(order).is_some_and(|reason| UNKNOWN.contains(&reason)),
        _ => false,
    }
}

/// True where nobody knows whether the warehouse has the order.
pub(super) fn may_be_at_warehouse(order: &OrderRow) -> bool {
    is_unknown(order) && order.placed_at.is_none()
}

/// Counts the orders among the tasks of a filter of which it is unknown whether what was sent was applied.
pub(super) async fn count_unknown(db: &mut PgConnection, filter: &TaskFilter) -> store::Result<i64> {
    let is_of_orders = filter.kind.as_deref().is_none_or(|kind| kind == ORDER);
    let named = filter.reason.as_deref();
    let unknown = UNKNOWN.map(Reason::code).into_iter();
    let asked: Vec<_> = unknown.filter(|code| named.is_none_or(|named| named == *code)).collect();
    if !is_of_orders || asked.is_empty() {
        return Ok(0);
    }
    let orders = TaskFilter { kind: Some(ORDER.to_owned()), ..filter.clone() };
    attention::count_closed_for(db, &orders, Some(&asked)).await
}

/// True for an order that Silta never sends, whatever an operator asks.
pub(super) fn is_never_sent(order: &OrderRow) -> bool {
    order.placed_at.is_none() && reason_of(order).is_some_and(|reason| NEVER_SENT.contains(&reason))
}

/// True for an order that waits for a person, though nothing of it stopped: needs attention counts the same.
pub(super) fn waits_for_you(order: &OrderRow) -> bool {
    matches!(order.task_state.as_deref(), Some("pending" | "skipped"))
        && matches!(order.status.as_str(), "not_transferred" | "needs_attention")
        && reason_of(order).is_some_and(|reason| WAITS_FOR_YOU.contains(&reason))
}

/// Its status, and that it stopped, is in doubt or waits for the reader. While nobody knows whether it was transferred, no badge
/// says so.
pub(super) fn badges(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    html! {
        span.badges {
            @if is_unknown(order) { (badge(Tone::Stopped, texts.in_doubt)) " " }
            @else if order.handled_at.is_some() { (badge(Tone::Plain, texts.handled)) " " }
            @else if order.task_state.as_deref() == Some("dead") { (badge(Tone::Attention, user.words().cause_dead)) " " }
            @else if waits_for_you(order) { (badge(Tone::Attention, texts.waits_for_you)) " " }
            @if !may_be_at_warehouse(order) { (order_status(user, &order.status)) }
        }
    }
}

/// Why it is where it is. What is not at the warehouse says what it waits for, though no reason is recorded.
pub(super) fn why(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    html! {
        @match (order.status.as_str(), order.task_state.as_deref()) {
            _ if order.reason.is_some() => { (reason(user, order.reason.as_deref())) }
            ("not_transferred", Some("leased")) => { (texts.working_now) }
            ("not_transferred", Some("pending")) => { (next_look(user, order)) }
            ("not_transferred", _) => { (texts.next_change) }
            _ => {}
        }
    }
}

/// True for an order that neither side has been asked for yet.
pub(super) fn is_unread(order: &OrderRow) -> bool {
    order.shop_status.is_none() && order.reason.is_none()
}

/// When Silta looks at an order again, or for the first time.
pub(super) fn next_look(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    let looks = if is_unread(order) { texts.looks_first } else { texts.looks_again };
    html! {
        @match order.next_at.filter(|at| *at > user.now) {
            Some(at) => { (looks) " " (inline_time(user, at)) "." }
            None => { (texts.next_due) }
        }
    }
}
