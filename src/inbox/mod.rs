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
    http::{HeaderMap, StatusCode},
    routing::post,
};
pub use intake::Limits;
use intake::{Intake, NotCommitted};
pub use receive::Metrics;
use receive::{Receiver, swept_for};
use rejection::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

type Answer = Result<(StatusCode, Json<Receipt>), Rejection>;

async fn from_mycashflow(
    State(inbox): State<Arc<Inbox>>,
    Path(path): Path<(String, String)>,
    Query(hints): Query<Hints>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    inbox.counted(inbox.of_mycashflow(path, hints, &headers, body).await)
}

async fn from_ogoship(
    State(inbox): State<Arc<Inbox>>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    inbox.counted(inbox.of_ogoship(&connection, &headers, body).await)
}

impl Inbox {
    async fn of_mycashflow(
        &self,
        (connection, token): (String, String),
        hints: Hints,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer {
        let source = Source::MyCashflow;
        let door = self.doors.get(&connection).ok_or(Rejection::UnknownDoor { source })?;
        // Digests are compared, so that the time taken tells nothing about the token.
        if sha256_hex(token.as_bytes()) != sha256_hex(door.webhook_token.as_bytes()) {
            return Err(Rejection::UnknownDoor { source });
        }
        let unverified = Unverified::read(source, body, self.body_limit, &self.intake).await?;
        let verified = match &door.mycashflow {
            Some(scheme) => unverified.verify(scheme, headers)?,
            None => unverified.trust_unsigned(),
        };
        self.take(door, verified, |body| mycashflow::webhook::read(body, hints.topic.as_deref())).await
    }

    async fn of_ogoship(&self, connection: &str, headers: &HeaderMap, body: Body) -> Answer {
        let source = Source::Ogoship;
        let door = self.doors.get(connection).ok_or(Rejection::UnknownDoor { source })?;
        let verified = Unverified::read(source, body, self.body_limit, &self.intake)
            .await?
            .verify(&door.ogoship, headers)?;
        self.take(door, verified, ogoship::webhook::read).await
    }

    fn counted(&self, answer: Answer) -> Answer {
        if let Err(rejection) = &answer {
            let (source, code) = rejection.told();
            self.receiver.metrics.refused(source, code.as_str());
        }
        answer
    }

    async fn take(&self, door: &Door, verified: Verified, read: impl FnOnce(&Value) -> Told) -> Answer {
        let source = verified.source();
        let told = read(&verified.json()?);
        let brings_forward = if told.about == About::Unknown { swept_for(source) } else { &[] };
        let (arrival, room) = self.receiver.told(door, verified, &told);
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
