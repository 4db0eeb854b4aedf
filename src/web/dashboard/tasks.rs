//! Deliveries: what is owed, with its diary; replayed one by one, ticked, or all that match.

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
    page::{self, Place, Query, button, page, secret, state, time, time_or_never},
    session::Visitor,
};
use crate::{
    actions::{self, Rehearsed},
    domain::{id::DeliveryId, task::state::DeliveryState},
    explain,
    store::{
        attempts,
        tasks::Resolution,
        views::{
            attention,
            overview::{self, DeliveryFilter, DeliveryRow},
        },
    },
};

/// Deliveries by filter, newest first.
pub(super) async fn list(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let filter = DeliveryFilter {
        connection: owned(query.connection()),
        state: owned(query.state()),
        kind: owned(query.kind()),
        subject: owned(query.subject()),
        reason: owned(query.reason()),
        ..DeliveryFilter::default()
    };
    let mut db = dash.pool.acquire().await?;
    let (rows, next) =
        page::cut(overview::list_deliveries(&mut db, &filter, &query.page()).await?, |row| row.id);
    let is_dead = query.state() == Some("dead");
    let count = if is_dead { attention::count_closed(&mut db, &filter).await? } else { 0 };
    drop(db);
    let states: Vec<_> =
        DeliveryState::ALL.iter().map(|it| (it.as_str().to_owned(), it.as_str().replace('_', " "))).collect();
    let kinds = ["order", "stock", "product"].map(|kind| (kind.to_owned(), kind.to_owned()));
    let kept = [
        ("connection", query.connection()),
        ("state", query.state()),
        ("kind", query.kind()),
        ("subject", query.subject()),
        ("reason", query.reason()),
    ];
    let main = html! {
        h1 { (words.deliveries) }
        form.filter {
            (page::choices("state", words.state, words.all, query.state(), &states))
            (page::choices("kind", words.kind, words.all, query.kind(), &kinds))
            (page::field("connection", words.connection, query.connection().unwrap_or_default()))
            (page::field("subject", words.subject, query.subject().unwrap_or_default()))
            (page::field("reason", words.reason, query.reason().unwrap_or_default()))
            button { (words.filter) }
        }
        @if count > 0 { (to_replay(&dash, &visitor, &filter, &rows, count, [words.replay_all, words.replay_ticked])) }
        @else { (table(&dash, &visitor, &rows, false)) }
        (page::older(&visitor, "/deliveries", &kept, next))
    };
    Ok(page(&visitor, Place::Deliveries, words.deliveries, &main))
}

/// Rows to be ticked, with the two ways of replaying them: all that match the filter, or the ticked ones.
pub(super) fn to_replay(
    dash: &Dash,
    visitor: &Visitor,
    filter: &DeliveryFilter,
    rows: &[DeliveryRow],
    count: i64,
    [all, ticked]: [&str; 2],
) -> Markup {
    let words = visitor.language.words();
    let DeliveryFilter { connection, state, kind, subject, reason, detail, .. } = filter;
    let named = [
        ("connection", connection),
        ("state", state),
        ("kind", kind),
        ("subject", subject),
        ("reason", reason),
        ("detail", detail),
    ];
    html! {
        @if visitor.is_operator() {
            form method="post" action="/replays" {
                (secret(visitor))
                @for (name, value) in named { @if let Some(value) = value { input type="hidden" name=(name) value=(value); } }
                div.actions {
                    button.first name="which" value="all" { (all) " (" (count) ")" }
                    button name="which" value="ticked" { (ticked) }
                }
                (table(dash, visitor, rows, true))
                @if count > page::ROWS { p.small { (words.shows_first) } }
            }
        } @else { (table(dash, visitor, rows, false)) }
    }
}

