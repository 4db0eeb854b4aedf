//! What happens next to an order, and when.

use maud::{Markup, html};

use super::{
    badge::{Tone, flash},
    order_situation::{is_never_sent, is_unknown, next_look, reason_of, waits_for_you},
    parcels::came_back,
    user::User,
    widgets::{inline_time, reason, remedy},
};
use crate::{
    domain::task::reason::Reason,
    explain::{OrderTexts, order_texts},
    store::views::orders::OrderRow,
};

/// The line on top of an order's page, `awaited` where its connection is down; with what to do, unless a card of its own says that.
pub(super) fn next(
    user: &User,
    order: &OrderRow,
    (awaited, has_remedy_card): (Option<String>, bool),
) -> Markup {
    let texts = order_texts(user.language);
    let (tone, text) = step(user, order);
    let asks = order.reason.as_deref().filter(|_| tone == Tone::Attention && !has_remedy_card);
    html! {
        (flash(tone, &html! {
            b { (texts.next) ": " }
            @if let Some(awaited) = awaited { (awaited) }
            @else if order.task_state.as_deref() == Some("pending") { (next_look(user, order)) } @else { (text) }
            @if let (Some(by), Some(at)) = (&order.handled_by, order.handled_at) { " " (by) ", " (inline_time(user, at)) "." }
            " " (reason(user, order.reason.as_deref()))
            @if order.task_state.as_deref() == Some("in_doubt") {
                @if let Some(at) = order.next_at { " " (texts.looks_itself) " " (inline_time(user, at.max(user.now))) "." }
            }
            @if let Some(comments) = &order.warehouse_comments { " " q { (comments) } }
            @if let Some(code) = asks { (remedy(user, code)) }
        }))
    }
}

/// What it asks of the reader, and what comes.
fn step(user: &User, order: &OrderRow) -> (Tone, &'static str) {
    let texts = order_texts(user.language);
    match (order.task_state.as_deref(), order.status.as_str()) {
        (Some("leased"), _) => (Tone::Waiting, texts.working_now),
        (Some("dead"), _) if order.handled_at.is_some() => (Tone::Plain, texts.next_handled),
        _ if is_unknown(order) => (Tone::Attention, texts.next_answer),
        (Some("dead"), _) | (_, "needs_attention") => (Tone::Attention, texts.next_person),
        (_, "waiting_for_collection") => (Tone::Waiting, texts.next_warehouse),
        (_, "waiting_for_products") => (Tone::Waiting, texts.next_products),
        (_, "not_transferred") => before_transfer(texts, order),
        (_, "returned") => (Tone::Attention, user.words().process_return),
        _ if came_back(order) => (Tone::Attention, user.words().process_return),
        _ => (Tone::Plain, texts.next_nothing),
    }
}

/// The same of an order that is not at the warehouse, where Silta has nothing to do for now.
fn before_transfer(texts: &OrderTexts, order: &OrderRow) -> (Tone, &'static str) {
    match reason_of(order) {
        _ if is_never_sent(order) => (Tone::Plain, texts.next_never),
        Some(Reason::HeldByOperator) => (Tone::Attention, texts.next_held),
        // The reason says it.
        Some(Reason::ManualTransfer) => (Tone::Attention, ""),
        Some(Reason::TransferOff) => (Tone::Waiting, ""),
        Some(Reason::BeforeStart | Reason::ReopenedInShop | Reason::CancelledByOperator) => {
            (Tone::Plain, texts.next_by_hand)
        }
        _ if waits_for_you(order) => (Tone::Attention, texts.next_change),
        _ => (Tone::Waiting, texts.next_change),
    }
}
