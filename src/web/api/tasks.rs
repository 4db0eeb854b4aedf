//! Tasks: list, attempts, replay, cancel, resolve.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::{FilterQuery, IdPath, Listing, PageQuery, require_one_of},
};
use crate::{
    actions::{self, ActionError, Actor},
    domain::{event::subject::SubjectKind, id::TaskId, task::state::TaskState},
    store::{
        attempts,
        tasks::Resolution,
        views::{
            overview::{self, TaskFilter, TaskRow},
            task_list,
        },
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<TaskFilter>,
) -> Result<Json<Listing<TaskRow>>, Problem> {
    validate_filter(&filter)?;
    let mut db = deps.db().await?;
    Ok(Json(task_list::list_page(&mut db, &filter, &page.store_page()).await?.into()))
}

/// One task with its attempts.
pub(super) async fn show(
    State(deps): State<ApiState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let row = overview::find_task(&mut db, TaskId(id)).await?.ok_or(Code::NotFound)?;
    let mut item = to_json(&row);
    let attempts = attempts::list(&mut db, TaskId(id)).await?.into_iter();
    let attempts = attempts.map(|attempt| auth.audience().attempt(&row.kind, attempt));
    item["attempt_list"] = attempts.map(|attempt| to_json(&attempt)).collect();
    Ok(Json(item))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplayRequest {
    dry_run: bool,
}

/// Replays a task. With `dry_run` it only answers what a replay would do: the request that would be sent, and how it
/// differs from the last one.
pub(super) async fn replay(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let ReplayRequest { dry_run } = change.json_or_default()?;
    if dry_run {
        let (_, dry_run) = actions::dry_run_task(&deps.pool, &*deps.dry_runner, TaskId(id)).await?;
        return Ok(Json(dry_run).into_response());
    }
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let enqueued = actions::replay_task(db, actor, TaskId(id)).await?;
        let status = if enqueued.opened { StatusCode::CREATED } else { StatusCode::OK };
        task_response(db, enqueued.task, status).await
    };
    change.execute(&deps, action).await
}

pub(super) async fn cancel(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::cancel(db, actor, TaskId(id)).await?;
        task_response(db, TaskId(id), StatusCode::OK).await
    };
    change.execute(&deps, action).await
}

pub(super) async fn handle(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::mark_handled(db, actor, TaskId(id)).await?;
        task_response(db, TaskId(id), StatusCode::OK).await
    };
    change.execute(&deps, action).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveRequest {
    #[serde(rename = "as")]
    resolution: Resolution,
}

pub(super) async fn resolve(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let ResolveRequest { resolution } = change.json()?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        actions::resolve(db, actor, TaskId(id), resolution).await?;
        task_response(db, TaskId(id), StatusCode::OK).await
    };
    change.execute(&deps, action).await
}

/// A task as a response.
pub(super) async fn task_response(
    db: &mut PgConnection,
    id: TaskId,
    status: StatusCode,
) -> Result<(StatusCode, Value), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    Ok((status, to_json(&row)))
}

/// A row as JSON.
pub(super) fn to_json(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("rows are plain data")
}

/// Rejects a state or kind that does not exist.
pub(super) fn validate_filter(filter: &TaskFilter) -> Result<(), Problem> {
    require_one_of("state", filter.state.as_deref(), TaskState::NAMES)?;
    require_one_of("kind", filter.kind.as_deref(), SubjectKind::NAMES)
}
