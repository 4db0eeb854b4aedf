//! Events: what was received. What it said is shown with people hidden, and whole to whoever asks for it by name.

use axum::{
    extract::{Path, Query as AxumQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Dash,
    act::Asked,
    guard::Refusal,
    page::{self, Place, Query, button, page, time},
    session::Visitor,
    tasks::subject_link,
};
use crate::{
    actions,
    domain::{difference::Mask, id::EventId},
    store::events::{self, EventFilter, EventRow},
};

/// Events by filter, newest first.
pub(super) async fn list(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let filter = EventFilter {
        connection: owned(query.connection()),
        source: owned(query.source()),
        topic: owned(query.topic()),
        subject: owned(query.subject()),
        ..EventFilter::default()
    };
    let mut db = dash.pool.acquire().await?;
    let (rows, next) = page::cut(events::list(&mut db, &filter, &query.page()).await?, |row| row.id);
    drop(db);
    let sources = ["mycashflow", "ogoship", "sweep", "person"].map(|it| (it.to_owned(), it.to_owned()));
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
        @if rows.is_empty() { p { (words.nothing_here) } } @else {
            div.wide tabindex="0" { table {
                thead { tr { th { (words.topic) } th { (words.source) } th { (words.connection) } th { (words.subject) } th { (words.received_at) } th { (words.bytes) } } }
                tbody { @for row in &rows { tr {
                    td { a href=(format!("/events/{}", row.id)) { (row.topic) } }
                    td { (row.source) }
                    td { (row.connection) }
                    td { @if let Some(subject) = &row.subject { (subject_link(&row.connection, subject)) } }
                    td { (time(&dash, &visitor, row.received_at)) }
                    td { (row.body_bytes) }
                } } }
            } }
        }
        (page::older(&visitor, "/events", &kept, next))
    };
    Ok(page(&visitor, Place::Events, words.events, &main))
}

/// One event, people hidden.
pub(super) async fn show(
    State(dash): State<Dash>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Markup, Refusal> {
    let mut db = dash.pool.acquire().await?;
    let row = events::find(&mut db, EventId(id)).await?.ok_or(Refusal::NotFound)?;
    let body = events::body(&mut db, EventId(id)).await?.unwrap_or_default();
    drop(db);
    // A mask of no secret: marks that tell equal values apart within this page are enough here.
    let masked = serde_json::from_slice::<Value>(&body).map(|json| Mask::default().over(&json));
    let words = visitor.language.words();
    let shown = html! {
        @match masked {
            _ if body.is_empty() => { p { (words.payload_blanked) } }
            Ok(masked) => { p.small { (words.payload_masked) } (page::json(&masked)) }
            Err(_) => { p.small { (words.payload_masked) } }
        }
        @if !body.is_empty() { (button(&visitor, &format!("/events/{id}"), &[("ask", "reveal")], words.reveal)) }
    };
    Ok(whole(&dash, &visitor, &row, &shown))
}

fn whole(dash: &Dash, visitor: &Visitor, row: &EventRow, payload: &Markup) -> Markup {
    let words = visitor.language.words();
    let main = html! {
        h1 { (row.topic) }
        dl.facts {
            div { dt { (words.source) } dd { (row.source) } }
            div { dt { (words.connection) } dd { (row.connection) } }
            @if let Some(subject) = &row.subject { div { dt { (words.subject) } dd { (subject_link(&row.connection, subject)) } } }
            div { dt { (words.received_at) } dd { (time(dash, visitor, row.received_at)) } }
            @if let Some(delivery) = row.delivery_id { div { dt { (words.its_delivery) } dd { a href=(format!("/deliveries/{delivery}")) { (super::tasks::short(delivery)) } } } }
        }
        div.actions { @if row.subject.is_some() { (button(visitor, &format!("/events/{}", row.id), &[("ask", "replay")], words.replay_one)) } }
        h2 { (words.payload) }
        (payload)
    };
    page(visitor, Place::Events, &row.topic, &main)
}

/// Replays an event, or shows all of it to a person whose asking is written down.
pub(super) async fn ask(
    State(dash): State<Dash>,
    Path(id): Path<Uuid>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let word = asked.need("ask")?;
    if word == "reveal" {
        let body = asked
            .carry_out(&dash, async |db, actor| actions::reveal_body(db, actor, EventId(id)).await)
            .await?;
        let mut db = dash.pool.acquire().await?;
        let row = events::find(&mut db, EventId(id)).await?.ok_or(Refusal::NotFound)?;
        drop(db);
        let shown = html! { pre tabindex="0" { (String::from_utf8_lossy(&body)) } };
        return Ok(whole(&dash, &asked.visitor, &row, &shown).into_response());
    }
    if word != "replay" {
        return Err(Refusal::Form);
    }
    let replay =
        async |db: &mut _, actor: &actions::Actor<'_>| actions::replay_event(db, actor, EventId(id)).await;
    let replayed = asked.carry_out(&dash, replay).await?;
    Ok(Redirect::to(&format!("/deliveries/{}", replayed.delivery.0)).into_response())
}
