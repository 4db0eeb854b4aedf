//! Watches the subscriptions: registers again what is gone, and replaces what calls the path of a former webhook token.

use std::{collections::HashMap, time::Duration};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Registration, Subscriber, SubscriptionError, Subscriptions, subscription::ListedSubscription};
use crate::{
    domain::event::source::Source,
    store::{
        configurations,
        subscriptions::{self, SubscriptionRow},
    },
};

/// How often the subscriptions are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(3600);

/// The actor of restored subscriptions.
const RESTORED_BY: &str = "watch";

/// What is missing at the vendors.
#[derive(Default)]
struct Missing {
    rows: Vec<SubscriptionRow>,
    /// The UUIDs of those at the shop, by their ids here, as far as they are known.
    uuids: HashMap<Uuid, String>,
    shop_has_list: bool,
}

impl Subscriptions {
    /// Checks every hour until `soft` is cancelled.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            for subscriber in self.watched().await {
                let connection = &subscriber.clients.name;
                tokio::select! {
                    checked = self.restore_missing(subscriber) => match checked {
                        Ok(0) => {}
                        Ok(restored) => tracing::warn!(connection, restored, "webhook subscriptions were gone, or had another token, and are registered again"),
                        Err(error) => tracing::warn!(connection, error = %error, "webhook subscription check failed, retrying in an hour"),
                    },
                    () = soft.cancelled() => return,
                }
            }
            let pause = CHECK_INTERVAL.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// The connections whose subscriptions this process watches: all or, where a newer configuration may name others or
    /// another public URL, none.
    pub async fn watched(&self) -> &[Subscriber] {
        let is_newest = async {
            let mut db = self.pool.acquire().await?;
            configurations::is_newest(&mut db, &self.configuration, self.clock.monotonic()).await
        };
        match is_newest.await {
            Ok(true) => &self.subscribers,
            Ok(false) => &[],
            Err(error) => {
                tracing::warn!(error = %error, "webhook subscriptions are not checked, retrying in an hour");
                &[]
            }
        }
    }

    /// Removes at both vendors the subscriptions that call an address which this connection had with another webhook token:
    /// they are refused, and some vendors stop calling a subscriber that refuses much. Each only once the one of the present
    /// address is there. Returns how many.
    pub async fn remove_outdated(&self, subscriber: &Subscriber) -> Result<usize, SubscriptionError> {
        let (listed, _) = self.list(subscriber).await?;
        let is_replaced = |old: &&ListedSubscription| {
            let is_same = |it: &&ListedSubscription| (it.source, &it.topic) == (old.source, &old.topic);
            listed.iter().filter(is_same).any(|it| it.is_ours)
        };
        let mut removed = 0;
        for old in listed.iter().filter(|it| it.is_outdated).filter(is_replaced) {
            if old.source == Source::Ogoship.as_str() {
                subscriber.clients.warehouse.unsubscribe(&old.remote_id).await?;
            } else {
                subscriber.clients.shop.unsubscribe(&old.remote_id).await?;
            }
            removed += 1;
        }
        Ok(removed)
    }

    /// Creates again those of our subscriptions that are gone at their vendor, or that call the address of another webhook
    /// token, which are removed then; returns how many. Where none was created by Silta, no vendor is called; while another
    /// registration runs, the next check looks again. Tests drive the check with it.
    pub async fn restore_missing(&self, subscriber: &Subscriber) -> Result<usize, SubscriptionError> {
        if self.find_missing(subscriber).await?.rows.is_empty() {
            return Ok(0);
        }
        let Some(turn) = self.begin(subscriber, RESTORED_BY).await? else { return Ok(0) };
        let done = self.restore(subscriber).await;
        self.end(turn, done.as_ref().ok().map(|(registration, _)| registration)).await;
        Ok(done?.1)
    }

    /// Restores what is missing once its turn has come: a registration that ran until then may have made it.
    async fn restore(&self, subscriber: &Subscriber) -> Result<(Registration, usize), SubscriptionError> {
        let Missing { rows, uuids, shop_has_list } = self.find_missing(subscriber).await?;
        if rows.is_empty() {
            return Ok((Registration::default(), 0));
        }
        let registration = self.register_and_replace(subscriber, false, RESTORED_BY).await?;
        if !shop_has_list {
            self.try_to_remove_unlisted(subscriber, &rows, &uuids).await;
        }
        // The rows go last: if registering fails, the next check finds them missing again and the alert reports it.
        let now = self.clock.now();
        for row in &rows {
            subscriptions::remove(&mut *self.pool.acquire().await?, row.id, now).await?;
        }
        Ok((registration, rows.len()))
    }

    /// Finds what is missing, and marks the others as seen.
    async fn find_missing(&self, subscriber: &Subscriber) -> Result<Missing, SubscriptionError> {
        let stored = self.list_stored(subscriber).await?;
        if stored.is_empty() {
            return Ok(Missing::default());
        }
        let uuids = self.load_uuids(subscriber).await?;
        let (listed, shop_has_list) = self.list(subscriber).await?;
        let is_registered = |row: &SubscriptionRow| {
            let is_shops = row.source == Source::MyCashflow.as_str();
            // Without a list nothing shows that it is gone, and its own id only that it had another token.
            is_shops && !shop_has_list && has_present_token(subscriber, row, &uuids)
                || listed.iter().filter(|it| !it.is_outdated).any(|it| {
                    let is_same = |remote_id: &str| it.source == row.source && remote_id == row.remote_id;
                    if is_shops {
                        is_same(&subscriber.shop_remote_id(&it.remote_id))
                    } else {
                        is_same(&it.remote_id)
                    }
                })
        };
        let (registered, rows): (Vec<_>, Vec<_>) = stored.into_iter().partition(is_registered);
        let now = self.clock.now();
        for row in &registered {
            subscriptions::mark_seen(&mut *self.pool.acquire().await?, row.id, now).await?;
        }
        Ok(Missing { rows, uuids, shop_has_list })
    }

    /// Removes subscriptions at a shop that lists none. It may know no removal either: they are refused then, no more.
    async fn try_to_remove_unlisted(
        &self,
        subscriber: &Subscriber,
        rows: &[SubscriptionRow],
        uuids: &HashMap<Uuid, String>,
    ) {
        for uuid in rows.iter().filter_map(|row| uuids.get(&row.id)) {
            if let Err(error) = subscriber.clients.shop.unsubscribe(uuid).await {
                let connection = &subscriber.clients.name;
                tracing::warn!(connection, error = %error, "a former webhook subscription of the shop could not be removed");
            }
        }
    }
}

/// False for a subscription of the shop whose address had another webhook token, as far as its UUID is known.
fn has_present_token(subscriber: &Subscriber, row: &SubscriptionRow, uuids: &HashMap<Uuid, String>) -> bool {
    uuids.get(&row.id).is_none_or(|uuid| subscriber.shop_remote_id(uuid) == row.remote_id)
}
