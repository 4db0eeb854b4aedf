//! Counts key uses and rejected webhooks in memory, and writes them now and then.
//!
//! Counting must not cost a webhook another row, and a rejected webhook must not make rows at all. So both are
//! counted in memory, by names that the configuration bounds, and added to their rows a few seconds later. A
//! process that dies loses a few seconds of counts: these figures inform operators only.

use std::{collections::HashMap, hash::Hash, time::Duration};

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Timestamp,
    store::{
        self,
        key_usage::{self, KeyIdentity},
        rejected_webhooks::{self, RejectedWebhookKey},
    },
};

/// How long after the first of them counts are written.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Counts {
    uses: HashMap<KeyIdentity, Count>,
    rejections: HashMap<RejectedWebhookKey, Count>,
}

/// How often something happened, and when it last did.
#[derive(Default)]
struct Count {
    count: i64,
    last_at: Timestamp,
}

/// Counts key uses and rejected webhooks of a process.
#[derive(Default)]
pub struct KeyUsage {
    counts: Mutex<Counts>,
    changed: Notify,
}

impl KeyUsage {
    /// Counts a webhook or request authenticated with a key.
    pub fn record_use(&self, key: KeyIdentity, at: Timestamp) {
        increment(&mut self.counts.lock().uses, key, at);
        self.changed.notify_one();
    }

    /// Counts a rejected webhook.
    pub fn record_rejection(&self, rejection: RejectedWebhookKey, at: Timestamp) {
        increment(&mut self.counts.lock().rejections, rejection, at);
        self.changed.notify_one();
    }

    /// Writes counts a few seconds after the first of them, until `soft` is cancelled, and then once more.
    pub async fn run(&self, pool: &PgPool, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! { () = self.changed.notified() => {}, () = soft.cancelled() => {} }
            let _ = tokio::time::timeout(FLUSH_INTERVAL, soft.cancelled()).await;
            if let Err(error) = self.flush(pool).await {
                tracing::warn!(error = %error, "counts of key uses and rejected webhooks lost");
            }
        }
    }

    /// Writes all counts now.
    pub async fn flush(&self, pool: &PgPool) -> store::Result<()> {
        let Counts { uses, rejections } = std::mem::take(&mut *self.counts.lock());
        if uses.is_empty() && rejections.is_empty() {
            return Ok(());
        }
        // The same order in every process, so that two of them cannot deadlock.
        let mut uses: Vec<_> = uses.into_iter().collect();
        uses.sort_by(|(one, _), (other, _)| {
            (&one.connection, one.purpose, &one.key_id).cmp(&(
                &other.connection,
                other.purpose,
                &other.key_id,
            ))
        });
        let mut rejections: Vec<_> = rejections.into_iter().collect();
        rejections.sort_by(|(one, _), (other, _)| {
            (&one.connection, one.source, one.hint).cmp(&(&other.connection, other.source, other.hint))
        });
        let mut db = pool.begin().await?;
        for (key, Count { count, last_at }) in &uses {
            key_usage::add_key_uses(&mut db, key, *count, *last_at).await?;
        }
        for (rejection, Count { count, last_at }) in &rejections {
            rejected_webhooks::add_rejected_webhooks(&mut db, rejection, *count, *last_at).await?;
        }
        db.commit().await?;
        Ok(())
    }
}

fn increment<K: Hash + Eq>(counts: &mut HashMap<K, Count>, key: K, at: Timestamp) {
    let count = counts.entry(key).or_default();
    count.count += 1;
    count.last_at = count.last_at.max(at);
}
