//! Examines a webhook whose signature is wrong: what seems wrong with it and, where an operator asked for signature detection,
//! how it is signed. Neither accepts it.
//!
//! Both compute digests of the whole body, with every key and for many headers. So this runs at most once a second for a
//! connection's keys ([`Keyring::may_examine`]), and on a thread for blocking work: those that serve requests go on.

use axum::http::HeaderMap;
use serde_json::json;
use sqlx::PgPool;

use super::{endpoint::Endpoint, keyring::Keyring, verify::Unverified};
use crate::{
    domain::Timestamp,
    runtime::clock::Clock,
    security::{
        detection::{self, Hint, NamedKey, SignatureDetection},
        secrets::SecretStore,
    },
    store::{self, signature_detections},
};

/// What an examination found.
struct Examined {
    hint: Hint,
    /// How it is signed; `None` where nobody asked.
    detections: Option<Vec<SignatureDetection>>,
}

/// Finds what seems wrong, and stores how the webhook is signed where an operator asked for that.
pub(super) async fn examine(
    (pool, secret_store, clock): (&PgPool, &SecretStore, &dyn Clock),
    (endpoint, keys): (&Endpoint, &Keyring),
    (unverified, headers): (Unverified, &HeaderMap),
) -> Hint {
    let now = clock.now();
    let (connection, source) = (&endpoint.connection, unverified.source().as_str());
    let candidates = match is_detecting(pool, connection, source, now).await {
        Ok(true) => {
            // Another process may have registered a subscription a moment ago, and its key is what signs.
            keys.refresh(pool, secret_store, clock).await;
            Some(candidates(endpoint, keys))
        }
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(connection, error = %error, "signature detection failed");
            None
        }
    };
    let texts: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let seen: Vec<_> = texts.iter().map(|(name, _)| name.clone()).collect();
    let known = keys.current();
    let examined = tokio::task::spawn_blocking(move || {
        let (body, _permit) = unverified.into_parts();
        let headers: Vec<_> = texts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let hint = detection::diagnose(&known.scheme, &body, &headers);
        Examined { hint, detections: candidates.map(|keys| detection::detect(&body, &headers, &keys)) }
    });
    let Ok(Examined { hint, detections }) = examined.await else { return Hint::NotExamined };
    if let Some(found) = detections
        && let Err(error) = save(pool, (connection, source), &seen, &found, now).await
    {
        tracing::warn!(connection, error = %error, "signature detection failed");
    }
    hint
}

async fn is_detecting(pool: &PgPool, connection: &str, source: &str, now: Timestamp) -> store::Result<bool> {
    let mut db = pool.acquire().await?;
    signature_detections::is_detecting(&mut db, connection, source, now).await
}

/// Every key that the webhook may be signed with.
fn candidates(endpoint: &Endpoint, keys: &Keyring) -> Vec<NamedKey> {
    let token = NamedKey { name: "webhook_token".to_owned(), secret: endpoint.webhook_token.clone() };
    keys.current().named_keys().into_iter().chain([token]).collect()
}

/// Stores the result. Only a webhook that a known key has signed ends the detection: anybody can send another one.
async fn save(
    pool: &PgPool,
    (connection, source): (&str, &str),
    headers: &[String],
    found: &[SignatureDetection],
    now: Timestamp,
) -> store::Result<()> {
    let mut db = pool.acquire().await?;
    if found.is_empty() {
        return signature_detections::record_unsigned(&mut db, connection, source, headers).await;
    }
    signature_detections::save_detection(&mut db, connection, source, headers, &json!(found), now).await
}
