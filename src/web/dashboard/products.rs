//! Products and stock: codes to mend, and comparisons: asked for, watched, approved.

use axum::{
    extract::{Path, Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Dash,
    act::Asked,
    guard::Refusal,
    overview::what_word,
    page::{self, Place, Query, button, page, secret, state, time, time_or_never},
    session::Visitor,
    tasks::subject_link,
};
use crate::{
    actions,
    domain::{product::CodeProblem, sync::What},
    explain,
    store::{
        Page, connections, items, sync_differences,
        syncs::{self, SyncRow},
    },
};

/// Most differences of a comparison that are shown.
const MOST_DIFFERENCES: i64 = 500;

/// Codes to mend and comparisons of every connection.
pub(super) async fn list(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let mut sections = Vec::new();
    for row in connections::list(&mut db).await? {
        if query.connection().is_none_or(|name| name == row.name) {
            let codes = items::code_problems(&mut db, &row.name, "", page::ROWS).await?;
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
                @if visitor.is_operator() { (compare_form(&visitor, name)) }
                h3 { (words.codes) }
                (code_table(&visitor, codes))
                h3 { (words.comparisons) }
                (sync_table(&dash, &visitor, syncs))
            }
        }
    };
    Ok(page(&visitor, Place::Products, words.products, &main))
}

fn compare_form(visitor: &Visitor, name: &str) -> Markup {
    let words = visitor.language.words();
    html! {
        form.filter method="post" action="/products" {
            (secret(visitor))
            input type="hidden" name="connection" value=(name);
            label { (words.compare_now) " " select name="what" {
                @for what in What::ALL { option value=(what.as_str()) { (what_word(what, words)) } }
            } }
            label.box { input type="checkbox" name="dry_run" value="yes"; " " (words.only_tell) }
            button { (words.compare_now) }
        }
    }
}

fn code_table(visitor: &Visitor, codes: &[CodeProblem]) -> Markup {
    let words = visitor.language.words();
    html! {
        @if codes.is_empty() { p { (words.no_codes) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.name) } th { (words.code) } th { (words.why) } th { (words.also_has_it) } } }
                tbody { @for problem in codes { tr {
                    td { (problem.name.as_deref().unwrap_or("?")) " " span.small { (problem.part) } }
                    td { code { (problem.code.as_deref().unwrap_or_default()) } }
                    td { (page::reason(visitor, Some(&problem.reason))) }
                    td { (problem.others.join(", ")) }
                } } }
            } }
        }
    }
}

fn sync_table(dash: &Dash, visitor: &Visitor, syncs: &[SyncRow]) -> Markup {
    let words = visitor.language.words();
    html! {
        @if syncs.is_empty() { p { (words.nothing_here) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.what) } th { (words.state) } th { (words.compared) } th { (words.differences_found) } th { (words.by) } th { (words.at) } } }
                tbody { @for sync in syncs { tr {
                    td { a href=(format!("/products/syncs/{}", sync.id)) { (sync.what) } }
                    td { (state(visitor, &sync.state)) }
                    td { (sync.done) @if let Some(total) = sync.total { " / " (total) } }
                    td { (sync.difference_count) }
                    td { (sync.actor) }
                    td { (time(dash, visitor, sync.created_at)) }
                } } }
            } }
        }
    }
}

/// Asks for a comparison.
pub(super) async fn ask(State(dash): State<Dash>, asked: Asked) -> Result<Redirect, Refusal> {
    let connection = asked.need("connection")?;
    let word = asked.need("what")?;
    let what = What::ALL.into_iter().find(|what| what.as_str() == word).ok_or(Refusal::Form)?;
    let dry_run = asked.field("dry_run").is_some();
    let (id, _) = asked
        .carry_out(&dash, async |db, actor| {
            actions::request_sync(db, actor, connection, what, dry_run, None).await
        })
        .await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}

/// One comparison with its progress and its differences.
pub(super) async fn show(
    State(dash): State<Dash>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let sync = syncs::find(&mut db, id).await?.ok_or(Refusal::NotFound)?;
    let found = sync_differences::list(&mut db, id, 0, MOST_DIFFERENCES).await?;
    drop(db);
    let here = format!("/products/syncs/{id}");
    let body = html! {
        p.lead role="status" { (state(&visitor, &sync.state)) " " (sync.done) @if let Some(total) = sync.total { " / " (total) } " " (words.compared) }
        @if sync.state == "running" { progress max=[sync.total] value=[sync.total.map(|_| sync.done)] aria-label=(words.compared) {} }
        @if let Some(code) = sync.error.as_deref().or(sync.braked.as_deref()) { p.warn { (page::reason(&visitor, Some(code))) } }
        dl.facts {
            div { dt { (words.connection) } dd { (sync.connection) } }
            div { dt { (words.by) } dd { (sync.actor) } }
            div { dt { (words.at) } dd { (time(&dash, &visitor, sync.created_at)) } }
            div { dt { (words.done) } dd { (time_or_never(&dash, &visitor, sync.finished_at)) } }
            div { dt { (words.differences_found) } dd { (sync.difference_count) } }
        }
        @if sync.waiting_count > 0 && sync.state != "running" { (button(&visitor, &here, &[], words.approve)) }
        @if found.is_empty() && sync.state == "done" { p.verdict.good { (words.no_differences) } }
        @if !found.is_empty() { div.wide tabindex="0" { table {
            thead { tr { th { (words.subject) } th { (words.what) } th { (words.detail) } th { (words.remedy) } th { (words.state) } } }
            tbody { @for one in &found { tr {
                td { (subject_link(&sync.connection, &one.subject)) " " span.small { (one.part) } }
                td { (one.difference.replace('_', " ")) }
                td { (explain::detail(one.detail.as_deref().unwrap_or_default(), visitor.language)) }
                td { (one.remedy) }
                td {
                    @if let Some(word) = &one.delivery_state { (state(&visitor, word)) }
                    @else if one.waits { (words.waits_approval) }
                    @else if one.mending { (words.mends_itself) }
                }
            } } }
        } } }
    };
    let main = html! {
        h1 { (words.comparison) ": " (sync.what) }
        @if sync.state == "running" { div data-moving { (body) } } @else { (body) }
    };
    Ok(page(&visitor, Place::Products, words.comparison, &main))
}

/// Approves what a comparison has left waiting.
pub(super) async fn approve(
    State(dash): State<Dash>,
    Path(id): Path<Uuid>,
    asked: Asked,
) -> Result<Redirect, Refusal> {
    asked.carry_out(&dash, async |db, actor| actions::approve_sync(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/products/syncs/{id}")))
}
