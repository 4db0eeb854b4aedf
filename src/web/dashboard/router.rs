//! The routes of the dashboard.

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::{
    assets, attention, audit, brake_card, cause, connections, deps::DashboardDeps, documents, events,
    language, live, order, order_bulk, order_bulk_undo, order_csv, order_request, orders, overview,
    product_sync, products, releases, replays, response, shipping_preview, sign_in, sync, syncs, task,
    task_request, tasks,
};

/// The dashboard's router.
pub fn router(deps: DashboardDeps) -> Router {
    let deps = Arc::new(deps);
    Router::new()
        .route("/", get(overview::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language/{code}", get(language::set_language))
        .route("/live", get(live::stream))
        .route("/orders", get(orders::list))
        .route("/orders.csv", get(order_csv::download))
        .route("/orders/bulk", post(order_bulk::ask))
        .route("/orders/bulk/undo", post(order_bulk_undo::undo))
        .route("/orders/{connection}/{order_id}", get(order::show).post(order_request::ask))
        .route("/orders/{connection}/{order_id}/recipient", post(order::show_recipient))
        .route("/attention", get(attention::list))
        .route("/attention/cause", get(cause::show))
        .route("/attention/shipping-rule", get(shipping_preview::preview).post(shipping_preview::save))
        .route("/attention/stock", get(brake_card::preview).post(brake_card::approve))
        .route("/releases", post(releases::create))
        .route("/replays", post(replays::create))
        .route("/replays/{id}", get(replays::show).post(replays::cancel))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{id}", get(task::show).post(task_request::ask))
        .route("/tasks/{id}/dry-run", get(task::dry_run))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::show).post(events::ask))
        .route("/products", get(products::list).post(product_sync::ask))
        .route("/products/items", post(products::sync_item))
        .route("/products/sync", get(product_sync::preview))
        .route("/products/syncs/{id}", get(sync::show).post(sync::approve))
        .route("/products/syncs/{id}/cancel", post(sync::cancel))
        .route("/syncs", get(syncs::list))
        .route("/connections", get(connections::list).post(connections::ask))
        .route("/audit", get(audit::list))
        .route("/problems", get(documents::problems))
        .route("/runbook", get(documents::runbook))
        .route("/style.css", get(assets::style))
        .route("/live.js", get(assets::script))
        .route("/favicon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
        .layer(middleware::from_fn(response::refuse_control_characters))
        .layer(middleware::from_fn_with_state(deps.clone(), response::finish))
        .with_state(deps)
}
