//! Replays of many: begun from a filter or from ticked boxes, watched, and called off.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Dash,
    act::Asked,
    guard::Refusal,
    page::{self, Place, button, page, time},
    session::Visitor,
};
use crate::{
    actions::{self, MOST_REPLAYED, Wanted, WrongState},
    store::{
        replays::{self, ReplayRow},
        views::overview::DeliveryFilter,
    },
};

/// Begins a replay.
pub(super) async fn create(State(dash): State<Dash>, asked: Asked) -> Result<Redirect, Refusal> {
    let owned = |name| asked.field(name).map(ToOwned::to_owned);
    let wanted = if asked.field("which") == Some("ticked") {
        let ids = asked.ids()?;
        if ids.is_empty() {
            return Err(Refusal::WrongState(WrongState::NothingTicked));
        }
        Wanted::These(ids)
    } else {
        let filter = DeliveryFilter {
            connection: owned("connection"),
            // Never everything that ever was: a form that names no state means the dead.
            state: owned("state").or_else(|| Some("dead".to_owned())),
            kind: owned("kind"),
            subject: owned("subject"),
            reason: owned("reason"),
            detail: owned("detail"),
            ..DeliveryFilter::default()
        };
        Wanted::Matching(filter, MOST_REPLAYED)
    };
    let begun = async |db: &mut _, actor: &actions::Actor<'_>| actions::replay_many(db, actor, &wanted).await;
    let (id, _) = asked.carry_out(&dash, begun).await?;
    Ok(Redirect::to(&format!("/replays/{id}")))
}

/// How far it is.
pub(super) async fn show(
    State(dash): State<Dash>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let row = replays::find(&mut db, id).await?.ok_or(Refusal::NotFound)?;
    drop(db);
    let ReplayRow { actor, filter, created_at, cancelled_by, count, open, well, dead, cancelled, .. } = &row;
    let closed = count - open;
    let progress = html! {
        p.lead role="status" { b { (closed) " / " (count) } " " (words.replay_progress) }
        progress max=(count) value=(closed) aria-label=(words.replay_progress) {}
        dl.facts {
            div { dt { (words.went_well) } dd { (well) } }
            div { dt { (words.dead_again) } dd { (dead) } }
            div { dt { (words.still_open) } dd { (open) } }
            div { dt { (words.called_off) } dd { (cancelled) } }
        }
        @if *open > 0 && cancelled_by.is_none() { (button(&visitor, &format!("/replays/{id}"), &[], words.replay_call_off)) }
    };
    let main = html! {
        h1 { (words.replay) }
        p { (actor) ", " (time(&dash, &visitor, *created_at)) }
        @if *open > 0 { div data-moving { (progress) } } @else { div { (progress) } }
        @if let Some(by) = cancelled_by { p.note { (words.replay_called_off) " " (by) } }
        (page::json(filter))
    };
    Ok(page(&visitor, Place::Needs, words.replay, &main))
}

/// Calls off what nobody has begun.
pub(super) async fn call_off(
    State(dash): State<Dash>,
    Path(id): Path<Uuid>,
    asked: Asked,
) -> Result<Redirect, Refusal> {
    asked.carry_out(&dash, async |db, actor| actions::call_off_replay(db, actor, id).await).await?;
    Ok(Redirect::to(&format!("/replays/{id}")))
}
