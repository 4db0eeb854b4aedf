//! The admin API: a JSON skin over `store` (to read) and `control` (to change). Described in `openapi.yaml`, which a
//! test holds to `ROUTES`.

mod auth;
mod change;
mod connections;
mod events;
mod orders;
mod page;
mod replays;
mod syncs;
mod tasks;

use std::sync::Arc;

use auth::Auth;
pub use auth::{Role, Token};
use axum::{
    Json, Router,
    extract::State,
    routing::{MethodRouter, delete, get, post, put},
};
use page::{FilterQuery, Listing, PageQuery};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::problem::{Code, Problem};
use crate::{
    actions::DryRun,
    runtime::clock::{Clock, Entropy},
    security::key_usage::KeyUsage,
    store::{StoreError, alerts, audit, views::attention},
};

/// What the admin API is made of.
pub struct ApiDeps {
    /// Where everything is.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<Entropy>,
    /// Who may come in.
    pub tokens: Vec<Token>,
    /// Who can say what would be done, without doing it.
    pub dry_runner: Arc<dyn DryRun>,
    /// Where the uses of tokens are counted.
    pub key_usage: Arc<KeyUsage>,
}

type ApiState = Arc<ApiDeps>;

/// Every path of the API, its methods as `openapi.yaml` names them, and its handler.
type Route = (&'static str, &'static str, fn() -> MethodRouter<ApiState>);

/// The API in one glance.
const ROUTES: &[Route] = &[
    ("/admin/v1/alerts", "get", || get(list_alerts)),
    ("/admin/v1/audit", "get", || get(list_audit)),
    ("/admin/v1/connections", "get", || get(connections::list)),
    ("/admin/v1/connections/{name}", "get", || get(connections::show)),
    ("/admin/v1/connections/{name}/codes", "get", || get(connections::list_code_problems)),
    ("/admin/v1/connections/{name}/pause", "post", || post(connections::pause)),
    ("/admin/v1/connections/{name}/release-brake", "post", || post(connections::release_brake)),
    ("/admin/v1/connections/{name}/resume", "post", || post(connections::resume)),
    ("/admin/v1/connections/{name}/shipping-rules", "get", || get(connections::list_shipping_rules)),
    ("/admin/v1/connections/{name}/shipping-rules", "put", || put(connections::put_shipping_rule)),
    ("/admin/v1/connections/{name}/shipping-rules/{pattern}", "delete", || {
        delete(connections::remove_shipping_rule)
    }),
    ("/admin/v1/tasks", "get", || get(tasks::list)),
    ("/admin/v1/tasks/{id}", "get", || get(tasks::show)),
    ("/admin/v1/tasks/{id}/cancel", "post", || post(tasks::cancel)),
    ("/admin/v1/tasks/{id}/replay", "post", || post(tasks::replay)),
    ("/admin/v1/tasks/{id}/resolve", "post", || post(tasks::resolve)),
    ("/admin/v1/events", "get", || get(events::list)),
    ("/admin/v1/events/{id}", "get", || get(events::show)),
    ("/admin/v1/events/{id}/replay", "post", || post(events::replay)),
    ("/admin/v1/attention", "get", || get(list_attention)),
    ("/admin/v1/orders", "get", || get(orders::list)),
    ("/admin/v1/orders/{connection}/{order_id}", "get", || get(orders::show)),
    ("/admin/v1/orders/{connection}/{order_id}/cancel", "post", || post(orders::cancel)),
    ("/admin/v1/orders/{connection}/{order_id}/erase", "post", || post(orders::erase)),
    ("/admin/v1/orders/{connection}/{order_id}/call-log/{vendor}", "get", || get(orders::call_log)),
    ("/admin/v1/orders/{connection}/{order_id}/hold", "post", || post(orders::hold)),
    ("/admin/v1/orders/{connection}/{order_id}/refresh", "post", || post(orders::refresh)),
    ("/admin/v1/orders/{connection}/{order_id}/release", "post", || post(orders::release)),
    ("/admin/v1/orders/{connection}/{order_id}/transfer", "post", || post(orders::transfer)),
    ("/admin/v1/replays", "post", || post(replays::create)),
    ("/admin/v1/replays/{id}", "get", || get(replays::show)),
    ("/admin/v1/replays/{id}/cancel", "post", || post(replays::cancel)),
    ("/admin/v1/syncs", "get", || get(syncs::list)),
    ("/admin/v1/syncs", "post", || post(syncs::create)),
    ("/admin/v1/syncs/{id}", "get", || get(syncs::show)),
    ("/admin/v1/syncs/{id}/approve", "post", || post(syncs::approve)),
    ("/admin/v1/syncs/{id}/differences", "get", || get(syncs::list_differences)),
];

/// The API's router.
pub fn router(admin: ApiDeps) -> Router {
    let routes =
        ROUTES.iter().fold(Router::new(), |router, (path, _, handler)| router.route(path, handler()));
    routes.with_state(Arc::new(admin))
}

/// Every path with its method, for the test that holds `openapi.yaml` to them.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|(path, method, _)| (*path, *method))
}

/// The page limit that a URI asks for, with each kind of cursor; `None` where it is refused. For the fuzz targets.
#[doc(hidden)]
pub fn parse_limits(uri: &axum::http::Uri) -> [Option<i64>; 2] {
    let by_id = page::Page::<uuid::Uuid>::from_uri(uri).ok().map(|page| page.cursor_and_limit().1 - 1);
    let by_name = page::Page::<String>::from_uri(uri).ok().map(|page| page.cursor_and_limit().1 - 1);
    [by_id, by_name]
}

/// What waits for a person, grouped by its cause.
async fn list_attention(State(admin): State<ApiState>, _: Auth) -> Result<Json<Value>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    Ok(Json(json!({ "items": attention::list_causes(&mut db).await?, "next": null })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertFilter {
    /// Only those that last.
    #[serde(default, deserialize_with = "page::deserialize_bool")]
    open: bool,
}

/// What is, or was, wrong.
async fn list_alerts(
    State(admin): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
    FilterQuery(AlertFilter { open }): FilterQuery<AlertFilter>,
) -> Result<Json<Listing<alerts::AlertRow>>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = alerts::list(&mut db, open, &page.store_page()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

async fn list_audit(
    State(admin): State<ApiState>,
    _: Auth,
    PageQuery(page): PageQuery,
) -> Result<Json<Listing<audit::AuditRow>>, Problem> {
    let mut db = admin.pool.acquire().await.map_err(StoreError::from)?;
    let rows = audit::list(&mut db, &page.store_page()).await?;
    Ok(Json(page.listing(rows, |row| row.id)))
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::new(Code::Invalid, "a text holds a zero byte");
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "admin request failed");
        match error {
            StoreError::Unavailable(_) => Code::Unavailable.into(),
            StoreError::Rejected(_) | StoreError::Inconsistent { .. } => Code::Internal.into(),
        }
    }
}
