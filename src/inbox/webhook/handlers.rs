//! The two endpoints: which endpoint, who is it, what does it say, and in line with it.

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
    endpoint::{Endpoint, KeyedEndpoint},
    keyring::Keyring,
    receive::{Ingester, polls_for},
    rejection::WebhookError,
    verify::{Unverified, Verified},
};
use crate::inbox::Inbox;
use crate::{
    domain::{
        digest::sha256_hex,
        event::{
            routing::{ParsedWebhook, VendorEntity},
            source::Source,
        },
        id::EventId,
    },
    store::ingest::Ingested,
    vendors::{mycashflow, ogoship},
    web::server::{Peer, client_ip},
};

/// The answer to a webhook that we have.
#[derive(Serialize)]
pub(in crate::inbox) struct Receipt {
    event_id: EventId,
    duplicate: bool,
}

#[derive(Deserialize)]
pub(in crate::inbox) struct WebhookQuery {
    /// What the subscription was registered for, for senders whose body does not say.
    topic: Option<String>,
}

pub(in crate::inbox) type Answer = Result<(StatusCode, Json<Receipt>), WebhookError>;

pub(in crate::inbox) async fn post_mycashflow(
    State(inbox): State<Arc<Inbox>>,
    Path(path): Path<(String, String)>,
    Query(query): Query<WebhookQuery>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let from = client_ip(peer.map(|Extension(peer)| peer), &headers, inbox.proxies);
    inbox.count_error(inbox.receive_mycashflow(path, query, from, &headers, body).await)
}

pub(in crate::inbox) async fn post_ogoship(
    State(inbox): State<Arc<Inbox>>,
    Path(connection): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let from = client_ip(peer.map(|Extension(peer)| peer), &headers, inbox.proxies);
    inbox.count_error(inbox.receive_ogoship(&connection, from, &headers, body).await)
}

impl Inbox {
    async fn receive_mycashflow(
        &self,
        (connection, token): (String, String),
        query: WebhookQuery,
        from: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer {
        let source = Source::MyCashflow;
        let KeyedEndpoint { endpoint, mycashflow, .. } =
            self.endpoints.get(&connection).ok_or(WebhookError::UnknownEndpoint { source })?;
        // Digests are compared, so that the time taken tells nothing about the token.
        if sha256_hex(token.as_bytes()) != sha256_hex(endpoint.webhook_token.as_bytes()) {
            return Err(WebhookError::UnknownEndpoint { source });
        }
        let unverified = self.read(endpoint, source, from, body).await?;
        let verified = match mycashflow {
            Some(keys) => self.verify(endpoint, keys, unverified, from, headers).await?,
            None => unverified.trust_unsigned(),
        };
        self.ingest(endpoint, verified, |body| mycashflow::webhook::read(body, query.topic.as_deref())).await
    }

    async fn receive_ogoship(
        &self,
        connection: &str,
        from: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer {
        let source = Source::Ogoship;
        let KeyedEndpoint { endpoint, ogoship: keys, .. } =
            self.endpoints.get(connection).ok_or(WebhookError::UnknownEndpoint { source })?;
        let unverified = self.read(endpoint, source, from, body).await?;
        let verified = self.verify(endpoint, keys, unverified, from, headers).await?;
        self.ingest(endpoint, verified, ogoship::webhook::read).await
    }

    async fn read(
        &self,
        endpoint: &Endpoint,
        source: Source,
        from: Option<IpAddr>,
        body: Body,
    ) -> Result<Unverified, WebhookError> {
        let now = self.ingester.clock.now();
        if from.is_some_and(|from| self.auth_throttle.is_blocked(from, &endpoint.connection, now)) {
            return Err(WebhookError::Throttled { source });
        }
        Unverified::read(source, body, self.body_limit, &self.admission).await
    }

    async fn verify(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: Unverified,
        from: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Verified, WebhookError> {
        let Ingester { pool, clock, .. } = &self.ingester;
        let mut tried = unverified.verify(keys, headers);
        if let Err(unverified) = tried {
            // It may be signed with a key that another process has made a moment ago.
            let has_new_keys =
                headers.contains_key(keys.header()) && keys.refresh(pool, &self.secret_store, &**clock).await;
            tried = if has_new_keys { unverified.verify(keys, headers) } else { Err(unverified) };
        }
        match tried {
            Ok((verified, key)) => {
                self.key_usage.record_use(key, clock.now());
                Ok(verified)
            }
            Err(unverified) => {
                if let Some(from) = from {
                    self.auth_throttle.record_failure(from, &endpoint.connection, clock.now());
                }
                Err(self.reject_signature(endpoint, keys, &unverified, headers).await)
            }
        }
    }

    fn count_error(&self, answer: Answer) -> Answer {
        if let Err(error) = &answer {
            let (source, code) = error.source_and_code();
            self.ingester.metrics.refused(source, code.as_str());
        }
        answer
    }

    async fn ingest(
        &self,
        endpoint: &Endpoint,
        verified: Verified,
        read: impl FnOnce(&Value) -> ParsedWebhook,
    ) -> Answer {
        let source = verified.source();
        let parsed = read(&verified.outline()?);
        let expedited_polls = if parsed.entity == VendorEntity::Unknown { polls_for(source) } else { &[] };
        let (arrival, permit) = self.ingester.webhook_arrival(endpoint, verified, &parsed);
        let id = arrival.event.id;
        let span = tracing::debug_span!("receive", event = %id, connection = endpoint.connection, topic = parsed.topic);
        let committed = self.admission.commit(arrival, expedited_polls, permit).instrument(span).await;
        let Ingested { event_id, duplicate, .. } =
            committed.map_err(|error| WebhookError::NotCommitted { source, error })?;
        self.ingester.metrics.event(source, duplicate);
        tracing::info!(
            event = %event_id, connection = endpoint.connection, source = source.as_str(), topic = parsed.topic, duplicate,
            "event received"
        );
        Ok((StatusCode::OK, Json(Receipt { event_id, duplicate })))
    }
}
