//! The rate limit of a vendor, per connection, shared by all replicas.
//!
//! Calls have two priorities. A live call waits in line for its turn, up to three seconds. A background call (a sync,
//! and what polls and replays found lately) takes what live calls leave, in a line of its own; alone it has the whole
//! rate. A read of an attempt that has made calls already waits for longer: what it has read would be read again.
//!
//! The rate adapts. A 429 halves it and blocks calls for as long as the vendor asked; every minute without a 429
//! gives a tenth of the configured rate back. A call that has waited for its turn asks again, when its turn comes,
//! whether the vendor has meanwhile asked for silence.
//!
//! What was granted is a row ([`RateLimitStore`]), replaced only if it is still as it was read, so that two replicas
//! never use one turn. Its times are the database's: each replica measures with every read and write how far its own
//! clock is ahead of that, and translates (`runtime/database_clock.rs`), so that clocks that differ by seconds or hours
//! see each other's calls and silences. A replica counts its own time by a clock that never steps
//! (`runtime/steady_clock.rs`). Each process also keeps its own calls, and the silence it was asked for: whatever the
//! row says, a process alone never exceeds the rate.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    local_limit::{LocalLimit, Now, from_micros},
    rate_limit_store::{RateLimitStore, RateLimitStoreError},
};
use crate::{
    domain::{
        Timestamp,
        rate_limit::{CallPriority, MAX_BLOCK, RateLimit, SharedLimit, Turn, micros},
    },
    runtime::clock::Clock,
};

/// How long a call waits where the store is unavailable.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Why a call may not be made now, and when it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitError {
    /// The vendor asked for silence for this long.
    Blocked(Duration),
    /// The rate is used up; it may not be after this long.
    Exhausted(Duration),
}

/// Limits the calls of one connection to one vendor.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    clock: Arc<dyn Clock>,
    store: Arc<dyn RateLimitStore>,
    local: Mutex<LocalLimit>,
    /// Held by the background call whose turn is next; the others follow as they came. Without a line those that have come
    /// last may go first, and one that has made half of its calls waits in vain.
    background_line: Mutex<()>,
}

/// The answer to a request for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    /// It may be made after this wait.
    After(Duration),
    /// Ask again after this wait.
    AskAgain(Duration),
}

impl RateLimiter {
    /// Creates a limiter of `per_second` calls a second. The store translates from and to `clock`.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>, store: Arc<dyn RateLimitStore>) -> Self {
        Self { per_second, clock, store, local: Mutex::default(), background_line: Mutex::default() }
    }

    /// The current time by the limiter's clock, for [`lower_rate`](Self::lower_rate) only.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a turn for as long as `max_wait`, or fails with the wait where that is too long.
    pub async fn acquire(&self, priority: CallPriority, max_wait: Duration) -> Result<(), RateLimitError> {
        let came_at = Instant::now();
        let _place = match priority {
            CallPriority::Live => None,
            CallPriority::Background => {
                let place = tokio::time::timeout(max_wait, self.background_line.lock()).await;
                Some(place.map_err(|_| RateLimitError::Exhausted(Duration::ZERO))?)
            }
        };
        loop {
            match self.ask(priority).await? {
                Grant::After(Duration::ZERO) => return Ok(()),
                Grant::After(wait) => {
                    sleep(wait).await;
                    return self.check_silence().await;
                }
                Grant::AskAgain(wait) if came_at.elapsed() + wait > max_wait => {
                    return Err(RateLimitError::Exhausted(wait));
                }
                Grant::AskAgain(wait) => sleep(wait).await,
            }
        }
    }

    /// Blocks all calls for `wait`, as the vendor asked.
    pub async fn block_for(&self, wait: Duration) {
        let wait = wait.min(MAX_BLOCK);
        self.local.lock().await.block(self.times().monotonic + micros(wait));
        let now = self.clock.now();
        self.change(|limit| limit.block(wait, now)).await;
    }

    /// Lowers the rate after a 429 to a call begun at `started_at`. Of calls that ran at the same time only the
    /// first counts.
    pub async fn lower_rate(&self, started_at: Timestamp) {
        let now = self.clock.now();
        self.change(|limit| limit.lower(started_at, now)).await;
    }

    /// Fails if the vendor wants silence now, whichever replica got its answer.
    async fn check_silence(&self) -> Result<(), RateLimitError> {
        let mut local = self.local.lock().await;
        local.seen = self.store.read().await?;
        local.blocked_for(self.times()).map_or(Ok(()), |left| Err(RateLimitError::Blocked(left)))
    }

    /// Asks for a call.
    async fn ask(&self, priority: CallPriority) -> Result<Grant, RateLimitError> {
        let mut local = self.local.lock().await;
        loop {
            let now = self.times();
            if let Some(left) = local.blocked_for(now) {
                local.end_open();
                if local.correct(&*self.store, now.shared).await? {
                    return Err(RateLimitError::Blocked(left));
                }
                continue; // another replica knew better
            }
            if let Some(wait) = local.take_unused(now) {
                return Ok(Grant::After(wait));
            }
            let mut shared = local.shared(now.shared);
            let limit = RateLimit::per_second(shared.rate(self.per_second, now.shared));
            match local.first_turn(&shared, limit, priority, now) {
                Turn::At(wait) => {
                    let at = now.shared.timestamp_micros();
                    shared.calls.grant(limit, limit.batch(), at + wait, at);
                    if local.write(&*self.store, shared).await? {
                        local.grant(limit, wait, now);
                        return Ok(Grant::After(from_micros(wait)));
                    }
                }
                Turn::AskAt(wait) => {
                    // Our view may be old: read again before a call is rejected.
                    let seen = self.store.read().await?;
                    if version(seen.as_ref()) == version(local.seen.as_ref()) {
                        local.correct(&*self.store, self.clock.now()).await?;
                        return Ok(Grant::AskAgain(from_micros(wait)));
                    }
                    local.seen = seen;
                }
            }
        }
    }

    async fn change(&self, change: impl Fn(&mut SharedLimit)) {
        let mut local = self.local.lock().await;
        local.end_open();
        loop {
            let mut new = local.shared(self.clock.now());
            change(&mut new);
            // With the store unavailable the change is lost; the next call gets the same answer from the vendor.
            if local.seen.as_ref() == Some(&new) || local.write(&*self.store, new).await != Ok(false) {
                return;
            }
        }
    }

    fn times(&self) -> Now {
        Now { shared: self.clock.now(), monotonic: micros(self.clock.monotonic()) }
    }
}

impl From<RateLimitStoreError> for RateLimitError {
    fn from(_: RateLimitStoreError) -> Self {
        Self::Exhausted(STORE_RETRY)
    }
}

/// What tells two states apart: each translation of one and the same may differ by microseconds.
fn version(seen: Option<&SharedLimit>) -> Option<i64> {
    seen.map(|seen| seen.version)
}

async fn sleep(wait: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a rate limiter delays calls")]
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wrong_clocks;
