//! Replays of many tasks: started by a filter or ids, watched, and cancelled.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::IdPath,
    tasks::{to_json, validate_filter},
};
use crate::{
    actions::{self, ActionError, Actor, MAX_REPLAYED, Replay, ReplaySelection},
    domain::task::state::TaskState,
    store::{
        replays::{self, ReplayRow},
        views::overview::TaskFilter,
    },
    web::problem::{Code, Problem},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaysRequest {
    #[serde(default)]
    filter: TaskFilter,
    #[serde(default, deserialize_with = "deserialize_integer")]
    limit: Option<i64>,
    ids: Option<Vec<Uuid>>,
    #[serde(default)]
    dry_run: bool,
}

/// An integer; by JSON Schema 100.0 is one too.
fn deserialize_integer<'de, D: Deserializer<'de>>(number: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(number)? else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "checked against every limit behind it")]
    let integer = number as i64;
    let is_integer = number.fract() == 0.0;
    is_integer.then_some(Some(integer)).ok_or_else(|| D::Error::custom("expected an integer"))
}

/// Replays closed tasks by the filter of the list, dead ones if it names no state, or by `ids`. With `dry_run` it only
/// answers which tasks would be replayed.
pub(super) async fn create(State(deps): State<ApiState>, change: Change) -> Result<Response, Problem> {
    let ReplaysRequest { mut filter, limit, ids, dry_run } = change.json()?;
    validate_filter(&filter)?;
    filter.state.get_or_insert_with(|| TaskState::Dead.as_str().to_owned());
    let limit = limit.unwrap_or(100);
    let most = MAX_REPLAYED;
    if !(1..=most).contains(&limit) {
        return Err(Problem::new(Code::Invalid, format!("limit must be 1 to {most}")));
    }
    if ids.as_ref().is_some_and(|ids| ids.is_empty() || i64::try_from(ids.len()).is_ok_and(|it| it > most)) {
        return Err(Problem::new(Code::Invalid, format!("ids must be 1 to {most}")));
    }
    let selection = ids.map_or(ReplaySelection::Matching(filter, limit), ReplaySelection::Ids);
    if dry_run {
        let mut db = deps.db().await?;
        let rows = actions::select_tasks(&mut db, &selection).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        return Ok(Json(json!({ "count": ids.len(), "ids": ids })).into_response());
    }
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let Replay { id, tasks } = actions::replay_many(db, actor, &selection).await?;
        Ok((StatusCode::CREATED, json!({ "id": id, "count": tasks.len(), "ids": tasks })))
    };
    change.execute(&deps, action).await
}

/// The progress of a replay.
pub(super) async fn show(
    State(deps): State<ApiState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<ReplayRow>, Problem> {
    let mut db = deps.db().await?;
    let row = replays::find(&mut db, id).await?.ok_or(Code::NotFound)?;
    Ok(Json(ReplayRow { filter: auth.audience().request(row.filter), ..row }))
}

/// Cancels the replayed tasks that have not started.
pub(super) async fn cancel(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::cancel_replay(db, actor, id).await?;
        let row = replays::find(db, id).await?.ok_or(ActionError::NotFound)?;
        Ok((StatusCode::OK, to_json(&row)))
    };
    change.execute(&deps, action).await
}
