//! Received events. Payloads are shown masked; showing one in full is recorded in the audit log.

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{ListQuery, older_link},
    page::page,
    tasks::{short_id, subject_link},
    user::User,
    widgets::{button, choices, field, json, nothing, time},
};
use crate::{
    actions,
    domain::{event::source::Source, id::EventId, redact::Redactor, viewer_mask::mask_for_viewers},
    explain::{Audience, capitalised, event_text, number_text, source_text},
    store::{
        Listed,
        events::{self, EventFilter, EventRow},
    },
};

/// Events by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let filter = EventFilter {
        connection: query.connection.clone(),
        source: query.source.clone(),
        topic: query.topic.clone(),
        subject: query.subject.clone(),
        ..EventFilter::default()
    };
    let mut db = deps.pool.acquire().await?;
    let Listed { rows, next } = events::list_page(&mut db, &filter, &query.page()).await?;
    drop(db);
    let kept = [
        ("connection", query.connection.as_deref()),
        ("source", query.source.as_deref()),
        ("topic", query.topic.as_deref()),
        ("subject", query.subject.as_deref()),
    ];
    let main = html! {
        h1 { (words.events) }
        (filter_form(&user, &query))
        (table(&user, &rows))
        (older_link(&user, "/events", &kept, next))
    };
    Ok(page(&user, MenuItem::Events, words.events, &main))
}

fn filter_form(user: &User, query: &ListQuery) -> Markup {
    let words = user.words();
    let sources = Source::NAMES
        .iter()
        .map(|source| ((*source).to_owned(), capitalised(source_text(source, user.language))))
        .collect::<Vec<_>>();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    html! {
        form.filter.card {
            (choices("source", words.source, words.all, query.source.as_deref(), &sources))
            (field("topic", words.topic, &text(&query.topic)))
            (field("connection", words.connection, &text(&query.connection)))
            (field("subject", words.subject, &text(&query.subject)))
            button { (words.filter) }
        }
    }
}

fn table(user: &User, rows: &[EventRow]) -> Markup {
    let words = user.words();
    html! {
        div.card.flush {
            @if rows.is_empty() { (nothing(user)) } @else {
                div.scroll role="region" aria-label=(words.events) tabindex="0" { table.stack {
                    thead { tr {
                        th scope="col" { (words.event) } th scope="col" { (words.source) } th scope="col" { (words.subject) }
                        th scope="col" { (words.received_at) } th.num scope="col" { (words.bytes) }
                    } }
                    tbody { @for row in rows { tr {
                        th scope="row" {
                            a href=(format!("/events/{}", row.id)) { (event_text(&row.source, &row.topic, user.language)) }
                            small { (row.connection) }
                        }
                        td data-l=(words.source) { (capitalised(source_text(&row.source, user.language))) }
                        td data-l=(words.subject) { @if let Some(subject) = &row.subject { (subject_link(user, &row.connection, subject)) } }
                        td data-l=(words.received_at) { (time(user, row.received_at)) }
                        td.num data-l=(words.bytes) { (number_text(row.body_bytes.into(), user.language)) }
                    } } }
                } }
            }
        }
    }
}

/// One event with its payload masked.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let mut db = deps.pool.acquire().await?;
    let row = events::find(&mut db, EventId(id)).await?.ok_or(PageError::NotFound)?;
    let body = events::find_body(&mut db, EventId(id)).await?.unwrap_or_default();
    drop(db);
    let masked = serde_json::from_slice(&body).map(|json| masked_for(&deps, &user, &json));
    let words = user.words();
    let payload = html! {
        @match masked {
            _ if body.is_empty() => { p { (words.payload_redacted) } }
            Ok(masked) => { details { summary { (words.as_stored) } p.small { (words.payload_masked) } (json(&masked)) } }
            Err(_) => { p.small { (words.payload_masked) } }
        }
        @if !body.is_empty() { (button(&user, &format!("/events/{id}"), &[("ask", "reveal")], words.reveal)) }
    };
    Ok(event_page(&user, &row, &payload))
}

/// The payload as this user sees it before it is revealed. An operator's marks tell equal values apart within this page
/// alone: their key is drawn for it.
fn masked_for(deps: &DashboardState, user: &User, payload: &Value) -> Value {
    match user.audience() {
        Audience::Viewer => mask_for_viewers(payload),
        Audience::Operator => Redactor::with_key(&hex::encode(deps.entropy.bytes::<16>())).apply(payload),
    }
}

fn event_page(user: &User, row: &EventRow, payload: &Markup) -> Markup {
    let words = user.words();
    let here = format!("/events/{}", row.id);
    let main = html! {
        h1 { (event_text(&row.source, &row.topic, user.language)) }
        dl.stats {
            div { dt { (words.source) } dd { (capitalised(source_text(&row.source, user.language))) } }
            div { dt { (words.connection) } dd { (row.connection) } }
            @if let Some(subject) = &row.subject {
                div { dt { (words.subject) } dd { (subject_link(user, &row.connection, subject)) } }
            }
            div { dt { (words.received_at) } dd { (time(user, row.received_at)) } }
            @if let Some(task) = row.task_id {
                div { dt { (words.task) } dd { a href=(format!("/tasks/{task}")) { (short_id(task)) } } }
            }
        }
        div.actions {
            @if row.subject.is_some() { (button(user, &here, &[("ask", "replay")], words.replay_one)) }
        }
        section.card {
            h2 { (words.payload) }
            (payload)
        }
    };
    page(user, MenuItem::Events, words.event, &main)
}

/// Replays an event, or shows its payload in full.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    match form.require("ask")? {
        "reveal" => reveal(&deps, EventId(id), &form).await,
        "replay" => {
            let replay = async |db: &mut _, actor: &actions::Actor<'_>| {
                actions::replay_event(db, actor, EventId(id)).await
            };
            let enqueued = form.execute(&deps, replay).await?;
            Ok(Redirect::to(&format!("/tasks/{}?done=replay", enqueued.task.0)).into_response())
        }
        _ => Err(PageError::InvalidForm),
    }
}

async fn reveal(deps: &DashboardState, id: EventId, form: &OperatorForm) -> Result<Response, PageError> {
    let body = form.execute(deps, async |db, actor| actions::reveal_body(db, actor, id).await).await?;
    let mut db = deps.pool.acquire().await?;
    let row = events::find(&mut db, id).await?.ok_or(PageError::NotFound)?;
    drop(db);
    let payload = html! { pre role="group" aria-label=(form.user.words().payload) tabindex="0" { (String::from_utf8_lossy(&body)) } };
    Ok(event_page(&form.user, &row, &payload).into_response())
}
