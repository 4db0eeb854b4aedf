//! A webhook whose signature fits no key: counted by what seems to be wrong with it, and learnt from where somebody has
//! asked for that. Neither lets it in.

use axum::http::HeaderMap;
use serde_json::json;

use super::{keyring::Keyring, receive::Ingester, rejection::WebhookError, verify::Unverified};
use crate::inbox::{Endpoint, Inbox};
use crate::{
    security::detection,
    store::{self, rejected_webhooks::RejectedWebhookKey, signature_detections},
};

impl Inbox {
    /// Counts a wrong signature by what seems to be wrong with it, and learns from it where somebody wants to.
    pub(in crate::inbox) async fn reject_signature(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &HeaderMap,
    ) -> WebhookError {
        let source = unverified.source();
        let current = keys.scheme();
        let pairs: Vec<_> =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let hint = detection::diagnose(&current.0, unverified.body(), &pairs);
        let name = RejectedWebhookKey {
            connection: endpoint.connection.clone(),
            source: source.as_str(),
            hint: hint.as_str(),
        };
        let now = self.ingester.clock.now();
        self.key_usage.record_rejection(name, now);
        tracing::warn!(
            connection = endpoint.connection,
            source = source.as_str(),
            hint = hint.as_str(),
            "signature refused"
        );
        if let Err(error) = self.learn(endpoint, keys, unverified, &pairs).await {
            tracing::warn!(error = %error, "nothing was learnt from a refused webhook");
        }
        if headers.contains_key(keys.header()) {
            WebhookError::SignatureWrong { source }
        } else {
            WebhookError::SignatureMissing { source }
        }
    }

    async fn learn(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &detection::Headers<'_>,
    ) -> store::Result<()> {
        let Ingester { pool, clock, .. } = &self.ingester;
        let (connection, source) = (&endpoint.connection, unverified.source().as_str());
        if !keys.may_check_detection(clock.now()) {
            return Ok(());
        }
        let mut db = pool.acquire().await?;
        if !signature_detections::is_detecting(&mut db, connection, source, clock.now()).await? {
            return Ok(());
        }
        drop(db); // the digests take a while
        let current = keys.scheme();
        let (scheme, ids) = &*current;
        let named = ids.iter().map(|id| format!("key {id}"));
        let mut tried: Vec<_> = named.zip(scheme.secrets.iter().cloned()).collect();
        tried.push(("webhook_token".to_owned(), endpoint.webhook_token.clone()));
        let found = detection::learn(unverified.body(), headers, &tried);
        let seen: Vec<_> = headers.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut db = pool.acquire().await?;
        signature_detections::save_detection(&mut db, connection, source, &seen, &json!(found), clock.now())
            .await
    }
}
