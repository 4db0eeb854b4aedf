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
        secrets::Vault,
        signature::{Scheme, key_id},
    },
    store::{self, subscriptions, webhook_checks::KeyName},
};

/// How old the stored keys at hand may be when a signature does not fit.
const FRESH: Duration = Duration::from_secs(3);

/// The key of a removed subscription counts so much longer, for what is on its way.
const AFTER_REMOVAL: chrono::Duration = chrono::Duration::days(1);

/// Where a stored key has its place in the vault.
pub fn place_of_key(connection: &str, source: &str) -> String {
    format!("subscription/{connection}/{source}")
}

/// The keys of one connection's door for one system.
pub(in crate::inbox) struct Keyring {
    connection: String,
    source: Source,
    /// How the system signs, with the configured keys.
    configured: Scheme,
    /// What key ids are made with.
    id_secret: String,
    /// The same with the stored keys, and what each is called.
    at_hand: RwLock<Arc<(Scheme, Vec<String>)>>,
    read_at: Mutex<Option<Timestamp>>,
    asked_at: Mutex<Option<Timestamp>>,
}

impl Keyring {
    pub(in crate::inbox) fn new(
        connection: &str,
        source: Source,
        configured: Scheme,
        id_secret: &str,
    ) -> Self {
        let ids = configured.secrets.iter().map(|secret| key_id(id_secret, secret)).collect();
        Self {
            connection: connection.to_owned(),
            source,
            at_hand: RwLock::new(Arc::new((configured.clone(), ids))),
            configured,
            id_secret: id_secret.to_owned(),
            read_at: Mutex::default(),
            asked_at: Mutex::default(),
        }
    }

    /// The header that carries the signature.
    pub(in crate::inbox) fn header(&self) -> &str {
        &self.configured.header
    }

    /// Everything at hand.
    pub(in crate::inbox) fn scheme(&self) -> Arc<(Scheme, Vec<String>)> {
        self.at_hand.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key under which this is the body's signature, by the name that may be told.
    pub(in crate::inbox) fn fits(&self, body: &[u8], given: &str) -> Option<KeyName> {
        let at_hand = self.scheme();
        let (scheme, ids) = &*at_hand;
        scheme.verify(body, given).map(|at| self.named(&ids[at]))
    }

    /// The names of the configured keys.
    pub(in crate::inbox) fn names(&self) -> Vec<KeyName> {
        self.configured.secrets.iter().map(|secret| self.named(&key_id(&self.id_secret, secret))).collect()
    }

    fn named(&self, id: &str) -> KeyName {
        let purpose = match self.source {
            Source::Ogoship => "ogoship_webhook",
            Source::MyCashflow | Source::Sweep | Source::Person => "mycashflow_webhook",
        };
        KeyName { connection: self.connection.clone(), purpose, key_id: id.to_owned() }
    }

    /// May the database be asked whether somebody wants to learn from what was refused? Once a second: strangers must not
    /// make it work.
    pub(in crate::inbox) fn may_ask(&self, now: Timestamp) -> bool {
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may = asked_at.is_none_or(|at| now >= at + Duration::from_secs(1));
        if may {
            *asked_at = Some(now);
        }
        may
    }

    /// Reads the stored keys, unless that was done just now; answers whether there are others than before.
    pub(in crate::inbox) async fn refresh(&self, pool: &PgPool, vault: &Vault, clock: &dyn Clock) -> bool {
        let now = clock.now();
        {
            let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
            if !vault.keeps() || read_at.is_some_and(|at| now < at + FRESH) {
                return false;
            }
            *read_at = Some(now);
        }
        let Ok(stored) = self.stored(pool, now).await else { return false };
        let place = place_of_key(&self.connection, self.source.as_str());
        let mut scheme = self.configured.clone();
        let mut ids: Vec<_> = scheme.secrets.iter().map(|secret| key_id(&self.id_secret, secret)).collect();
        for key in stored.into_iter().filter(|key| key.source == self.source.as_str()) {
            let opened = vault.open(&place, &key.sealed).ok().and_then(|it| String::from_utf8(it).ok());
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
        let mut at_hand = self.at_hand.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = at_hand.1 != ids;
        *at_hand = Arc::new((scheme, ids));
        is_news
    }

    async fn stored(&self, pool: &PgPool, now: Timestamp) -> store::Result<Vec<subscriptions::SealedKey>> {
        let mut db = pool.acquire().await?;
        subscriptions::keys(&mut db, &self.connection, now - AFTER_REMOVAL).await
    }
}
