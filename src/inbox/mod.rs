//! The porch: where a webhook becomes an event.
//!
//! ```text
//! POST ─▶ which endpoint? ─▶ body (permit?) ─▶ verify (raw) ─▶ read (loosely) ─▶ in line ─▶ one commit for all ─▶ 200
//!            404        413  503          401             400             503           503
//! ```
//!
//! The guarantee: **no 2xx before commit**. What we acknowledged, we have. A refused webhook leaves no row, so it can
//! neither fill the table nor poison the fingerprint of a true one. A verified webhook that we cannot understand is
//! kept and answered 200: the sender did its part, and the polls are brought forward instead.
//!
//! Whose signature does not fit is asked no more than once a second or two what else it might be (`keyring`, for a key
//! that was made a moment ago), and is told to people as a hint (`key_usage`): wrong key, altered body, missing header. Who
//! goes on so is not read any more (`auth_throttle`).
//!
//! The second endpoint is the [`poll`]: it finds what no webhook told, and enters by the same `receive`.

pub mod poll;
pub mod webhook;

use std::{collections::HashMap, sync::Arc};

use self::webhook::admission::Admission;
pub use self::webhook::admission::Limits;
use self::webhook::endpoint::KeyedEndpoint;
pub use self::webhook::endpoint::{Endpoint, key_names};
use self::webhook::handlers::{post_mycashflow, post_ogoship};
pub use self::webhook::keyring::subscription_key_context;
use self::webhook::receive::Ingester;
pub use self::webhook::receive::Metrics;
use axum::{Router, routing::post};

use crate::{
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
    },
    security::{auth_throttle::AuthThrottle, key_usage::KeyUsage, secrets::SecretStore},
};

/// Wrong signatures of a minute, from one address to one connection, after which nothing more is read.
const MAX_FAILURES_PER_MINUTE: u32 = 30;

/// What the inbox is made of.
pub struct Deps {
    /// Where events go.
    pub pool: sqlx::PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<Entropy>,
    /// One per connection.
    pub endpoints: Vec<Endpoint>,
    /// The largest body taken, in bytes.
    pub body_limit: usize,
    /// How much may wait for its commit, and how long.
    pub limits: Limits,
    /// Where arrivals are counted.
    pub metrics: Metrics,
    /// Where a proof may interfere.
    pub failpoints: Failpoints,
    /// Opens the keys of subscriptions that Silta made.
    pub secret_store: Arc<SecretStore>,
    /// Where keys and refusals are counted.
    pub key_usage: Arc<KeyUsage>,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub proxies: usize,
}

/// The inbox at work.
struct Inbox {
    endpoints: HashMap<String, KeyedEndpoint>,
    ingester: Ingester,
    admission: Admission,
    body_limit: usize,
    secret_store: Arc<SecretStore>,
    key_usage: Arc<KeyUsage>,
    auth_throttle: AuthThrottle,
    proxies: usize,
}

/// The two webhook endpoints.
pub fn router(deps: Deps) -> Router {
    let Deps {
        pool,
        clock,
        entropy,
        endpoints,
        body_limit,
        limits,
        metrics,
        failpoints,
        secret_store,
        key_usage,
        proxies,
    } = deps;
    let endpoints = endpoints
        .into_iter()
        .map(|endpoint| (endpoint.connection.clone(), KeyedEndpoint::new(endpoint)))
        .collect();
    let admission = Admission::new(pool.clone(), clock.clone(), failpoints, limits);
    let ingester = Ingester { pool, clock, entropy, metrics };
    Router::new()
        .route("/webhooks/mycashflow/{connection}/{token}", post(post_mycashflow))
        .route("/webhooks/ogoship/{connection}", post(post_ogoship))
        .with_state(Arc::new(Inbox {
            endpoints,
            ingester,
            admission,
            body_limit,
            secret_store,
            key_usage,
            auth_throttle: AuthThrottle::new(MAX_FAILURES_PER_MINUTE),
            proxies,
        }))
}
