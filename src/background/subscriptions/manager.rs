//! Keeps the subscriptions of every connection.

use std::{collections::HashMap, sync::Arc};

use sqlx::PgPool;
use uuid::Uuid;

use super::{
    Subscriber, SubscriptionError,
    subscription::{CreatedSubscription, ListedSubscription},
};
use crate::{
    domain::{configuration_watch::ConfigurationWatch, event::source::Source},
    runtime::clock::{Clock, Entropy},
    security::{
        secrets::{SecretStore, subscription_key_context},
        signature::key_id,
    },
    store::{
        StoreError,
        subscriptions::{self, NewSubscription, SealedKey, SubscriptionRow},
    },
};

/// The topics at the warehouse.
const WAREHOUSE_TOPICS: [&str; 2] = ["OrderShipped", "ProductStockLevelChanged"];

/// Registers, lists, removes and restores webhook subscriptions.
#[derive(Clone)]
pub struct Subscriptions {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and keys.
    pub entropy: Arc<Entropy>,
    /// Seals the keys.
    pub secret_store: Arc<SecretStore>,
    /// Whether this configuration is the newest.
    pub configuration: Arc<ConfigurationWatch>,
    /// Every connection.
    pub subscribers: Arc<[Subscriber]>,
}

/// A subscription as its vendor answered.
struct Subscribed<'a> {
    source: Source,
    topic: &'a str,
    remote_id: &'a str,
    key: &'a str,
}

impl Subscriptions {
    /// Seals stored keys again where the key that seals them is being rotated out.
    pub async fn reseal(&self) -> Result<(), StoreError> {
        let Self { pool, clock, entropy, secret_store, subscribers, .. } = self;
        let mut db = pool.acquire().await?;
        let connections: Vec<_> = subscribers.iter().map(|it| it.clients.name.clone()).collect();
        for key in subscriptions::list_keys(&mut db, &connections, clock.now()).await? {
            let context = subscription_key_context(&key.connection, &key.source);
            if let Some(resealed) = secret_store.reseal(&context, &key.sealed, entropy) {
                subscriptions::replace_sealed_key(&mut db, key.id, &key.sealed, &resealed).await?;
            }
        }
        Ok(())
    }

    /// The topics that are registered at the warehouse.
    pub fn warehouse_topics() -> Vec<String> {
        WAREHOUSE_TOPICS.map(ToOwned::to_owned).to_vec()
    }

    /// The connection of this name.
    pub fn find(&self, name: &str) -> Result<&Subscriber, SubscriptionError> {
        self.subscribers.iter().find(|it| it.clients.name == name).ok_or(SubscriptionError::UnknownConnection)
    }

    /// Every subscription at both vendors, and whether the shop has a list of them.
    pub async fn list(
        &self,
        subscriber: &Subscriber,
    ) -> Result<(Vec<ListedSubscription>, bool), SubscriptionError> {
        let at_shop = subscriber.clients.shop.subscriptions().await?;
        let at_warehouse = subscriber.clients.warehouse.subscriptions().await?;
        let stored = self.list_stored(subscriber).await?;
        let is_kept = |source: Source, remote: &str| {
            let mut rows = stored.iter().filter(|row| row.source == source.as_str());
            rows.any(|row| row.remote_id == remote && row.key_id.is_some())
        };
        let has_list = at_shop.is_some();
        let (shop_url, warehouse_url) = (subscriber.url(Source::MyCashflow), subscriber.url(Source::Ogoship));
        let shop = at_shop.unwrap_or_default().into_iter().map(|it| ListedSubscription {
            source: Source::MyCashflow.as_str(),
            topic: it.topic,
            id: None,
            url: subscriber.without_token(Source::MyCashflow, &it.url),
            is_ours: it.url == shop_url,
            is_outdated: subscriber.is_outdated(Source::MyCashflow, &it.url),
            is_kept: is_kept(Source::MyCashflow, &subscriber.shop_remote_id(&it.uuid)),
            remote_id: it.uuid,
        });
        let warehouse = at_warehouse.into_iter().map(|it| ListedSubscription {
            source: Source::Ogoship.as_str(),
            topic: it.topic,
            id: Some(it.id.clone()),
            is_ours: it.url == warehouse_url,
            is_outdated: subscriber.is_outdated(Source::Ogoship, &it.url),
            is_kept: is_kept(Source::Ogoship, &it.id),
            url: subscriber.without_token(Source::Ogoship, &it.url),
            remote_id: it.id,
        });
        Ok((shop.chain(warehouse).collect(), has_list))
    }

