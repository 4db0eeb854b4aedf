//! The keys that a connection's webhooks may be signed with: those of the configuration, and those of the
//! subscriptions that Silta made itself, which are encrypted in the database.
//!
//! Stored keys are read when a signature matches no known key, at most every few seconds. So a key that another
//! process just made is found, and while signatures match, the database is not asked. Where they cannot be read, it is
//! unknown whether the signature is wrong: the webhook is answered 503, and its sender repeats it.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use sqlx::PgPool;

use crate::{
    domain::{Timestamp, event::source::Source},
    runtime::clock::Clock,
    security::{
        detection::NamedKey,
        secrets::{SecretStore, subscription_key_context},
        signature::{SignatureScheme, key_id},
    },
    store::{self, key_usage::KeyIdentity, subscriptions},
};

/// Stored keys are read again at most this often.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(3);

/// How long a webhook waits for the stored keys.
const READ_TIMEOUT: Duration = Duration::from_millis(1500);

/// Why a signature is wrong is found out at most this often: it costs digests of the whole body.
const MIN_EXAMINATION_INTERVAL: Duration = Duration::from_secs(1);

/// How long the key of a removed subscription is still valid, for webhooks on their way.
const REMOVED_KEY_GRACE: chrono::Duration = chrono::Duration::days(1);

/// A scheme with all its keys, and the id of each.
pub(super) struct Keys {
    pub(super) scheme: SignatureScheme,
    ids: Vec<String>,
}

impl Keys {
    /// The keys by names that may be shown.
    pub(super) fn named_keys(&self) -> Vec<NamedKey> {
        let pairs = self.ids.iter().zip(&self.scheme.secrets);
        pairs.map(|(id, secret)| NamedKey { name: format!("key {id}"), secret: secret.clone() }).collect()
    }
}

/// A read of the stored keys.
#[derive(Clone, Copy)]
struct KeyRead {
    at: Timestamp,
    has_failed: bool,
}

/// What a refresh showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// There are other keys than before.
    Changed,
    /// The keys are the same.
    Unchanged,
    /// They could not be read: there may be others.
    Unreadable,
}

/// The keys of one connection's webhooks from one vendor.
pub(super) struct Keyring {
    connection: String,
    source: Source,
    /// How the vendor signs, with the configured keys.
    configured: SignatureScheme,
    /// The secret that key ids are made with.
    id_secret: String,
    /// The configured keys and the stored ones as last read.
    current: RwLock<Arc<Keys>>,
    /// The last read of the stored keys.
    last_read: Mutex<Option<KeyRead>>,
    /// When a wrong signature was last examined, by the clock that nobody sets.
    examined_at: Mutex<Option<Duration>>,
}

impl Keyring {
    pub(super) fn new(
        connection: &str,
        source: Source,
        configured: SignatureScheme,
        id_secret: &str,
    ) -> Self {
        let ids = configured.secrets.iter().map(|secret| key_id(id_secret, secret)).collect();
        Self {
            connection: connection.to_owned(),
            source,
            current: RwLock::new(Arc::new(Keys { scheme: configured.clone(), ids })),
            configured,
            id_secret: id_secret.to_owned(),
            last_read: Mutex::default(),
            examined_at: Mutex::default(),
        }
    }

    /// The header that carries the signature.
    pub(super) fn header(&self) -> &str {
        &self.configured.header
    }

    /// All known keys.
    pub(super) fn current(&self) -> Arc<Keys> {
        self.current.read().clone()
    }

    /// The key whose signature of `body` is `given`, by a name that may be shown.
    pub(super) fn find_key(&self, body: &[u8], given: &str) -> Option<KeyIdentity> {
        let Keys { scheme, ids } = &*self.current();
        scheme.verify(body, given).map(|at| self.key_name(&ids[at]))
    }

    /// The names of the configured keys.
    pub(super) fn configured_key_names(&self) -> Vec<KeyIdentity> {
        self.configured.secrets.iter().map(|secret| self.key_name(&key_id(&self.id_secret, secret))).collect()
    }

    fn key_name(&self, id: &str) -> KeyIdentity {
        let purpose = match self.source {
            Source::Ogoship => "ogoship_webhook",
            Source::MyCashflow | Source::Poll | Source::Operator => "mycashflow_webhook",
        };
        KeyIdentity { connection: self.connection.clone(), purpose, key_id: id.to_owned() }
    }

    /// Whether a wrong signature may be examined now; if so, the next one may be an interval later.
    pub(super) fn may_examine(&self, clock: &dyn Clock) -> bool {
        let (now, mut examined_at) = (clock.monotonic(), self.examined_at.lock());
        let is_due = examined_at.is_none_or(|at| now >= at + MIN_EXAMINATION_INTERVAL);
        if is_due {
            *examined_at = Some(now);
        }
        is_due
    }

    /// Reads the stored keys, unless that was done a moment ago.
    pub(super) async fn refresh(
        &self,
        pool: &PgPool,
        secret_store: &SecretStore,
        clock: &dyn Clock,
    ) -> Refreshed {
        let now = clock.now();
        if !secret_store.has_key() {
            return Refreshed::Unchanged;
        }
        let recent = self.last_read.lock().filter(|read| now < read.at + MIN_REFRESH_INTERVAL);
        if let Some(KeyRead { has_failed, .. }) = recent {
            return if has_failed { Refreshed::Unreadable } else { Refreshed::Unchanged };
        }
        // Until it has ended, others count on no other keys; a failure is noted at once.
        *self.last_read.lock() = Some(KeyRead { at: now, has_failed: false });
        let stored = tokio::time::timeout(READ_TIMEOUT, self.read_stored(pool, now)).await;
        let Ok(Ok(stored)) = stored else {
            *self.last_read.lock() = Some(KeyRead { at: clock.now(), has_failed: true });
            return Refreshed::Unreadable;
        };
        if self.replace_stored(stored, secret_store) { Refreshed::Changed } else { Refreshed::Unchanged }
    }

    /// Takes over the stored keys; returns whether they are others than before.
    fn replace_stored(&self, stored: Vec<subscriptions::SealedKey>, secret_store: &SecretStore) -> bool {
        let mut keys = Keys {
            scheme: self.configured.clone(),
            ids: self.configured.secrets.iter().map(|secret| key_id(&self.id_secret, secret)).collect(),
        };
        let context = subscription_key_context(&self.connection, self.source.as_str());
        for key in stored.into_iter().filter(|key| key.source == self.source.as_str()) {
            let opened = secret_store.open(&context, &key.sealed).ok();
            let Some(secret) = opened.and_then(|secret| String::from_utf8(secret).ok()) else {
                let connection = &self.connection;
                tracing::warn!(connection, key = key.key_id, "no key of [secrets] decrypts a stored key");
                continue;
            };
            keys.scheme.secrets.push(secret);
            keys.ids.push(key.key_id);
        }
        let mut current = self.current.write();
        let has_changed = current.ids != keys.ids;
        *current = Arc::new(keys);
        has_changed
    }

    async fn read_stored(
        &self,
        pool: &PgPool,
        now: Timestamp,
    ) -> store::Result<Vec<subscriptions::SealedKey>> {
        let mut db = pool.acquire().await?;
        subscriptions::list_keys(&mut db, std::slice::from_ref(&self.connection), now - REMOVED_KEY_GRACE)
            .await
    }
}
