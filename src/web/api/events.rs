//! Received events.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    auth::Auth,
    change::Change,
    deps::ApiState,
    page::{FilterQuery, IdPath, Listing, PageQuery, require_one_of},
    tasks::to_json,
};
use crate::{
    actions,
    domain::{
        event::source::Source,
        id::{EventId, TaskId},
    },
    store::{
        events::{self, EventFilter, EventRow},
        views::overview,
    },
    web::problem::{Code, Problem},
};

pub(super) async fn list(
    State(deps): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(filter): FilterQuery<EventFilter>,
) -> Result<Json<Listing<EventRow>>, Problem> {
    require_one_of("source", filter.source.as_deref(), Source::NAMES)?;
    let mut db = deps.db().await?;
    Ok(Json(events::list_page(&mut db, &filter, &page.store_page()).await?.into()))
}

/// One event with its task.
pub(super) async fn show(
    State(deps): State<ApiState>,
    _: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let event = events::find(&mut db, EventId(id)).await?.ok_or(Code::NotFound)?;
    let mut tasks = Vec::new();
    if let Some(task) = event.task_id {
        tasks.extend(overview::find_task(&mut db, TaskId(task)).await?);
    }
    let mut item = to_json(&event);
    item["tasks"] = json!(tasks);
    Ok(Json(item))
}

pub(super) async fn replay(
    State(deps): State<ApiState>,
    IdPath(id): IdPath,
    change: Change,
) -> Result<Response, Problem> {
    let action = async |db: &mut sqlx::PgConnection, actor: &actions::Actor<'_>| {
        let enqueued = actions::replay_event(db, actor, EventId(id)).await?;
        let status = if enqueued.opened { StatusCode::CREATED } else { StatusCode::OK };
        let row = overview::find_task(db, enqueued.task).await?.ok_or(actions::ActionError::NotFound)?;
        Ok((status, to_json(&row)))
    };
    change.execute(&deps, action).await
}
