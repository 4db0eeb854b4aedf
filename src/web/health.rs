//! `/livez`, `/readyz`, `/metrics`, `/openapi.yaml`: for machines that keep watch. Nothing here changes anything.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;
use sqlx::PgPool;

use super::problem::{Code, Problem};
use crate::{
    runtime::clock::Clock,
    store::{self, connections, order_rate, polls, replicas, views::overview},
    worker::Heartbeat,
};

/// The contract, as the repository has it.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

/// What keeping watch takes.
pub struct HealthDeps {
    /// Asked by `/readyz` and for the gauges.
    pub pool: PgPool,
    /// For ages.
    pub clock: Arc<dyn Clock>,
    /// Every counter of this process.
    pub registry: Registry,
    /// This process's name.
    pub replica: String,
    /// Whether it can still claim.
    pub heartbeat: Heartbeat,
}

/// The router of the four.
pub fn router(deps: HealthDeps) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.yaml", get(openapi))
        .with_state(Arc::new(deps))
}

async fn livez() -> Json<serde_json::Value> {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// Ready when this process can still claim and commit: the schema is ours, a row was written just now, and the claim
/// loop, where there is one, came to a claim of late. That it is alive is another question.
async fn readyz(State(deps): State<Arc<HealthDeps>>) -> Result<Json<serde_json::Value>, Problem> {
    let unready = |words: &str| Err(Problem::new(Code::Unavailable, words));
    match can_commit(&deps).await {
        Ok(true) => {}
        Ok(false) => return unready("the schema is not up to date: run `silta migrate`"),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            return unready("the database is away, full, or read-only: nothing can be committed");
        }
    }
    if deps.heartbeat.is_alive(deps.clock.now()) {
        Ok(Json(json!({ "status": "ready" })))
    } else {
        unready("the worker has not come to a claim for half a minute")
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

async fn metrics(State(deps): State<Arc<HealthDeps>>) -> Response {
    let mut text = String::new();
    if encode(&mut text, &deps.registry).is_err() {
        return Problem::from(Code::Internal).into_response();
    }
    // The gauges come before the end mark of the text format; without a database the counters still answer.
    let gauges = gauges(&deps).await.unwrap_or_default();
    let text = text.replace("# EOF\n", &format!("{gauges}# EOF\n"));
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// What only the database knows, asked at the moment of the scrape.
async fn gauges(deps: &HealthDeps) -> store::Result<String> {
    use std::fmt::Write as _;

    let now = deps.clock.now();
    let mut db = deps.pool.acquire().await?;
    let backlog = overview::backlog(&mut db, now).await?;
    let dead = overview::count_dead(&mut db).await?;
    let (mut order_rates, mut braked, mut circuit_open, mut poll_ages) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in connections::list(&mut db).await? {
        circuit_open.push((row.name.clone(), f64::from(u8::from(row.circuit_open_until.is_some()))));
        braked.push((row.name.clone(), f64::from(u8::from(row.braked_at.is_some()))));
        order_rates
            .push((row.name.clone(), order_rate::read(&mut db, &row.name, row.created_at, now).await?));
        for poll in polls::list(&mut db, &row.name).await? {
            let age = (now - poll.last_finished_at.unwrap_or(row.created_at)).num_seconds().max(0);
            poll_ages.push((format!("{{connection=\"{}\",list=\"{}\"}}", row.name, poll.what), age));
        }
    }
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, values: Vec<(String, f64)>| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let label = |connection: &str| format!("{{connection=\"{connection}\"}}");
    #[expect(clippy::cast_precision_loss, reason = "counts of rows and seconds are far below 2^52")]
    {
        let open = backlog.iter().map(|it| (label(&it.connection), it.open as f64)).collect();
        gauge("silta_tasks_open", "Open tasks", open);
        let in_doubt = backlog.iter().map(|it| (label(&it.connection), it.in_doubt as f64)).collect();
        gauge("silta_tasks_in_doubt", "Open tasks in doubt", in_doubt);
        let oldest = backlog.iter().map(|it| {
            let age = it.oldest_due_at.map_or(0, |due| (now - due).num_seconds().max(0));
            (label(&it.connection), age as f64)
        });
        gauge("silta_oldest_due_seconds", "Age of the oldest due task", oldest.collect());
        let missed =
            order_rates.iter().map(|(name, order_rate)| (label(name), order_rate.expected)).collect();
        gauge(
            "silta_orders_missed",
            "Orders that would have come since the last one, by the weeks before",
            missed,
        );
        let circuit_open = circuit_open.iter().map(|(name, open)| (label(name), *open)).collect();
        gauge(
            "silta_circuit_open",
            "1 while nothing is claimed: a vendor is down, or refuses our credentials",
            circuit_open,
        );
        let braked = braked.iter().map(|(name, braked)| (label(name), *braked)).collect();
        gauge(
            "silta_stock_braked",
            "1 while no stock figure is set to zero before a person has looked",
            braked,
        );
        let poll_ages = poll_ages.into_iter().map(|(labels, age)| (labels, age as f64)).collect();
        gauge("silta_poll_age_seconds", "Since a list was last read to its end", poll_ages);
        gauge("silta_tasks_dead", "Tasks that wait for a person", vec![(String::new(), dead as f64)]);
    }
    Ok(text)
}

async fn openapi() -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/yaml")], OPENAPI).into_response()
}
