//! The porch: where a webhook becomes an event.
//!
//! ```text
//! POST ─▶ which door? ─▶ room? ─▶ verify (raw body) ─▶ read (loosely) ─▶ in line ─▶ one commit for all ─▶ 200
//!            404         503    413      401              400            503           503
//! ```
//!
//! The guarantee: **no 2xx before commit**. What we acknowledged, we have. A refused webhook leaves no row, so it can
//! neither fill the table nor poison the fingerprint of a true one. A verified webhook that we cannot understand is
//! kept and answered 200: the sender did its part, and the sweeps are brought forward instead.
//!
//! The second door is the [`sweep`]: it finds what no webhook told, and enters by the same `receive`.

mod intake;
mod receive;
mod rejection;
pub mod sweep;
mod verify;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
    routing::post,
};
pub use intake::Limits;
use intake::{Intake, NotCommitted};
pub use receive::Metrics;
use receive::{Receiver, swept_for};
use rejection::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use verify::{Unverified, Verified};

use crate::{
    clock::{Clock, Entropy},
    domain::{
        event::Source,
        fingerprint::sha256_hex,
        id::EventId,
        routing::{About, Told},
    },
    killpoints::KillPoints,
    store::events::Received,
    systems::{mycashflow, ogoship, signature::Scheme},
};

/// How one connection's webhooks are let in.
pub struct Door {
    /// The connection's name, a part of both paths.
    pub connection: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
    /// How the shop signs; `None` only where the configuration says `dangerously_unsigned`.
    pub mycashflow: Option<Scheme>,
    /// How the warehouse signs.
    pub ogoship: Scheme,
    /// Tells our orders from others at the warehouse.
    pub reference_prefix: String,
}

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
}

struct Inbox {
    doors: HashMap<String, Door>,
    receiver: Receiver,
    intake: Intake,
    body_limit: usize,
}

/// The two webhook endpoints.
pub fn router(parts: Parts) -> Router {
    let Parts { pool, clock, entropy, doors, body_limit, limits, metrics, killpoints } = parts;
    let doors = doors.into_iter().map(|door| (door.connection.clone(), door)).collect();
    let intake = Intake::new(pool.clone(), clock.clone(), killpoints, limits);
    let receiver = Receiver { pool, clock, entropy, metrics };
    Router::new()
        .route("/webhooks/mycashflow/{connection}/{token}", post(from_mycashflow))
        .route("/webhooks/ogoship/{connection}", post(from_ogoship))
        .with_state(Arc::new(Inbox { doors, receiver, intake, body_limit }))
}

/// The answer to a webhook that we have.
#[derive(Serialize)]
struct Receipt {
    event_id: EventId,
    duplicate: bool,
}

#[derive(Deserialize)]
struct Hints {
    /// What the subscription was registered for, for senders whose body does not say.
    topic: Option<String>,
}

async fn from_mycashflow(
    State(inbox): State<Arc<Inbox>>,
    Path((connection, token)): Path<(String, String)>,
    Query(hints): Query<Hints>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Receipt>), Rejection> {
    let source = Source::MyCashflow;
    let door = inbox.doors.get(&connection).ok_or(Rejection::UnknownDoor { source })?;
    // Digests are compared, so that the time taken tells nothing about the token.
    if sha256_hex(token.as_bytes()) != sha256_hex(door.webhook_token.as_bytes()) {
        return Err(Rejection::UnknownDoor { source });
    }
    let room = inbox.room(source, &headers)?;
    let unverified = Unverified::read(source, body, inbox.body_limit).await?;
    let verified = match &door.mycashflow {
        Some(scheme) => unverified.verify(scheme, &headers)?,
        None => unverified.trust_unsigned(),
    };
    inbox.take(door, room, verified, |body| mycashflow::webhook::read(body, hints.topic.as_deref())).await
}

async fn from_ogoship(
    State(inbox): State<Arc<Inbox>>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Receipt>), Rejection> {
    let source = Source::Ogoship;
    let door = inbox.doors.get(&connection).ok_or(Rejection::UnknownDoor { source })?;
    let room = inbox.room(source, &headers)?;
    let verified = Unverified::read(source, body, inbox.body_limit).await?.verify(&door.ogoship, &headers)?;
    inbox.take(door, room, verified, ogoship::webhook::read).await
}

impl Inbox {
    /// Room for a body before it is read: as much as it says it has, or where it does not say, as much as it may.
    fn room(&self, source: Source, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, Rejection> {
        let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let bytes = told.unwrap_or(self.body_limit);
        if bytes > self.body_limit {
            return Err(Rejection::TooLarge { source });
        }
        self.intake.room(bytes).map_err(|error| Rejection::NotCommitted { source, error })
    }

    async fn take(
        &self,
        door: &Door,
        room: OwnedSemaphorePermit,
        verified: Verified,
        read: impl FnOnce(&Value) -> Told,
    ) -> Result<(StatusCode, Json<Receipt>), Rejection> {
        let source = verified.source();
        let told = read(&verified.json()?);
        let brings_forward = if told.about == About::Unknown { swept_for(source) } else { &[] };
        let arrival = self.receiver.told(door, verified, &told);
        let Received { event_id, duplicate, .. } = self
            .intake
            .commit(arrival, brings_forward, room)
            .await
            .map_err(|error| Rejection::NotCommitted { source, error })?;
        self.receiver.metrics.event(source, duplicate);
        tracing::info!(
            event = %event_id, connection = door.connection, source = source.as_str(), topic = told.topic, duplicate,
            "event received"
        );
        Ok((StatusCode::OK, Json(Receipt { event_id, duplicate })))
    }
}
