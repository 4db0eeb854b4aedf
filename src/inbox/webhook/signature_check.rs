//! Checks signatures. A wrong one is counted by what seems wrong with it; where an operator asked for signature
//! detection it is also searched for the right scheme. Neither accepts the webhook.
//!
//! Every signature is verified, whatever came before from the same address: a right one is never throttled. After too
//! many failures only the diagnosis is left out.

use std::{net::IpAddr, sync::Arc};

use axum::http::HeaderMap;
use serde_json::json;
use sqlx::PgPool;

use super::{
    admission::CommitError,
    endpoint::Endpoint,
    error::WebhookError,
    keyring::{Keyring, Refreshed},
    verify::{Unverified, Verified},
};
use crate::{
    domain::event::source::Source,
    runtime::clock::Clock,
    security::{
        auth_throttle::AuthThrottle,
        detection::{self, Headers, NamedKey},
        key_usage::KeyUsage,
        secrets::SecretStore,
    },
    store::{self, rejected_webhooks::RejectedWebhookKey, signature_detections},
};

/// The scope of wrong paths. It is one for all connections, so that guessing does not show which of them exist.
const PATH_SCOPE: &str = "path";

/// Where a webhook comes from, as far as it can be trusted.
pub(super) struct Sender {
    pub(super) ip: Option<IpAddr>,
    pub(super) headers: HeaderMap,
}

/// Checks webhooks against a connection's keys.
pub(super) struct SignatureCheck {
    pub(super) pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secret_store: Arc<SecretStore>,
    pub(super) key_usage: Arc<KeyUsage>,
    pub(super) auth_throttle: AuthThrottle,
}

impl SignatureCheck {
    /// Counts a wrong path; returns what its sender is answered.
    pub(super) fn reject_path(&self, source: Source, sender: &Sender) -> WebhookError {
        if self.auth_throttle.record_failure(sender.ip, PATH_SCOPE, self.clock.now()) {
            WebhookError::Throttled { source }
        } else {
            WebhookError::UnknownEndpoint { source }
        }
    }

    /// Verifies a webhook. Reads the stored keys again before it rejects one.
    pub(super) async fn verify(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: Unverified,
        sender: &Sender,
    ) -> Result<Verified, WebhookError> {
        let headers = &sender.headers;
        let mut result = unverified.verify(keys, headers);
        if let Err(unverified) = result {
            // It may be signed with a key that another process made a moment ago.
            let refreshed = if headers.contains_key(keys.header()) {
                keys.refresh(&self.pool, &self.secret_store, &*self.clock).await
            } else {
                Refreshed::Unchanged
            };
            result = match refreshed {
                Refreshed::Changed => unverified.verify(keys, headers),
                Refreshed::Unchanged => Err(unverified),
                Refreshed::Unreadable => {
                    let (source, error) = (unverified.source(), CommitError::Unavailable);
                    return Err(WebhookError::NotCommitted { source, error });
                }
            };
        }
        match result {
            Ok((verified, key)) => {
                self.key_usage.record_use(key, self.clock.now());
                Ok(verified)
            }
            Err(unverified) => {
                let source = unverified.source();
                let scope = format!("{}/{}", source.as_str(), endpoint.connection);
                if self.auth_throttle.record_failure(sender.ip, &scope, self.clock.now()) {
                    return Err(WebhookError::Throttled { source });
                }
                Err(self.reject(endpoint, keys, &unverified, headers).await)
            }
        }
    }

    async fn reject(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &HeaderMap,
    ) -> WebhookError {
        let source = unverified.source();
        let connection = &endpoint.connection;
        let pairs: Vec<_> =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let hint = detection::diagnose(&keys.current().scheme, unverified.body(), &pairs).as_str();
        let name = RejectedWebhookKey { connection: connection.clone(), source: source.as_str(), hint };
        self.key_usage.record_rejection(name, self.clock.now());
        tracing::warn!(connection, source = source.as_str(), hint, "signature rejected");
        if let Err(error) = self.detect_scheme(endpoint, keys, unverified, &pairs).await {
            tracing::warn!(connection, error = %error, "signature detection failed");
        }
        if headers.contains_key(keys.header()) {
            WebhookError::SignatureWrong { source }
        } else {
            WebhookError::SignatureMissing { source }
        }
    }

    /// Finds how the webhook is signed and stores that, where an operator asked for it.
    async fn detect_scheme(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: &Unverified,
        headers: &Headers<'_>,
    ) -> store::Result<()> {
        let (connection, source) = (&endpoint.connection, unverified.source().as_str());
        let now = self.clock.now();
        if !keys.may_check_detection(now) {
            return Ok(());
        }
        let mut db = self.pool.acquire().await?;
        if !signature_detections::is_detecting(&mut db, connection, source, now).await? {
            return Ok(());
        }
        drop(db); // computing the digests takes a while
        let mut candidates = keys.current().named_keys();
        let token = endpoint.webhook_token.clone();
        candidates.push(NamedKey { name: "webhook_token".to_owned(), secret: token });
        let found = detection::detect(unverified.body(), headers, &candidates);
        let seen: Vec<_> = headers.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut db = self.pool.acquire().await?;
        signature_detections::save_detection(&mut db, connection, source, &seen, &json!(found), now).await
    }
}
