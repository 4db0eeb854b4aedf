//! What was seen of keys and signatures, counts in memory and written now and then.
//!
//! A webhook must not cost a row more because somebody wants to know which key is still used; and what is refused must not
//! make rows at all. So both are counts here, by names that the configuration bounds, and added to their rows a few
//! seconds later. A process that dies takes a few seconds of counting with it: nothing depends on these figures but a
//! person's judgement.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

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

/// What has been counts is written so soon.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Counts {
    uses: HashMap<KeyIdentity, (i64, Option<Timestamp>)>,
    rejections: HashMap<RejectedWebhookKey, (i64, Option<Timestamp>)>,
}

/// The counts of a process.
#[derive(Default)]
pub struct KeyUsage {
    counts: Mutex<Counts>,
    changed: Notify,
}

impl KeyUsage {
    /// A key has opened.
    pub fn record_use(&self, key: KeyIdentity, at: Timestamp) {
        increment(&mut self.lock().uses, key, at);
        self.changed.notify_one();
    }

    /// A signature was refused.
    pub fn record_rejection(&self, rejection: RejectedWebhookKey, at: Timestamp) {
        increment(&mut self.lock().rejections, rejection, at);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what has been counts a few seconds after the first of it, until told to stop, and then once more.
    pub async fn run(&self, pool: &PgPool, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! { () = self.changed.notified() => {}, () = soft.cancelled() => {} }
            let _ = tokio::time::timeout(FLUSH_INTERVAL, soft.cancelled()).await;
            if let Err(error) = self.flush(pool).await {
                tracing::warn!(error = %error, "counts of keys and rejections were not written");
            }
        }
    }

    /// Writes what has been counts. The crank of the tests.
    pub async fn flush(&self, pool: &PgPool) -> store::Result<()> {
        let Counts { uses, rejections } = std::mem::take(&mut *self.lock());
        if uses.is_empty() && rejections.is_empty() {
            return Ok(());
        }
        // In one order everywhere, so that two processes never wait for each other's rows crosswise.
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
        for (key, (count, last)) in &uses {
            key_usage::add_key_uses(&mut db, key, *count, last.unwrap_or_default()).await?;
        }
        for (rejection, (count, last)) in &rejections {
            rejected_webhooks::add_rejected_webhooks(&mut db, rejection, *count, last.unwrap_or_default())
                .await?;
        }
        db.commit().await?;
        Ok(())
    }
}

fn increment<K: std::hash::Hash + Eq>(
    counts: &mut HashMap<K, (i64, Option<Timestamp>)>,
    key: K,
    at: Timestamp,
) {
    let (count, last) = counts.entry(key).or_default();
    *count += 1;
    *last = (*last).max(Some(at));
}
