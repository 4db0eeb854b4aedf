//! Products and stock: codes to fix, and syncs: asked for, watched, approved.

use axum::{
    extract::{Path, Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    overview::sync_kind_label,
    page::{self, MenuItem, Query, button, csrf_field, page, state, time, time_or_never},
    tasks::subject_anchor,
    user::User,
};
use crate::{
    actions,
    domain::{product::CodeProblem, sync::SyncKind},
    explain,
    store::{
        Page, connections, items, sync_differences,
        syncs::{self, SyncRow},
    },
};

/// Most differences of a sync that are shown.
const MAX_DIFFERENCES: i64 = 500;

/// Codes to fix and syncs of every connection.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let mut sections = Vec::new();
    for row in connections::list(&mut db).await? {
        if query.connection().is_none_or(|name| name == row.name) {
            let codes = items::list_code_problems(&mut db, &row.name, "", page::ROWS).await?;
            let newest = Page { before: None, limit: 12 };
            let syncs = syncs::list(&mut db, Some(&row.name), None, &newest).await?;
            sections.push((row.name, codes, syncs));
        }
    }
    drop(db);
    let main = html! {
        h1 { (words.products) }
        @if sections.is_empty() { p { (words.no_connections) } }
        @for (name, codes, syncs) in &sections {
            section.card aria-label=(name) {
                h2 { (name) }
                @if user.is_operator() { (sync_form(&user, name)) }
                h3 { (words.codes) }
                (code_table(&user, codes))
                h3 { (words.syncs) }
                (sync_table(&deps, &user, syncs))
            }
        }
    };
    Ok(page(&user, MenuItem::Products, words.products, &main))
}

fn sync_form(user: &User, name: &str) -> Markup {
    let words = user.language.words();
    html! {
        form.filter method="post" action="/products" {
            (csrf_field(user))
            input type="hidden" name="connection" value=(name);
            label { (words.sync_now) " " select name="what" {
                @for what in SyncKind::ALL { option value=(what.as_str()) { (sync_kind_label(what, words)) } }
            } }
            label.box { input type="checkbox" name="dry_run" value="yes"; " " (words.dry_run_only) }
            button { (words.sync_now) }
        }
    }
}

fn code_table(user: &User, codes: &[CodeProblem]) -> Markup {
    let words = user.language.words();
    html! {
        @if codes.is_empty() { p { (words.no_codes) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.name) } th { (words.code) } th { (words.why) } th { (words.also_has_it) } } }
                tbody { @for problem in codes { tr {
                    td { (problem.name.as_deref().unwrap_or("?")) " " span.small { (problem.item) } }
                    td { code { (problem.code.as_deref().unwrap_or_default()) } }
                    td { (page::reason(user, Some(&problem.reason))) }
                    td { (problem.others.join(", ")) }
                } } }
            } }
        }
    }
}

fn sync_table(deps: &DashboardState, user: &User, syncs: &[SyncRow]) -> Markup {
    let words = user.language.words();
    html! {
        @if syncs.is_empty() { p { (words.empty_list) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.what) } th { (words.state) } th { (words.checked) } th { (words.differences_found) } th { (words.by) } th { (words.at) } } }
                tbody { @for sync in syncs { tr {
                    td { a href=(format!("/products/syncs/{}", sync.id)) { (sync.what) } }
                    td { (state(user, &sync.state)) }
                    td { (sync.done) @if let Some(total) = sync.total { " / " (total) } }
                    td { (sync.difference_count) }
                    td { (sync.actor) }
                    td { (time(deps, user, sync.created_at)) }
                } } }
            } }
        }
    }
}

/// Asks for a sync.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let connection = form.require("connection")?;
    let word = form.require("what")?;
    let what = SyncKind::ALL.into_iter().find(|what| what.as_str() == word).ok_or(PageError::InvalidForm)?;
    let dry_run = form.field("dry_run").is_some();
    let (id, _) = form
        .execute(&deps, async |db, actor| {
            actions::request_sync(db, actor, connection, what, dry_run, None).await
        })
        .await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}

/// One sync with its progress and its differences.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let sync = syncs::find(&mut db, id).await?.ok_or(PageError::NotFound)?;
    let found = sync_differences::list(&mut db, id, 0, MAX_DIFFERENCES).await?;
    drop(db);
    let here = format!("/products/syncs/{id}");
    let body = html! {
        p.lead role="status" { (state(&user, &sync.state)) " " (sync.done) @if let Some(total) = sync.total { " / " (total) } " " (words.checked) }
        @if sync.state == "running" { progress max=[sync.total] value=[sync.total.map(|_| sync.done)] aria-label=(words.checked) {} }
        @if let Some(code) = sync.error.as_deref().or(sync.braked.as_deref()) { p.warn { (page::reason(&user, Some(code))) } }
        dl.facts {
            div { dt { (words.connection) } dd { (sync.connection) } }
            div { dt { (words.by) } dd { (sync.actor) } }
            div { dt { (words.at) } dd { (time(&deps, &user, sync.created_at)) } }
            div { dt { (words.done) } dd { (time_or_never(&deps, &user, sync.finished_at)) } }
            div { dt { (words.differences_found) } dd { (sync.difference_count) } }
        }
        @if sync.waiting_count > 0 && sync.state != "running" { (button(&user, &here, &[], words.approve)) }
        @if found.is_empty() && sync.state == "done" { p.verdict.good { (words.no_differences) } }
        @if !found.is_empty() { div.wide tabindex="0" { table {
            thead { tr { th { (words.subject) } th { (words.what) } th { (words.detail) } th { (words.remedy) } th { (words.state) } } }
            tbody { @for one in &found { tr {
                td { (subject_anchor(&sync.connection, &one.subject)) " " span.small { (one.item) } }
                td { (one.difference.replace('_', " ")) }
                td { (explain::detail(one.detail.as_deref().unwrap_or_default(), user.language)) }
                td { (one.remedy) }
                td {
                    @if let Some(word) = &one.task_state { (state(&user, word)) }
                    @else if one.awaits_approval { (words.needs_approval) }
                    @else if one.fixing { (words.fixes_itself) }
                }
            } } }
        } } }
    };
    let main = html! {
        h1 { (words.sync) ": " (sync.what) }
        @if sync.state == "running" { div data-refresh { (body) } } @else { (body) }
    };
    Ok(page(&user, MenuItem::Products, words.sync, &main))
}

/// Approves what a sync has left waiting.
pub(super) async fn approve(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    form.execute(&deps, async |db, actor| actions::approve_sync(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}
