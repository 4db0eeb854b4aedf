//! The routes of the admin API.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};

use super::{
    alerts, attention, audit, connections,
    deps::{ApiDeps, ApiState},
    events, items, orders, releases, replays, shipping_rules, subjects, syncs, tasks,
};
use crate::web::{
    parameters::{NO_CONTROL_CHARACTERS, has_control_characters},
    problem::{Code, Problem},
};

/// A path, its method as `openapi.yaml` names it, and its handler.
type Route = (&'static str, &'static str, fn() -> MethodRouter<ApiState>);

/// Every route of the API.
const ROUTES: &[Route] = &[
    ("/admin/v1/alerts", "get", || get(alerts::list)),
    ("/admin/v1/audit", "get", || get(audit::list)),
    ("/admin/v1/connections", "get", || get(connections::list)),
    ("/admin/v1/connections/{name}", "get", || get(connections::show)),
    ("/admin/v1/connections/{name}/codes", "get", || get(connections::list_code_problems)),
    ("/admin/v1/connections/{name}/items", "get", || get(items::list)),
    ("/admin/v1/connections/{name}/pause", "post", || post(connections::pause)),
    ("/admin/v1/connections/{name}/remarks", "get", || get(connections::list_remarks)),
    ("/admin/v1/connections/{name}/release-brake", "post", || post(connections::release_brake)),
    ("/admin/v1/connections/{name}/resume", "post", || post(connections::resume)),
    ("/admin/v1/connections/{name}/shipping-rules", "get", || get(shipping_rules::list)),
    ("/admin/v1/connections/{name}/shipping-rules", "put", || put(shipping_rules::put)),
    ("/admin/v1/connections/{name}/shipping-rules/{pattern}", "delete", || delete(shipping_rules::remove)),
    ("/admin/v1/tasks", "get", || get(tasks::list)),
    ("/admin/v1/tasks/{id}", "get", || get(tasks::show)),
    ("/admin/v1/tasks/{id}/cancel", "post", || post(tasks::cancel)),
    ("/admin/v1/tasks/{id}/handle", "post", || post(tasks::handle)),
    ("/admin/v1/tasks/{id}/replay", "post", || post(tasks::replay)),
    ("/admin/v1/tasks/{id}/resolve", "post", || post(tasks::resolve)),
    ("/admin/v1/events", "get", || get(events::list)),
    ("/admin/v1/events/{id}", "get", || get(events::show)),
    ("/admin/v1/events/{id}/replay", "post", || post(events::replay)),
    ("/admin/v1/attention", "get", || get(attention::list)),
    ("/admin/v1/orders", "get", || get(orders::list)),
    ("/admin/v1/orders/{connection}/{order_id}", "get", || get(orders::show)),
    ("/admin/v1/orders/{connection}/{order_id}/cancel", "post", || post(orders::cancel)),
    ("/admin/v1/orders/{connection}/{order_id}/erase", "post", || post(orders::erase)),
    ("/admin/v1/orders/{connection}/{order_id}/call-log/{vendor}", "get", || get(orders::call_log)),
    ("/admin/v1/orders/{connection}/{order_id}/adopt", "post", || post(orders::adopt)),
    ("/admin/v1/orders/{connection}/{order_id}/hold", "post", || post(orders::hold)),
    ("/admin/v1/orders/{connection}/{order_id}/refresh", "post", || post(orders::refresh)),
    ("/admin/v1/orders/{connection}/{order_id}/release", "post", || post(orders::release)),
    ("/admin/v1/orders/{connection}/{order_id}/send-replacement", "post", || post(orders::send_replacement)),
    ("/admin/v1/orders/{connection}/{order_id}/transfer", "post", || post(orders::transfer)),
    ("/admin/v1/releases", "get", || get(releases::list)),
    ("/admin/v1/releases", "post", || post(releases::create)),
    ("/admin/v1/replays", "post", || post(replays::create)),
    ("/admin/v1/replays/{id}", "get", || get(replays::show)),
    ("/admin/v1/replays/{id}/cancel", "post", || post(replays::cancel)),
    ("/admin/v1/subjects/{connection}/{subject}/sync", "post", || post(subjects::sync)),
    ("/admin/v1/syncs", "get", || get(syncs::list)),
    ("/admin/v1/syncs", "post", || post(syncs::create)),
    ("/admin/v1/syncs/{id}", "get", || get(syncs::show)),
    ("/admin/v1/syncs/{id}/approve", "post", || post(syncs::approve)),
    ("/admin/v1/syncs/{id}/cancel", "post", || post(syncs::cancel)),
    ("/admin/v1/syncs/{id}/differences", "get", || get(syncs::list_differences)),
];

/// The API's router.
pub fn router(deps: ApiDeps) -> Router {
    let routes =
        ROUTES.iter().fold(Router::new(), |router, (path, _, handler)| router.route(path, handler()));
    routes.layer(middleware::from_fn(refuse_control_characters)).with_state(Arc::new(deps))
}

async fn refuse_control_characters(request: Request, next: Next) -> Response {
    if has_control_characters(request.uri()) {
        return Problem::new(Code::Invalid, NO_CONTROL_CHARACTERS).into_response();
    }
    next.run(request).await
}

/// Every path with its method, for the test that compares `openapi.yaml` with them.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|(path, method, _)| (*path, *method))
}
