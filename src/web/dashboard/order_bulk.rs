//! One request for several orders: a preview that says which it applies to and which stay and why, and then each order's
//! own transaction.

use std::collections::HashSet;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    badge::{Tone, flash},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::order_path,
    order_offers::{Request, is_unpaid, stays},
    order_query::LIST,
    page::page,
    user::User,
    widgets::csrf_field,
};
use crate::{
    actions::{self, ConflictError, Departure, OrderRequest},
    explain::{OrderTexts, order_texts, with_count},
    store::{
        connections,
        views::orders::{self, OrderRow},
    },
};

/// The most orders at once: those of a page.
const MAX_ORDERS: usize = 50;

/// The selected orders, by whether the request would change anything.
struct Preview {
    request: Request,
    applies: Vec<OrderRow>,
    stays: Vec<(OrderRow, &'static str)>,
    /// The list to return to.
    back: String,
}

/// Shows the preview, or carries out what was previewed.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    let request = Request::parse(form.require("ask")?).filter(|request| Request::BULK.contains(request));
    let request = request.ok_or(PageError::InvalidForm)?;
    let preview = load(&deps, &form, request).await?;
    if form.field("confirmed").is_none() {
        return Ok(preview_page(&form.user, &preview, false).into_response());
    }
    // Only what the preview named was confirmed.
    if !preview.stays.is_empty() || preview.applies.is_empty() {
        return Ok(preview_page(&form.user, &preview, true).into_response());
    }
    let (mut done, mut refused) = (0_usize, 0_usize);
    let bulk = deps.entropy.id(deps.clock.now());
    for order in &preview.applies {
        match carry_out(&deps, &form, (request, bulk), order).await {
            Ok(()) => done += 1,
            Err(PageError::Conflict(_) | PageError::NotFound) => refused += 1,
            Err(error) => return Err(error),
        }
    }
    let said = format!("done={}&count={done}&refused={refused}&bulk={bulk}", request.as_str());
    Ok(Redirect::to(&said_at(&preview.back, &said)).into_response())
}

async fn load(deps: &DashboardState, form: &OperatorForm, request: Request) -> Result<Preview, PageError> {
    let named = form.values("order");
    if named.is_empty() {
        return Err(PageError::Conflict(ConflictError::NothingSelected));
    }
    if named.len() > MAX_ORDERS {
        return Err(PageError::InvalidForm);
    }
    let texts = order_texts(form.user.language);
    let mut preview = Preview { request, applies: Vec::new(), stays: Vec::new(), back: back(form) };
    let mut db = deps.pool.acquire().await?;
    let rows = connections::list(&mut db).await?;
    let mut seen = HashSet::new();
    for name in named.into_iter().filter(|name| seen.insert(*name)) {
        let (connection, id) = name.split_once('/').ok_or(PageError::InvalidForm)?;
        let row = rows.iter().find(|row| row.name == connection).ok_or(PageError::NotFound)?;
        let order = orders::find(&mut db, connection, id).await?.ok_or(PageError::NotFound)?;
        match stays(request, &order, row.switches().orders, texts) {
            None => preview.applies.push(order),
            Some(why) => preview.stays.push((order, why)),
        }
    }
    Ok(preview)
}

/// The list that the form came from: a path of ours, whatever the form says.
pub(super) fn back(form: &OperatorForm) -> String {
    let given = form.field("back").filter(|path| *path == LIST || path.starts_with(&format!("{LIST}?")));
    given.unwrap_or(LIST).to_owned()
}

/// The list with what was done.
pub(super) fn said_at(list: &str, said: &str) -> String {
    let sign = if list.contains('?') { '&' } else { '?' };
    format!("{list}{sign}{said}")
}

async fn carry_out(
    deps: &DashboardState,
    form: &OperatorForm,
    (request, bulk): (Request, Uuid),
    order: &OrderRow,
) -> Result<(), PageError> {
    let OrderRow { connection, order_id, .. } = order;
    let confirmed = actions::confirm_order(&deps.pool, &*deps.order_finder, connection, order_id).await?;
    let departure = Departure { undo: deps.undo_of(connection), bulk: Some(bulk) };
    let request = request.intent().map_or(OrderRequest::Refresh, OrderRequest::SetIntent);
    let action = async |db: &mut sqlx::PgConnection, actor: &actions::Actor<'_>| {
        actions::request_undoable(db, actor, &confirmed, request, departure).await
    };
    form.execute(deps, action).await.map(drop)
}

fn preview_page(user: &User, preview: &Preview, has_changed: bool) -> Markup {
    let texts = order_texts(user.language);
    let Preview { request, applies, stays, back } = preview;
    let title = label(texts, *request, applies.len());
    let unpaid = applies
        .iter()
        .filter(|order| *request == Request::Transfer && is_unpaid(order.reason.as_deref()))
        .count();
    let main = html! {
        div.head { div { p.soft { a href=(back) { (texts.back_to_list) } } h1 { (title) } p { (texts.preview) } } }
        @if has_changed { (flash(Tone::Attention, &html! { (texts.preview_changed) })) }
        @if applies.is_empty() { p { (texts.bulk_nothing) } } @else {
            section.card {
                h2 { (with_count(texts.bulk_applies, applies.len())) }
                ul { @for order in applies { li { (link(order)) } } }
                @if unpaid > 0 { (flash(Tone::Attention, &html! { (with_count(texts.bulk_unpaid, unpaid)) })) }
                form method="post" action="/orders/bulk" {
                    (csrf_field(user))
                    input type="hidden" name="ask" value=(request.as_str());
                    input type="hidden" name="confirmed" value="yes";
                    input type="hidden" name="back" value=(back);
                    @for order in applies {
                        input type="hidden" name="order" value=(format!("{}/{}", order.connection, order.order_id));
                    }
                    button.main { (title) }
                }
            }
        }
        @if !stays.is_empty() {
            section.card {
                h2 { (with_count(texts.bulk_stays, stays.len())) }
                ul { @for (order, why) in stays { li { (link(order)) " – " (why) } } }
            }
        }
    };
    page(user, MenuItem::Orders, &title, &main)
}

fn link(order: &OrderRow) -> Markup {
    html! { a href=(order_path(&order.connection, &order.order_id)) { (order.order_id) } " " span.soft { (order.connection) } }
}

/// The verb with the number.
fn label(texts: &OrderTexts, request: Request, count: usize) -> String {
    let text = match request {
        Request::Transfer => texts.bulk_transfer,
        Request::Hold => texts.bulk_hold,
        Request::Release => texts.bulk_release,
        Request::Refresh | Request::Cancel | Request::Adopt => texts.bulk_refresh,
    };
    with_count(text, count)
}
