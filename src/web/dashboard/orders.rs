//! Orders: the statuses as counts and filters, and each order's life with what may be asked for it.

use axum::{
    extract::{Path, Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    page::{self, MenuItem, Query, button, page, state, time},
    user::User,
    words::Words,
};
use crate::{
    actions::{self, OrderRequest},
    domain::{
        order::{Intent, OrderStatus},
        vendor::Vendor,
    },
    explain,
    store::views::orders::{self, OrderFilter, OrderRow},
};

/// Orders, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let filter = OrderFilter {
        connection: query.connection().map(ToOwned::to_owned),
        status: query.status().map(ToOwned::to_owned),
        q: query.q().map(ToOwned::to_owned),
        reason: query.reason().map(ToOwned::to_owned),
    };
    let mut db = deps.pool.acquire().await?;
    let counts = orders::count_by_status(&mut db, query.connection()).await?;
    let (rows, next) = page::split_page(orders::list(&mut db, &filter, &query.page()).await?, |row| row.id);
    drop(db);
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let kept = [
        ("connection", query.connection()),
        ("status", query.status()),
        ("q", query.q()),
        ("reason", query.reason()),
    ];
    let main = html! {
        h1 { (words.orders) }
        nav.chips aria-label=(words.status) {
            a href="/orders" aria-current=[query.status().is_none().then_some("true")] { (words.all) " " b { (all) } }
            @for status in OrderStatus::ALL {
                @let count = counts.iter().find(|(word, _)| word == status.as_str()).map_or(0, |(_, count)| *count);
                a href=(page::url("/orders", &[("status", Some(status.as_str()))], None))
                    aria-current=[(query.status() == Some(status.as_str())).then_some("true")] {
                    (explain::status_text(*status, user.language)) " " b { (count) }
                }
            }
        }
        form.filter role="search" {
            @if let Some(status) = query.status() { input type="hidden" name="status" value=(status); }
            (page::field("q", words.search_orders, query.q().unwrap_or_default()))
            button { (words.search) }
        }
        (table(&deps, &user, &rows))
        (page::older_anchor(&user, "/orders", &kept, next))
    };
    Ok(page(&user, MenuItem::Orders, words.orders, &main))
}

fn table(deps: &DashboardState, user: &User, rows: &[OrderRow]) -> Markup {
    let words = user.language.words();
    html! {
        @if rows.is_empty() { p { (words.empty_list) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.order) } th { (words.connection) } th { (words.status) } th { (words.why) } th { (words.tracking) } th { (words.read_at) } } }
                tbody { @for row in rows {
                    tr {
                        td { a href=(path(&row.connection, &row.order_id)) { (row.order_id) } }
                        td { (row.connection) }
                        td { (status(user, &row.status)) }
                        td {
                            @if row.task_state.as_deref() == Some("dead") { (state(user, "dead")) " " }
                            (page::reason(user, row.reason.as_deref()))
                        }
                        td { (row.tracking_code.as_deref().unwrap_or_default()) }
                        td { (time(deps, user, row.updated_at)) }
                    }
                } }
            } }
        }
    }
}

fn status(user: &User, word: &str) -> Markup {
    let class = match word {
        "delivered" => "state good",
        "needs_attention" => "state bad",
        "returned" | "waiting_for_products" => "state odd",
        _ => "state",
    };
    let words = OrderStatus::parse(word).map(|status| explain::status_text(status, user.language));
    html! { span class=(class) { (words.unwrap_or(word)) } }
}

/// The page of an order.
pub(super) fn path(connection: &str, order_id: &str) -> String {
    format!("/orders/{connection}/{order_id}")
}

/// One order with its whole life.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path((connection, id)): Path<(String, String)>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let life = explain::order(&mut db, &connection, &id, user.language).await?.ok_or(PageError::NotFound)?;
    drop(db);
    let here = path(&connection, &id);
    let order = &life.order;
    let asks = asks(order, words);
    let title = format!("{} {id}", words.order);
    let main = html! {
        h1 { (title) " " (status(&user, &order.status)) }
        p.lead { (life.summary) }
        dl.facts {
            div { dt { (words.connection) } dd { (order.connection) } }
            @if let Some(reference) = &order.reference { div { dt { (words.reference) } dd { (reference) } } }
            @if let Some(word) = &order.shop_status { div { dt { (words.in_shop) } dd { (word) } } }
            @if let Some(word) = &order.warehouse_status { div { dt { (words.at_warehouse) } dd { (word) } } }
            @if let Some(code) = &order.tracking_code { div { dt { (words.tracking) } dd {
                @match order.tracking_url.as_deref().filter(|url| url.starts_with("https://")) {
                    Some(url) => { a href=(url) rel="noreferrer noopener" { (code) } }
                    None => { (code) }
                }
            } } }
        }
        div.actions { @for (ask, word) in asks { (button(&user, &here, &[("ask", ask)], word)) } }
        h2 { (words.timeline) }
        ol.timeline { @for entry in &life.timeline {
            li class=(entry.kind) {
                (time(&deps, &user, entry.at)) " "
                span { (entry.text) }
                @if let Some(task) = entry.task_id { " " a.small href=(format!("/tasks/{task}")) { (words.show_task) } }
                @if !entry.calls.is_empty() {
                    details { summary { (entry.calls.len()) " " (words.calls) } (page::json(&entry.calls)) }
                }
            }
        } }
        h2 { (words.call_log) }
        @for vendor in [Vendor::MyCashflow, Vendor::Ogoship] {
            details { summary { (vendor.as_str()) } pre tabindex="0" { (explain::call_log(&life, vendor)) } }
        }
    };
    Ok(page(&user, MenuItem::Orders, &title, &main))
}

/// What may be asked for an order as it stands; what would be in vain is not offered.
fn asks(order: &OrderRow, words: &Words) -> Vec<(&'static str, &'static str)> {
    let mut asks = Vec::new();
    if order.placed_at.is_none() {
        asks.extend([("transfer", words.transfer), ("hold", words.hold), ("release", words.release)]);
    }
    if !matches!(order.status.as_str(), "delivered" | "returned" | "cancelled") {
        asks.push(("cancel", words.cancel_order));
    }
    asks.push(("refresh", words.refresh));
    asks
}

/// What a person asks for an order.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path((connection, id)): Path<(String, String)>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let word = form.require("ask")?;
    let request = match word {
        "refresh" => Some(OrderRequest::Refresh),
        word => Intent::parse(word).map(OrderRequest::SetIntent),
    };
    let request = request.ok_or(PageError::InvalidForm)?;
    form.execute(&deps, async |db, actor| {
        actions::request_order_action(db, actor, &connection, &id, request).await
    })
    .await?;
    Ok(Redirect::to(&path(&connection, &id)))
}
