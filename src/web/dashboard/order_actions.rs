//! The buttons of an order's page: those that have an effect now, each with what follows where that is no surprise to say.

use maud::{Markup, html};

use super::{
    badge::{Tone, flash},
    order_offers::{Request, is_unpaid, stays},
    order_situation::is_unknown,
    orders::label,
    user::User,
    widgets::csrf_field,
};
use crate::{domain::switch::Switch, explain::order_texts, store::views::orders::OrderRow};

/// The buttons; none for viewers.
pub(super) fn section(user: &User, here: &str, order: &OrderRow, transfer: Switch) -> Markup {
    if !user.is_operator() {
        return html! {};
    }
    let texts = order_texts(user.language);
    // To look once more is one of the answers to an unknown outcome: see `order_remedy`.
    let asks_itself = is_unknown(order) && order.task_state.as_deref() != Some("leased");
    let is_offered = |request| {
        stays(request, order, transfer, texts).is_none() && !(asks_itself && request == Request::Refresh)
    };
    // What an order of the warehouse is, a stopped order asks itself: see `order_remedy`.
    let adopt = (order.task_state.as_deref() != Some("dead")).then_some(Request::Adopt);
    let others = [Request::Transfer, Request::Release, Request::Hold, Request::Refresh];
    let plain: Vec<_> = adopt.into_iter().chain(others).filter(|request| is_offered(*request)).collect();
    let is_cancellable = is_offered(Request::Cancel);
    if plain.is_empty() && !is_cancellable {
        return html! {};
    }
    html! {
        div.actions.no-print {
            @for request in plain {
                @if request == Request::Transfer && is_unpaid(order.reason.as_deref()) { (unpaid(user, here, label(user, request))) }
                @else { (form_of(user, here, request.as_str(), label(user, request))) }
            }
            @if is_cancellable { (cancel(user, here, order)) }
        }
    }
}

/// A form of one button.
pub(super) fn form_of(user: &User, here: &str, ask: &str, label: &str) -> Markup {
    html! {
        @if user.is_operator() {
            form.inline method="post" action=(here) {
                (csrf_field(user))
                input type="hidden" name="ask" value=(ask);
                button { (label) }
            }
        }
    }
}

/// A transfer that needs a second look.
pub(super) fn unpaid(user: &User, here: &str, transfer: &str) -> Markup {
    let texts = order_texts(user.language);
    html! {
        details {
            summary.btn { (transfer) "…" }
            (flash(Tone::Attention, &html! { (texts.unpaid_transfer) " " (form_of(user, here, "transfer", transfer)) }))
        }
    }
}

/// A cancellation, which only concerns the warehouse.
fn cancel(user: &User, here: &str, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    let (label, consequence) = match order.placed_at {
        Some(_) => (texts.cancel_here, texts.cancel_consequence),
        None => (texts.do_not_send, texts.not_sent_consequence),
    };
    html! {
        details {
            summary.btn.risk { (label) "…" }
            (flash(Tone::Attention, &html! { (consequence) " " (form_of(user, here, "cancel", label)) }))
        }
    }
}
