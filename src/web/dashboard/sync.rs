//! One sync: its progress, its differences, and the approval of what waits for it.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    badge::{Tone, badge},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    page::page,
    tasks::subject_link,
    user::User,
    widgets::{button, reason, state, sync_actor, sync_kind, time},
};
use crate::{
    actions,
    domain::sync::SyncKind,
    explain::{self, attention_texts, capitalised, counted_in},
    store::{
        sync_differences::{self, DifferenceRow},
        syncs::{self, SyncRow},
    },
};

/// The most differences shown.
const MAX_DIFFERENCES: i64 = 500;

/// One sync with its progress and its differences; the page refreshes itself while the sync runs.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let sync = syncs::find(&mut db, id).await?.ok_or(PageError::NotFound)?;
    let differences = sync_differences::list(&mut db, id, 0, MAX_DIFFERENCES).await?.into_iter();
    let differences: Vec<_> = differences.map(|it| user.audience().difference(it)).collect();
    drop(db);
    let is_running = sync.state == "running";
    let body = html! {
        (progress(&user, &sync))
        (facts(&user, &sync))
        @if sync.waiting_count > 0 && !is_running {
            (approval(&user, &sync))
        }
        @if is_running && user.is_operator() { div.actions { (button(&user, &format!("/products/syncs/{id}/cancel"), &[], words.cancel_sync)) } }
        @if differences.is_empty() && sync.state == "done" { p.flash.ok { (words.no_differences) } }
        @if !differences.is_empty() { (difference_table(&user, &sync.connection, &differences)) }
    };
    let is_of_orders = sync.what == SyncKind::Orders.as_str();
    let main = html! {
        div.head { div { (crumb(&user, is_of_orders)) h1 { (words.sync) ": " (sync_kind(&user, &sync.what)) } } }
        @if is_running { div data-refresh { (body) } } @else { (body) }
    };
    let item = if is_of_orders { MenuItem::Syncs } else { MenuItem::Products };
    Ok(page(&user, item, words.sync, &main))
}

/// Where the page is reached from: the products, and for operators the list of syncs.
fn crumb(user: &User, is_of_orders: bool) -> Markup {
    let words = user.words();
    html! {
        p.soft {
            @if !is_of_orders { a href="/products" { (words.products) } }
            @if !is_of_orders && user.is_operator() { " / " }
            @if is_of_orders || user.is_operator() { a href="/syncs" { (words.syncs) } }
        }
    }
}

/// The button that approves what waits, with what follows.
fn approval(user: &User, sync: &SyncRow) -> Markup {
    let texts = attention_texts(user.language);
    html! {
        @if user.is_operator() {
            section.well aria-label=(user.words().approve) {
                p { b { (counted_in(sync.waiting_count, texts.sync_waits, user.language)) } }
                @if sync.what == SyncKind::Stock.as_str() { p { (texts.approve_sync_stock) } p.soft { (texts.approve_undo) } }
                @else { p { (texts.approve_sync) } }
                (button(user, &format!("/products/syncs/{}", sync.id), &[], user.words().approve))
            }
        }
    }
}

fn progress(user: &User, sync: &SyncRow) -> Markup {
    let words = user.words();
    html! {
        p.lead role="status" {
            (state(user, &sync.state)) " " (explain::number_text(sync.done, user.language))
            @if let Some(total) = sync.total { " / " (explain::number_text(total, user.language)) } " " (words.checked)
        }
        @if sync.state == "running" {
            progress max=[sync.total] value=[sync.total.map(|_| sync.done)] aria-label=(words.checked) {}
        }
        @if let Some(code) = sync.error.as_deref().or(sync.braked.as_deref()) {
            p.stop-text { (reason(user, Some(code))) }
        }
    }
}

fn facts(user: &User, sync: &SyncRow) -> Markup {
    let words = user.words();
    html! {
        dl.stats {
            div { dt { (words.connection) } dd { (sync.connection) } }
            div { dt { (words.by) } dd { (sync_actor(user, &sync.actor)) } }
            div { dt { (words.at) } dd { (time(user, sync.created_at)) } }
            @if let Some(at) = sync.finished_at { div { dt { (words.done) } dd { (time(user, at)) } } }
            div { dt { (words.differences) } dd { (explain::number_text(sync.difference_count, user.language)) } }
        }
    }
}

fn difference_table(user: &User, connection: &str, differences: &[DifferenceRow]) -> Markup {
    let words = user.words();
    html! {
        div.card.flush { div.scroll role="region" aria-label=(words.differences) tabindex="0" { table.stack {
            thead { tr {
                th scope="col" { (words.subject) } th scope="col" { (words.what) } th scope="col" { (words.detail) }
                th scope="col" { (words.remedy) } th scope="col" { (words.state) }
            } }
            tbody { @for row in differences { tr {
                th scope="row" {
                    (subject_link(user, connection, &row.subject))
                    @if row.item != row.subject && !row.item.is_empty() { small { (explain::subject_text(&row.item, user.language)) } }
                }
                td { (capitalised(&explain::difference_text(&row.difference, user.language))) }
                td.wide { (capitalised(&explain::detail(row.detail.as_deref().unwrap_or_default(), user.language))) }
                td.wide { (capitalised(explain::difference_remedy(row, user.language))) }
                td.wide {
                    @if let Some(task) = &row.task_state { (state(user, task)) }
                    @else if row.awaits_approval { (badge(Tone::Attention, words.needs_approval)) }
                    @else if row.fixing { (badge(Tone::Waiting, words.fixes_itself)) }
                }
            } } }
        } } }
    }
}

/// Cancels a sync that runs or waits for its turn.
pub(super) async fn cancel(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    form.execute(&deps, async |db, actor| actions::cancel_sync(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}

/// Approves the differences that wait for it.
pub(super) async fn approve(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    form.execute(&deps, async |db, actor| actions::approve_sync(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}
