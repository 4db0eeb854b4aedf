//! What happened to an order after its parcel: what came back, what the shop added, and related orders of the warehouse.

use maud::{Markup, html};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{user::User, widgets::button};
use crate::{
    domain::order::{AddedShipmentView, Goods},
    explain::{amount_text, vendor_status_text},
    store::views::orders::OrderRow,
};

#[derive(Deserialize)]
struct Returned {
    side: String,
    code: String,
    pieces: Value,
}

#[derive(Deserialize)]
struct Related {
    reference: String,
    status: String,
    tracking_code: Option<String>,
}

/// All of it; nothing where nothing happened.
pub(super) fn sections(user: &User, here: &str, order: &OrderRow) -> Markup {
    html! {
        (returned(user, &rows(order.returned.as_ref())))
        @let shipments = rows(order.added_shipments.as_ref());
        @if !shipments.is_empty() {
            section.card #added {
                h2 { (user.words().added_shipments) }
                (added(user, here, &shipments))
            }
        }
        (related(user, &rows(order.related.as_ref())))
    }
}

/// The rows of a stored list; none where an older version of Silta wrote others.
fn rows<T: DeserializeOwned>(stored: Option<&Value>) -> Vec<T> {
    stored.and_then(|rows| serde_json::from_value(rows.clone()).ok()).unwrap_or_default()
}

/// True where something of the order came back.
pub(super) fn came_back(order: &OrderRow) -> bool {
    !rows::<Returned>(order.returned.as_ref()).is_empty()
}

fn returned(user: &User, rows: &[Returned]) -> Markup {
    let words = user.words();
    html! {
        @if !rows.is_empty() {
            section.card {
                h2 { (words.returned) }
                ul { @for Returned { side, code, pieces } in rows {
                    li {
                        (amount(user, pieces)) " × " (code) " – "
                        @if side == "ogoship" { (words.came_to_warehouse) } @else { (words.booked_in_shop) }
                    }
                } }
                p.remedy { (words.process_return) }
            }
        }
    }
}

/// What the shop added after the order was sent, each with its button.
pub(super) fn added_shipments(user: &User, here: &str, order: &OrderRow) -> Markup {
    added(user, here, &rows(order.added_shipments.as_ref()))
}

fn added(user: &User, here: &str, rows: &[AddedShipmentView]) -> Markup {
    let words = user.words();
    html! {
        @if !rows.is_empty() {
            @if rows.iter().any(|row| row.waits) { p { (words.added_text) } }
            ul.rows { @for AddedShipmentView { shipment, lines, reference, waits } in rows {
                li {
                    (words.shipment) " " (shipment) ": " (goods(user, lines)) " "
                    @if let Some(reference) = reference { span.small { (reference) } }
                    @if *waits {
                        @let fields = [("ask", "send_replacement"), ("shipment", shipment.as_str())];
                        (button(user, here, &fields, words.send_replacement))
                    }
                }
            } }
        }
    }
}

fn goods(user: &User, lines: &[Goods]) -> Markup {
    html! {
        @if lines.is_empty() { (user.words().goods_unknown) }
        @for (at, Goods { code, quantity }) in lines.iter().enumerate() {
            @if at > 0 { ", " } (amount(user, quantity)) " × " (code)
        }
    }
}

fn related(user: &User, rows: &[Related]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section.card {
                h2 { (user.words().related) }
                ul { @for Related { reference, status, tracking_code } in rows {
                    li {
                        (reference) " – " (vendor_status_text(status, user.language))
                        @if let Some(code) = tracking_code { " – " (code) }
                    }
                } }
            }
        }
    }
}

/// A stored quantity: a number, or text where it is no whole one.
fn amount(user: &User, quantity: &Value) -> String {
    let number = quantity.as_str().map_or_else(|| quantity.to_string(), ToOwned::to_owned);
    amount_text(&number, user.language)
}
