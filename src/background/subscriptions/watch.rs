//! The watch: a subscription of ours that is gone is put back.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Subscriber, SubscriptionError, Subscriptions, shop_remote_id};
use crate::{
    domain::event::source::Source,
    store::subscriptions::{self, SubscriptionRow},
};

/// How often it is looked whether all of them still stand.
const CHECK_INTERVAL: Duration = Duration::from_secs(3600);

/// Who makes them then.
const RESTORED_BY: &str = "watch";

impl Subscriptions {
    /// Looks every hour until told to stop.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            for subscriber in &self.subscribers {
                tokio::select! {
                    checked = self.restore_missing(subscriber) => match checked {
                        Ok(0) => {}
                        Ok(restored) => tracing::warn!(connection = subscriber.clients.name, restored, "webhook subscriptions were gone and put back"),
                        Err(error) => {
                            let connection = &subscriber.clients.name;
                            tracing::warn!(connection, error = %error, "cannot look after webhook subscriptions");
                        }
                    },
                    () = soft.cancelled() => return,
                }
            }
            let pause = CHECK_INTERVAL.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// Looks whether all that we made still stand, and puts back what does not; answers how many. Where we made none,
    /// nobody is asked. The crank of the tests.
    pub async fn restore_missing(&self, subscriber: &Subscriber) -> Result<usize, SubscriptionError> {
        let mut db = self.pool.acquire().await?;
        let kept = subscriptions::list(&mut db, &subscriber.clients.name).await?;
        drop(db); // never held across the network
        if kept.is_empty() {
            return Ok(0);
        }
        let (listed, shop_has_list) = self.list(subscriber).await?;
        let is_registered = |row: &SubscriptionRow| {
            let is_shops = row.source == Source::MyCashflow.as_str();
            is_shops && !shop_has_list // who has no list cannot say that it is gone
                || listed.iter().any(|it| {
                    let remote_id = if is_shops { shop_remote_id(subscriber, &it.remote_id) } else { it.remote_id.clone() };
                    it.source == row.source && remote_id == row.remote_id
                })
        };
        let (there, gone): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_registered);
        let now = self.clock.now();
        for row in &there {
            subscriptions::mark_seen(&mut *self.pool.acquire().await?, row.id, now).await?;
        }
        if gone.is_empty() {
            return Ok(0);
        }
        self.register(subscriber, false, RESTORED_BY).await?;
        // Only now: should that have failed, the next look finds them gone again, and the alert tells of it.
        for row in &gone {
            subscriptions::remove(&mut *self.pool.acquire().await?, row.id, now).await?;
        }
        Ok(gone.len())
    }
}
