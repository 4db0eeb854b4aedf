//! A vendor's rate budget: one token bucket per connection and vendor, shared by all replicas, so that every caller is
//! polite by construction.
//!
//! It has two lanes. What is live takes any token there is, and borrows from the next seconds where there is none. What
//! can wait (a full sync, and whatever polls and replays have found) takes a token only while half of the bucket
//! stays behind it: as long as live calls keep the bucket low it stands still, and alone it has the whole rate.
//!
//! It learns. A 429 halves the rate, and closes the bucket for as long as the vendor asked; every quiet minute gives a
//! tenth of the configured rate back.
//!
//! The bucket is a row ([`RateLimitStore`]), replaced only as it was read, so that two replicas never acquire one token. Where
//! the rate is high, tokens are fetched a twentieth of a second's worth at a time.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{
    domain::{
        Timestamp,
        rate_limit::{CallPriority, MAX_WAIT, TakeResult, TokenBucket},
    },
    runtime::clock::Clock,
};

/// An unbounded word of theirs must not silence us for a week; the retry policy clamps likewise.
const MAX_BLOCK: Duration = Duration::from_secs(300);

/// Fetched tokens that are not used go stale: they must not pile up into a burst.
const LOCAL_TOKEN_TTL: chrono::Duration = chrono::Duration::seconds(1);

/// When the store cannot be read now.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Why a call may not be made now, and when it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitError {
    /// The vendor itself asked to be left alone so long.
    Blocked(Duration),
    /// Others have spent the budget; there may be a token after so long.
    Exhausted(Duration),
}

/// Where a budget is written down, for all replicas.
#[async_trait]
pub trait RateLimitStore: fmt::Debug + Send + Sync {
    /// As it stands; nothing where nothing was ever spent.
    async fn read(&self) -> Result<Option<TokenBucket>, RateLimitStoreError>;

    /// Replaces what still stands as it was read; false where somebody else was faster.
    async fn replace(
        &self,
        old: Option<&TokenBucket>,
        new: &TokenBucket,
    ) -> Result<bool, RateLimitStoreError>;
}

/// The store cannot be read or written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget's store is away")]
pub struct RateLimitStoreError;

/// Tokens are earned at a steady rate and saved up to one second's worth.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    clock: Arc<dyn Clock>,
    store: Arc<dyn RateLimitStore>,
    local: Mutex<LocalTokens>,
}

#[derive(Debug, Default)]
struct LocalTokens {
    /// What we last saw written; another replica may have written since.
    seen: Option<TokenBucket>,
    /// Ours to acquire until they go stale.
    tokens: u32,
    at: Option<Timestamp>,
}

