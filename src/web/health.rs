//! `/livez`, `/readyz`, `/metrics` and `/openapi.yaml`, for monitoring and tools. They change nothing that is visible.
//!
//! Nobody authenticates here, and `/readyz` and `/metrics` ask the database. So both are answered from a second's memory, and
//! `[http] monitoring_listen` moves them to a listener of their own.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{metrics::info::Info, registry::Registry};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    cached::Cached,
    metrics,
    problem::{Code, Problem},
};
use crate::{
    runtime::{clock::Clock, heartbeat::Heartbeat},
    security::instance::Instance,
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

struct HealthState {
    deps: Arc<HealthDeps>,
    /// Why this process is not ready; `None` while it is.
    unready: Cached<Option<&'static str>>,
    /// `None` where the metrics cannot be encoded.
    metrics: Cached<Option<Bytes>>,
}

/// Registers what alert rules want to know of the process itself: its version, and where its runbook is.
pub fn register_info(registry: &mut Registry, runbook_url: &str) {
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("runbook_url", runbook_url)];
    let labels: Vec<_> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    registry.register("silta", "The version, and the address of the runbook", Info::new(labels));
}

/// The two paths that cost nothing.
pub fn router(instance: Arc<Instance>) -> Router {
    Router::new().route("/livez", get(livez)).with_state(instance).route("/openapi.yaml", get(openapi))
}

/// The two paths that ask the database.
pub fn monitoring_router(deps: HealthDeps) -> Router {
    let state = HealthState { deps: Arc::new(deps), unready: Cached::default(), metrics: Cached::default() };
    Router::new().route("/readyz", get(readyz)).route("/metrics", get(metrics)).with_state(Arc::new(state))
}

/// With a nonce, also a signature that only a process of this database can make: `silta doctor` tells by it whether the
/// public URL leads here.
async fn livez(State(instance): State<Arc<Instance>>, RawQuery(query): RawQuery) -> Json<Value> {
    let mut answer = json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") });
    let nonce = query.as_deref().and_then(|query| query.strip_prefix("nonce="));
    if let Some(signature) = nonce.and_then(|nonce| instance.sign(nonce)) {
        answer["signature"] = signature.into();
    }
    Json(answer)
}

async fn readyz(State(state): State<Arc<HealthState>>) -> Result<Json<Value>, Problem> {
    let deps = state.deps.clone();
    match state.unready.get(&state.deps.clock, || async move { find_unready(&deps).await }).await {
        Some(None) => Ok(Json(json!({ "status": "ready" }))),
        Some(Some(detail)) => Err(Problem::new(Code::Unavailable, detail)),
        None => Err(Code::Internal.into()),
    }
}

/// Ready means that this process can claim and commit: the schema is current, a row was written just now, and the claim
/// loop, if this process runs one, is alive.
async fn find_unready(deps: &HealthDeps) -> Option<&'static str> {
    match can_commit(deps).await {
        Ok(true) if deps.heartbeat.is_alive(deps.clock.now()) => None,
        Ok(true) => Some("the worker has not claimed for 30 seconds"),
        Ok(false) => Some("the schema is not up to date: run `silta migrate`"),
        Err(error) => {
            tracing::warn!(error = %error, "not ready: the database cannot commit");
            Some("the database is unavailable, full or read-only: nothing can be committed")
        }
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

async fn metrics(State(state): State<Arc<HealthState>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let deps = state.deps.clone();
    let render = || async move {
        let text = metrics::render(&deps.registry, &deps.pool, deps.clock.now()).await;
        text.ok().map(Bytes::from)
    };
    match state.metrics.get(&state.deps.clock, render).await.flatten() {
        Some(text) => (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], text).into_response(),
        None => Problem::from(Code::Internal).into_response(),
    }
}

async fn openapi() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/yaml")], OPENAPI).into_response()
}
