//! Orders that wait for products: since when, for which, and what can be done.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{user::User, widgets::inline_time};
use crate::{
    explain::{Choice, OrderHistory, number_text},
    store::views::orders::OrderRow,
};

/// One code of what waits.
#[derive(Deserialize)]
struct Awaited {
    code: String,
    quantity: i64,
    shop_stock: Option<i64>,
}

/// The section of an order's page; nothing where it does not wait.
pub(super) fn section(user: &User, history: &OrderHistory) -> Markup {
    let words = user.words();
    html! {
        @if let Some(since) = history.order.waiting_since {
            section.card {
                h2 { (words.waiting) }
                p { (words.waiting_since) " " (inline_time(user, since)) ": " (goods(user, &history.order)) }
                dl.choices { @for Choice { title, text, .. } in &history.choices { dt { (title) } dd { (text) } } }
            }
        }
    }
}

/// The codes that an order waits for, those without stock first in weight.
pub(super) fn goods(user: &User, order: &OrderRow) -> Markup {
    let awaited = rows(order.waiting_for.as_ref());
    html! {
        @for (at, Awaited { code, quantity, shop_stock }) in awaited.iter().enumerate() {
            @if at > 0 { ", " }
            (number_text(*quantity, user.language)) " × "
            @if *shop_stock == Some(0) { b { (code) } } @else { (code) }
            @if let Some(pieces) = shop_stock { span.small { " (" (user.words().in_stock) " " (number_text(*pieces, user.language)) ")" } }
        }
    }
}

fn rows(stored: Option<&Value>) -> Vec<Awaited> {
    stored.and_then(|rows| serde_json::from_value(rows.clone()).ok()).unwrap_or_default()
}
