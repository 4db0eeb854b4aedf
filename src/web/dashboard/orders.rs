//! The list of orders, with the statuses as counts and filters.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ListQuery, ROWS, older_link, order_path, split_page, url},
    page::page,
    user::User,
    waiting::goods,
    widgets::{field, order_status, reason, time},
};
use crate::{
    domain::order::OrderStatus,
    explain,
    store::views::{
        orders::{self, OrderFilter, OrderPage, OrderRow},
        waiting,
    },
};

/// Orders by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let filter = OrderFilter {
        connection: query.connection.clone(),
        status: query.status.clone(),
        q: query.q.clone(),
        reason: query.reason.clone(),
        waiting: query.waiting.as_deref().map(|waiting| waiting == "true"),
        ..OrderFilter::default()
    };
    let page_of_list =
        OrderPage { after: query.cursor().and_then(|it| filter.parse_cursor(it)), limit: ROWS + 1 };
    let mut db = deps.pool.acquire().await?;
    let counts = orders::count_by_status(&mut db, query.connection.as_deref()).await?;
    let waiting = waiting::count(&mut db, query.connection.as_deref()).await?;
    let (rows, next) =
        split_page(orders::list(&mut db, &filter, &page_of_list, deps.clock.now()).await?, |row| {
            filter.cursor_of(row)
        });
    drop(db);
    let kept = [
        ("connection", query.connection.as_deref()),
        ("status", query.status.as_deref()),
        ("q", query.q.as_deref()),
        ("reason", query.reason.as_deref()),
        ("waiting", query.waiting.as_deref()),
    ];
    let main = html! {
        h1 { (words.orders) }
        (status_chips(&user, &query, &counts))
        @if waiting > 0 || query.waiting.is_some() {
            nav.tabs aria-label=(words.waiting) {
                a href="/orders?waiting=true" aria-current=[query.waiting.as_deref().map(|_| "true")] {
                    (words.waiting_list) " " b { (waiting) }
                }
            }
        }
        form.filter role="search" {
            @if let Some(status) = &query.status { input type="hidden" name="status" value=(status); }
            @if let Some(waiting) = &query.waiting { input type="hidden" name="waiting" value=(waiting); }
            (field("q", words.search_orders, query.q.as_deref().unwrap_or_default()))
            button { (words.search) }
        }
        (table(&user, &rows))
        (older_link(&user, "/orders", &kept, next))
    };
    Ok(page(&user, MenuItem::Orders, words.orders, &main))
}

fn status_chips(user: &User, query: &ListQuery, counts: &[(String, i64)]) -> Markup {
    let words = user.words();
    let current = query.status.as_deref();
    let is_all = current.is_none() && query.waiting.is_none();
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    let count_of =
        |status: &str| counts.iter().find(|(known, _)| known == status).map_or(0, |(_, count)| *count);
    html! {
        nav.tabs aria-label=(words.status) {
            a href="/orders" aria-current=[is_all.then_some("true")] { (words.all) " " b { (total) } }
            @for status in OrderStatus::ALL {
                a href=(url("/orders", &[("status", Some(status.as_str()))], None))
                    aria-current=[(current == Some(status.as_str())).then_some("true")] {
                    (explain::status_text(*status, user.language)) " " b { (count_of(status.as_str())) }
                }
            }
        }
    }
}

fn table(user: &User, rows: &[OrderRow]) -> Markup {
    let words = user.words();
    let has_waiting = rows.iter().any(|row| row.waiting_since.is_some());
    html! {
        @if rows.is_empty() { p { (words.empty_list) } } @else {
            div.scroll role="region" aria-label=(words.orders) tabindex="0" { table {
                thead { tr {
                    th { (words.order) } th { (words.connection) } th { (words.status) } th { (words.why) }
                    @if has_waiting { th { (words.waiting_since) } th { (words.waiting_for) } }
                    th { (words.tracking) } th { (words.read_at) }
                } }
                tbody { @for row in rows { tr {
                    td { a href=(order_path(&row.connection, &row.order_id)) { (row.order_id) } }
                    td { (row.connection) }
                    td { (order_status(user, &row.status)) }
                    td {
                        @if row.task_state.as_deref() == Some("dead") { (badge(Tone::Stopped, words.cause_dead)) " " }
                        (reason(user, row.reason.as_deref()))
                    }
                    @if has_waiting {
                        td { @if let Some(since) = row.waiting_since { (time(user, since)) } }
                        td { (goods(user, row)) }
                    }
                    td { (row.tracking_code.as_deref().unwrap_or_default()) }
                    td { (time(user, row.updated_at)) }
                } } }
            } }
        }
    }
}
