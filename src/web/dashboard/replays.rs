//! Replays of many tasks: started by a filter or a selection, watched, and cancelled.

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
    user::User,
    widgets::{button, json, time},
};
use crate::{
    actions::{self, ConflictError, MAX_REPLAYED, ReplaySelection},
    explain::number_text,
    store::{
        replays::{self, ReplayRow},
        views::overview::TaskFilter,
    },
};

/// Starts a replay.
pub(super) async fn create(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let owned = |name| form.field(name).map(ToOwned::to_owned);
    let selection = if form.field("which") == Some("selected") {
        let ids = form.ids()?;
        if ids.is_empty() {
            return Err(PageError::Conflict(ConflictError::NothingSelected));
        }
        ReplaySelection::Ids(ids)
    } else {
        let filter = TaskFilter {
            connection: owned("connection"),
            // Without a state only dead tasks are replayed, never all of them.
            state: owned("state").or_else(|| Some("dead".to_owned())),
            kind: owned("kind"),
            subject: owned("subject"),
            reason: owned("reason"),
            detail: owned("detail"),
            ..TaskFilter::default()
        };
        ReplaySelection::Matching(filter, MAX_REPLAYED)
    };
    let replay =
        async |db: &mut _, actor: &actions::Actor<'_>| actions::replay_many(db, actor, &selection).await;
    let replay = form.execute(&deps, replay).await?;
    Ok(Redirect::to(&format!("/replays/{}", replay.id)))
}

/// The progress of a replay.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Path(id): Path<Uuid>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let row = replays::find(&mut db, id).await?.ok_or(PageError::NotFound)?;
    drop(db);
    let ReplayRow {
        actor, filter, created_at, cancelled_by, count, open, succeeded, dead, cancelled, ..
    } = &row;
    let closed = count - open;
    let number = |count: &i64| number_text(*count, user.language);
    let progress = html! {
        p.lead role="status" { b { (number(&closed)) " / " (number(count)) } " " (words.replay_progress) }
        progress max=(count) value=(closed) aria-label=(words.replay_progress) {}
        dl.stats {
            div { dt { (words.succeeded) } dd { (number(succeeded)) } }
            div { dt { (words.dead_again) } dd { (number(dead)) } }
            div { dt { (words.still_open) } dd { (number(open)) } }
            div { dt { (words.cancelled) } dd { (number(cancelled)) } }
        }
        @if *open > 0 && cancelled_by.is_none() { (button(&user, &format!("/replays/{id}"), &[], words.replay_cancel)) }
    };
    let main = html! {
        h1 { (words.replay) }
        p { (actor) ", " (time(&user, *created_at)) }
        @if *open > 0 { div data-refresh { (progress) } } @else { div { (progress) } }
        @if let Some(by) = cancelled_by { p.note { (words.replay_cancelled_by) " " (by) } }
        details { summary { (words.as_stored) } (json(&user.audience().request(filter.clone()))) }
    };
    Ok(page(&user, MenuItem::Attention, words.replay, &main))
}

/// Cancels the replayed tasks that have not started.
pub(super) async fn cancel(
    State(deps): State<DashboardState>,
    Path(id): Path<Uuid>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    form.execute(&deps, async |db, actor| actions::cancel_replay(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/replays/{id}")))
}
