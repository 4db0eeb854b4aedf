//! The keys that a connection's webhooks may be signed with: those of the configuration, and those of the subscriptions
//! that Silta made itself, which lie sealed in the database.
//!
//! The latter are read when a signature fits none of those at hand, at most every few seconds: a key that another process
//! has just made is then known here, and as long as everything fits, nobody is asked.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use sqlx::PgPool;

use crate::{
    domain::{Timestamp, event::source::Source},
    runtime::clock::Clock,
    security::{
        secrets::SecretStore,
        signature::{SignatureScheme, key_id},
    },
    store::{self, key_usage::KeyIdentity, subscriptions},
};

/// How old the stored keys at hand may be when a signature does not fit.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(3);

/// The key of a removed subscription counts so much longer, for what is on its way.
const REMOVED_KEY_GRACE: chrono::Duration = chrono::Duration::days(1);

/// Where a stored key has its place in the secret_store.
pub fn subscription_key_context(connection: &str, source: &str) -> String {
    format!("subscription/{connection}/{source}")
}

/// The keys of one connection's endpoint for one vendor.
pub(in crate::inbox) struct Keyring {
    connection: String,
    source: Source,
    /// How the vendor signs, with the configured keys.
    configured: SignatureScheme,
    /// What key ids are made with.
    id_secret: String,
    /// The same with the stored keys, and what each is called.
    current: RwLock<Arc<(SignatureScheme, Vec<String>)>>,
    read_at: Mutex<Option<Timestamp>>,
    checked_at: Mutex<Option<Timestamp>>,
}

impl Keyring {
    pub(in crate::inbox) fn new(
        connection: &str,
        source: Source,
        configured: SignatureScheme,
        id_secret: &str,
    ) -> Self {
        let ids = configured.secrets.iter().map(|secret| key_id(id_secret, secret)).collect();
        Self {
            connection: connection.to_owned(),
            source,
            current: RwLock::new(Arc::new((configured.clone(), ids))),
            configured,
            id_secret: id_secret.to_owned(),
            read_at: Mutex::default(),
            checked_at: Mutex::default(),
        }
    }

    /// The header that carries the signature.
    pub(in crate::inbox) fn header(&self) -> &str {
        &self.configured.header
    }

    /// Everything at hand.
    pub(in crate::inbox) fn scheme(&self) -> Arc<(SignatureScheme, Vec<String>)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key under which this is the body's signature, by the name that may be told.
    pub(in crate::inbox) fn find_key(&self, body: &[u8], given: &str) -> Option<KeyIdentity> {
        let current = self.scheme();
        let (scheme, ids) = &*current;
        scheme.verify(body, given).map(|at| self.key_name(&ids[at]))
    }

    /// The names of the configured keys.
    pub(in crate::inbox) fn configured_key_names(&self) -> Vec<KeyIdentity> {
        self.configured.secrets.iter().map(|secret| self.key_name(&key_id(&self.id_secret, secret))).collect()
    }

    fn key_name(&self, id: &str) -> KeyIdentity {
        let purpose = match self.source {
            Source::Ogoship => "ogoship_webhook",
            Source::MyCashflow | Source::Poll | Source::Operator => "mycashflow_webhook",
        };
        KeyIdentity { connection: self.connection.clone(), purpose, key_id: id.to_owned() }
    }

    /// May the database be asked whether somebody wants to learn from what was refused? Once a second: auth_throttle must not
    /// make it work.
    pub(in crate::inbox) fn may_check_detection(&self, now: Timestamp) -> bool {
        let mut checked_at = self.checked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may = checked_at.is_none_or(|at| now >= at + Duration::from_secs(1));
        if may {
            *checked_at = Some(now);
        }
        may
    }

    /// Reads the stored keys, unless that was done just now; answers whether there are others than before.
    pub(in crate::inbox) async fn refresh(
        &self,
        pool: &PgPool,
        secret_store: &SecretStore,
        clock: &dyn Clock,
    ) -> bool {
        let now = clock.now();
        {
            let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
            if !secret_store.has_key() || read_at.is_some_and(|at| now < at + MIN_REFRESH_INTERVAL) {
                return false;
            }
            *read_at = Some(now);
        }
        let Ok(stored) = self.stored(pool, now).await else { return false };
        let context = subscription_key_context(&self.connection, self.source.as_str());
        let mut scheme = self.configured.clone();
        let mut ids: Vec<_> = scheme.secrets.iter().map(|secret| key_id(&self.id_secret, secret)).collect();
        for key in stored.into_iter().filter(|key| key.source == self.source.as_str()) {
            let opened =
                secret_store.open(&context, &key.sealed).ok().and_then(|it| String::from_utf8(it).ok());
            let Some(secret) = opened else {
                tracing::warn!(
                    connection = self.connection,
                    key = key.key_id,
                    "no key of [secrets] opens a stored key"
                );
                continue;
            };
            scheme.secrets.push(secret);
            ids.push(key.key_id);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let has_new_keys = current.1 != ids;
        *current = Arc::new((scheme, ids));
        has_new_keys
    }

    async fn stored(&self, pool: &PgPool, now: Timestamp) -> store::Result<Vec<subscriptions::SealedKey>> {
        let mut db = pool.acquire().await?;
        subscriptions::list_keys(&mut db, &self.connection, now - REMOVED_KEY_GRACE).await
    }
}
