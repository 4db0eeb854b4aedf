//! The front room: a shopkeeper sees whether everything flows and what to do; an operator finds, mends and replays.
//!
//! Rendered here and complete without a script; with one, counts move by themselves (`live`). Pages read `store` and
//! `explain`; whatever they change goes through `control`, as the API and the shell do, in one transaction with its audit
//! line (`act`). Nobody sees anything without a session (`session`), and each form carries the session's secret.
//!
//! A page is a function from rows to [`maud::Markup`]. There is no style or script in a page: the policy that `guard`
//! sets forbids both.

mod act;
mod attention;
mod audit;
mod connections;
mod events;
mod guard;
mod live;
mod orders;
mod overview;
mod page;
mod plot;
mod products;
mod replays;
mod session;
mod tasks;
mod webhooks;
mod words;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
pub use live::Counts;
pub use session::MOST_FAILURES;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::api::Token;
use crate::{
    actions::Rehearse,
    runtime::clock::{Clock, Entropy},
    security::{auth_throttle::Strangers, key_usage::Tally},
};

/// What the dashboard is made of.
pub struct Dashboard {
    /// Where everything is.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<Entropy>,
    /// Who may come in.
    pub tokens: Vec<Token>,
    /// Who can say what would be done, without doing it.
    pub rehearser: Arc<dyn Rehearse>,
    /// True where people come by https: the cookie then never goes by plain http.
    pub is_secure: bool,
    /// Each configured connection's rates: calls a second to the shop and to the warehouse.
    pub rates: Vec<(String, [f64; 2])>,
    /// Sign-ins that failed of late.
    pub failures: Strangers,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub proxies: usize,
    /// What open streams share.
    pub counts: Counts,
    /// Ends open streams, so that they do not keep a service from stopping.
    pub leaving: CancellationToken,
    /// Where the uses of tokens are counted.
    pub tally: Arc<Tally>,
}

type Dash = Arc<Dashboard>;

/// The dashboard's router.
pub fn router(dashboard: Dashboard) -> Router {
    let dashboard = Arc::new(dashboard);
    Router::new()
        .route("/", get(overview::show))
        .route("/sign-in", get(session::form).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/language/{code}", get(session::choose_language))
        .route("/live", get(live::stream))
        .route("/orders", get(orders::list))
        .route("/orders/{connection}/{order_id}", get(orders::show).post(orders::ask))
        .route("/needs", get(attention::list))
        .route("/needs/cause", get(attention::show))
        .route("/needs/shipping-rule", post(attention::map_shipping))
        .route("/replays", post(replays::create))
        .route("/replays/{id}", get(replays::show).post(replays::call_off))
        .route("/deliveries", get(tasks::list))
        .route("/deliveries/{id}", get(tasks::show).post(tasks::ask))
        .route("/deliveries/{id}/rehearsal", get(tasks::rehearse))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::show).post(events::ask))
        .route("/products", get(products::list).post(products::ask))
        .route("/products/syncs/{id}", get(products::show).post(products::approve))
        .route("/connections", get(connections::list).post(connections::ask))
        .route("/audit", get(audit::list))
        .route("/style.css", get(guard::style))
        .route("/live.js", get(guard::script))
        .layer(middleware::from_fn(guard::guard))
        .with_state(dashboard)
}
