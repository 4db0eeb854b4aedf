//! The rate limit of a vendor, per connection, shared by all replicas.
//!
//! Calls have two priorities. A live call waits in line for its turn, up to three seconds. A background call (a sync,
//! and what polls and replays found) takes what live calls leave; alone it has the whole rate.
//!
//! The rate adapts. A 429 halves it and blocks calls for as long as the vendor asked; every minute without a 429
//! gives a tenth of the configured rate back. A call that has waited for its turn asks again, when its turn comes,
//! whether the vendor has meanwhile asked for silence.
//!
//! What was granted is a row ([`RateLimitStore`]), replaced only if it is still as it was read, so that two replicas
//! never use one turn. Its times are of the machines' clocks, which may step or differ. So each process also keeps
//! its own calls, and the silence it was asked for, by a clock that never steps: whatever the clocks say, a process
//! alone never exceeds the rate.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{
    domain::{
        Timestamp,
        rate_limit::{CallPriority, GrantedCalls, MAX_BLOCK, MAX_WAIT, RateLimit, SharedLimit, Turn, micros},
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

/// Stores what was granted for all replicas.
#[async_trait]
pub trait RateLimitStore: fmt::Debug + Send + Sync {
    /// The stored state; `None` before its first use.
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError>;

    /// Replaces the state if it is still of version `old`; false where another replica has replaced it.
    async fn replace(&self, old: Option<i64>, new: &SharedLimit) -> Result<bool, RateLimitStoreError>;
}

/// The store cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit store is unavailable")]
pub struct RateLimitStoreError;

/// Limits the calls of one connection to one vendor.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    clock: Arc<dyn Clock>,
    store: Arc<dyn RateLimitStore>,
    local: Mutex<LocalLimit>,
}

