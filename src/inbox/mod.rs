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
//! Whose signature does not fit is asked no more than once a second or two what else it might be (`keyring`, for a key that
//! was made a moment ago), and is told to people as a hint (`tally`): wrong key, altered body, missing header. Who goes on
//! so is not read any more (`strangers`).
//!
//! The second door is the [`sweep`]: it finds what no webhook told, and enters by the same `receive`.

mod door;
mod intake;
mod keyring;
mod lists;
mod receive;
mod refused;
mod rejection;
pub mod sweep;
mod verify;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use door::Hung;
pub use door::{Door, key_names};
pub use intake::Limits;
use intake::{Intake, NotCommitted};
use keyring::Keyring;
pub use keyring::place_of_key;
pub use receive::Metrics;
use receive::{Receiver, swept_for};
use rejection::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;
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
    server::{Peer, sender},
    store::arrivals::Received,
    strangers::Strangers,
    systems::{mycashflow, ogoship},
    tally::Tally,
    vault::Vault,
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
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let from = sender(peer.map(|Extension(peer)| peer), &headers, inbox.proxies);
    inbox.counted(inbox.of_mycashflow(path, hints, from, &headers, body).await)
}

async fn from_ogoship(
    State(inbox): State<Arc<Inbox>>,
    Path(connection): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let from = sender(peer.map(|Extension(peer)| peer), &headers, inbox.proxies);
    inbox.counted(inbox.of_ogoship(&connection, from, &headers, body).await)
}

impl Inbox {
    async fn of_mycashflow(
        &self,
        (connection, token): (String, String),
        hints: Hints,
        from: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer {
        let source = Source::MyCashflow;
        let Hung { door, mycashflow, .. } =
            self.doors.get(&connection).ok_or(Rejection::UnknownDoor { source })?;
        // Digests are compared, so that the time taken tells nothing about the token.
        if sha256_hex(token.as_bytes()) != sha256_hex(door.webhook_token.as_bytes()) {
            return Err(Rejection::UnknownDoor { source });
        }
        let unverified = self.read(door, source, from, body).await?;
        let verified = match mycashflow {
            Some(keys) => self.verified(door, keys, unverified, from, headers).await?,
            None => unverified.trust_unsigned(),
        };
        self.take(door, verified, |body| mycashflow::webhook::read(body, hints.topic.as_deref())).await
    }

    async fn of_ogoship(
        &self,
        connection: &str,
        from: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer {
        let source = Source::Ogoship;
        let Hung { door, ogoship: keys, .. } =
            self.doors.get(connection).ok_or(Rejection::UnknownDoor { source })?;
        let unverified = self.read(door, source, from, body).await?;
        let verified = self.verified(door, keys, unverified, from, headers).await?;
        self.take(door, verified, ogoship::webhook::read).await
    }

    async fn read(
        &self,
        door: &Door,
        source: Source,
        from: Option<IpAddr>,
        body: Body,
    ) -> Result<Unverified, Rejection> {
        let now = self.receiver.clock.now();
        if from.is_some_and(|from| self.strangers.is_shut_out(from, &door.connection, now)) {
            return Err(Rejection::ShutOut { source });
        }
        Unverified::read(source, body, self.body_limit, &self.intake).await
    }

    async fn verified(
        &self,
        door: &Door,
        keys: &Keyring,
        unverified: Unverified,
        from: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Verified, Rejection> {
        let Receiver { pool, clock, .. } = &self.receiver;
        let mut tried = unverified.verify(keys, headers);
        if let Err(unverified) = tried {
            // It may be signed with a key that another process has made a moment ago.
            let is_news =
                headers.contains_key(keys.header()) && keys.refresh(pool, &self.vault, &**clock).await;
            tried = if is_news { unverified.verify(keys, headers) } else { Err(unverified) };
        }
        match tried {
            Ok((verified, key)) => {
                self.tally.used(key, clock.now());
                Ok(verified)
            }
            Err(unverified) => {
                if let Some(from) = from {
                    self.strangers.note(from, &door.connection, clock.now());
                }
                Err(self.refused(door, keys, &unverified, headers).await)
            }
        }
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
        let id = arrival.event.id;
        let span =
            tracing::debug_span!("receive", event = %id, connection = door.connection, topic = told.topic);
        let committed = self.intake.commit(arrival, brings_forward, room).instrument(span).await;
        let Received { event_id, duplicate, .. } =
            committed.map_err(|error| Rejection::NotCommitted { source, error })?;
        self.receiver.metrics.event(source, duplicate);
        tracing::info!(
            event = %event_id, connection = door.connection, source = source.as_str(), topic = told.topic, duplicate,
            "event received"
        );
        Ok((StatusCode::OK, Json(Receipt { event_id, duplicate })))
    }
}
