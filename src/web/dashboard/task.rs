//! One task: its attempts, what an operator can do with it, and a dry run.

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    asked::Asked,
    badge::{Tone, flash},
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::url,
    page::page,
    tasks::{short_id, subject_link},
    user::User,
    widgets::{button, json, reason, remedy, state, time, time_or_never},
};
use crate::{
    actions::{self, DryRunResult},
    domain::{id::TaskId, task::reason::Reason},
    explain::{self, attention_texts, counted, order_texts},
    store::{
        attempts::{self, AttemptRow},
        views::overview::{self, TaskRow},
    },
};

/// One task with its attempts.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    render(&deps, &user, id, &asked).await
}

/// The page of a task, with what was asked just now.
pub(super) async fn render(
    deps: &DashboardState,
    user: &User,
    id: Uuid,
    asked: &Asked,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let row = overview::find_task(&mut db, TaskId(id)).await?.ok_or(PageError::NotFound)?;
    let attempts = attempts::list(&mut db, TaskId(id)).await?.into_iter();
    let attempts: Vec<_> = attempts.map(|attempt| user.audience().attempt(&row.kind, attempt)).collect();
    drop(db);
    let filter = [("connection", Some(row.connection.as_str())), ("subject", Some(row.subject.as_str()))];
    let main = html! {
        h1 { (explain::subject_text(&row.subject, user.language)) " " (state(user, &row.state)) }
        p.lead { (reason(user, row.reason.as_deref())) }
        (asked.refusal(user))
        (under_way(user, asked))
        (remedy_of_cause(user, &row))
        (facts(user, &row))
        (buttons(user, &row))
        section.card.flush aria-labelledby="attempts" {
            div.row { h2 #attempts { (words.attempt_log) } }
            @if attempts.is_empty() { p.empty { (words.no_attempt) } }
            @else { ol.line { @for attempt in &attempts { (attempt_entry(user, attempt)) } } }
        }
        p { a href=(url("/events", &filter, None)) { (words.events) } }
    };
    Ok(page(user, MenuItem::Tasks, &row.subject, &main))
}

/// What is under way after a request.
fn under_way(user: &User, asked: &Asked) -> Markup {
    let words = user.words();
    let text = match asked.done() {
        Some("replay") => words.said_replay,
        Some("cancel") => words.said_cancel,
        Some("done") => words.said_done,
        Some("pending") => words.said_pending,
        _ => return html! {},
    };
    flash(Tone::Ok, &html! { span role="status" { (text) } })
}

/// What to do about a task that stopped, and the way to everything that stopped for the same cause.
fn remedy_of_cause(user: &User, row: &TaskRow) -> Markup {
    let Some(code) = row.reason.as_deref().filter(|_| row.state == "dead") else { return html! {} };
    let same = [("connection", row.connection.as_str()), ("kind", row.kind.as_str()), ("reason", code)];
    let same = same.map(|(name, value)| (name, Some(value)));
    html! {
        (remedy(user, code))
        p { a href=(url("/attention/cause", &same, None)) { (attention_texts(user.language).same_cause) } }
    }
}

fn facts(user: &User, row: &TaskRow) -> Markup {
    let words = user.words();
    html! {
        dl.stats {
            div { dt { (words.connection) } dd { (row.connection) } }
            div { dt { (words.subject) } dd { (subject_link(user, &row.connection, &row.subject)) } }
            div { dt { (words.opened_at) } dd { (time(user, row.created_at)) } }
            @if row.settled_at.is_none() { div { dt { (words.due_at) } dd { (time(user, row.due_at)) } } }
            div { dt { (words.settled_at) } dd { (time_or_never(user, row.settled_at)) } }
            @if let Some(original) = row.replay_of {
                div { dt { (words.replay_of) } dd { a href=(path(original)) { (short_id(original)) } } }
            }
        }
    }
}

fn buttons(user: &User, row: &TaskRow) -> Markup {
    let words = user.words();
    let here = path(row.id);
    let ask = |request, label| button(user, &here, &[("ask", request)], label);
    html! {
        div.actions {
            @if row.settled_at.is_some() { (ask("replay", words.replay_one)) }
            @if matches!(row.state.as_str(), "pending" | "in_doubt") { (ask("cancel", words.cancel_task)) }
            @if row.state == "in_doubt" || is_resolvable(row) {
                (ask("done", words.resolve_done))
                (ask("pending", words.resolve_pending))
            }
            @if user.is_operator() { a.btn href=(format!("{here}/dry-run")) { (words.dry_run) } }
        }
    }
}

/// True for a dead task that a person's look at the vendor may settle.
fn is_resolvable(row: &TaskRow) -> bool {
    let reason = row.reason.as_deref().and_then(Reason::parse);
    let asks = [Reason::OutcomeUnknown, Reason::RepeatedTooOften, Reason::VanishedAtWarehouse];
    row.state == "dead" && reason.is_some_and(|reason| asks.contains(&reason))
}

fn attempt_entry(user: &User, attempt: &AttemptRow) -> Markup {
    let calls = attempt.calls.as_array().map_or(0, Vec::len);
    html! {
        li.attempt {
            (time(user, attempt.ended_at)) " "
            div {
                span { (explain::attempt_text(attempt, user.language)) }
                details { summary { (call_count(user, calls)) } (json(&attempt.calls)) }
            }
        }
    }
}

/// The number of calls in words.
pub(super) fn call_count(user: &User, calls: usize) -> String {
    counted(i64::try_from(calls).unwrap_or(i64::MAX), user.words().call_count)
}

/// Shows what a replay would do now. It spends calls at both vendors, so only operators may run it.
pub(super) async fn dry_run(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    if !user.is_operator() {
        return Err(PageError::Forbidden);
    }
    let words = user.words();
    let (row, DryRunResult { outcome, reason, action, detail, calls, request, differs }) =
        actions::dry_run_task(&deps.pool, &*deps.dry_runner, TaskId(id)).await?;
    let main = html! {
        h1 { (words.dry_run) ": " (explain::subject_text(&row.subject, user.language)) }
        p.lead { (words.dry_run_text) }
        p { (explain::outcome_text(outcome, action, reason, user.language)) }
        @if let Some(detail) = &detail { p.small { (explain::capitalised(&explain::detail(detail, user.language))) } }
        @match &request {
            None => { p { (words.nothing_sent) } }
            Some(request) => {
                h2 { (words.would_send) }
                details { summary { (order_texts(user.language).as_sent) } (json(request)) }
                @if let Some(differs) = &differs {
                    h2 { (words.difference) }
                    @if differs.is_empty() { p { (words.same_as_last) } }
                    ul { @for line in differs { li { code { (line) } } } }
                }
            }
        }
        details { summary { (call_count(&user, calls.len())) } (json(&calls)) }
        div.actions { @if row.settled_at.is_some() { (button(&user, &path(id), &[("ask", "replay")], words.replay_one)) } }
    };
    Ok(page(&user, MenuItem::Tasks, words.dry_run, &main))
}

/// The path of a task's page.
pub(super) fn path(id: Uuid) -> String {
    format!("/tasks/{id}")
}
