//! One order: its status, its history, and what an operator can do with it.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::order_path,
    page::page,
    parcels,
    task::call_count,
    user::User,
    waiting,
    widgets::{button, json, order_status, time},
};
use crate::{
    actions::{self, OrderRequest},
    domain::{order::Intent, task::reason::Reason, vendor::Vendor},
    explain::{self, LedgerAction, OrderHistory, TimelineEntry, vendor_name, vendor_status_text},
    store::views::orders::{Customization, OrderRow},
};

/// One order with its history.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path((connection, id)): Path<(String, String)>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let history = explain::order_history(&mut db, &connection, &id, user.audience(), user.language).await?;
    let history = history.ok_or(PageError::NotFound)?;
    drop(db);
    let OrderHistory { order, summary, lines: _, choices: _, customizations, actions, timeline } = &history;
    let here = order_path(&connection, &id);
    let title = format!("{} {id}", words.order);
    let main = html! {
        h1 { (title) " " (order_status(&user, &order.status)) }
        p.lead { (summary) }
        (facts(&user, order))
        div.actions {
            @for (request, label) in offered_requests(&user, order) {
                (button(&user, &here, &[("ask", request)], label))
            }
        }
        @if !customizations.is_empty() {
            h2 { (words.customizations) }
            ul { @for Customization { code, text } in customizations { li { (code) " – " (text) } } }
        }
        (waiting::section(&user, &history))
        (parcels::sections(&user, &here, order))
        @if !actions.is_empty() {
            h2 { (words.done_at_vendors) }
            ol.line { @for action in actions { (ledger_action(&user, action)) } }
        }
        h2 { (words.timeline) }
        ol.line { @for entry in timeline { (timeline_entry(&user, entry)) } }
        h2 { (words.call_log) }
        @for vendor in [Vendor::MyCashflow, Vendor::Ogoship] {
            details {
                summary { (vendor_name(vendor)) }
                pre role="group" aria-label=(vendor_name(vendor)) tabindex="0" { (explain::call_log(&history, vendor)) }
            }
        }
    };
    Ok(page(&user, MenuItem::Orders, &title, &main))
}

fn facts(user: &User, order: &OrderRow) -> Markup {
    let words = user.words();
    html! {
        dl.stats {
            div { dt { (words.connection) } dd { (order.connection) } }
            @if let Some(reference) = &order.reference { div { dt { (words.reference) } dd { (reference) } } }
            @if let Some(status) = &order.shop_status {
                div { dt { (words.in_shop) } dd { (vendor_status_text(status, user.language)) } }
            }
            @if let Some(status) = &order.warehouse_status {
                div { dt { (words.at_warehouse) } dd { (vendor_status_text(status, user.language)) } }
            }
            @if let Some(state) = &order.parcel_state {
                div { dt { (words.parcel_state) } dd { (vendor_status_text(state, user.language)) } }
            }
            @if let Some(code) = &order.tracking_code { div { dt { (words.tracking) } dd {
                @match order.tracking_url.as_deref().filter(|url| url.starts_with("https://")) {
                    Some(url) => { a href=(url) rel="noreferrer noopener" { (code) } }
                    None => { (code) }
                }
            } } }
        }
    }
}

fn ledger_action(user: &User, LedgerAction { action, text }: &LedgerAction) -> Markup {
    html! {
        li.attempt {
            (time(user, action.ended_at.unwrap_or(action.begun_at))) " "
            span { (text) @if let Some(reference) = &action.reference { " " span.small { (reference) } } }
            " " a.small href=(format!("/tasks/{}", action.task_id)) { (user.words().show_task) }
            @if let Some(sent) = &action.sent {
                details { summary { (user.words().action_sent) } (json(sent)) }
            }
        }
    }
}

fn timeline_entry(user: &User, entry: &TimelineEntry) -> Markup {
    html! {
        li class=(entry.kind) {
            (time(user, entry.at)) " "
            span { (entry.text) }
            @if let Some(task) = entry.task_id {
                " " a.small href=(format!("/tasks/{task}")) { (user.words().show_task) }
            }
            @if !entry.calls.is_empty() {
                details { summary { (call_count(user, entry.calls.len())) } (json(&entry.calls)) }
            }
        }
    }
}

/// The requests that can have an effect in the order's present state.
fn offered_requests(user: &User, order: &OrderRow) -> Vec<(&'static str, &'static str)> {
    let words = user.words();
    let mut requests = Vec::new();
    if order.reason.as_deref() == Some(Reason::NotOursAtWarehouse.code()) {
        requests.push(("adopt", words.adopt));
    }
    if order.placed_at.is_none() {
        requests.extend([("transfer", words.transfer), ("hold", words.hold), ("release", words.release)]);
    }
    if !matches!(order.status.as_str(), "delivered" | "returned" | "cancelled") {
        requests.push(("cancel", words.cancel_order));
    }
    requests.push(("refresh", words.refresh));
    requests
}

/// Records what the operator requests for an order.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path((connection, id)): Path<(String, String)>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let here = order_path(&connection, &id);
    let request = match form.require("ask")? {
        "send_replacement" => {
            let shipment = form.require("shipment")?;
            form.execute(&deps, async |db, actor| {
                actions::send_replacement(db, actor, &connection, &id, Some(shipment)).await
            })
            .await?;
            return Ok(Redirect::to(&here));
        }
        "refresh" => Some(OrderRequest::Refresh),
        intent => Intent::parse(intent).map(OrderRequest::SetIntent),
    };
    let request = request.ok_or(PageError::InvalidForm)?;
    let order = actions::confirm_order(&deps.pool, &*deps.order_finder, &connection, &id).await?;
    form.execute(&deps, async |db, actor| actions::request_order_action(db, actor, &order, request).await)
        .await?;
    Ok(Redirect::to(&here))
}
