//! Events: what was received. What it said is shown with people hidden, and whole to whoever asks for it by name.

use axum::{
    extract::{Path, Query as AxumQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    page::{self, MenuItem, Query, button, page, time},
    tasks::subject_anchor,
    user::User,
};
use crate::{
    actions,
    domain::{difference::Redactor, id::EventId},
    store::events::{self, EventFilter, EventRow},
};

/// Events by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let filter = EventFilter {
        connection: owned(query.connection()),
        source: owned(query.source()),
        topic: owned(query.topic()),
        subject: owned(query.subject()),
        ..EventFilter::default()
    };
    let mut db = deps.pool.acquire().await?;
    let (rows, next) = page::split_page(events::list(&mut db, &filter, &query.page()).await?, |row| row.id);
    drop(db);
    let sources = ["mycashflow", "ogoship", "poll", "person"].map(|it| (it.to_owned(), it.to_owned()));
    let kept = [
        ("connection", query.connection()),
        ("source", query.source()),
        ("topic", query.topic()),
        ("subject", query.subject()),
    ];
    let main = html! {
        h1 { (words.events) }
        form.filter {
            (page::choices("source", words.source, words.all, query.source(), &sources))
            (page::field("topic", words.topic, query.topic().unwrap_or_default()))
            (page::field("connection", words.connection, query.connection().unwrap_or_default()))
            (page::field("subject", words.subject, query.subject().unwrap_or_default()))
            button { (words.filter) }
        }
        @if rows.is_empty() { p { (words.empty_list) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.topic) } th { (words.source) } th { (words.connection) } th { (words.subject) } th { (words.received_at) } th { (words.bytes) } } }
                tbody { @for row in &rows { tr {
                    td { a href=(format!("/events/{}", row.id)) { (row.topic) } }
                    td { (row.source) }
                    td { (row.connection) }
                    td { @if let Some(subject) = &row.subject { (subject_anchor(&row.connection, subject)) } }
                    td { (time(&deps, &user, row.received_at)) }
                    td { (row.body_bytes) }
                } } }
            } }
        }
        (page::older_anchor(&user, "/events", &kept, next))
    };
    Ok(page(&user, MenuItem::Events, words.events, &main))
}

/// One event, people hidden.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let mut db = deps.pool.acquire().await?;
    let row = events::find(&mut db, EventId(id)).await?.ok_or(PageError::NotFound)?;
    let body = events::find_body(&mut db, EventId(id)).await?.unwrap_or_default();
    drop(db);
    // A redactor of no secret: marks that tell equal values apart within this page are enough here.
    let masked = serde_json::from_slice::<Value>(&body).map(|json| Redactor::default().apply(&json));
    let words = user.language.words();
    let shown = html! {
        @match masked {
            _ if body.is_empty() => { p { (words.payload_redacted) } }
            Ok(masked) => { p.small { (words.payload_masked) } (page::json(&masked)) }
            Err(_) => { p.small { (words.payload_masked) } }
        }
        @if !body.is_empty() { (button(&user, &format!("/events/{id}"), &[("ask", "reveal")], words.reveal)) }
    };
    Ok(event_page(&deps, &user, &row, &shown))
}

fn event_page(deps: &DashboardState, user: &User, row: &EventRow, payload: &Markup) -> Markup {
    let words = user.language.words();
    let main = html! {
        h1 { (row.topic) }
        dl.facts {
            div { dt { (words.source) } dd { (row.source) } }
            div { dt { (words.connection) } dd { (row.connection) } }
            @if let Some(subject) = &row.subject { div { dt { (words.subject) } dd { (subject_anchor(&row.connection, subject)) } } }
            div { dt { (words.received_at) } dd { (time(deps, user, row.received_at)) } }
            @if let Some(task) = row.task_id { div { dt { (words.show_task) } dd { a href=(format!("/tasks/{task}")) { (super::tasks::short(task)) } } } }
        }
        div.actions { @if row.subject.is_some() { (button(user, &format!("/events/{}", row.id), &[("ask", "replay")], words.replay_one)) } }
        h2 { (words.payload) }
        (payload)
    };
    page(user, MenuItem::Events, &row.topic, &main)
}

/// Replays an event, or shows all of it to a person whose asking is written down.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    let word = form.require("ask")?;
    if word == "reveal" {
        let body =
            form.execute(&deps, async |db, actor| actions::reveal_body(db, actor, EventId(id)).await).await?;
        let mut db = deps.pool.acquire().await?;
        let row = events::find(&mut db, EventId(id)).await?.ok_or(PageError::NotFound)?;
        drop(db);
        let shown = html! { pre tabindex="0" { (String::from_utf8_lossy(&body)) } };
        return Ok(event_page(&deps, &form.user, &row, &shown).into_response());
    }
    if word != "replay" {
        return Err(PageError::InvalidForm);
    }
    let replay =
        async |db: &mut _, actor: &actions::Actor<'_>| actions::replay_event(db, actor, EventId(id)).await;
    let replayed = form.execute(&deps, replay).await?;
    Ok(Redirect::to(&format!("/tasks/{}", replayed.task.0)).into_response())
}
