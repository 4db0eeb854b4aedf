//! Replays of many: begun from a filter or from a list of ids, watched, and called off.

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
    ApiState,
    auth::Auth,
    change::Change,
    page::IdPath,
    tasks::{to_json, validate_filter},
};
use crate::{
    actions::{self, ActionError, Actor, MAX_REPLAYED, Replay, ReplaySelection},
    domain::task::state::TaskState,
    store::{
        StoreError,
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

/// A whole number; JSON Schema says that 100.0 is one too.
fn deserialize_integer<'de, D: Deserializer<'de>>(number: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(number)? else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "checked against every limit behind it")]
    let whole = number as i64;
    let is_complete = number.fract() == 0.0;
    is_complete.then_some(Some(whole)).ok_or_else(|| D::Error::custom("a whole number is wanted"))
}

/// Replays closed tasks by the same filter as the list, dead ones where the filter names no state; or these `ids`.
/// With `dry_run` only says which it would be.
pub(super) async fn create(State(admin): State<ApiState>, change: Change) -> Result<Response, Problem> {
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
        let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
        let rows = actions::select_tasks(&mut db, &selection).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        return Ok(Json(json!({ "count": ids.len(), "ids": ids })).into_response());
    }
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let Replay { id, tasks } = actions::replay_many(db, actor, &selection).await?;
        Ok((StatusCode::CREATED, json!({ "id": id, "count": tasks.len(), "ids": tasks })))
    };
    change.execute(&admin, action).await
}

/// How far a replay of many is.
pub(super) async fn show(
    State(admin): State<ApiState>,
    _: Auth,
    IdPath(id): IdPath,
) -> Result<Json<ReplayRow>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    replays::find(&mut db, id).await?.map(Json).ok_or_else(|| Code::NotFound.into())
}

/// Calls off what of it nobody has begun.
pub(super) async fn cancel(
    State(admin): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::cancel_replay(db, actor, id).await?;
        let row = replays::find(db, id).await?.ok_or(ActionError::NotFound)?;
        Ok((StatusCode::OK, to_json(&row)))
    };
    change.execute(&admin, action).await
}
