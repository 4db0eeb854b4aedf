//! The buttons of an order's page: those that have an effect now, each with what follows where that is no surprise to say.

use maud::{Markup, html};

use super::{
    badge::{Tone, flash},
    order_offers::{Request, is_unpaid, stays},
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
    let is_offered = |request| stays(request, order, transfer, texts).is_none();
    let plain = [Request::Adopt, Request::Transfer, Request::Release, Request::Hold, Request::Refresh];
    html! {
        div.actions.no-print {
            @for request in plain.into_iter().filter(|request| is_offered(*request)) {
                @if request == Request::Transfer && is_unpaid(order) { (unpaid(user, here)) }
                @else { (form_of(user, here, request.as_str(), label(user, request))) }
            }
            @if is_offered(Request::Cancel) { (cancel(user, here, order)) }
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
fn unpaid(user: &User, here: &str) -> Markup {
    let texts = order_texts(user.language);
    let transfer = label(user, Request::Transfer);
    html! {
        details {
            summary.btn { (transfer) "…" }
            (flash(Tone::Attention, &html! { (texts.unpaid_transfer) " " (form_of(user, here, "transfer", transfer)) }))
        }
    }
}

/// A cancellation, which only concerns the warehouse.
fn cancel(user: &User, here: &str, order: &OrderRow) -> Markup {
    let (words, texts) = (user.words(), order_texts(user.language));
    let (label, consequence) = match order.placed_at {
        Some(_) => (texts.cancel_here, texts.cancel_consequence),
        None => (texts.do_not_send, texts.not_sent_consequence),
    };
    html! {
        details {
            summary.btn.risk { (label) }
            (flash(Tone::Attention, &html! { (consequence) " " (form_of(user, here, "cancel", words.cancel_order)) }))
        }
    }
}