impl RateLimiter {
    /// A budget of so many calls a second.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>, store: Arc<dyn RateLimitStore>) -> Self {
        Self { per_second, clock, store, local: Mutex::default() }
    }

    /// The time by its clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a token, or answers how long the wait would be where that is too long.
    pub async fn acquire(&self, priority: CallPriority) -> Result<(), RateLimitError> {
        let mut waited = Duration::ZERO;
        loop {
            let wait = self.take_token(priority).await?;
            if priority == CallPriority::Live || wait.is_zero() {
                sleep(wait).await;
                return Ok(());
            }
            if waited + wait > MAX_WAIT {
                return Err(RateLimitError::Exhausted(wait));
            }
            sleep(wait).await;
            waited += wait;
        }
    }

    /// The vendor said how long it wants to be left alone.
    pub async fn block_for(&self, wait: Duration) {
        let until = self.clock.now() + wait.min(MAX_BLOCK);
        self.change(|bucket| TokenBucket { blocked_until: Some(until), ..bucket }).await;
    }

    /// The vendor said that it was too much, to a call begun at `started_at`: of many that hear it at once, one is a detection.
    pub async fn lower_rate(&self, started_at: Timestamp) {
        let now = self.clock.now();
        self.change(|bucket| bucket.lowered(started_at, now)).await;
    }

    /// Takes a token; answers how long it has to be waited for, or for a background call how long until there may be one.
    async fn take_token(&self, priority: CallPriority) -> Result<Duration, RateLimitError> {
        let mut local = self.local.lock().await;
        loop {
            let now = self.clock.now();
            if let Some(closed) = local.seen.and_then(|seen| seen.blocked_for(now)) {
                local.tokens = 0;
                return Err(RateLimitError::Blocked(closed));
            }
            if local.tokens > 0 && local.at.is_some_and(|at| now >= at && now - at < LOCAL_TOKEN_TTL) {
                local.tokens -= 1;
                return Ok(Duration::ZERO);
            }
            let old = local.seen;
            let bucket = old.unwrap_or_else(|| TokenBucket::full(now));
            let rate = bucket.rate(self.per_second, now);
            let batch = batch_size(rate);
            match bucket.take(rate, batch, priority, now) {
                TakeResult::Now(new, wait) => {
                    if self.write(&mut local, old, &new).await? {
                        local.tokens = batch - 1;
                        local.at = Some(now);
                        return Ok(wait);
                    }
                }
                TakeResult::Later(wait) => {
                    // What we saw may be old: another look before we turn a call away for it.
                    let seen = self.store.read().await.map_err(unavailable)?;
                    if seen == local.seen {
                        return if priority == CallPriority::Background {
                            Ok(wait)
                        } else {
                            Err(RateLimitError::Exhausted(wait))
                        };
                    }
                    local.seen = seen;
                }
            }
        }
    }

    async fn change(&self, change: impl Fn(TokenBucket) -> TokenBucket) {
        let mut local = self.local.lock().await;
        local.tokens = 0;
        loop {
            let old = local.seen;
            let new = change(old.unwrap_or_else(|| TokenBucket::full(self.clock.now())));
            // With the store away the detection is lost: the next call that goes out will hear it again.
            if old == Some(new) || self.write(&mut local, old, &new).await != Ok(false) {
                return;
            }
        }
    }

    /// Writes what was made of `old`; where that stands no more, sees what does.
    async fn write(
        &self,
        local: &mut LocalTokens,
        old: Option<TokenBucket>,
        new: &TokenBucket,
    ) -> Result<bool, RateLimitError> {
        if self.store.replace(old.as_ref(), new).await.map_err(unavailable)? {
            local.seen = Some(*new);
            return Ok(true);
        }
        local.seen = self.store.read().await.map_err(unavailable)?;
        Ok(false)
    }
}

const fn unavailable(_: RateLimitStoreError) -> RateLimitError {
    RateLimitError::Exhausted(STORE_RETRY)
}

/// How many tokens are fetched at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at most 10,000")]
fn batch_size(rate: f64) -> u32 {
    ((rate / 20.0) as u32).max(1)
}

