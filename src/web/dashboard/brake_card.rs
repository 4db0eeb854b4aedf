//! What waits for an approval: stock figures that would fall to zero at once, and what a sync has left waiting.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    badge::{Tone, badge, flash},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{ListQuery, url},
    page::page,
    user::User,
    widgets::{csrf_field, sync_kind},
};
use crate::{
    actions::{self, ActionError},
    domain::Timestamp,
    explain::{attention_texts, counted_in, item_texts, moment_text, number_text, order_texts},
    store::views::{
        braked::{self, Brake, BrakedFigure},
        waiting_syncs::WaitingSync,
    },
};

/// Figures that the preview of an approval shows.
const MAX_SHOWN: i64 = 500;

/// The card of a sync that waits.
pub(super) fn sync_card(user: &User, sync: &WaitingSync) -> Markup {
    let texts = attention_texts(user.language);
    html! {
        section.card {
            (title(user, &html! {
                span.first { (sync_kind(user, &sync.what)) } ": " (counted_in(sync.count, texts.sync_waits, user.language)) " – " (sync.connection)
            }, sync.since))
            p { (texts.sync_found) }
            a.btn href=(format!("/products/syncs/{}", sync.id)) { (texts.look_at_report) }
        }
    }
}

/// A card's heading, with since when it waits.
pub(super) fn title(user: &User, heading: &Markup, since: Timestamp) -> Markup {
    let at = moment_text(since, user.now, user.zone, user.language);
    let texts = attention_texts(user.language);
    html! {
        div.row { h2 { (heading) } (badge(Tone::Attention, &format!("{} {at}", texts.since))) }
    }
}

/// The card of a stock brake, with its products.
pub(super) fn card(user: &User, brake: &Brake, figures: &[BrakedFigure]) -> Markup {
    let texts = attention_texts(user.language);
    html! {
        section.card.brake {
            (title(user, &html! { (counted_in(brake.count, texts.would_fall, user.language)) " – " (brake.connection) }, brake.since))
            p { @if brake.count == 0 { (texts.none_left) } @else { (texts.broken_list) } }
            @if !figures.is_empty() { (table(user, figures)) }
            (rest(user, brake, figures))
            div.row {
                @if user.is_operator() {
                    a.btn.main href=(approval_path(&brake.connection)) { (approve_label(user, brake.count)) "…" }
                    form.inline method="post" action="/products" {
                        (csrf_field(user))
                        input type="hidden" name="connection" value=(brake.connection);
                        input type="hidden" name="what" value="stock";
                        button { (texts.read_again) }
                    }
                }
                a href=(differing_path(brake)) { (texts.see_products) }
            }
        }
    }
}

/// How many more wait than are shown, and where all of them are.
fn rest(user: &User, brake: &Brake, figures: &[BrakedFigure]) -> Markup {
    let texts = attention_texts(user.language);
    let more = brake.count - i64::try_from(figures.len()).unwrap_or(i64::MAX);
    let all = if user.is_operator() { approval_path(&brake.connection) } else { differing_path(brake) };
    html! {
        @if more > 0 { p { (counted_in(more, texts.more_figures, user.language)) " " a href=(all) { (texts.see_all) } } }
    }
}

/// Where a connection's figures are approved.
pub(super) fn approval_path(connection: &str) -> String {
    url("/attention/stock", &[("connection", Some(connection))], None)
}

fn differing_path(brake: &Brake) -> String {
    let differs = [("connection", Some(brake.connection.as_str())), ("show", Some("differs"))];
    url("/products", &differs, None)
}

fn approve_label(user: &User, count: i64) -> String {
    attention_texts(user.language)
        .approve
        .replace('%', &counted_in(count, user.words().stock_count, user.language))
}

fn table(user: &User, figures: &[BrakedFigure]) -> Markup {
    let (texts, items) = (attention_texts(user.language), item_texts(user.language));
    let number =
        |figure: Option<i64>| figure.map_or_else(|| "–".to_owned(), |it| number_text(it, user.language));
    html! {
        div.scroll role="region" aria-label=(items.product) tabindex="0" { table.stack {
            thead { tr {
                th scope="col" { (items.product) } th.num scope="col" { (items.in_shop) } th.num scope="col" { (texts.would_be) }
            } }
            tbody { @for figure in figures { tr {
                th.wide scope="row" { (figure.name.as_deref().unwrap_or(&figure.code)) small.code { (figure.code) } }
                td.num data-l=(items.in_shop) { (number(figure.shop)) }
                td.num data-l=(texts.would_be) { b { (number(figure.target)) } }
            } } }
        } }
    }
}

/// What an approval would do.
pub(super) async fn preview(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    if !user.is_operator() {
        return Err(PageError::Forbidden);
    }
    let texts = attention_texts(user.language);
    let name = query.connection.as_deref().ok_or(PageError::NotFound)?;
    let mut db = deps.pool.acquire().await?;
    let brakes = braked::list_brakes(&mut db).await?;
    let brake = brakes.into_iter().find(|brake| brake.connection == name).ok_or(PageError::NotFound)?;
    let figures = braked::list_figures(&mut db, name, MAX_SHOWN).await?;
    drop(db);
    let label = approve_label(&user, brake.count);
    let main = html! {
        h1 { (label) }
        @if query.done == "changed" { (flash(Tone::Attention, &html! { (order_texts(user.language).preview_changed) })) }
        section.well aria-labelledby="pv" {
            h2 #pv { (texts.preview) }
            p { (texts.approve_preview) }
            p.soft { (texts.approve_undo) }
            (table(&user, &figures))
            @if brake.count > MAX_SHOWN { p.soft { (counted_in(brake.count - MAX_SHOWN, texts.more_figures, user.language)) } }
            form.row method="post" action="/attention/stock" {
                (csrf_field(&user))
                input type="hidden" name="connection" value=(name);
                input type="hidden" name="count" value=(brake.count);
                button.main.risk { (label) }
                a href="/attention" { (texts.cancel) }
            }
        }
    };
    Ok(page(&user, MenuItem::Attention, &label, &main))
}

/// Approves what the preview has shown. If more would fall to zero by now, the preview is shown again.
pub(super) async fn approve(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let name = form.require("connection")?;
    let shown: i64 = form.require("count")?.parse().map_err(|_| PageError::InvalidForm)?;
    let is_as_shown = form
        .execute(&deps, async |db, actor| {
            let brakes = braked::list_brakes(db).await?;
            let brake =
                brakes.into_iter().find(|brake| brake.connection == name).ok_or(ActionError::NotFound)?;
            if brake.count > shown {
                return Ok(false);
            }
            actions::release_brake(db, actor, name).await?;
            Ok(true)
        })
        .await?;
    let again = [("connection", Some(name)), ("done", Some("changed"))];
    let preview = || url("/attention/stock", &again, None);
    Ok(Redirect::to(&if is_as_shown { "/attention?done=stock".to_owned() } else { preview() }))
}
