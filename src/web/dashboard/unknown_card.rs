//! An order of which it is unknown whether the warehouse has it: both sides beside each other, and what a person may say.

use maud::{Markup, html};

use super::{
    concern::Concern,
    listing::order_path,
    user::User,
    widgets::{button, time},
};
use crate::{
    explain::{self, attention_texts, vendor_status_text},
    store::views::orders::OrderRow,
};

/// Both sides as last read, and the three answers.
pub(super) fn halves(user: &User, connection: &str, concern: &Concern) -> Markup {
    let texts = attention_texts(user.language);
    let id = concern.subject.strip_prefix("order:").unwrap_or(&concern.subject);
    html! {
        div.unknown {
            h3 { (user.words().order) " " a href=(order_path(connection, id)) { (id) } " " (texts.may_be_there) }
            p { (texts.look_at_both) }
            div.halves {
                section.well aria-label=(user.words().in_shop) {
                    h3 { (user.words().in_shop) }
                    dl.facts { (in_shop(user, concern.order.as_ref(), id)) }
                }
                section.well aria-label=(user.words().at_warehouse) {
                    h3 { (user.words().at_warehouse) }
                    dl.facts { (at_warehouse(user, concern)) }
                }
            }
            @if user.is_operator() {
                @let path = format!("/tasks/{}", concern.task);
                div.row {
                    (button(user, &order_path(connection, id), &[("ask", "refresh")], texts.look_once_more))
                    (button(user, &path, &[("ask", "done"), ("from", "order")], texts.is_there))
                }
                div.row {
                    (button(user, &path, &[("ask", "pending"), ("from", "order")], texts.not_there))
                    span.soft { (texts.twice) }
                }
            }
        }
    }
}

fn in_shop(user: &User, order: Option<&OrderRow>, id: &str) -> Markup {
    let words = user.words();
    html! {
        dt { (words.order) } dd { (id) }
        @if let Some(order) = order {
            @if let Some(status) = &order.shop_status { dt { (words.status) } dd { span.first { (vendor_status_text(status, user.language)) } } }
            dt { (attention_texts(user.language).read) } dd { (time(user, order.updated_at)) }
        }
    }
}

fn at_warehouse(user: &User, concern: &Concern) -> Markup {
    let (words, texts) = (user.words(), attention_texts(user.language));
    let order = concern.order.as_ref();
    let status = order.and_then(|order| order.warehouse_status.as_deref());
    // An attempt that sent something had read before, and has not seen what became of it.
    let has_sent = concern.last_attempt.as_ref().is_some_and(|attempt| attempt.action.is_some());
    let unseen = if has_sent { texts.not_looked_since } else { texts.not_seen_there };
    html! {
        @if let Some(reference) = order.and_then(|order| order.reference.as_deref()) {
            dt { (words.reference) } dd { (reference) }
        }
        dt { (words.status) }
        dd { span.first { (status.map_or(unseen, |status| vendor_status_text(status, user.language))) } }
        @if let Some(attempt) = &concern.last_attempt {
            dt { (texts.last_answer) } dd { (explain::outcome_text(&attempt.outcome, attempt.action.as_deref(), attempt.reason.as_deref(), user.language)) }
            dt { (texts.read) } dd { (time(user, attempt.ended_at)) }
        }
    }
}