/// What this process knows by itself; its times are microseconds of a clock that never steps.
#[derive(Debug, Default)]
struct LocalLimit {
    /// The shared state as last read or written here. Another replica may have written since.
    seen: Option<SharedLimit>,
    /// Its own calls.
    calls: GrantedCalls,
    /// Calls that are granted and not made yet.
    unused: u32,
    /// When they may be made: from here on, until there.
    usable: (i64, i64),
    blocked_until: Option<i64>,
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
    /// Creates a limiter of `per_second` calls a second.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>, store: Arc<dyn RateLimitStore>) -> Self {
        Self { per_second, clock, store, local: Mutex::default() }
    }

    /// The current time by the limiter's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a turn, or fails with the wait where that is too long.
    pub async fn acquire(&self, priority: CallPriority) -> Result<(), RateLimitError> {
        let mut waited = Duration::ZERO;
        loop {
            match self.ask(priority).await? {
                Grant::After(Duration::ZERO) => return Ok(()),
                Grant::After(wait) => {
                    sleep(wait).await;
                    return self.check_silence().await;
                }
                Grant::AskAgain(wait) if waited + wait > MAX_WAIT => {
                    return Err(RateLimitError::Exhausted(wait));
                }
                Grant::AskAgain(wait) => {
                    sleep(wait).await;
                    waited += wait;
                }
            }
        }
    }

    /// Blocks all calls for `wait`, as the vendor asked.
    pub async fn block_for(&self, wait: Duration) {
        let wait = wait.min(MAX_BLOCK);
        self.local.lock().await.blocked_until = Some(self.monotonic() + micros(wait));
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
        local.seen = self.store.read().await.map_err(unavailable)?;
        self.blocked_for(&local).map_or(Ok(()), |left| Err(RateLimitError::Blocked(left)))
    }

    /// How long the vendor still wants silence.
    fn blocked_for(&self, local: &LocalLimit) -> Option<Duration> {
        let here = local.blocked_until.map(|until| from_micros(until - self.monotonic()));
        let elsewhere = local.seen.as_ref().and_then(|seen| seen.blocked_for(self.clock.now()));
        here.max(elsewhere).filter(|left| !left.is_zero())
    }

    /// Asks for a call.
    async fn ask(&self, priority: CallPriority) -> Result<Grant, RateLimitError> {
        let mut local = self.local.lock().await;
        loop {
            let (now, monotonic) = (self.clock.now(), self.monotonic());
            if let Some(left) = self.blocked_for(&local) {
                local.unused = 0;
                if self.correct(&mut local).await? {
                    return Err(RateLimitError::Blocked(left));
                }
                continue; // another replica knew better
            }
            let (from, until) = local.usable;
            if local.unused > 0 && monotonic <= until {
                local.unused -= 1;
                return Ok(Grant::After(from_micros(from - monotonic)));
            }
            let mut shared = local.seen.clone().unwrap_or_default();
            shared.settle_clock(now);
            let limit = RateLimit::per_second(shared.rate(self.per_second, now));
            match first_turn(&local.calls, &shared, limit, priority, (now, monotonic)) {
                Turn::At(wait) => {
                    shared.calls.grant(
                        limit,
                        limit.batch(),
                        now.timestamp_micros() + wait,
                        now.timestamp_micros(),
                    );
                    if self.write(&mut local, shared).await? {
                        let from = monotonic + wait;
                        local.calls.grant(limit, limit.batch(), from, monotonic);
                        local.unused = limit.batch() - 1;
                        local.usable = (from, from + limit.grant_life());
                        return Ok(Grant::After(from_micros(wait)));
                    }
                }
                Turn::AskAt(wait) => {
                    // Our view may be old: read again before a call is rejected.
                    let seen = self.store.read().await.map_err(unavailable)?;
                    if seen == local.seen {
                        self.correct(&mut local).await?;
                        let wait = from_micros(wait);
                        return match priority {
                            CallPriority::Live => Err(RateLimitError::Exhausted(wait)),
                            CallPriority::Background => Ok(Grant::AskAgain(wait)),
                        };
                    }
                    local.seen = seen;
                }
            }
        }
    }

    /// Writes the shared state anew where a wrong clock has written it: else it would stay wrong until that time comes.
    /// False where another replica has written it since it was read here.
    async fn correct(&self, local: &mut LocalLimit) -> Result<bool, RateLimitError> {
        let Some(seen) = &local.seen else { return Ok(true) };
        let mut corrected = seen.clone();
        corrected.settle_clock(self.clock.now());
        if corrected == *seen { Ok(true) } else { self.write(local, corrected).await }
    }

    async fn change(&self, change: impl Fn(&mut SharedLimit)) {
        let mut local = self.local.lock().await;
        local.unused = 0;
        loop {
            let mut new = local.seen.clone().unwrap_or_default();
            new.settle_clock(self.clock.now());
            change(&mut new);
            // With the store unavailable the change is lost; the next call gets the same answer from the vendor.
            if local.seen.as_ref() == Some(&new) || self.write(&mut local, new).await != Ok(false) {
                return;
            }
        }
    }

    /// Replaces the shared state as it was last seen. False where another replica was faster: then reads its state.
    async fn write(&self, local: &mut LocalLimit, mut new: SharedLimit) -> Result<bool, RateLimitError> {
        let old = local.seen.as_ref().map(|seen| seen.version);
        new.version = old.unwrap_or_default() + 1;
        if self.store.replace(old, &new).await.map_err(unavailable)? {
            local.seen = Some(new);
            return Ok(true);
        }
        local.seen = self.store.read().await.map_err(unavailable)?;
        Ok(false)
    }

    /// Microseconds of the clock that never steps.
    fn monotonic(&self) -> i64 {
        micros(self.clock.monotonic())
    }
}

/// When a call may be made by what this process and all of them have made, as a wait in microseconds.
fn first_turn(
    own: &GrantedCalls,
    shared: &SharedLimit,
    limit: RateLimit,
    priority: CallPriority,
    (now, monotonic): (Timestamp, i64),
) -> Turn {
    let now = now.timestamp_micros();
    let own = own.turn(limit, limit.batch(), priority, monotonic);
    let shared = shared.calls.turn(limit, limit.batch(), priority, now);
    match (own, shared) {
        (Turn::At(own), Turn::At(shared)) => Turn::At((own - monotonic).max(shared - now)),
        (Turn::At(own) | Turn::AskAt(own), Turn::At(shared) | Turn::AskAt(shared)) => {
            Turn::AskAt((own - monotonic).max(shared - now))
        }
    }
}

