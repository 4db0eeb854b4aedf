//! The list of orders: what people look for in one, filters and sorting in the address, and requests for several at once.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ROWS, split_page, url},
    order_bulk_undo::{self, Said},
    order_csv::MAX_ROWS,
    order_filter::{Choices, filter_bar},
    order_offers::Request,
    order_query::{LIST, OrderQuery},
    order_table::table,
    outage,
    page::page,
    user::User,
    widgets::csrf_field,
};
use crate::{
    explain::{self, order_texts},
    store::{
        connections,
        views::{
            orders::{self, OrderPage, OrderRow, OrderSort},
            shipping_methods,
            vendors_down::VendorDown,
            waiting,
        },
    },
};

/// Orders by filter.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<OrderQuery>,
    Query(said): Query<Said>,
) -> Result<Markup, PageError> {
    let filter = query.filter(&user);
    let after = query.cursor.as_deref().and_then(|cursor| filter.parse_cursor(cursor));
    let is_first = after.is_none();
    let mut db = deps.pool.acquire().await?;
    let connection = query.connection.as_deref();
    let choices = Choices {
        counts: orders::count_by_status(&mut db, connection).await?,
        waiting: waiting::count(&mut db, connection).await?,
        methods: shipping_methods::list_shipping_methods(&mut db, connection).await?,
        connections: connections::list(&mut db).await?.into_iter().map(|row| row.name).collect(),
    };
    let down = outage::load(&mut db, connection).await?;
    let pending = order_bulk_undo::load(&mut db, &user, &said).await?;
    let rows = orders::list(&mut db, &filter, &OrderPage { after, limit: ROWS + 1 }, user.now).await?;
    drop(db);
    let rows: Vec<_> = rows.into_iter().map(|row| user.audience().order(row)).collect();
    let (rows, next) = split_page(rows, |row| filter.cursor_of(row).to_string());
    let words = user.words();
    let texts = order_texts(user.language);
    let csv = url("/orders.csv", &query.pairs(), None);
    let main = html! {
        div.head {
            div { h1 { (words.orders) } }
            a.btn.no-print href=(csv) {
                (texts.csv) " "
                small { (texts.csv_cap.replace("{}", &explain::number_text(MAX_ROWS, user.language))) }
            }
        }
        (outage::messages(&user, &down))
        (order_bulk_undo::done(&user, &said, pending.as_ref(), &query.address()))
        (filter_bar(&user, &query, &choices))
        @if rows.is_empty() { (nothing(&user, &query)) } @else { (selectable(&user, &query, &rows, (&down, is_first, next.as_deref()))) }
    };
    Ok(page(&user, MenuItem::Orders, words.orders, &main))
}

/// An empty list says which it is.
fn nothing(user: &User, query: &OrderQuery) -> Markup {
    let texts = order_texts(user.language);
    html! {
        div.card.empty {
            @if query.is_filtered() { p { (texts.no_match) } p { a href=(LIST) { (texts.clear_all) } } }
            @else { p { (texts.none_yet) } }
        }
    }
}

/// The table, for operators in a form that asks something for the selected orders.
fn selectable(
    user: &User,
    query: &OrderQuery,
    rows: &[OrderRow],
    (down, is_first, next): (&[VendorDown], bool, Option<&str>),
) -> Markup {
    let texts = order_texts(user.language);
    let card = html! {
        div.card.flush {
            (table(user, query, rows, down))
            @if !is_first || next.is_some() {
                nav.pager.no-print {
                    @if !is_first { a href=(query.address()) rel="first" { (texts.newer) } }
                    @if let Some(next) = next {
                        a href=(url(LIST, &query.pairs(), Some(next))) rel="next" { (next_page(user, query)) }
                    }
                }
            }
        }
    };
    if !user.is_operator() {
        return card;
    }
    html! {
        form method="post" action="/orders/bulk" {
            (csrf_field(user))
            input type="hidden" name="back" value=(query.address());
            (card)
            div.bulk.no-print {
                span { (texts.selected) }
                @for request in Request::BULK {
                    button name="ask" value=(request.as_str()) { (label(user, request)) "…" }
                }
            }
        }
    }
}

/// The link to the next page: what is older only where the newest come first.
fn next_page(user: &User, query: &OrderQuery) -> &'static str {
    if query.sort() == OrderSort::Newest {
        user.words().show_older
    } else {
        order_texts(user.language).next_page
    }
}

/// The verb of a request.
pub(super) fn label(user: &User, request: Request) -> &'static str {
    let (words, texts) = (user.words(), order_texts(user.language));
    match request {
        Request::Transfer => words.transfer,
        Request::Hold => words.hold,
        Request::Release => words.release,
        Request::Refresh => words.refresh,
        Request::Cancel => texts.cancel_here,
        Request::Adopt => words.adopt,
    }
}
