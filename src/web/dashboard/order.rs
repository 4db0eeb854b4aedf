//! One order: its status, what happens next, its lines, both sides, its history, and what an operator can do with it.

use axum::extract::{Path, Query, State};
use maud::{Markup, html};

use super::{
    asked::Asked,
    badge::{Tone, flash},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{order_path, url},
    order_actions,
    order_facts::{elsewhere, lines, recipient_card, references, shipping, sides},
    order_history::history,
    order_next::next,
    order_offers::Request,
    order_remedy,
    order_situation::badges,
    order_table::{contents, total},
    outage::{self, awaited},
    page::page,
    parcels,
    user::User,
    waiting,
    widgets::inline_time,
};
use crate::{
    actions,
    domain::order::Recipient,
    explain::{self, OrderHistory, order_texts},
    store::{
        connections,
        intents::{self, PendingIntent},
        views::orders::{Customization, OrderRow},
    },
};

/// One order with its history.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path((connection, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    render(&deps, &user, (&connection, &id), &asked, None).await
}

/// The same page with the recipient, read from the shop now. Audited, and stored nowhere.
pub(super) async fn show_recipient(
    State(deps): State<DashboardState>,
    Path((connection, id)): Path<(String, String)>,
    form: OperatorForm,
) -> Result<Markup, PageError> {
    let recipient = actions::read_recipient(&*deps.order_finder, &connection, &id).await?;
    // Nothing is shown that the log does not have.
    form.execute(&deps, async |db, actor| actions::record_recipient_shown(db, actor, &connection, &id).await)
        .await?;
    render(&deps, &form.user, (&connection, &id), &Asked::default(), Some(&recipient)).await
}

/// The page of an order, with what was asked just now, and with the recipient where that was asked for.
pub(super) async fn render(
    deps: &DashboardState,
    user: &User,
    (connection, id): (&str, &str),
    asked: &Asked,
    recipient: Option<&Recipient>,
) -> Result<Markup, PageError> {
    let mut db = deps.pool.acquire().await?;
    let history_of = explain::order_history(&mut db, connection, id, user.audience(), user.language).await?;
    let shown = history_of.ok_or(PageError::NotFound)?;
    let pending = intents::find_pending(&mut db, connection, &format!("order:{id}"), user.now).await?;
    let row = connections::find(&mut db, connection).await?.ok_or(PageError::NotFound)?;
    let order = &shown.order;
    let stuck = order_remedy::load(&mut db, deps, user, order).await?;
    let down = outage::load(&mut db, Some(connection)).await?;
    drop(db);
    let words = user.words();
    let here = order_path(connection, id);
    let title = format!("{} {id}", words.order);
    let main = html! {
        div.head {
            div {
                p.soft { a href="/orders" { (words.orders) } " / " a href=(url("/orders", &[("connection", Some(connection))], None)) { (connection) } }
                h1 { (title) " " (badges(user, order)) }
                p { (headline(user, order)) }
            }
        }
        (outage::messages(user, &down))
        (asked.refusal(user))
        (under_way(user, &here, asked, pending.as_ref()))
        (next(user, order, (awaited(user, order, &down), stuck.is_some())))
        (order_remedy::section(user, order, stuck.as_ref()))
        (order_actions::section(user, &here, order, row.switches().orders))
        div.cols {
            div {
                (lines(user, &shown))
                (waiting::section(user, &shown))
                (parcels::sections(user, &here, order))
                (customizations(user, &shown))
                (sides(user, order))
                (history(user, &shown))
            }
            div {
                (recipient_card(user, &here, recipient))
                (shipping(user, order))
                (references(user, order))
                (elsewhere(deps, user, order))
            }
        }
    };
    Ok(page(user, MenuItem::Orders, &title, &main))
}

/// When it was placed, what it costs and how much is in it.
fn headline(user: &User, order: &OrderRow) -> Markup {
    let contents = contents(user, order);
    html! {
        @if let Some(at) = order.ordered_at { (order_texts(user.language).placed_at) " " (inline_time(user, at)) ", " }
        (total(user, order))
        @if !contents.is_empty() { ", " (contents) }
    }
}

/// What is under way after a request, with the way back where there is one.
fn under_way(user: &User, here: &str, asked: &Asked, pending: Option<&PendingIntent>) -> Markup {
    let texts = order_texts(user.language);
    if let Some(pending) = pending {
        return html! {
            (flash(Tone::Waiting, &html! {
                @if pending.target.is_some() { (texts.under_way_replacement) } @else { (texts.under_way_transfer) }
                " " (texts.under_way_leaves) " " (inline_time(user, pending.leaves_at))
                " (" (explain::relative_text(pending.leaves_at, user.now, user.language)) ") "
                (order_actions::form_of(user, here, "undo", texts.undo))
            }))
        };
    }
    let text = match asked.done() {
        None => return html! {},
        Some("undo") => texts.under_way_undone,
        Some("send_replacement") => texts.under_way_replacement,
        Some("handled") => texts.under_way_handled,
        Some("pending") => user.words().said_pending,
        Some("done") => user.words().said_done,
        Some(done) => match Request::parse(done) {
            Some(Request::Transfer) => texts.under_way_transfer,
            Some(Request::Adopt) => texts.under_way_adopt,
            Some(Request::Hold) => texts.under_way_hold,
            Some(Request::Release) => texts.under_way_release,
            Some(Request::Cancel) => texts.under_way_cancel,
            Some(Request::Refresh) => texts.under_way_refresh,
            None => return html! {},
        },
    };
    flash(Tone::Ok, &html! { span role="status" { (text) } })
}

fn customizations(user: &User, history: &OrderHistory) -> Markup {
    html! {
        @if !history.customizations.is_empty() {
            section.card aria-labelledby="chosen" {
                h2 #chosen { (user.words().customizations) }
                ul { @for Customization { code, text } in &history.customizations { li { (code) " – " (text) } } }
            }
        }
    }
}