const fn unavailable(_: RateLimitStoreError) -> RateLimitError {
    RateLimitError::Exhausted(STORE_RETRY)
}

/// Zero where the time has passed.
fn from_micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

async fn sleep(wait: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a rate limiter delays calls")]
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::runtime::clock::ManualClock;

    /// A store in memory, shared by limiters as the table is by replicas.
    #[derive(Debug, Default)]
    struct MemoryStore(Mutex<Option<SharedLimit>>);

    #[async_trait]
    impl RateLimitStore for MemoryStore {
        async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError> {
            Ok(self.0.lock().clone())
        }

        async fn replace(&self, old: Option<i64>, new: &SharedLimit) -> Result<bool, RateLimitStoreError> {
            let mut limit = self.0.lock();
            let is_as_read = limit.as_ref().map(|limit| limit.version) == old;
            if is_as_read {
                *limit = Some(new.clone());
            }
            Ok(is_as_read)
        }
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::starting_at(Timestamp::from_timestamp(1_000_000, 0).expect("a time")))
    }

    fn limiters(per_second: f64, count: usize) -> (Vec<RateLimiter>, Arc<ManualClock>) {
        let (clock, store) = (clock(), Arc::new(MemoryStore::default()));
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
            waits.push(limiter.ask(CallPriority::Live).await);
        }
        let after = |seconds| Ok(Grant::After(Duration::from_secs(seconds)));
        assert_eq!(waits[..8], [0, 0, 1, 1, 2, 2, 3, 3].map(after));
        assert_eq!(waits[8], Err(RateLimitError::Exhausted(Duration::from_secs(4))));
        clock.advance(Duration::from_secs(60));
        assert_eq!(limiter.ask(CallPriority::Live).await, after(0));
    }

    #[tokio::test]
    async fn retry_after_blocks_all_replicas_for_five_minutes_at_most() {
        let (limiters, clock) = limiters(100.0, 2);
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, Ok(()));
        limiters[0].block_for(Duration::from_secs(30)).await;
        let blocked = |seconds| Err(RateLimitError::Blocked(Duration::from_secs(seconds)));
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, blocked(30));
        clock.advance(Duration::from_secs(2));
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, blocked(28));
        clock.advance(Duration::from_secs(28));
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, Ok(()));
        limiters[0].block_for(Duration::from_secs(1 << 40)).await;
        let longest = MAX_BLOCK.as_secs();
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, blocked(longest));
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, blocked(longest));
    }

    #[tokio::test]
    async fn call_that_waits_for_its_turn_heeds_a_silence_asked_for_meanwhile() {
        let (limiters, _) = limiters(20.0, 2);
        for _ in 0..20 {
            assert_eq!(limiters[0].acquire(CallPriority::Live).await, Ok(()));
        }
        let waiting = async || limiters[0].acquire(CallPriority::Live).await;
        let silence = async || limiters[1].block_for(Duration::from_secs(9)).await;
        let (waited, other, ()) = tokio::join!(waiting(), waiting(), silence());
        let blocked = Err(RateLimitError::Blocked(Duration::from_secs(9)));
        assert_eq!((waited, other), (blocked, blocked));
    }

    #[tokio::test]
    async fn background_calls_take_what_live_calls_leave() {
        let (limiter, clock) = limiter(9.0);
        let spare = async || limiter.ask(CallPriority::Background).await == Ok(Grant::After(Duration::ZERO));
        let mut taken = 0;
        for _ in 0..9 {
            taken += usize::from(spare().await);
        }
        assert_eq!(taken, 5, "four of nine stay for live calls");
        assert_eq!(limiter.ask(CallPriority::Live).await, Ok(Grant::After(Duration::ZERO)));
        let mut alone = 0;
        for _ in 0..900 {
            clock.advance(Duration::from_millis(10));
            alone += usize::from(spare().await);
        }
        // Half of a second's calls at once, the rest one by one: a little less than the whole rate.
        assert!((68..=82).contains(&alone), "{alone} in nine seconds at nine a second");
        while limiter.ask(CallPriority::Live).await.is_ok() {}
        assert!(!spare().await, "live calls wait in line");
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

    /// Asks at these times (each with the replica that asks) and returns when calls were made, in microseconds.
    async fn call_times(
        limiters: &[RateLimiter],
        clock: &ManualClock,
        steps: &[(usize, u64, bool)],
    ) -> Vec<i64> {
        let mut made = Vec::new();
        for (replica, millis, is_live) in steps {
            clock.advance(Duration::from_millis(*millis));
            let priority = if *is_live { CallPriority::Live } else { CallPriority::Background };
            if let Ok(Grant::After(wait)) = limiters[*replica % limiters.len()].ask(priority).await {
                made.push(micros(clock.monotonic()) + micros(wait));
            }
        }
        made.sort_unstable();
        made
    }

    /// The most calls in any second that is open at its end.
    fn most_in_a_second(made: &[i64]) -> usize {
        let within = |start: &i64| made.iter().filter(|at| (*start..start + 1_000_000).contains(*at)).count();
        made.iter().map(within).max().unwrap_or_default()
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(test)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_second_has_more_calls_than_the_rate(
            rate in prop_oneof![1_u32..12, 40_u32..120],
            replicas in 1_usize..4,
            steps in prop::collection::vec((0_usize..4, prop_oneof![6 => Just(0), 3 => 1_u64..60, 1 => 500_u64..2500], any::<bool>()), 1..400),
        ) {
            let made = run(async {
                let (limiters, clock) = limiters(f64::from(rate), replicas);
                call_times(&limiters, &clock, &steps).await
            });
            prop_assert!(!made.is_empty());
            prop_assert!(most_in_a_second(&made) <= rate as usize, "{} of {rate}", most_in_a_second(&made));
        }

        #[test]
        fn clock_steps_grant_nothing_and_freeze_nothing(
            rate in 1_u32..12,
            steps in prop::collection::vec((prop_oneof![Just(0), 1_u64..400], prop_oneof![4 => Just(0_i64), 1 => -100_000_i64..100_000]), 1..200),
        ) {
            let (made, works_again) = run(async {
                let (limiter, clock) = limiter(f64::from(rate));
                let mut made = Vec::new();
                for (millis, step) in &steps {
                    clock.step(chrono::Duration::milliseconds(*step));
                    made.extend(call_times(std::slice::from_ref(&limiter), &clock, &[(0, *millis, true)]).await);
                }
                clock.step(chrono::Duration::milliseconds(-3_600_000));
                let _ = limiter.ask(CallPriority::Live).await;
                clock.advance(Duration::from_secs(5));
                (made, limiter.ask(CallPriority::Live).await)
            });
            prop_assert!(most_in_a_second(&made) <= rate as usize, "{} of {rate}", most_in_a_second(&made));
            prop_assert_eq!(works_again, Ok(Grant::After(Duration::ZERO)));
        }
    }

    #[tokio::test]
    async fn silence_outlasts_a_clock_step_and_ends_despite_one() {
        let (limiters, clock) = limiters(5.0, 2);
        limiters[0].block_for(Duration::from_secs(60)).await;
        clock.step(chrono::Duration::hours(1));
        let blocked = Err(RateLimitError::Blocked(Duration::from_secs(60)));
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, blocked, "a step forward ends no silence");
        clock.step(chrono::Duration::hours(-3));
        clock.advance(Duration::from_secs(61));
        // The other replica knows it by the shared row only, which says a time hours ahead.
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, blocked, "as long as the vendor asked for");
        clock.advance(Duration::from_secs(60));
        assert_eq!(limiters[1].acquire(CallPriority::Live).await, Ok(()));
        assert_eq!(limiters[0].acquire(CallPriority::Live).await, Ok(()));
    }
}