async fn sleep(wait: Duration) {
    if !wait.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "waiting for its turn is what a budget is for")]
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex as StdMutex, PoisonError};

    use super::*;
    use crate::runtime::clock::ManualClock;

    /// A store in memory, which two rate_limits may share as two replicas do.
    #[derive(Debug, Default)]
    struct MemoryStore(StdMutex<Option<TokenBucket>>);

    #[async_trait]
    impl RateLimitStore for MemoryStore {
        async fn read(&self) -> Result<Option<TokenBucket>, RateLimitStoreError> {
            Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }

        async fn replace(
            &self,
            old: Option<&TokenBucket>,
            new: &TokenBucket,
        ) -> Result<bool, RateLimitStoreError> {
            let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_as_read = bucket.as_ref() == old;
            if is_as_read {
                *bucket = Some(*new);
            }
            Ok(is_as_read)
        }
    }

    fn rate_limits(per_second: f64, count: usize) -> (Vec<RateLimiter>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH));
        let store = Arc::new(MemoryStore::default());
        ((0..count).map(|_| RateLimiter::new(per_second, clock.clone(), store.clone())).collect(), clock)
    }

    fn budget(per_second: f64) -> (RateLimiter, Arc<ManualClock>) {
        let (mut rate_limits, clock) = rate_limits(per_second, 1);
        (rate_limits.remove(0), clock)
    }

    #[tokio::test]
    async fn exhausted_limiter_delays_calls_then_rejects_them() {
        let (budget, clock) = budget(2.0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            waits.push(budget.take_token(CallPriority::Live).await.map(|wait| wait.as_millis()));
        }
        assert_eq!(waits[..4], [Ok(0), Ok(0), Ok(500), Ok(1000)]);
        assert_eq!(waits[7], Ok(3000));
        assert!(waits[8].is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(budget.take_token(CallPriority::Live).await, Ok(Duration::ZERO));
    }

    #[tokio::test]
    async fn retry_after_blocks_all_replicas_for_five_minutes_at_most() {
        let (rate_limits, clock) = rate_limits(100.0, 2);
        assert_eq!(rate_limits[1].acquire(CallPriority::Live).await, Ok(()));
        rate_limits[0].block_for(Duration::from_secs(30)).await;
        assert_eq!(
            rate_limits[0].acquire(CallPriority::Live).await,
            Err(RateLimitError::Blocked(Duration::from_secs(30)))
        );
        clock.advance(Duration::from_secs(2));
        assert_eq!(
            rate_limits[1].acquire(CallPriority::Live).await,
            Err(RateLimitError::Blocked(Duration::from_secs(28)))
        );
        clock.advance(Duration::from_secs(28));
        assert_eq!(rate_limits[0].acquire(CallPriority::Live).await, Ok(()));
        rate_limits[0].block_for(Duration::from_secs(1 << 40)).await;
        assert_eq!(rate_limits[0].acquire(CallPriority::Live).await, Err(RateLimitError::Blocked(MAX_BLOCK)));
    }

    #[tokio::test]
    async fn background_calls_leave_half_the_bucket_to_live_calls() {
        let (budget, clock) = budget(9.0);
        let spare = async || budget.take_token(CallPriority::Background).await.map(|wait| wait.is_zero());
        let mut taken = 0;
        for _ in 0..9 {
            taken += usize::from(spare().await == Ok(true));
        }
        assert_eq!(taken, 5, "four of nine stay for whoever is live");
        assert_eq!(budget.take_token(CallPriority::Live).await, Ok(Duration::ZERO), "and they do find one");
        let mut alone = 0;
        for _ in 0..90 {
            clock.advance(Duration::from_millis(100));
            alone += usize::from(spare().await == Ok(true));
        }
        assert!((75..=82).contains(&alone), "{alone} in nine seconds at nine a second");
        while budget.take_token(CallPriority::Live).await.is_ok_and(|wait| wait.is_zero()) {}
        assert_eq!(spare().await, Ok(false), "live calls have spent it all");
    }

    #[tokio::test]
    async fn replicas_share_one_rate() {
        let (rate_limits, clock) = rate_limits(10.0, 4);
        let mut made = 0;
        for tick in 0..500 {
            made += usize::from(rate_limits[tick % 4].take_token(CallPriority::Live).await.is_ok());
            clock.advance(Duration::from_millis(10));
        }
        // Five seconds' worth, one second saved up and three borrowed.
        assert!((85..=92).contains(&made), "{made} in five seconds at ten a second");
    }

    #[tokio::test]
    async fn a_429_halves_the_rate_once_and_it_recovers() {
        let (rate_limits, clock) = rate_limits(8.0, 2);
        let rate = async |at: usize| {
            let seen = rate_limits[at].store.read().await.ok().flatten().expect("lowered");
            seen.rate(8.0, clock.now())
        };
        let started_at = clock.now();
        clock.advance(Duration::from_secs(1));
        for at in [0, 0, 1, 1] {
            rate_limits[at].lower_rate(started_at).await;
        }
        assert!((rate(0).await - 4.0).abs() < 1e-9);
        for _ in 0..20 {
            clock.advance(Duration::from_secs(1));
            rate_limits[1].lower_rate(clock.now()).await;
        }
        assert!((0.8..0.9).contains(&rate(1).await), "a tenth is the least: {}", rate(1).await);
        clock.advance(Duration::from_secs(9 * 60));
        assert!((rate(1).await - 8.0).abs() < 1e-9);
    }
}
