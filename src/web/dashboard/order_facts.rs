//! The cards of an order's page: lines, both sides, recipient, shipping, references, and the same order elsewhere.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    deps::DashboardState,
    icon::{Icon, icon},
    order_situation::{is_never_sent, may_be_at_warehouse, reason_of},
    order_table::{contents, mapped, pieces_text, tracking},
    user::User,
    widgets::{csrf_field, inline_time},
};
use crate::{
    domain::{order::Recipient, task::reason::Reason},
    explain::{self, OrderHistory, OrderTexts, order_texts, vendor_status_text},
    store::views::orders::{OrderLineRow, OrderRow},
};

/// What is in the order, who ships it, what has left and what came back.
pub(super) fn lines(user: &User, history: &OrderHistory) -> Markup {
    let texts = order_texts(user.language);
    html! {
        section.card.flush aria-labelledby="lines" {
            div.row { h2 #lines { (texts.lines) } span.soft { (contents(user, &history.order)) } }
            @if history.lines.is_empty() { p.empty { (texts.lines_unread) } } @else {
                div.scroll tabindex="0" role="region" aria-label=(texts.lines) { table.stack {
                    thead { tr {
                        th scope="col" { (texts.product) }
                        th.num scope="col" { (texts.ordered) }
                        th scope="col" { (texts.who_ships) }
                        th.num scope="col" { (texts.shipped) }
                        th.num scope="col" { (texts.came_back) }
                    } }
                    tbody { @for row in &history.lines { (line(user, row)) } }
                } }
            }
        }
    }
}

fn line(user: &User, row: &OrderLineRow) -> Markup {
    let texts = order_texts(user.language);
    let is_ordered = !row.quantity.starts_with('-');
    let amount = |number: &str| explain::amount_text(number, user.language);
    let ordered = amount(&row.quantity);
    let returned = row.returned.as_deref().map_or("–".to_owned(), amount);
    let shipped = row.shipped.as_deref().map_or("–".to_owned(), |shipped| {
        texts.of_amount.replacen("{}", &amount(shipped), 1).replacen("{}", &ordered, 1)
    });
    html! {
        tr {
            th scope="row" {
                (row.name.as_deref().unwrap_or(&row.code))
                @if row.name.is_some() { small.code { (row.code) } }
            }
            td.num { (pieces_text(user, &ordered)) @if !is_ordered { small { (texts.taken_back) } } }
            td data-l=(texts.who_ships) { @if is_ordered { (who_ships(texts, row.shipped_by.as_deref())) } }
            td.num data-l=(texts.shipped) { @if is_ordered { (shipped) } }
            td.num data-l=(texts.came_back) { @if is_ordered { (returned) } }
        }
    }
}

fn who_ships(texts: &OrderTexts, shipped_by: Option<&str>) -> &'static str {
    match shipped_by {
        Some("warehouse") => texts.ships_warehouse,
        Some("shop") => texts.ships_shop,
        Some("nobody") => texts.ships_nobody,
        _ => texts.ships_unknown,
    }
}

/// What is said of an order of which the shop has shown no status.
fn not_in_shop(texts: &OrderTexts, order: &OrderRow) -> &'static str {
    match reason_of(order) {
        Some(Reason::UnknownInShop | Reason::GoneFromShop) => texts.not_there,
        _ => texts.not_read,
    }
}

/// The same of the warehouse. That nothing was found there is no answer while the outcome of sending it is unknown.
fn not_at_warehouse(texts: &OrderTexts, order: &OrderRow) -> &'static str {
    match order.shop_status {
        _ if may_be_at_warehouse(order) => texts.not_known,
        None => texts.not_read,
        Some(_) => texts.not_there,
    }
}

