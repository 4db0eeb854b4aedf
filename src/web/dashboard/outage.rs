//! Vendors that are down: since when, and what waits for them. Said on every page about orders and products: what is asked
//! there is done once they answer again.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    badge::{Tone, flash},
    user::User,
    widgets::{inline_time, reason_of},
};
use crate::{
    explain::{capitalised, counted_in, order_texts, overview_texts, with_vendor},
    store::{
        self,
        views::{
            orders::OrderRow,
            vendors_down::{self, VendorDown},
        },
    },
};

/// The vendors that are down, of one connection or of all.
pub(super) async fn load(db: &mut PgConnection, connection: Option<&str>) -> store::Result<Vec<VendorDown>> {
    let mut down = vendors_down::list(db).await?;
    down.retain(|it| connection.is_none_or(|name| name == it.connection));
    Ok(down)
}

/// One message for each.
pub(super) fn messages<'a>(user: &User, down: impl IntoIterator<Item = &'a VendorDown>) -> Markup {
    html! { @for down in down { (flash(Tone::Stopped, &text(user, down))) } }
}

/// What an order waits for whose connection is down; `None` where it is not, or where it is a person's turn.
pub(super) fn awaited(user: &User, order: &OrderRow, down: &[VendorDown]) -> Option<String> {
    let is_open = matches!(order.task_state.as_deref(), Some("pending" | "leased"));
    let down = down.iter().find(|it| is_open && it.connection == order.connection)?;
    Some(with_vendor(order_texts(user.language).waits_for_vendor, down.known_vendor(), user.language))
}

fn text(user: &User, down: &VendorDown) -> Markup {
    let texts = overview_texts(user.language);
    html! {
        p.strong {
            (down.connection) ": " (reason_of(user, Some(&down.reason), down.known_vendor()))
            @if let Some(since) = down.since { " " (capitalised(user.words().since)) " " (inline_time(user, since)) "." }
        }
        p {
            @if down.holds_back_writes { (texts.writes_held_back_text) " " }
            @if down.orders_waiting > 0 { (counted_in(down.orders_waiting, texts.orders_wait_for_it, user.language)) ". " }
            (texts.goes_on_by_itself)
        }
    }
}
