//! The porch: where a webhook becomes an event.
//!
//! ```text
//! POST ─▶ which door? ─▶ body (room?) ─▶ verify (raw) ─▶ read (loosely) ─▶ in line ─▶ one commit for all ─▶ 200
//!            404        413  503          401             400             503           503
//! ```
//!
//! The guarantee: **no 2xx before commit**. What we acknowledged, we have. A refused webhook leaves no row, so it can
//! neither fill the table nor poison the fingerprint of a true one. A verified webhook that we cannot understand is
//! kept and answered 200: the sender did its part, and the sweeps are brought forward instead.
//!
//! Whose signature does not fit is asked no more than once a second or two what else it might be (`keyring`, for a key
//! that was made a moment ago), and is told to people as a hint (`tally`): wrong key, altered body, missing header. Who
//! goes on so is not read any more (`strangers`).
//!
//! The second door is the [`sweep`]: it finds what no webhook told, and enters by the same `receive`.

pub mod poll;
pub mod webhook;

use std::{collections::HashMap, sync::Arc};

use self::webhook::admission::Intake;
pub use self::webhook::admission::Limits;
use self::webhook::endpoint::Hung;
pub use self::webhook::endpoint::{Door, key_names};
use self::webhook::handlers::{from_mycashflow, from_ogoship};
pub use self::webhook::keyring::place_of_key;
pub use self::webhook::receive::Metrics;
use self::webhook::receive::Receiver;
use axum::{Router, routing::post};

use crate::{
    runtime::{
        clock::{Clock, Entropy},
        failpoints::KillPoints,
    },
    security::{auth_throttle::Strangers, key_usage::Tally, secrets::Vault},
};

/// Wrong signatures of a minute, from one address to one connection, after which nothing more is read.
const MOST_WRONG: u32 = 30;

/// What the inbox is made of.
pub struct Parts {
    /// Where events go.
    pub pool: sqlx::PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<Entropy>,
    /// One per connection.
    pub doors: Vec<Door>,
    /// The largest body taken, in bytes.
    pub body_limit: usize,
    /// How much may wait for its commit, and how long.
    pub limits: Limits,
    /// Where arrivals are counted.
    pub metrics: Metrics,
    /// Where a proof may interfere.
    pub killpoints: KillPoints,
    /// Opens the keys of subscriptions that Silta made.
    pub vault: Arc<Vault>,
    /// Where keys and refusals are counted.
    pub tally: Arc<Tally>,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub proxies: usize,
}

/// The inbox at work.
struct Inbox {
    doors: HashMap<String, Hung>,
    receiver: Receiver,
    intake: Intake,
    body_limit: usize,
    vault: Arc<Vault>,
    tally: Arc<Tally>,
    strangers: Strangers,
    proxies: usize,
}

/// The two webhook endpoints.
pub fn router(parts: Parts) -> Router {
    let Parts { pool, clock, entropy, doors, body_limit, limits, metrics, killpoints, vault, tally, proxies } =
        parts;
    let doors = doors.into_iter().map(|door| (door.connection.clone(), Hung::of(door))).collect();
    let intake = Intake::new(pool.clone(), clock.clone(), killpoints, limits);
    let receiver = Receiver { pool, clock, entropy, metrics };
    Router::new()
        .route("/webhooks/mycashflow/{connection}/{token}", post(from_mycashflow))
        .route("/webhooks/ogoship/{connection}", post(from_ogoship))
        .with_state(Arc::new(Inbox {
            doors,
            receiver,
            intake,
            body_limit,
            vault,
            tally,
            strangers: Strangers::after(MOST_WRONG),
            proxies,
        }))
}
