//! The rate limit of a vendor: one token bucket per connection and vendor, shared by all replicas.
//!
//! Calls have two priorities. A live call takes any token there is and borrows up to three seconds ahead where
//! there is none. A background call (a sync, and what polls and replays found) takes a token only while half of
//! the bucket stays behind it: it waits as long as live calls keep the bucket low, and alone it has the whole
//! rate.
//!
//! The rate adapts. A 429 halves it and blocks calls for as long as the vendor asked; every minute without a
//! 429 gives a tenth of the configured rate back.
//!
//! The bucket is a row ([`RateLimitStore`]), replaced only if it is still as it was read, so that two replicas
//! never use one token. Where the rate is high, tokens are taken a twentieth of a second's worth at a time.

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

/// The longest block. A vendor must not silence us for a week by mistake; the retry policy has the same cap.
const MAX_BLOCK: Duration = Duration::from_secs(300);

/// Local tokens expire when unused, so that they do not pile up into a burst.
const LOCAL_TOKEN_TTL: chrono::Duration = chrono::Duration::seconds(1);

/// How long a call waits where the store is unavailable.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Why a call may not be made now, and when it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitError {
    /// The vendor asked for silence for this long.
    Blocked(Duration),
    /// No token is left; there may be one after this long.
    Exhausted(Duration),
}

/// Stores the token bucket for all replicas.
#[async_trait]
pub trait RateLimitStore: fmt::Debug + Send + Sync {
    /// The stored bucket; `None` before its first use.
    async fn read(&self) -> Result<Option<TokenBucket>, RateLimitStoreError>;

    /// Replaces the bucket if it is still `old`; false where another replica has replaced it.
    async fn replace(
        &self,
        old: Option<&TokenBucket>,
        new: &TokenBucket,
    ) -> Result<bool, RateLimitStoreError>;
}

/// The store cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit store is unavailable")]
pub struct RateLimitStoreError;

/// Limits the calls of one connection to one vendor: tokens refill at a steady rate, up to one second's worth.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    clock: Arc<dyn Clock>,
    store: Arc<dyn RateLimitStore>,
    local: Mutex<LocalTokens>,
}

/// Tokens that this process has taken from the shared bucket and not used yet.
#[derive(Debug, Default)]
struct LocalTokens {
    /// The bucket as last read or written here. Another replica may have written since.
    seen: Option<TokenBucket>,
    /// Unused tokens.
    tokens: u32,
    /// When they were taken.
    at: Option<Timestamp>,
}

impl RateLimiter {
    /// Creates a limiter of `per_second` calls a second.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>, store: Arc<dyn RateLimitStore>) -> Self {
        Self { per_second, clock, store, local: Mutex::default() }
    }

    /// The current time by the limiter's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a token, or fails with the wait where that is too long.
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

    /// Blocks all calls for `wait`, as the vendor asked.
    pub async fn block_for(&self, wait: Duration) {
        let until = self.clock.now() + wait.min(MAX_BLOCK);
        self.change(|bucket| TokenBucket { blocked_until: Some(until), ..bucket }).await;
    }

    /// Lowers the rate after a 429 to a call begun at `started_at`. Of calls that ran at the same time only the
    /// first counts.
    pub async fn lower_rate(&self, started_at: Timestamp) {
        let now = self.clock.now();
        self.change(|bucket| bucket.lowered(started_at, now)).await;
    }

    /// Takes a token and returns how long to wait before using it. For a background call that got none: how
    /// long until there may be one.
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
                    // Our view of the bucket may be old: read it again before rejecting a call.
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
            // With the store unavailable the change is lost; the next call gets the same answer from the
            // vendor.
            if old == Some(new) || self.write(&mut local, old, &new).await != Ok(false) {
                return;
            }
        }
    }

    /// Replaces `old` by `new`. False where another replica was faster: then reads its bucket.
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

/// How many tokens are taken at once: a twentieth of a second's worth.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at most 10,000")]
fn batch_size(rate: f64) -> u32 {
    ((rate / 20.0) as u32).max(1)
}

