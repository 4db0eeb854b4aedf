//! The webhook routes and what they need.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::post};

use super::{
    admission::Admission,
    endpoint::{Endpoint, KeyedEndpoint},
    handlers::{Inbox, post_mycashflow, post_ogoship, post_ogoship_without_token},
    signature_check::SignatureCheck,
};
use crate::{
    inbox::{ingester::Ingester, metrics::Metrics},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
        pressure::Pressure,
    },
    security::{auth_throttle::AuthThrottle, key_usage::KeyUsage, secrets::SecretStore},
};

/// How many wrong signatures a minute, from one address for one connection's vendor, are looked into.
const MAX_FAILURES_PER_MINUTE: u32 = 30;

/// What the webhook routes depend on.
pub struct Deps {
    /// Where events are stored.
    pub pool: sqlx::PgPool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub entropy: Arc<Entropy>,
    /// One endpoint per connection.
    pub endpoints: Vec<Endpoint>,
    /// The largest body accepted, in bytes.
    pub body_limit: usize,
    /// How long a webhook waits for its commit.
    pub accept_within: Duration,
    /// Counts events and rejections.
    pub metrics: Metrics,
    /// Failpoints of a chaos run.
    pub failpoints: Failpoints,
    /// Tells the worker how many webhooks wait.
    pub pressure: Pressure,
    /// Decrypts the keys of subscriptions that Silta made.
    pub secret_store: Arc<SecretStore>,
    /// Counts keys and rejections for people.
    pub key_usage: Arc<KeyUsage>,
    /// The number of trusted proxies that set `X-Forwarded-For`.
    pub proxies: usize,
}

/// Builds the webhook routes.
pub fn router(deps: Deps) -> Router {
    let Deps {
        pool,
        clock,
        entropy,
        endpoints,
        body_limit,
        accept_within,
        metrics,
        failpoints,
        pressure,
        secret_store,
        key_usage,
        proxies,
    } = deps;
    let endpoints = endpoints
        .into_iter()
        .map(|endpoint| (endpoint.connection.clone(), KeyedEndpoint::new(endpoint)))
        .collect();
    let inbox = Inbox {
        endpoints,
        body_limit,
        proxies,
        signature_check: SignatureCheck {
            pool: pool.clone(),
            clock: clock.clone(),
            secret_store,
            key_usage,
            auth_throttle: AuthThrottle::new(MAX_FAILURES_PER_MINUTE),
        },
        admission: Admission::new(pool.clone(), clock.clone(), failpoints, (accept_within, pressure)),
        ingester: Ingester { pool, clock, entropy, metrics },
    };
    Router::new()
        .route("/webhooks/mycashflow/{connection}/{token}", post(post_mycashflow))
        .route("/webhooks/ogoship/{connection}/{token}", post(post_ogoship))
        .route("/webhooks/ogoship/{connection}", post(post_ogoship_without_token))
        .with_state(Arc::new(inbox))
}
