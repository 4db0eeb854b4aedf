//! Tasks: what is owed, with its diary; replayed one by one, ticked, or all that match.

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
    page::{self, MenuItem, Query, button, csrf_field, page, state, time, time_or_never},
    user::User,
};
use crate::{
    actions::{self, DryRunResult},
    domain::{id::TaskId, task::state::TaskState},
    explain,
    store::{
        attempts,
        tasks::Resolution,
        views::{
            attention,
            overview::{self, TaskFilter, TaskRow},
        },
    },
};

/// Tasks by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let filter = TaskFilter {
        connection: owned(query.connection()),
        state: owned(query.state()),
        kind: owned(query.kind()),
        subject: owned(query.subject()),
        reason: owned(query.reason()),
        ..TaskFilter::default()
    };
    let mut db = deps.pool.acquire().await?;
    let (rows, next) =
        page::split_page(overview::list_tasks(&mut db, &filter, &query.page()).await?, |row| row.id);
    let is_dead = query.state() == Some("dead");
    let count = if is_dead { attention::count_closed(&mut db, &filter).await? } else { 0 };
    drop(db);
    let states: Vec<_> =
        TaskState::ALL.iter().map(|it| (it.as_str().to_owned(), it.as_str().replace('_', " "))).collect();
    let kinds = ["order", "stock", "product"].map(|kind| (kind.to_owned(), kind.to_owned()));
    let kept = [
        ("connection", query.connection()),
        ("state", query.state()),
        ("kind", query.kind()),
        ("subject", query.subject()),
        ("reason", query.reason()),
    ];
    let main = html! {
        h1 { (words.tasks) }
        form.filter {
            (page::choices("state", words.state, words.all, query.state(), &states))
            (page::choices("kind", words.kind, words.all, query.kind(), &kinds))
            (page::field("connection", words.connection, query.connection().unwrap_or_default()))
            (page::field("subject", words.subject, query.subject().unwrap_or_default()))
            (page::field("reason", words.reason, query.reason().unwrap_or_default()))
            button { (words.filter) }
        }
        @if count > 0 { (replay_form(&deps, &user, &filter, &rows, count, [words.replay_all, words.replay_selected])) }
        @else { (table(&deps, &user, &rows, false)) }
        (page::older_anchor(&user, "/tasks", &kept, next))
    };
    Ok(page(&user, MenuItem::Tasks, words.tasks, &main))
}

/// Rows to be ticked, with the two ways of replaying them: all that match the filter, or the ticked ones.
pub(super) fn replay_form(
    deps: &DashboardState,
    user: &User,
    filter: &TaskFilter,
    rows: &[TaskRow],
    count: i64,
    [all, selected]: [&str; 2],
) -> Markup {
    let words = user.language.words();
    let TaskFilter { connection, state, kind, subject, reason, detail, .. } = filter;
    let named = [
        ("connection", connection),
        ("state", state),
        ("kind", kind),
        ("subject", subject),
        ("reason", reason),
        ("detail", detail),
    ];
    html! {
        @if user.is_operator() {
            form method="post" action="/replays" {
                (csrf_field(user))
                @for (name, value) in named { @if let Some(value) = value { input type="hidden" name=(name) value=(value); } }
                div.actions {
                    button.first name="which" value="all" { (all) " (" (count) ")" }
                    button name="which" value="selected" { (selected) }
                }
                (table(deps, user, rows, true))
                @if count > page::ROWS { p.small { (words.oldest_shown) } }
            }
        } @else { (table(deps, user, rows, false)) }
    }
}

fn table(deps: &DashboardState, user: &User, rows: &[TaskRow], with_boxes: bool) -> Markup {
    let words = user.language.words();
    html! {
        @if rows.is_empty() { p { (words.empty_list) } } @else {
            div.wide tabindex="0" { table {
                thead { tr {
                    @if with_boxes { th { input type="checkbox" data-all hidden aria-label=(words.select_all); } }
                    th { (words.subject) } th { (words.connection) } th { (words.state) } th { (words.why) }
                    th { (words.attempts) } th { (words.opened_at) } th { (words.tasks) }
                } }
                tbody { @for row in rows { tr {
                    @if with_boxes { td { input type="checkbox" name="id" value=(row.id) aria-label=(row.subject); } }
                    td { (subject_anchor(&row.connection, &row.subject)) }
                    td { (row.connection) }
                    td { (state(user, &row.state)) }
                    td { (page::reason(user, row.reason.as_deref())) }
                    td { (row.failures) }
                    td { (time(deps, user, row.created_at)) }
                    td { a href=(format!("/tasks/{}", row.id)) { (short(row.id)) } }
                } } }
            } }
        }
    }
}

/// The end of an id: its beginning is the time, and alike in neighbours.
pub(super) fn short(id: Uuid) -> String {
    id.simple().to_string().split_off(24)
}

