//! Connections: their switch, hold, backlog and sweeps.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{AdminState, auth::Auth, change::Change};
use crate::{
    control::{self, Actor, Declined},
    domain::Timestamp,
    problem::{Code, Problem},
    store::{self, StoreError, connections, overview, sweeps},
};

pub(super) async fn list(State(admin): State<AdminState>, _: Auth) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let mut items = Vec::new();
    for row in connections::list(&mut db).await? {
        items.extend(item(&mut db, &row.name, admin.clock.now()).await?);
    }
    Ok(Json(json!({ "items": items, "next": null })))
}

pub(super) async fn show(
    State(admin): State<AdminState>,
    _: Auth,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let item = item(&mut db, &name, admin.clock.now()).await?.ok_or(Code::NotFound)?;
    Ok(Json(item))
}

pub(super) async fn pause(
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let now = actor.clock.now();
        item(db, &name, now).await?.ok_or(Declined::NotFound)?;
        control::pause(db, actor, &name).await?;
        Ok((StatusCode::OK, item(db, &name, now).await?.unwrap_or_default()))
    };
    change.carry_out(&admin, deed).await
}

pub(super) async fn resume(
    State(admin): State<AdminState>,
    Path(name): Path<String>,
    change: Change,
) -> Result<Response, Problem> {
    let deed = async |db: &mut PgConnection, actor: &Actor<'_>| {
        let now = actor.clock.now();
        item(db, &name, now).await?.ok_or(Declined::NotFound)?;
        control::resume(db, actor, &name).await?;
        Ok((StatusCode::OK, item(db, &name, now).await?.unwrap_or_default()))
    };
    change.carry_out(&admin, deed).await
}

/// A connection with its backlog and its sweeps.
async fn item(db: &mut PgConnection, name: &str, now: Timestamp) -> store::Result<Option<Value>> {
    let Some(row) = connections::list(db).await?.into_iter().find(|row| row.name == name) else {
        return Ok(None);
    };
    let backlog = overview::backlog(db, now).await?.into_iter().find(|backlog| backlog.connection == name);
    let health = match (&row.paused_at, row.held_until) {
        (Some(_), _) => "paused",
        (None, Some(until)) if until > now => "held",
        (None, _) => "flowing",
    };
    let mut item = json!(row);
    item["health"] = health.into();
    item["backlog"] = json!(backlog);
    item["sweeps"] = json!(sweeps::list(db, name).await?);
    Ok(Some(item))
}
