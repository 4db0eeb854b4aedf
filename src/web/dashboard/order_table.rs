//! The table of orders: a fact and its context in each cell. On phones each row is a card.

use maud::{Markup, html};
use rust_decimal::Decimal;

use super::{
    listing::order_path,
    order_query::OrderQuery,
    order_situation::{badges, why},
    outage::awaited,
    user::User,
    waiting::goods,
    widgets::{inline_time, time},
};
use crate::{
    explain::{self, order_texts, with_count},
    store::views::{
        orders::{OrderRow, OrderSort},
        vendors_down::VendorDown,
    },
};

/// The table, with a box to select each order where the user may change something.
pub(super) fn table(user: &User, query: &OrderQuery, rows: &[OrderRow], down: &[VendorDown]) -> Markup {
    let texts = order_texts(user.language);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(user.words().orders) { table.stack.dense {
            thead { tr {
                @if user.is_operator() { th scope="col" { span.sr { (texts.selected) } } }
                th scope="col" { (texts.number) }
                (sorted(query, "num", texts.total_and_contents, OrderSort::Total, None))
                th scope="col" { (texts.status) }
                th scope="col" { (texts.method) }
                (sorted(query, "", texts.placed, OrderSort::Newest, Some(OrderSort::Oldest)))
                (sorted(query, "", texts.last_change, OrderSort::LastChange, None))
                th scope="col" { (texts.tracking) }
            } }
            tbody { @for order in rows { (row(user, order, down)) } }
        } }
    }
}

/// The head of a column that the list can be sorted by: a second time, it turns round where it can.
fn sorted(query: &OrderQuery, class: &str, text: &str, down: OrderSort, up: Option<OrderSort>) -> Markup {
    let current = query.sort();
    let (state, mark) = match current {
        sort if sort == down => (Some("descending"), "↓"),
        sort if Some(sort) == up => (Some("ascending"), "↑"),
        _ => (None, ""),
    };
    let next = up.filter(|_| current == down).unwrap_or(down);
    let value = (next != OrderSort::default()).then(|| next.as_str());
    html! {
        th.(class) scope="col" aria-sort=[state] {
            a href=(query.with("sort", value)) { (text) " " span aria-hidden="true" { (mark) } }
        }
    }
}

fn row(user: &User, order: &OrderRow, down: &[VendorDown]) -> Markup {
    let texts = order_texts(user.language);
    html! {
        tr {
            @if user.is_operator() {
                @let label = texts.select_order.replace("{}", &order.order_id);
                td.gone {
                    input type="checkbox" name="order" value=(format!("{}/{}", order.connection, order.order_id)) aria-label=(label);
                }
            }
            th scope="row" {
                a href=(order_path(&order.connection, &order.order_id)) { (order.order_id) }
                small { (order.connection) }
            }
            td.num { (total(user, order)) small { (contents(user, order)) } }
            td.wide { (status(user, order, down)) }
            td.method { (method(user, order)) }
            td.date { @if let Some(at) = order.ordered_at { (time(user, at)) } @else { span.sr { (texts.none) } } }
            td.gone { (time(user, order.changed_at.unwrap_or(order.updated_at))) }
            td.wide.track { (tracking(user, order)) }
        }
    }
}

/// What an order costs.
pub(super) fn total(user: &User, order: &OrderRow) -> Markup {
    let amount: Option<Decimal> = order.total.as_deref().and_then(|total| total.parse().ok());
    let text = amount.map(|amount| {
        explain::money_text(amount, order.currency.as_deref().unwrap_or_default(), user.language)
            .trim()
            .to_owned()
    });
    html! { @if let Some(text) = text { (text) } @else { span.sr { (order_texts(user.language).none) } } }
}

/// How much is in an order: `2 lines, 3 pcs`.
pub(super) fn contents(user: &User, order: &OrderRow) -> String {
    let texts = order_texts(user.language);
    let lines = order.line_count.and_then(|count| usize::try_from(count).ok());
    let pieces = order.pieces.as_deref().map(|pieces| explain::amount_text(pieces, user.language));
    let lines = lines.map(|count| with_count(texts.line_count, count));
    let pieces = pieces.map(|pieces| pieces_text(user, &pieces));
    lines.into_iter().chain(pieces).collect::<Vec<_>>().join(", ")
}

/// So many pieces.
pub(super) fn pieces_text(user: &User, amount: &str) -> String {
    let (one, many) = order_texts(user.language).pieces.split_once('|').unwrap_or_default();
    (if ["1", "−1"].contains(&amount) { one } else { many }).replace("{}", amount)
}

fn status(user: &User, order: &OrderRow, down: &[VendorDown]) -> Markup {
    html! {
        (badges(user, order))
        @if let Some(since) = order.waiting_since {
            small { (user.words().waiting_since) " " (inline_time(user, since)) ": " (goods(user, order)) }
        }
        @else if let Some(awaited) = awaited(user, order, down) { small { (awaited) } }
        @else { small { (why(user, order)) } }
    }
}

/// The shipping method, and what it is at the warehouse.
pub(super) fn method(user: &User, order: &OrderRow) -> Markup {
    html! {
        @if let Some(method) = &order.shipping_method { (method) }
        small { (mapped(user, order)) }
    }
}

/// What the shipping method is at the warehouse.
pub(super) fn mapped(user: &User, order: &OrderRow) -> String {
    let texts = order_texts(user.language);
    match (order.shipping_mapping.as_deref(), &order.warehouse_shipping) {
        (Some("mapped"), Some(code)) => code.clone(),
        (Some("unmapped"), _) => texts.not_mapped.to_owned(),
        (Some("left_to_shop"), _) => texts.left_to_shop.to_owned(),
        _ => String::new(),
    }
}

/// The tracking code, as a link where the warehouse gave one.
pub(super) fn tracking(user: &User, order: &OrderRow) -> Markup {
    let url = order.tracking_url.as_deref().filter(|url| url.starts_with("https://"));
    html! {
        @match (&order.tracking_code, url) {
            (Some(code), Some(url)) => { a.code href=(url) rel="noreferrer noopener" { (code) } }
            (Some(code), None) => { span.code { (code) } }
            (None, _) => { span.sr { (order_texts(user.language).none) } }
        }
    }
}
