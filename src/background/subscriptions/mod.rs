//! Webhook subscriptions: made, listed and removed at both vendors, and put back when one of ours is gone.
//!
//! ```text
//! register ─▶ read both lists ─▶ what is missing ─▶ make it there ─▶ keep its key, sealed ─▶ the endpoints know it
//! watch (every hour) ──┘
//! ```
//!
//! The shop answers a UUID, which the vendor says validates its webhooks; the warehouse is told a key that we draw.
//! Either is a secret: it lies sealed under `[secrets] keys`, and where there is no such key it is shown once, to be
//! written into the configuration by hand. A subscription whose answer was lost is found in the vendor's list at the
//! next look; its key is unknown then, so it is removed and made anew.
//!
//! What tells one of ours from a stranger's is its URL: the address that `http.public_url` and the connection's name make.

mod watch;

use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    domain::event::source::Source,
    flows::ConnectionClients,
    runtime::clock::{Clock, Entropy},
    security::{
        secrets::{SecretStore, subscription_key_context},
        signature::key_id,
    },
    store::{
        StoreError,
        subscriptions::{self, NewSubscription, SubscriptionRow},
    },
    vendors::http::error::CallError,
};

/// What the warehouse has to tell of.
const WAREHOUSE_TOPICS: [&str; 2] = ["OrderShipped", "ProductStockLevelChanged"];

/// One connection's subscriptions.
#[derive(Clone)]
pub struct Subscriber {
    /// Both vendors.
    pub clients: ConnectionClients,
    /// What the shop is asked to tell of: only `order.created` is a proven topic.
    pub shop_topics: Vec<String>,
    /// What the two vendors are told to call.
    pub public_url: String,
    /// The unguessable part of the shop's path.
    pub webhook_token: String,
}

/// What is needed to keep subscriptions.
#[derive(Clone)]
pub struct Subscriptions {
    /// Where they are kept.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and keys.
    pub entropy: Arc<Entropy>,
    /// Seals their keys.
    pub secret_store: Arc<SecretStore>,
    /// Every connection.
    pub subscribers: Vec<Subscriber>,
}

/// Why nothing, or not all, was done.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// No such connection.
    #[error("the configuration names no such connection")]
    UnknownConnection,
    /// Nobody said where we are to be called.
    #[error("http.public_url is empty: the two vendors must be told what to call")]
    NoPublicUrl,
    /// A vendor did not do it.
    #[error("{0}")]
    Call(#[from] CallError),
    /// It could not be kept.
    #[error("the database is away")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SubscriptionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A subscription at a vendor, ours or a stranger's.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ListedSubscription {
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// What it tells of.
    pub topic: String,
    /// Its id there; left out at the shop, where it may be the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it calls, without the token.
    pub url: String,
    /// Does it call this connection's address?
    pub is_ours: bool,
    /// Is its key kept here, or configured by hand?
    pub is_kept: bool,
    #[serde(skip)]
    remote_id: String,
}

/// A subscription that was made.
#[derive(Clone, Debug)]
pub struct CreatedSubscription {
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// What it tells of.
    pub topic: String,
    /// What its key is called.
    pub key_id: String,
    /// The key itself, where there is nobody to seal it: to be shown once.
    pub key: Option<String>,
}

impl Subscriber {
    fn shop_url(&self) -> String {
        format!("{}/webhooks/mycashflow/{}/{}", self.base(), self.clients.name, self.webhook_token)
    }

    fn warehouse_url(&self) -> String {
        format!("{}/webhooks/ogoship/{}", self.base(), self.clients.name)
    }

    fn base(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    /// An address as it may be shown and kept.
    fn without_token(&self, url: &str) -> String {
        url.replace(&self.webhook_token, "…")
    }
}

impl Subscriptions {
    /// Seals anew what lies sealed under a key that is being rotated out, so that it can be taken away.
    pub async fn reseal(&self) -> Result<(), StoreError> {
        let Self { pool, clock, entropy, secret_store, subscribers } = self;
        let mut db = pool.acquire().await?;
        for subscriber in subscribers {
            for key in subscriptions::list_keys(&mut db, &subscriber.clients.name, clock.now()).await? {
                let context = subscription_key_context(&subscriber.clients.name, &key.source);
                if let Some(resealed) = secret_store.reseal(&context, &key.sealed, entropy) {
                    subscriptions::replace_sealed_key(&mut db, key.id, &key.sealed, &resealed).await?;
                }
            }
        }
        Ok(())
    }

    /// The connection of this name.
    pub fn find(&self, name: &str) -> Result<&Subscriber, SubscriptionError> {
        self.subscribers.iter().find(|it| it.clients.name == name).ok_or(SubscriptionError::UnknownConnection)
    }

