//! Checks signatures. A wrong one is counted by what seems wrong with it, as far as it is examined.
//!
//! Every signature is verified, whatever came before from the same address: a right one is never throttled. After too
//! many failures only the diagnosis is left out.

use std::{net::IpAddr, sync::Arc};

use axum::http::HeaderMap;
use sqlx::PgPool;
use tokio_util::task::TaskTracker;

use super::{
    admission::CommitError,
    endpoint::{Endpoint, KeyedEndpoint},
    error::WebhookError,
    examination::examine,
    keyring::{Keyring, Refreshed},
    verify::{Unverified, Verified},
};
use crate::{
    domain::event::source::Source,
    runtime::clock::Clock,
    security::{auth_throttle::AuthThrottle, detection::Hint, key_usage::KeyUsage, secrets::SecretStore},
    store::{rejected_webhooks::RejectedWebhookKey, signature_detections},
    web::request_body::BodyReservation,
};

/// The scope of wrong paths. It is one for all connections, so that guessing does not show which of them exist.
const PATH_SCOPE: &str = "path";

/// Where a webhook comes from, as far as it can be trusted, and what came with it.
pub(super) struct Sender {
    pub(super) ip: Option<IpAddr>,
    pub(super) headers: HeaderMap,
    /// What its body may take of the memory.
    pub(super) reservation: BodyReservation,
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
    /// Counts a wrong path; returns what its sender is answered. `keyed` is the connection that the path names, where it
    /// exists: its token is wrong then.
    pub(super) fn reject_path(
        &self,
        source: Source,
        keyed: Option<&KeyedEndpoint>,
        sender: &Sender,
    ) -> WebhookError {
        if self.auth_throttle.record_failure(sender.ip, PATH_SCOPE, self.clock.now()) {
            return WebhookError::Throttled { source };
        }
        if let Some(keyed) = keyed {
            self.note_wrong_token(keyed, source);
        }
        WebhookError::UnknownEndpoint { source }
    }

    /// Tells an operator who waits for a webhook that one came with a wrong token: once a second at most, since anybody can
    /// send one, and beside the answer, which must not take longer where the connection exists.
    fn note_wrong_token(&self, keyed: &KeyedEndpoint, source: Source) {
        if !keyed.wrong_tokens.may_note(&*self.clock) {
            return;
        }
        let (pool, now, connection) =
            (self.pool.clone(), self.clock.now(), keyed.endpoint.connection.clone());
        TaskTracker::new().spawn(async move {
            let noted = async {
                let mut db = pool.acquire().await?;
                signature_detections::record_wrong_token(&mut db, &connection, source.as_str(), now).await
            };
            if let Err(error) = noted.await {
                tracing::warn!(connection, error = %error, "signature detection failed");
            }
        });
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
                Err(self.reject(endpoint, keys, unverified, headers).await)
            }
        }
    }

    async fn reject(
        &self,
        endpoint: &Endpoint,
        keys: &Keyring,
        unverified: Unverified,
        headers: &HeaderMap,
    ) -> WebhookError {
        let (source, connection) = (unverified.source(), &endpoint.connection);
        let hint = if keys.may_examine(&*self.clock) {
            let known = (&self.pool, &*self.secret_store, &*self.clock);
            examine(known, (endpoint, keys), (unverified, headers)).await
        } else {
            Hint::NotExamined
        };
        let (source_name, hint) = (source.as_str(), hint.as_str());
        let name = RejectedWebhookKey { connection: connection.clone(), source: source_name, hint };
        self.key_usage.record_rejection(name, self.clock.now());
        tracing::warn!(connection, source = source_name, hint, "signature rejected");
        if headers.contains_key(keys.header()) {
            WebhookError::SignatureWrong { source }
        } else {
            WebhookError::SignatureMissing { source }
        }
    }
}