/// A subject; an order leads to its page.
pub(super) fn subject_anchor(connection: &str, subject: &str) -> Markup {
    html! {
        @match subject.strip_prefix("order:") {
            Some(id) => { a href=(super::orders::path(connection, id)) { (subject) } }
            None => { (subject) }
        }
    }
}

/// One task with its diary.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let row = overview::find_task(&mut db, TaskId(id)).await?.ok_or(PageError::NotFound)?;
    let attempts = attempts::list(&mut db, TaskId(id)).await?;
    drop(db);
    let here = format!("/tasks/{id}");
    let main = html! {
        h1 { (row.subject) " " (state(&user, &row.state)) }
        p.lead { (page::reason(&user, row.reason.as_deref())) }
        dl.facts {
            div { dt { (words.connection) } dd { (row.connection) } }
            div { dt { (words.subject) } dd { (subject_anchor(&row.connection, &row.subject)) } }
            div { dt { (words.opened_at) } dd { (time(&deps, &user, row.created_at)) } }
            @if row.settled_at.is_none() { div { dt { (words.due_at) } dd { (time(&deps, &user, row.due_at)) } } }
            div { dt { (words.settled_at) } dd { (time_or_never(&deps, &user, row.settled_at)) } }
            @if let Some(old) = row.replay_of { div { dt { (words.replay_of) } dd { a href=(format!("/tasks/{old}")) { (short(old)) } } } }
        }
        div.actions {
            @if row.settled_at.is_some() { (button(&user, &here, &[("ask", "replay")], words.replay_one)) }
            @if matches!(row.state.as_str(), "pending" | "in_doubt") { (button(&user, &here, &[("ask", "cancel")], words.cancel_task)) }
            @if row.state == "in_doubt" {
                (button(&user, &here, &[("ask", "done")], words.resolve_done))
                (button(&user, &here, &[("ask", "pending")], words.resolve_pending))
            }
            @if user.is_operator() { a.button href=(format!("{here}/dry-run")) { (words.dry_run) } }
        }
        h2 { (words.attempt_log) }
        @if attempts.is_empty() { p { (words.no_attempt) } }
        ol.timeline { @for attempt in &attempts { li.attempt {
            (time(&deps, &user, attempt.ended_at)) " " span { (explain::attempt_text(attempt, user.language)) }
            details { summary { (attempt.calls.as_array().map_or(0, Vec::len)) " " (words.calls) } (page::json(&attempt.calls)) }
        } } }
        p { a href=(page::url("/events", &[("connection", Some(&row.connection)), ("subject", Some(&row.subject))], None)) { (words.events) } }
    };
    Ok(page(&user, MenuItem::Tasks, &row.subject, &main))
}

/// What may be asked for a task.
#[derive(Clone, Copy)]
enum Ask {
    Replay,
    Cancel,
    Resolve(Resolution),
}

/// What a person asks for a task.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let ask = match form.require("ask")? {
        "replay" => Ask::Replay,
        "cancel" => Ask::Cancel,
        "done" => Ask::Resolve(Resolution::Done),
        "pending" => Ask::Resolve(Resolution::Pending),
        _ => return Err(PageError::InvalidForm),
    };
    let shown = form
        .execute(&deps, async |db, actor| {
            match ask {
                Ask::Replay => {
                    return Ok(actions::replay_task(db, actor, TaskId(id)).await?.task.0);
                }
                Ask::Cancel => actions::cancel(db, actor, TaskId(id)).await?,
                Ask::Resolve(word) => actions::resolve(db, actor, TaskId(id), word).await?,
            }
            Ok(id)
        })
        .await?;
    Ok(Redirect::to(&format!("/tasks/{shown}")))
}

/// What a replay would do now. It spends calls of both vendors, so it is an operator's to ask.
pub(super) async fn dry_run(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    if !user.is_operator() {
        return Err(PageError::Forbidden);
    }
    let words = user.language.words();
    let (row, DryRunResult { outcome, reason, action, detail, calls, request, differs }) =
        actions::dry_run_task(&deps.pool, &*deps.dry_runner, TaskId(id)).await?;
    let main = html! {
        h1 { (words.dry_run) ": " (row.subject) }
        p.lead { (words.dry_run_text) }
        p { (explain::outcome_text(outcome, action, reason, user.language)) }
        @if let Some(detail) = &detail { p.small { (explain::detail(detail, user.language)) } }
        @match &request {
            None => { p { (words.nothing_sent) } }
            Some(request) => {
                h2 { (words.would_send) } (page::json(request))
                @if let Some(differs) = &differs {
                    h2 { (words.difference) }
                    @if differs.is_empty() { p { (words.same_as_last) } }
                    ul { @for line in differs { li { code { (line) } } } }
                }
            }
        }
        details { summary { (calls.len()) " " (words.calls) } (page::json(&calls)) }
        div.actions { @if row.settled_at.is_some() { (button(&user, &format!("/tasks/{id}"), &[("ask", "replay")], words.replay_one)) } }
    };
    Ok(page(&user, MenuItem::Tasks, words.dry_run, &main))
}