    /// Every subscription of both vendors, and whether the shop has such a list at all.
    pub async fn list(
        &self,
        subscriber: &Subscriber,
    ) -> Result<(Vec<ListedSubscription>, bool), SubscriptionError> {
        let at_shop = subscriber.clients.shop.subscriptions().await?;
        let at_warehouse = subscriber.clients.warehouse.subscriptions().await?;
        let mut db = self.pool.acquire().await?;
        let kept = subscriptions::list(&mut db, &subscriber.clients.name).await?;
        drop(db);
        let is_kept = |source: Source, remote: &str| {
            kept.iter()
                .any(|row| row.source == source.as_str() && row.remote_id == remote && row.key_id.is_some())
        };
        let has_list = at_shop.is_some();
        let shop = at_shop.unwrap_or_default().into_iter().map(|it| ListedSubscription {
            source: Source::MyCashflow.as_str(),
            topic: it.topic,
            id: None,
            url: subscriber.without_token(&it.url),
            is_ours: it.url == subscriber.shop_url(),
            is_kept: is_kept(Source::MyCashflow, &shop_remote_id(subscriber, &it.uuid)),
            remote_id: it.uuid,
        });
        let warehouse = at_warehouse.into_iter().map(|it| ListedSubscription {
            source: Source::Ogoship.as_str(),
            topic: it.topic,
            id: Some(it.id.clone()),
            is_ours: it.url == subscriber.warehouse_url(),
            is_kept: is_kept(Source::Ogoship, &it.id),
            url: it.url,
            remote_id: it.id,
        });
        Ok((shop.chain(warehouse).collect(), has_list))
    }

    /// Makes what is missing: one subscription for each topic at each vendor. With `rotate`, all of them, beside those that
    /// there are: so that their keys are rotated, and the old ones removed when nobody uses them any more.
    pub async fn register(
        &self,
        subscriber: &Subscriber,
        rotate: bool,
        actor: &str,
    ) -> Result<Vec<CreatedSubscription>, SubscriptionError> {
        if subscriber.public_url.is_empty() {
            return Err(SubscriptionError::NoPublicUrl);
        }
        let (listed, _) = self.list(subscriber).await?;
        let is_registered = |source: Source, topic: &str| {
            !rotate && listed.iter().any(|it| it.source == source.as_str() && it.topic == topic && it.is_ours)
        };
        let mut made = Vec::new();
        for topic in subscriber.shop_topics.iter().filter(|topic| !is_registered(Source::MyCashflow, topic)) {
            let subscription = subscriber.clients.shop.subscribe(topic, &subscriber.shop_url()).await?;
            let remote = shop_remote_id(subscriber, &subscription.uuid);
            let created =
                self.store_created(subscriber, Source::MyCashflow, topic, &remote, &subscription.uuid, actor);
            made.push(created.await?);
        }
        for topic in WAREHOUSE_TOPICS.into_iter().filter(|topic| !is_registered(Source::Ogoship, topic)) {
            let key = hex::encode(self.entropy.bytes::<32>());
            let subscription =
                subscriber.clients.warehouse.subscribe(topic, &subscriber.warehouse_url(), &key).await?;
            made.push(
                self.store_created(subscriber, Source::Ogoship, topic, &subscription.id, &key, actor).await?,
            );
        }
        Ok(made)
    }

    async fn store_created(
        &self,
        subscriber: &Subscriber,
        source: Source,
        topic: &str,
        remote_id: &str,
        key: &str,
        actor: &str,
    ) -> Result<CreatedSubscription, SubscriptionError> {
        let Self { pool, clock, entropy, secret_store, .. } = self;
        let context = subscription_key_context(&subscriber.clients.name, source.as_str());
        let sealed = secret_store.seal(&context, key.as_bytes(), entropy);
        let key_id = key_id(&subscriber.webhook_token, key);
        let url = if source == Source::Ogoship { subscriber.warehouse_url() } else { subscriber.shop_url() };
        let at = clock.now();
        let new = NewSubscription {
            id: entropy.id(at),
            connection: &subscriber.clients.name,
            source: source.as_str(),
            topic,
            remote_id,
            url: &subscriber.without_token(&url),
            key: sealed.as_deref().map(|sealed| (sealed, key_id.as_str())),
            actor,
            at,
        };
        subscriptions::insert(&mut *pool.acquire().await?, &new).await?;
        let shown = sealed.is_none().then(|| key.to_owned());
        Ok(CreatedSubscription { source: source.as_str(), topic: topic.to_owned(), key_id, key: shown })
    }

    /// Removes our subscriptions at both vendors: all of them, or one by its id here. Answers what was removed.
    pub async fn remove(
        &self,
        subscriber: &Subscriber,
        only: Option<Uuid>,
    ) -> Result<Vec<SubscriptionRow>, SubscriptionError> {
        let mut db = self.pool.acquire().await?;
        let kept = subscriptions::list(&mut db, &subscriber.clients.name).await?;
        drop(db);
        let (listed, _) = self.list(subscriber).await?;
        let mut removed = Vec::new();
        for row in kept.into_iter().filter(|row| only.is_none_or(|id| id == row.id)) {
            if row.source == Source::Ogoship.as_str() {
                subscriber.clients.warehouse.unsubscribe(&row.remote_id).await?;
            } else {
                let there = listed.iter().filter(|it| it.source == row.source);
                let mut of_row =
                    there.filter(|it| shop_remote_id(subscriber, &it.remote_id) == row.remote_id);
                if let Some(it) = of_row.next() {
                    subscriber.clients.shop.unsubscribe(&it.remote_id).await?;
                }
            }
            let now = self.clock.now();
            subscriptions::remove(&mut *self.pool.acquire().await?, row.id, now).await?;
            removed.push(row);
        }
        Ok(removed)
    }
}

/// What a shop's subscription is called here: its UUID is its key, as far as anybody knows, so it is not written down.
fn shop_remote_id(subscriber: &Subscriber, uuid: &str) -> String {
    key_id(&subscriber.webhook_token, uuid)
}