/// What each side says of the order.
pub(super) fn sides(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    let in_words = |status: Option<&str>, otherwise: &str| {
        html! { @match status { Some(status) => span.first { (vendor_status_text(status, user.language)) }, None => (otherwise) } }
    };
    let row = |name: &str, shop: Markup, warehouse: Markup| {
        html! {
            tr {
                th scope="row" { (name) }
                td data-l=(texts.in_shop) { (shop) }
                td data-l=(texts.at_warehouse) { (warehouse) }
            }
        }
    };
    let text = |text: Option<&str>| html! { (text.unwrap_or("–")) };
    html! {
        section.card.flush aria-labelledby="sides" {
            div.row { h2 #sides { (texts.both_sides) } span.soft { (texts.read_at) " " (inline_time(user, order.updated_at)) } }
            table.stack {
                thead { tr { th scope="col" { span.sr { (texts.number) } } th scope="col" { (texts.in_shop) } th scope="col" { (texts.at_warehouse) } } }
                tbody {
                    (row(
                        texts.status,
                        in_words(order.shop_status.as_deref(), not_in_shop(texts, order)),
                        in_words(order.warehouse_status.as_deref(), not_at_warehouse(texts, order)),
                    ))
                    (row(texts.number, text(Some(&order.order_id)), text(order.reference.as_deref())))
                    (row(texts.method, text(order.shipping_method.as_deref()), html! { (mapped(user, order)) }))
                    @if let Some(state) = &order.parcel_state {
                        (row(texts.parcel, html! { "–" }, html! { span.first { (vendor_status_text(state, user.language)) } }))
                    }
                }
            }
        }
    }
}

/// Who gets it: hidden until an operator asks, and then read from the shop for this page alone.
pub(super) fn recipient_card(user: &User, here: &str, shown: Option<&Recipient>) -> Markup {
    let texts = order_texts(user.language);
    html! {
        section.card.no-print aria-labelledby="recipient" {
            div.row {
                h2 #recipient { (texts.recipient) }
                @if user.is_operator() && shown.is_none() {
                    form method="post" action=(format!("{here}/recipient")) {
                        (csrf_field(user))
                        button { (icon(Icon::Eye)) (texts.show_recipient) }
                    }
                }
            }
            @match shown.filter(|_| user.is_operator()) {
                Some(recipient) => { (recipient_facts(texts, recipient)) p.soft { (texts.recipient_shown) } }
                None => p.soft {
                    @if user.is_operator() { (texts.show_is_audited) } @else { (texts.recipient_for_operators) }
                }
            }
        }
    }
}

fn recipient_facts(texts: &OrderTexts, recipient: &Recipient) -> Markup {
    let Recipient { name, company, street, street_2, postal_code, city, country, phone, email } = recipient;
    let place =
        [postal_code.as_deref(), Some(city.as_str())].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parts = [Some(street.as_str()), street_2.as_deref(), Some(&place), Some(country)];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    html! {
        dl.facts {
            dt { (texts.name) } dd { (name) }
            @if let Some(company) = company { dt { (texts.company) } dd { (company) } }
            dt { (texts.address) } dd { (parts.join(", ")) }
            @if let Some(phone) = phone { dt { (texts.phone) } dd { (phone) } }
            @if let Some(email) = email { dt { (texts.email) } dd { (email) } }
        }
    }
}

/// How it is shipped, what that is at the warehouse, and where it is collected.
pub(super) fn shipping(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    let mapped = mapped(user, order);
    html! {
        section.card aria-labelledby="shipping" {
            h2 #shipping { (texts.shipping) }
            dl.facts {
                dt { (texts.method) } dd { (order.shipping_method.as_deref().unwrap_or(texts.none)) }
                @if !mapped.is_empty() {
                    dt { (texts.at_warehouse) }
                    dd {
                        @if order.shipping_mapping.as_deref() == Some("unmapped") { (badge(Tone::Attention, &mapped)) " " a href="/attention" { (user.words().attention) } }
                        @else { (mapped) }
                    }
                }
                @if let Some(point) = &order.pickup_point { dt { (texts.pickup_point) } dd { (point) } }
                dt { (texts.tracking) }
                dd { @if order.tracking_code.is_some() { (tracking(user, order)) } @else { (no_tracking(texts, order)) } }
            }
        }
    }
}

/// Whether a tracking code is still to come.
fn no_tracking(texts: &OrderTexts, order: &OrderRow) -> &'static str {
    match order.status.as_str() {
        "cancelled" => texts.comes_never,
        "delivered" | "returned" => texts.none,
        _ if is_never_sent(order) => texts.none,
        _ => texts.comes_when_shipped,
    }
}

/// What the order is called on each side.
pub(super) fn references(user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    html! {
        section.card aria-labelledby="references" {
            h2 #references { (texts.references) }
            dl.facts {
                dt { (texts.shop_number) } dd.code { (order.order_id) }
                @if let Some(reference) = &order.reference { dt { (texts.at_warehouse) } dd.code { (reference) } }
                dt { (texts.connection) } dd { a href="/connections" { (order.connection) } }
            }
        }
    }
}

/// The same order at the vendors, where the configuration says at which address.
pub(super) fn elsewhere(deps: &DashboardState, user: &User, order: &OrderRow) -> Markup {
    let texts = order_texts(user.language);
    let Some(addresses) = deps.addresses.get(&order.connection) else { return html! {} };
    let reference = order.reference.as_deref();
    let links = [
        (addresses.shop_order(&order.order_id), texts.open_in_shop),
        (reference.and_then(|reference| addresses.warehouse_order(reference)), texts.open_in_warehouse),
        (addresses.calculator.clone(), texts.calculator),
    ];
    let links: Vec<_> = links.into_iter().filter_map(|(address, text)| Some((address?, text))).collect();
    html! {
        @if !links.is_empty() {
            nav.card.no-print aria-labelledby="elsewhere" {
                h2 #elsewhere { (texts.elsewhere) }
                @for (address, text) in links {
                    p { a href=(address) rel="noreferrer noopener" { (text) " " (icon(Icon::Outside)) } }
                }
            }
        }
    }
}
