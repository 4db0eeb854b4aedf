//! What waits for a switch or a shipping rule, and its release.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{auth::Auth, change::Change, deps::ApiState};
use crate::{
    actions::{self, Actor, Releasable, Replay},
    store::views::releasable::WaitingFilter,
    web::problem::Problem,
};

/// What waits for a switch or a shipping rule, the most first.
pub(super) async fn list(State(deps): State<ApiState>, auth: Auth) -> Result<Json<Value>, Problem> {
    let mut db = deps.db().await?;
    let items = actions::list_releasable(&mut db, &deps.rules).await?.into_iter();
    let audience = auth.audience();
    let shown = |it: Releasable| {
        let detail = audience.waiting_detail(&it.kind, &it.reason, it.detail);
        Releasable { detail, ..it }
    };
    let items: Vec<_> = items.map(shown).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseRequest {
    connection: String,
    reason: String,
    detail: Option<String>,
}

/// Releases what waits for the same: a replay, whose progress is shown and which is cancelled as any other.
pub(super) async fn create(State(deps): State<ApiState>, change: Change) -> Result<Response, Problem> {
    let ReleaseRequest { connection, reason, detail } = change.json()?;
    let action = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let filter =
            WaitingFilter { connection: &connection, reason: &reason, detail: detail.as_deref(), ids: None };
        let Replay { id, tasks } = actions::release(db, actor, &filter).await?;
        Ok((StatusCode::CREATED, json!({ "id": id, "count": tasks.len(), "ids": tasks })))
    };
    change.execute(&deps, action).await
}
