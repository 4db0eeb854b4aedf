//! Webhook subscriptions: made, listed and removed at both systems, and put back when one of ours is gone.
//!
//! ```text
//! register ─▶ read both lists ─▶ what is missing ─▶ make it there ─▶ keep its key, sealed ─▶ the doors know it
//! watch (every hour) ──┘
//! ```
//!
//! The shop answers a UUID, which the vendor says validates its webhooks; the warehouse is told a key that we draw.
//! Either is a secret: it lies sealed under `[secrets] keys`, and where there is no such key it is shown once, to be
//! written into the configuration by hand. A subscription whose answer was lost is found in the system's list at the
//! next look; its key is unknown then, so it is removed and made anew.
//!
//! What tells one of ours from a stranger's is its URL: the address that `http.public_url` and the connection's name make.

mod watch;

use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    domain::event::source::Source,
    flows::Tied,
    inbox::place_of_key,
    runtime::clock::{Clock, Entropy},
    security::{secrets::Vault, signature::key_id},
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
    /// Both systems.
    pub tied: Tied,
    /// What the shop is asked to tell of: only `order.created` is a proven topic.
    pub shop_topics: Vec<String>,
    /// What the two systems are told to call.
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
    pub vault: Arc<Vault>,
    /// Every connection.
    pub subscribers: Vec<Subscriber>,
}

