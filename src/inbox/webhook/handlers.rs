//! The two endpoints: which door, who is it, what does it say, and in line with it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;

use super::{
    endpoint::{Door, Hung},
    keyring::Keyring,
    receive::{Receiver, swept_for},
    rejection::Rejection,
    verify::{Unverified, Verified},
};
use crate::inbox::Inbox;
use crate::{
    domain::{
        event::{
            dedup::sha256_hex,
            routing::{About, Told},
            source::Source,
        },
        id::EventId,
    },
    store::ingest::Received,
    vendors::{mycashflow, ogoship},
    web::server::{Peer, sender},
};

/// The answer to a webhook that we have.
#[derive(Serialize)]
pub(in crate::inbox) struct Receipt {
    event_id: EventId,
    duplicate: bool,
}

#[derive(Deserialize)]
pub(in crate::inbox) struct Hints {
    /// What the subscription was registered for, for senders whose body does not say.
    topic: Option<String>,
}

pub(in crate::inbox) type Answer = Result<(StatusCode, Json<Receipt>), Rejection>;

pub(in crate::inbox) async fn from_mycashflow(
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

pub(in crate::inbox) async fn from_ogoship(
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
        let told = read(&verified.outline()?);
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
