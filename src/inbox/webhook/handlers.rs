//! The handlers of the webhook routes.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{Extension, FromRequestParts, Path, Query, State, rejection::ExtensionRejection},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;

use super::{
    admission::Admission,
    endpoint::{Endpoint, KeyedEndpoint},
    error::WebhookError,
    signature_check::{Sender, SignatureCheck},
    verify::{Unverified, Verified},
};
use crate::{
    domain::{
        event::{
            routing::{ParsedWebhook, VendorEntity, route},
            source::Source,
        },
        id::EventId,
    },
    inbox::ingester::{Ingester, Message},
    store::ingest::Ingested,
    vendors::{mycashflow, ogoship},
    web::client_ip::{Peer, client_ip},
};

/// The state of the webhook routes.
pub(super) struct Inbox {
    pub(super) endpoints: HashMap<String, KeyedEndpoint>,
    pub(super) signature_check: SignatureCheck,
    pub(super) ingester: Ingester,
    pub(super) admission: Admission,
    pub(super) body_limit: usize,
    pub(super) proxies: usize,
}

/// The answer to a webhook that is stored.
#[derive(Serialize)]
pub(super) struct Receipt {
    event_id: EventId,
    duplicate: bool,
}

#[derive(Deserialize)]
pub(super) struct WebhookQuery {
    /// The subscription's topic, for bodies that have none.
    topic: Option<String>,
}

type WebhookResult = Result<(StatusCode, Json<Receipt>), WebhookError>;

pub(super) async fn post_mycashflow(
    State(inbox): State<Arc<Inbox>>,
    Path((connection, token)): Path<(String, String)>,
    Query(query): Query<WebhookQuery>,
    sender: Sender,
    body: Body,
) -> WebhookResult {
    let result = match inbox.find_endpoint(Source::MyCashflow, &connection, Some(&token), &sender) {
        Ok(endpoint) => inbox.receive_mycashflow(endpoint, query, &sender, body).await,
        Err(error) => Err(error),
    };
    inbox.count_error(result)
}

pub(super) async fn post_ogoship(
    State(inbox): State<Arc<Inbox>>,
    Path((connection, token)): Path<(String, String)>,
    sender: Sender,
    body: Body,
) -> WebhookResult {
    inbox.count_error(inbox.receive_ogoship(&connection, Some(&token), &sender, body).await)
}

/// The path of installations that have no token for the warehouse's path yet.
pub(super) async fn post_ogoship_without_token(
    State(inbox): State<Arc<Inbox>>,
    Path(connection): Path<String>,
    sender: Sender,
    body: Body,
) -> WebhookResult {
    inbox.count_error(inbox.receive_ogoship(&connection, None, &sender, body).await)
}

impl FromRequestParts<Arc<Inbox>> for Sender {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, inbox: &Arc<Inbox>) -> Result<Self, ExtensionRejection> {
        let Extension(reservation) = Extension::from_request_parts(parts, inbox).await?;
        let ip = client_ip(parts.extensions.get::<Peer>().copied(), &parts.headers, inbox.proxies);
        Ok(Self { ip, headers: parts.headers.clone(), reservation })
    }
}

impl Inbox {
    fn find_endpoint(
        &self,
        source: Source,
        connection: &str,
        token: Option<&str>,
        sender: &Sender,
    ) -> Result<&KeyedEndpoint, WebhookError> {
        let named = self.endpoints.get(connection);
        let keyed = named.filter(|keyed| keyed.endpoint.accepts_path(source, token));
        keyed.ok_or_else(|| self.signature_check.reject_path(source, named, sender))
    }

    async fn receive_mycashflow(
        &self,
        keyed: &KeyedEndpoint,
        query: WebhookQuery,
        sender: &Sender,
        body: Body,
    ) -> WebhookResult {
        let KeyedEndpoint { endpoint, mycashflow, .. } = keyed;
        let unverified = self.read_body(Source::MyCashflow, sender, body).await?;
        let verified = match mycashflow {
            Some(keys) => self.signature_check.verify(endpoint, keys, unverified, sender).await?,
            None => unverified.trust_unsigned(),
        };
        self.ingest(endpoint, verified, |body| mycashflow::webhook::read(body, query.topic.as_deref())).await
    }

    async fn receive_ogoship(
        &self,
        connection: &str,
        token: Option<&str>,
        sender: &Sender,
        body: Body,
    ) -> WebhookResult {
        let source = Source::Ogoship;
        let KeyedEndpoint { endpoint, ogoship: keys, .. } =
            self.find_endpoint(source, connection, token, sender)?;
        let unverified = self.read_body(source, sender, body).await?;
        let verified = self.signature_check.verify(endpoint, keys, unverified, sender).await?;
        self.ingest(endpoint, verified, ogoship::webhook::read).await
    }

    async fn read_body(
        &self,
        source: Source,
        sender: &Sender,
        body: Body,
    ) -> Result<Unverified, WebhookError> {
        sender.reservation.allow(self.body_limit);
        Unverified::read(source, body, &sender.reservation).await
    }

    async fn ingest(
        &self,
        endpoint: &Endpoint,
        verified: Verified,
        parse: impl FnOnce(&Value) -> ParsedWebhook,
    ) -> WebhookResult {
        let source = verified.source();
        let connection = &endpoint.connection;
        let parsed = parse(&verified.outline()?);
        let topic = &parsed.topic;
        let expedited_polls = if parsed.entity == VendorEntity::Unknown { polls_for(source) } else { &[] };
        let subject = route(&parsed.entity, &endpoint.references);
        let (body, permit) = verified.into_parts();
        let event = self.ingester.event_of(Message { connection, source, parsed: &parsed, subject, body });
        let span = tracing::debug_span!("receive", event = %event.event.id, connection, topic);
        let committed = self.admission.commit(event, expedited_polls, permit).instrument(span).await;
        let Ingested { event_id, duplicate, .. } =
            committed.map_err(|error| WebhookError::NotCommitted { source, error })?;
        self.ingester.metrics.count_event(source, duplicate);
        let source = source.as_str();
        tracing::info!(event = %event_id, connection, source, topic, duplicate, "event received");
        Ok((StatusCode::OK, Json(Receipt { event_id, duplicate })))
    }

    fn count_error(&self, result: WebhookResult) -> WebhookResult {
        if let Err(error) = &result {
            let (source, code) = error.source_and_code();
            self.ingester.metrics.count_rejected(source, code.as_str());
        }
        result
    }
}

/// The polls that find what an unreadable webhook of this vendor may have meant.
const fn polls_for(source: Source) -> &'static [&'static str] {
    match source {
        Source::Ogoship => &["statuses", "stock"],
        Source::MyCashflow => &["orders", "products"],
        Source::Poll | Source::Operator => &[],
    }
}