    /// Creates the missing subscriptions, one for each topic at each vendor. With `rotate`, all of them are created beside
    /// the existing ones, so that their keys rotate and the old ones can be removed once they are no longer used.
    pub async fn register(
        &self,
        subscriber: &Subscriber,
        rotate: bool,
        actor: &str,
    ) -> Result<Vec<CreatedSubscription>, SubscriptionError> {
        if subscriber.public_url.is_empty() {
            return Err(SubscriptionError::NoPublicUrl);
        }
        let Subscriber { clients, shop_topics, .. } = subscriber;
        let (listed, _) = self.list(subscriber).await?;
        let is_registered = |source: Source, topic: &str| {
            !rotate && listed.iter().any(|it| it.source == source.as_str() && it.topic == topic && it.is_ours)
        };
        let mut created = Vec::new();
        let source = Source::MyCashflow;
        for topic in shop_topics.iter().filter(|topic| !is_registered(source, topic)) {
            let answer = clients.shop.subscribe(topic, &subscriber.url(source)).await?;
            let remote_id = &subscriber.shop_remote_id(&answer.uuid);
            let registration = Subscribed { source, topic, remote_id, key: &answer.uuid };
            created.push(self.store_created(subscriber, registration, actor).await?);
        }
        let source = Source::Ogoship;
        for topic in WAREHOUSE_TOPICS.into_iter().filter(|topic| !is_registered(source, topic)) {
            let key = hex::encode(self.entropy.bytes::<32>());
            let answer = clients.warehouse.subscribe(topic, &subscriber.url(source), &key).await?;
            let registration = Subscribed { source, topic, remote_id: &answer.id, key: &key };
            created.push(self.store_created(subscriber, registration, actor).await?);
        }
        Ok(created)
    }

    /// Removes our subscriptions at both vendors: all of them, or one by its id here. Returns those that were removed.
    pub async fn remove(
        &self,
        subscriber: &Subscriber,
        only: Option<Uuid>,
    ) -> Result<Vec<SubscriptionRow>, SubscriptionError> {
        let stored = self.list_stored(subscriber).await?;
        let uuids = self.load_uuids(subscriber).await?;
        let (listed, _) = self.list(subscriber).await?;
        let mut removed = Vec::new();
        for row in stored.into_iter().filter(|row| only.is_none_or(|id| id == row.id)) {
            if row.source == Source::Ogoship.as_str() {
                subscriber.clients.warehouse.unsubscribe(&row.remote_id).await?;
            } else {
                let mut at_shop = listed.iter().filter(|it| it.source == row.source);
                let it = at_shop.find(|it| subscriber.shop_remote_id(&it.remote_id) == row.remote_id);
                if let Some(uuid) = it.map(|it| &it.remote_id).or_else(|| uuids.get(&row.id)) {
                    subscriber.clients.shop.unsubscribe(uuid).await?;
                }
            }
            let now = self.clock.now();
            subscriptions::remove(&mut *self.pool.acquire().await?, row.id, now).await?;
            removed.push(row);
        }
        Ok(removed)
    }

    /// The UUIDs of our subscriptions at the shop, by their ids here, as far as their keys are stored: the UUID is the key.
    pub(super) async fn load_uuids(
        &self,
        subscriber: &Subscriber,
    ) -> Result<HashMap<Uuid, String>, StoreError> {
        let mut db = self.pool.acquire().await?;
        let (name, source) = (&subscriber.clients.name, Source::MyCashflow.as_str());
        let keys = subscriptions::list_keys(&mut db, std::slice::from_ref(name), self.clock.now())
            .await?
            .into_iter();
        let open = |key: SealedKey| {
            let opened = self.secret_store.open(&subscription_key_context(name, source), &key.sealed).ok()?;
            Some((key.id, String::from_utf8(opened).ok()?))
        };
        Ok(keys.filter(|key| key.source == source).filter_map(open).collect())
    }

    /// Stores a subscription that its vendor has created, with its key sealed.
    async fn store_created(
        &self,
        subscriber: &Subscriber,
        registration: Subscribed<'_>,
        actor: &str,
    ) -> Result<CreatedSubscription, SubscriptionError> {
        let Self { pool, clock, entropy, secret_store, .. } = self;
        let Subscribed { source, topic, remote_id, key } = registration;
        let context = subscription_key_context(&subscriber.clients.name, source.as_str());
        let sealed = secret_store.seal(&context, key.as_bytes(), entropy);
        let key_id = key_id(&subscriber.webhook_token, key);
        let at = clock.now();
        let new = NewSubscription {
            id: entropy.id(at),
            connection: &subscriber.clients.name,
            source: source.as_str(),
            topic,
            remote_id,
            url: &subscriber.without_token(source, &subscriber.url(source)),
            key: sealed.as_deref().map(|sealed| (sealed, key_id.as_str())),
            actor,
            at,
        };
        subscriptions::insert(&mut *pool.acquire().await?, &new).await?;
        let shown = sealed.is_none().then(|| key.to_owned());
        Ok(CreatedSubscription { source: source.as_str(), topic: topic.to_owned(), key_id, key: shown })
    }

    /// The subscriptions that Silta has created. The connection is returned before any call.
    pub(super) async fn list_stored(
        &self,
        subscriber: &Subscriber,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        let mut db = self.pool.acquire().await?;
        subscriptions::list(&mut db, &subscriber.clients.name).await
    }
}