/// Why nothing, or not all, was done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// No such connection.
    #[error("the configuration names no such connection")]
    Unknown,
    /// Nobody said where we are to be called.
    #[error("http.public_url is empty: the two systems must be told what to call")]
    NoAddress,
    /// A system did not do it.
    #[error("{0}")]
    Call(#[from] CallError),
    /// It could not be kept.
    #[error("the database is away")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for NotDone {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A subscription at a system, ours or a stranger's.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Listed {
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
pub struct Made {
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
        format!("{}/webhooks/mycashflow/{}/{}", self.base(), self.tied.name, self.webhook_token)
    }

    fn warehouse_url(&self) -> String {
        format!("{}/webhooks/ogoship/{}", self.base(), self.tied.name)
    }

    fn base(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    /// An address as it may be shown and kept.
    fn shown(&self, url: &str) -> String {
        url.replace(&self.webhook_token, "…")
    }
}

impl Subscriptions {
    /// Seals anew what lies sealed under a key that is being rotated out, so that it can be taken away.
    pub async fn seal_anew(&self) -> Result<(), StoreError> {
        let Self { pool, clock, entropy, vault, subscribers } = self;
        let mut db = pool.acquire().await?;
        for of in subscribers {
            for key in subscriptions::keys(&mut db, &of.tied.name, clock.now()).await? {
                let place = place_of_key(&of.tied.name, &key.source);
                if let Some(anew) = vault.seal_anew(&place, &key.sealed, entropy) {
                    subscriptions::keep_sealed(&mut db, key.id, &key.sealed, &anew).await?;
                }
            }
        }
        Ok(())
    }

    /// The connection of this name.
    pub fn of(&self, name: &str) -> Result<&Subscriber, NotDone> {
        self.subscribers.iter().find(|it| it.tied.name == name).ok_or(NotDone::Unknown)
    }

    /// Every subscription of both systems, and whether the shop has such a list at all.
    pub async fn list(&self, of: &Subscriber) -> Result<(Vec<Listed>, bool), NotDone> {
        let at_shop = of.tied.shop.subscriptions().await?;
        let at_warehouse = of.tied.warehouse.subscriptions().await?;
        let mut db = self.pool.acquire().await?;
        let kept = subscriptions::list(&mut db, &of.tied.name).await?;
        drop(db);
        let is_kept = |source: Source, remote: &str| {
            kept.iter()
                .any(|row| row.source == source.as_str() && row.remote_id == remote && row.key_id.is_some())
        };
        let has_list = at_shop.is_some();
        let shop = at_shop.unwrap_or_default().into_iter().map(|it| Listed {
            source: Source::MyCashflow.as_str(),
            topic: it.topic,
            id: None,
            url: of.shown(&it.url),
            is_ours: it.url == of.shop_url(),
            is_kept: is_kept(Source::MyCashflow, &shop_remote_id(of, &it.uuid)),
            remote_id: it.uuid,
        });
        let warehouse = at_warehouse.into_iter().map(|it| Listed {
            source: Source::Ogoship.as_str(),
            topic: it.topic,
            id: Some(it.id.clone()),
            is_ours: it.url == of.warehouse_url(),
            is_kept: is_kept(Source::Ogoship, &it.id),
            url: it.url,
            remote_id: it.id,
        });
        Ok((shop.chain(warehouse).collect(), has_list))
    }

    /// Makes what is missing: one subscription for each topic at each system. With `anew`, all of them, beside those that
    /// there are: so that their keys are rotated, and the old ones removed when nobody uses them any more.
    pub async fn register(&self, of: &Subscriber, anew: bool, actor: &str) -> Result<Vec<Made>, NotDone> {
        if of.public_url.is_empty() {
            return Err(NotDone::NoAddress);
        }
        let (listed, _) = self.list(of).await?;
        let stands = |source: Source, topic: &str| {
            !anew && listed.iter().any(|it| it.source == source.as_str() && it.topic == topic && it.is_ours)
        };
        let mut made = Vec::new();
        for topic in of.shop_topics.iter().filter(|topic| !stands(Source::MyCashflow, topic)) {
            let subscription = of.tied.shop.subscribe(topic, &of.shop_url()).await?;
            let remote = shop_remote_id(of, &subscription.uuid);
            let kept = self.keep(of, Source::MyCashflow, topic, &remote, &subscription.uuid, actor);
            made.push(kept.await?);
        }
        for topic in WAREHOUSE_TOPICS.into_iter().filter(|topic| !stands(Source::Ogoship, topic)) {
            let key = hex::encode(self.entropy.bytes::<32>());
            let subscription = of.tied.warehouse.subscribe(topic, &of.warehouse_url(), &key).await?;
            made.push(self.keep(of, Source::Ogoship, topic, &subscription.id, &key, actor).await?);
        }
        Ok(made)
    }

    async fn keep(
        &self,
        of: &Subscriber,
        source: Source,
        topic: &str,
        remote_id: &str,
        key: &str,
        actor: &str,
    ) -> Result<Made, NotDone> {
        let Self { pool, clock, entropy, vault, .. } = self;
        let place = place_of_key(&of.tied.name, source.as_str());
        let sealed = vault.seal(&place, key.as_bytes(), entropy);
        let key_id = key_id(&of.webhook_token, key);
        let url = if source == Source::Ogoship { of.warehouse_url() } else { of.shop_url() };
        let at = clock.now();
        let new = NewSubscription {
            id: entropy.id(at),
            connection: &of.tied.name,
            source: source.as_str(),
            topic,
            remote_id,
            url: &of.shown(&url),
            key: sealed.as_deref().map(|sealed| (sealed, key_id.as_str())),
            actor,
            at,
        };
        subscriptions::insert(&mut *pool.acquire().await?, &new).await?;
        let shown = sealed.is_none().then(|| key.to_owned());
        Ok(Made { source: source.as_str(), topic: topic.to_owned(), key_id, key: shown })
    }

    /// Removes our subscriptions at both systems: all of them, or one by its id here. Answers what was removed.
    pub async fn remove(&self, of: &Subscriber, only: Option<Uuid>) -> Result<Vec<SubscriptionRow>, NotDone> {
        let mut db = self.pool.acquire().await?;
        let kept = subscriptions::list(&mut db, &of.tied.name).await?;
        drop(db);
        let (listed, _) = self.list(of).await?;
        let mut removed = Vec::new();
        for row in kept.into_iter().filter(|row| only.is_none_or(|id| id == row.id)) {
            if row.source == Source::Ogoship.as_str() {
                of.tied.warehouse.unsubscribe(&row.remote_id).await?;
            } else {
                let there = listed.iter().filter(|it| it.source == row.source);
                let mut of_row = there.filter(|it| shop_remote_id(of, &it.remote_id) == row.remote_id);
                if let Some(it) = of_row.next() {
                    of.tied.shop.unsubscribe(&it.remote_id).await?;
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
fn shop_remote_id(of: &Subscriber, uuid: &str) -> String {
    key_id(&of.webhook_token, uuid)
}