async fn sleep(wait: Duration) {
    if !wait.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "a rate limiter delays calls")]
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::runtime::clock::ManualClock;

    /// A store in memory, shared by limiters as the table is by replicas.
    #[derive(Debug, Default)]
    struct MemoryStore(Mutex<Option<TokenBucket>>);

    #[async_trait]
    impl RateLimitStore for MemoryStore {
        async fn read(&self) -> Result<Option<TokenBucket>, RateLimitStoreError> {
            Ok(*self.0.lock())
        }

        async fn replace(
            &self,
            old: Option<&TokenBucket>,
            new: &TokenBucket,
        ) -> Result<bool, RateLimitStoreError> {
            let mut bucket = self.0.lock();
            let is_as_read = bucket.as_ref() == old;
            if is_as_read {
                *bucket = Some(*new);
            }
            Ok(is_as_read)
        }
    }

    fn limiters(per_second: f64, count: usize) -> (Vec<RateLimiter>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH));
        let store = Arc::new(MemoryStore::default());
        ((0..count).map(|_| RateLimiter::new(per_second, clock.clone(), store.clone())).collect(), clock)
    }

    fn limiter(per_second: f64) -> (RateLimiter, Arc<ManualClock>) {
        let (mut limiters, clock) = limiters(per_second, 1);
        (limiters.remove(0), clock)
    }

    #[tokio::test]
    async fn exhausted_limiter_delays_calls_then_rejects_them() {
        let (limiter, clock) = limiter(2.0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            waits.push(limiter.take_token(CallPriority::Live).await.map(|wait| wait.as_millis()));
        }
        assert_eq!(waits[..4], [Ok(0), Ok(0), Ok(500), Ok(1000)]);
        assert_eq!(waits[7], Ok(3000));
        assert!(waits[8].is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(limiter.take_token(CallPriority::Live).await, Ok(Duration::ZERO));
    }

    #[tokio::test]
    async fn retry_after_blocks_all_replicas_for_five_minutes_at_most() {
        let (limiters, clock) = limiters(100.0, 2);
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, Ok(()));
        limiters[0].block_for(Duration::from_secs(30)).await;
        assert_eq!(
            limiters[0].acquire(CallPriority::Live).await,
            Err(RateLimitError::Blocked(Duration::from_secs(30)))
        );
        clock.advance(Duration::from_secs(2));
        assert_eq!(
            limiters[1].acquire(CallPriority::Live).await,
            Err(RateLimitError::Blocked(Duration::from_secs(28)))
        );
        clock.advance(Duration::from_secs(28));
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, Ok(()));
        limiters[0].block_for(Duration::from_secs(1 << 40)).await;
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, Err(RateLimitError::Blocked(MAX_BLOCK)));
    }

    #[tokio::test]
    async fn background_calls_leave_half_the_bucket_to_live_calls() {
        let (limiter, clock) = limiter(9.0);
        let spare = async || limiter.take_token(CallPriority::Background).await.map(|wait| wait.is_zero());
        let mut taken = 0;
        for _ in 0..9 {
            taken += usize::from(spare().await == Ok(true));
        }
        assert_eq!(taken, 5, "four of nine stay for live calls");
        assert_eq!(limiter.take_token(CallPriority::Live).await, Ok(Duration::ZERO), "a live call gets one");
        let mut alone = 0;
        for _ in 0..90 {
            clock.advance(Duration::from_millis(100));
            alone += usize::from(spare().await == Ok(true));
        }
        assert!((75..=82).contains(&alone), "{alone} in nine seconds at nine a second");
        while limiter.take_token(CallPriority::Live).await.is_ok_and(|wait| wait.is_zero()) {}
        assert_eq!(spare().await, Ok(false), "live calls have taken all tokens");
    }

    #[tokio::test]
    async fn replicas_share_one_rate() {
        let (limiters, clock) = limiters(10.0, 4);
        let mut made = 0;
        for tick in 0..500 {
            made += usize::from(limiters[tick % 4].take_token(CallPriority::Live).await.is_ok());
            clock.advance(Duration::from_millis(10));
        }
        // Five seconds' worth, one second saved up and three borrowed.
        assert!((85..=92).contains(&made), "{made} in five seconds at ten a second");
    }

    #[tokio::test]
    async fn a_429_halves_the_rate_once_and_it_recovers() {
        let (limiters, clock) = limiters(8.0, 2);
        let rate = async |at: usize| {
            let seen = limiters[at].store.read().await.ok().flatten().expect("lowered");
            seen.rate(8.0, clock.now())
        };
        let started_at = clock.now();
        clock.advance(Duration::from_secs(1));
        for at in [0, 0, 1, 1] {
            limiters[at].lower_rate(started_at).await;
        }
        assert!((rate(0).await - 4.0).abs() < 1e-9);
        for _ in 0..20 {
            clock.advance(Duration::from_secs(1));
            limiters[1].lower_rate(clock.now()).await;
        }
        assert!((0.8..0.9).contains(&rate(1).await), "a tenth is the least: {}", rate(1).await);
        clock.advance(Duration::from_secs(9 * 60));
        assert!((rate(1).await - 8.0).abs() < 1e-9);
    }
}
