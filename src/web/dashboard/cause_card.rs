//! The card of a cause: what it is, since when, what is known of it, and the remedy in place.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    brake_card::title,
    concern::{self, Concern, link, links},
    listing::{order_path, url},
    parcels,
    releases::noun,
    shipping_preview::{self, RuleForm},
    unknown_card,
    user::User,
    widgets::{button, reason, remedy},
};
use crate::{
    domain::task::reason::Reason,
    explain::{self, attention_texts, counted, item_texts},
    store::{
        self,
        views::attention::{AttentionCause, MAX_OLDEST},
    },
};

/// What a card offers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// Map the shipping method.
    Rule,
    /// Say what truly happened.
    Unknown,
    /// Say what an order of the warehouse is.
    Adopt,
    /// Confirm a shipment that the shop added.
    Replacement,
    /// Correct codes in the shop.
    Codes,
    /// One button for each order.
    Orders(&'static str),
    /// Send or write what is manual.
    Write,
    /// Look at all of it and try again.
    Replay,
}

fn remedy_of(cause: &AttentionCause) -> Remedy {
    let reason = Reason::parse(&cause.reason);
    match (cause.state.as_str(), reason) {
        ("in_doubt", _) | (_, Some(Reason::OutcomeUnknown | Reason::RepeatedTooOften)) => Remedy::Unknown,
        ("dead", Some(Reason::ShippingUnmapped)) => Remedy::Rule,
        ("dead", Some(Reason::NotOursAtWarehouse)) => Remedy::Adopt,
        ("dead", Some(Reason::ReplacementUnconfirmed)) => Remedy::Replacement,
        ("dead", Some(Reason::CodeRepeated | Reason::CodeEmpty | Reason::CodeTooLong | Reason::CodeDots))
            if cause.kind != "order" =>
        {
            Remedy::Codes
        }
        ("on_hold", Some(Reason::ManualTransfer | Reason::PaymentNotActivated)) => Remedy::Orders("transfer"),
        ("on_hold", Some(Reason::HeldByOperator)) => Remedy::Orders("release"),
        ("on_hold", Some(Reason::HeldAtWarehouse)) => Remedy::Orders("refresh"),
        ("on_hold", _) => Remedy::Write,
        _ => Remedy::Replay,
    }
}

/// Loads the oldest that a cause concerns, and of orders what the remedy needs.
pub(super) async fn load(db: &mut PgConnection, cause: &AttentionCause) -> store::Result<Vec<Concern>> {
    let needs_orders = matches!(remedy_of(cause), Remedy::Unknown | Remedy::Adopt | Remedy::Replacement);
    concern::load(db, cause, needs_orders).await
}

/// The card; `path` leads to all that waits for the cause.
pub(super) fn card(user: &User, cause: &AttentionCause, concerns: &[Concern], path: &str) -> Markup {
    let words = user.words();
    let what = html! {
        a href=(path) {
            (counted(cause.count, noun(user, &cause.kind))) ": "
            @if cause.reason.is_empty() { (words.cause_in_doubt) } @else { (reason(user, Some(&cause.reason))) }
        }
        " – " (cause.connection)
    };
    html! {
        section.card.cause {
            (title(user, &what, cause.oldest_at))
            @if let Some(detail) = &cause.detail { p { (detail_text(user, cause, detail)) } }
            @match remedy_of(cause) {
                Remedy::Unknown if cause.kind == "order" && !concerns.is_empty() => {
                    @for concern in concerns { (unknown_card::halves(user, &cause.connection, concern)) }
                }
                chosen => {
                    @if chosen != Remedy::Replacement { (links(user, cause, concerns)) }
                    (remedy(user, &cause.reason))
                    (in_place(user, cause, (concerns, path), chosen))
                }
            }
            @if cause.count > MAX_OLDEST.into() { p { a href=(path) { (attention_texts(user.language).see_all) } } }
        }
    }
}

/// What the last attempt said; of an unmapped method its names.
fn detail_text(user: &User, cause: &AttentionCause, detail: &str) -> String {
    match detail.split_once('"').filter(|_| cause.reason == Reason::ShippingUnmapped.code()) {
        Some((_, names)) => format!("{}: \"{names}", attention_texts(user.language).method),
        None => explain::detail(detail, user.language).into_owned(),
    }
}

/// The remedy as a form or a button.
fn in_place(
    user: &User,
    cause: &AttentionCause,
    (concerns, all): (&[Concern], &str),
    chosen: Remedy,
) -> Markup {
    let texts = attention_texts(user.language);
    if !user.is_operator() {
        return html! {};
    }
    let connection = cause.connection.as_str();
    html! {
        @match chosen {
            Remedy::Rule => {
                (shipping_preview::form(user, &RuleForm::of_detail(connection, cause.detail.as_deref().unwrap_or_default())))
            }
            Remedy::Adopt => { @for concern in concerns { (adoption(user, connection, concern)) } }
            Remedy::Replacement => {
                @for order in concerns.iter().filter_map(|it| it.order.as_ref()) {
                    div.well {
                        h3 { a href=(order_path(connection, &order.order_id)) { (user.words().order) " " (order.order_id) } }
                        (parcels::added_shipments(user, &order_path(connection, &order.order_id), order))
                    }
                }
            }
            Remedy::Codes => {
                @let codes = [("connection", Some(connection)), ("show", Some("code"))];
                a.btn href=(url("/products", &codes, None)) { (item_texts(user.language).list_code) }
                " " a.btn href=(all) { (texts.see_and_try) }
            }
            Remedy::Orders(request) => {
                div.row { @for id in concerns.iter().filter_map(|it| it.subject.strip_prefix("order:")) {
                    (button(user, &order_path(connection, id), &[("ask", request)],
                        &format!("{}: {id}", request_text(user, request))))
                } }
            }
            Remedy::Write => { a.btn href=(all) { (texts.see_and_send) } }
            Remedy::Unknown | Remedy::Replay => { a.btn href=(all) { (texts.see_and_try) } }
        }
    }
}

fn request_text(user: &User, request: &str) -> &'static str {
    let words = user.words();
    match request {
        "transfer" => words.transfer,
        "release" => words.release,
        _ => words.refresh,
    }
}

/// An order of the warehouse that Silta did not send: two choices in words.
fn adoption(user: &User, connection: &str, concern: &Concern) -> Markup {
    let texts = attention_texts(user.language);
    let Some(id) = concern.subject.strip_prefix("order:") else { return html! {} };
    html! {
        div.well {
            h3 { (texts.what_is_it) " " (link(user, connection, &concern.subject)) }
            (button(user, &order_path(connection, id), &[("ask", "adopt")], &texts.is_this_order.replace('%', id)))
            p.soft { (texts.something_else) }
        }
    }
}
