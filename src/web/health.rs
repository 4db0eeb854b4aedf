//! `/livez`, `/readyz`, `/metrics` and `/openapi.yaml`, for monitoring and tools. They change nothing that is visible.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    metrics,
    problem::{Code, Problem},
};
use crate::{
    runtime::{clock::Clock, heartbeat::Heartbeat},
    store::{self, replicas},
};

/// The API description, compiled in.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

/// The dependencies of the health checks.
pub struct HealthDeps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The counters of this process.
    pub registry: Registry,
    /// The name of this process.
    pub replica: String,
    /// Tells whether the claim loop is alive.
    pub heartbeat: Heartbeat,
}

type HealthState = Arc<HealthDeps>;

/// The router of the four paths.
pub fn router(deps: HealthDeps) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.yaml", get(openapi))
        .with_state(Arc::new(deps))
}

async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// Ready means that this process can claim and commit: the schema is current, a row was written just now, and the claim
/// loop, if this process runs one, is alive.
async fn readyz(State(deps): State<HealthState>) -> Result<Json<Value>, Problem> {
    let unready = |detail: &str| Err(Problem::new(Code::Unavailable, detail));
    match can_commit(&deps).await {
        Ok(true) => {}
        Ok(false) => return unready("the schema is not up to date: run `silta migrate`"),
        Err(error) => {
            tracing::warn!(error = %error, "not ready: the database cannot commit");
            return unready("the database is unavailable, full or read-only: nothing can be committed");
        }
    }
    if deps.heartbeat.is_alive(deps.clock.now()) {
        Ok(Json(json!({ "status": "ready" })))
    } else {
        unready("the worker has not claimed for 30 seconds")
    }
}

async fn can_commit(deps: &HealthDeps) -> store::Result<bool> {
    if !store::is_ready(&deps.pool).await? {
        return Ok(false);
    }
    let mut db = deps.pool.acquire().await?;
    replicas::record_seen(&mut db, &deps.replica, env!("CARGO_PKG_VERSION"), deps.clock.now()).await?;
    Ok(true)
}

async fn metrics(State(deps): State<HealthState>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics::render(&deps.registry, &deps.pool, deps.clock.now()).await {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => Problem::from(Code::Internal).into_response(),
    }
}

async fn openapi() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/yaml")], OPENAPI).into_response()
}