fn table(dash: &Dash, visitor: &Visitor, rows: &[DeliveryRow], with_boxes: bool) -> Markup {
    let words = visitor.language.words();
    html! {
        @if rows.is_empty() { p { (words.nothing_here) } } @else {
            div.wide tabindex="0" { table {
                thead { tr {
                    @if with_boxes { th { input type="checkbox" data-all hidden aria-label=(words.tick_all); } }
                    th { (words.subject) } th { (words.connection) } th { (words.state) } th { (words.why) }
                    th { (words.attempts) } th { (words.opened_at) } th { (words.deliveries) }
                } }
                tbody { @for row in rows { tr {
                    @if with_boxes { td { input type="checkbox" name="id" value=(row.id) aria-label=(row.subject); } }
                    td { (subject_link(&row.connection, &row.subject)) }
                    td { (row.connection) }
                    td { (state(visitor, &row.state)) }
                    td { (page::reason(visitor, row.reason.as_deref())) }
                    td { (row.attempts) }
                    td { (time(dash, visitor, row.created_at)) }
                    td { a href=(format!("/deliveries/{}", row.id)) { (short(row.id)) } }
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
pub(super) fn subject_link(connection: &str, subject: &str) -> Markup {
    html! {
        @match subject.strip_prefix("order:") {
            Some(id) => { a href=(super::orders::path(connection, id)) { (subject) } }
            None => { (subject) }
        }
    }
}

/// One delivery with its diary.
pub(super) async fn show(
    State(dash): State<Dash>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let row = overview::find_delivery(&mut db, DeliveryId(id)).await?.ok_or(Refusal::NotFound)?;
    let diary = attempts::list(&mut db, DeliveryId(id)).await?;
    drop(db);
    let here = format!("/deliveries/{id}");
    let main = html! {
        h1 { (row.subject) " " (state(&visitor, &row.state)) }
        p.lead { (page::reason(&visitor, row.reason.as_deref())) }
        dl.facts {
            div { dt { (words.connection) } dd { (row.connection) } }
            div { dt { (words.subject) } dd { (subject_link(&row.connection, &row.subject)) } }
            div { dt { (words.opened_at) } dd { (time(&dash, &visitor, row.created_at)) } }
            @if row.settled_at.is_none() { div { dt { (words.due_at) } dd { (time(&dash, &visitor, row.due_at)) } } }
            div { dt { (words.settled_at) } dd { (time_or_never(&dash, &visitor, row.settled_at)) } }
            @if let Some(old) = row.replay_of { div { dt { (words.replays_delivery) } dd { a href=(format!("/deliveries/{old}")) { (short(old)) } } } }
        }
        div.actions {
            @if row.settled_at.is_some() { (button(&visitor, &here, &[("ask", "replay")], words.replay_one)) }
            @if matches!(row.state.as_str(), "pending" | "in_doubt") { (button(&visitor, &here, &[("ask", "cancel")], words.cancel_delivery)) }
            @if row.state == "in_doubt" {
                (button(&visitor, &here, &[("ask", "delivered")], words.resolve_delivered))
                (button(&visitor, &here, &[("ask", "pending")], words.resolve_pending))
            }
            @if visitor.is_operator() { a.button href=(format!("{here}/rehearsal")) { (words.rehearse) } }
        }
        h2 { (words.diary) }
        @if diary.is_empty() { p { (words.no_attempt) } }
        ol.story { @for attempt in &diary { li.attempt {
            (time(&dash, &visitor, attempt.ended_at)) " " span { (explain::attempt_words(attempt, visitor.language)) }
            details { summary { (attempt.calls.as_array().map_or(0, Vec::len)) " " (words.calls) } (page::json(&attempt.calls)) }
        } } }
        p { a href=(page::link("/events", &[("connection", Some(&row.connection)), ("subject", Some(&row.subject))], None)) { (words.events) } }
    };
    Ok(page(&visitor, Place::Deliveries, &row.subject, &main))
}

/// What may be asked for a delivery.
#[derive(Clone, Copy)]
enum Ask {
    Replay,
    Cancel,
    Resolve(Resolution),
}

/// What a person asks for a delivery.
pub(super) async fn ask(
    State(dash): State<Dash>,
    Path(id): Path<Uuid>,
    asked: Asked,
) -> Result<Redirect, Refusal> {
    let ask = match asked.need("ask")? {
        "replay" => Ask::Replay,
        "cancel" => Ask::Cancel,
        "delivered" => Ask::Resolve(Resolution::Delivered),
        "pending" => Ask::Resolve(Resolution::Pending),
        _ => return Err(Refusal::Form),
    };
    let shown = asked
        .carry_out(&dash, async |db, actor| {
            match ask {
                Ask::Replay => {
                    return Ok(actions::replay_delivery(db, actor, DeliveryId(id)).await?.delivery.0);
                }
                Ask::Cancel => actions::cancel(db, actor, DeliveryId(id)).await?,
                Ask::Resolve(word) => actions::resolve(db, actor, DeliveryId(id), word).await?,
            }
            Ok(id)
        })
        .await?;
    Ok(Redirect::to(&format!("/deliveries/{shown}")))
}

/// What a replay would do now. It spends calls of both systems, so it is an operator's to ask.
pub(super) async fn rehearse(
    State(dash): State<Dash>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Markup, Refusal> {
    if !visitor.is_operator() {
        return Err(Refusal::NotAllowed);
    }
    let words = visitor.language.words();
    let (row, Rehearsed { outcome, reason, deed, detail, calls, request, differs }) =
        actions::rehearse_delivery(&dash.pool, &*dash.rehearser, DeliveryId(id)).await?;
    let main = html! {
        h1 { (words.rehearse) ": " (row.subject) }
        p.lead { (words.rehearse_text) }
        p { (explain::outcome_words(outcome, deed, reason, visitor.language)) }
        @if let Some(detail) = &detail { p.small { (explain::detail(detail, visitor.language)) } }
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
        div.actions { @if row.settled_at.is_some() { (button(&visitor, &format!("/deliveries/{id}"), &[("ask", "replay")], words.replay_one)) } }
    };
    Ok(page(&visitor, Place::Deliveries, words.rehearse, &main))
}
