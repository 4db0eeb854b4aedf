//! One sync: its progress, its differences, and the approval of what waits for it.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    page::page,
    tasks::subject_link,
    user::User,
    widgets::{button, reason, state, sync_actor, sync_kind, time, time_or_never},
};
use crate::{
    actions,
    domain::sync::SyncKind,
    explain::{self, attention_texts, counted},
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
        @if is_running { (button(&user, &format!("/products/syncs/{id}/cancel"), &[], words.cancel_sync)) }
        @if differences.is_empty() && sync.state == "done" { p.flash.ok { (words.no_differences) } }
        @if !differences.is_empty() { (difference_table(&user, &sync.connection, &differences)) }
    };
    let main = html! {
        h1 { (words.sync) ": " (sync_kind(&user, &sync.what)) }
        @if is_running { div data-refresh { (body) } } @else { (body) }
    };
    Ok(page(&user, MenuItem::Products, words.sync, &main))
}

/// The button that approves what waits, with what follows.
fn approval(user: &User, sync: &SyncRow) -> Markup {
    let texts = attention_texts(user.language);
    html! {
        @if user.is_operator() {
            section.well aria-label=(user.words().approve) {
                p { b { (counted(sync.waiting_count, texts.sync_waits)) } }
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
            (state(user, &sync.state)) " " (sync.done)
            @if let Some(total) = sync.total { " / " (total) } " " (words.checked)
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
            div { dt { (words.done) } dd { (time_or_never(user, sync.finished_at)) } }
            div { dt { (words.differences) } dd { (sync.difference_count) } }
        }
    }
}

fn difference_table(user: &User, connection: &str, differences: &[DifferenceRow]) -> Markup {
    let words = user.words();
    html! {
        div.scroll role="region" aria-label=(words.differences) tabindex="0" { table {
            thead { tr {
                th { (words.subject) } th { (words.what) } th { (words.detail) } th { (words.remedy) } th { (words.state) }
            } }
            tbody { @for row in differences { tr {
                td { (subject_link(user, connection, &row.subject)) " " span.small { (row.item) } }
                td { (explain::difference_text(&row.difference, user.language)) }
                td { (explain::detail(row.detail.as_deref().unwrap_or_default(), user.language)) }
                td { (row.remedy) }
                td {
                    @if let Some(task) = &row.task_state { (state(user, task)) }
                    @else if row.awaits_approval { (words.needs_approval) }
                    @else if row.fixing { (words.fixes_itself) }
                }
            } } }
        } }
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
