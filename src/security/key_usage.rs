//! What was seen of keys and signatures, counted in memory and written now and then.
//!
//! A webhook must not cost a row more because somebody wants to know which key is still used; and what is refused must not
//! make rows at all. So both are counted here, by names that the configuration bounds, and added to their rows a few
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
        webhook_checks::{self, KeyName, RefusalName},
    },
};

/// What has been counted is written so soon.
const WRITTEN_AFTER: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Counted {
    uses: HashMap<KeyName, (i64, Option<Timestamp>)>,
    refusals: HashMap<RefusalName, (i64, Option<Timestamp>)>,
}

/// The counts of a process.
#[derive(Default)]
pub struct Tally {
    counted: Mutex<Counted>,
    has_news: Notify,
}

impl Tally {
    /// A key has opened.
    pub fn used(&self, key: KeyName, at: Timestamp) {
        add(&mut self.lock().uses, key, at);
        self.has_news.notify_one();
    }

    /// A signature was refused.
    pub fn refused(&self, refusal: RefusalName, at: Timestamp) {
        add(&mut self.lock().refusals, refusal, at);
        self.has_news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what has been counted a few seconds after the first of it, until told to stop, and then once more.
    pub async fn run(&self, pool: &PgPool, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! { () = self.has_news.notified() => {}, () = soft.cancelled() => {} }
            let _ = tokio::time::timeout(WRITTEN_AFTER, soft.cancelled()).await;
            if let Err(error) = self.write(pool).await {
                tracing::warn!(error = %error, "counts of keys and refusals were not written");
            }
        }
    }

    /// Writes what has been counted. The crank of the tests.
    pub async fn write(&self, pool: &PgPool) -> store::Result<()> {
        let Counted { uses, refusals } = std::mem::take(&mut *self.lock());
        if uses.is_empty() && refusals.is_empty() {
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
        let mut refusals: Vec<_> = refusals.into_iter().collect();
        refusals.sort_by(|(one, _), (other, _)| {
            (&one.connection, one.source, one.hint).cmp(&(&other.connection, other.source, other.hint))
        });
        let mut db = pool.begin().await?;
        for (key, (count, last)) in &uses {
            webhook_checks::add_uses(&mut db, key, *count, last.unwrap_or_default()).await?;
        }
        for (refusal, (count, last)) in &refusals {
            webhook_checks::add_refusals(&mut db, refusal, *count, last.unwrap_or_default()).await?;
        }
        db.commit().await?;
        Ok(())
    }
}

fn add<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, (i64, Option<Timestamp>)>, key: K, at: Timestamp) {
    let (count, last) = counts.entry(key).or_default();
    *count += 1;
    *last = (*last).max(Some(at));
}
