//! Replicas whose clocks are wrong, set or stopped share one rate and one silence.

use async_trait::async_trait;
use parking_lot::Mutex;
use proptest::prelude::*;

use super::{
    tests::{MemoryStore, call_times, clock, most_in_a_second, run},
    *,
};
use crate::{
    domain::rate_limit::MAX_WAIT,
    runtime::{
        clock::{Machine, ManualClock, OffsetClock},
        database_clock::DatabaseClock,
        steady_clock::SteadyClock,
    },
};

/// A store whose times are a database's.
#[derive(Debug)]
struct TranslatingStore {
    memory: Arc<MemoryStore>,
    database: Arc<ManualClock>,
    database_clock: DatabaseClock,
    /// Fails as often as this says.
    failures: Arc<Mutex<usize>>,
}

impl TranslatingStore {
    fn fail(&self) -> Result<(), RateLimitStoreError> {
        let mut failures = self.failures.lock();
        let left = failures.checked_sub(1);
        *failures = left.unwrap_or_default();
        if left.is_some() { Err(RateLimitStoreError) } else { Ok(()) }
    }
}

#[async_trait]
impl RateLimitStore for TranslatingStore {
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError> {
        self.fail()?;
        let found = self.memory.read().await?;
        self.database_clock.measure(self.database_clock.send(), self.database.now());
        Ok(found.map(|limit| limit.shifted(self.database_clock.ahead().unwrap_or_default())))
    }

    async fn replace(&self, new: &SharedLimit) -> Result<bool, RateLimitStoreError> {
        if self.database_clock.ahead().is_none() {
            self.read().await?;
        }
        self.fail()?;
        let ahead = self.database_clock.ahead().unwrap_or_default();
        let is_replaced = self.memory.replace(&new.clone().shifted(-ahead)).await?;
        Ok(is_replaced && self.database_clock.measure(self.database_clock.send(), self.database.now()))
    }
}

/// Replicas under one database.
struct Replicas {
    database: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    failures: Arc<Mutex<usize>>,
}

impl Replicas {
    fn new() -> Self {
        Self { database: clock(), memory: Arc::default(), failures: Arc::default() }
    }

    fn start(&self, per_second: f64, clock: Arc<dyn Clock>) -> RateLimiter {
        let steady = Arc::new(SteadyClock::of(clock));
        let store = TranslatingStore {
            memory: self.memory.clone(),
            database: self.database.clone(),
            database_clock: DatabaseClock::new(steady.clone()),
            failures: self.failures.clone(),
        };
        RateLimiter::new(per_second, steady, Arc::new(store))
    }

    /// A replica whose clock is ahead of the database's, and can be set.
    fn start_ahead(&self, per_second: f64, seconds: i64) -> (RateLimiter, Arc<OffsetClock>) {
        let clock = Arc::new(OffsetClock::of(self.database.clone()));
        clock.set(chrono::Duration::seconds(seconds));
        (self.start(per_second, clock.clone()), clock)
    }
}

/// How far ahead a replica's clock may be: seconds, a quarter of a minute, hours.
fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-3600), Just(3600), Just(-15), Just(15), -7200_i64..7200]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_second_has_more_calls_than_the_rate_under_wrong_clocks(
        rate in prop_oneof![1_u32..12, 40_u32..120],
        offsets in prop::collection::vec(offset(), 2..4),
        steps in prop::collection::vec(
            (0_usize..4, prop_oneof![6 => Just(0), 3 => 1_u64..60, 1 => 500_u64..2500], any::<bool>(),
             prop_oneof![9 => Just(None), 1 => offset().prop_map(Some)]),
            1..300,
        ),
        failures in prop::collection::vec(0_usize..300, 0..8),
    ) {
        let made = run(async {
            let replicas = Replicas::new();
            let started = offsets.iter().map(|seconds| replicas.start_ahead(f64::from(rate), *seconds));
            let (limiters, clocks): (Vec<_>, Vec<_>) = started.unzip();
            let mut made = Vec::new();
            for (at, (replica, millis, is_live, set)) in steps.iter().enumerate() {
                if let Some(seconds) = set {
                    clocks[replica % clocks.len()].set(chrono::Duration::seconds(*seconds));
                }
                *replicas.failures.lock() = failures.iter().filter(|failure| **failure == at).count();
                made.extend(call_times(&limiters, &replicas.database, &[(*replica, *millis, *is_live)]).await);
            }
            made
        });
        prop_assert!(most_in_a_second(&made) <= rate as usize, "{} of {rate}", most_in_a_second(&made));
    }
}

#[tokio::test]
async fn silence_holds_for_replicas_with_other_clocks() {
    for seconds in [-3600, -15, 15, 3600] {
        let replicas = Replicas::new();
        let ((first, _), (other, clock)) = (replicas.start_ahead(5.0, 0), replicas.start_ahead(5.0, seconds));
        assert_eq!(other.acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
        first.block_for(Duration::from_secs(60)).await;
        let blocked = |seconds| Err(RateLimitError::Blocked(Duration::from_secs(seconds)));
        assert_eq!(other.acquire(CallPriority::Live, MAX_WAIT).await, blocked(60), "{seconds} s ahead");
        clock.set(chrono::Duration::zero());
        replicas.database.advance(Duration::from_secs(50));
        assert_eq!(
            other.acquire(CallPriority::Live, MAX_WAIT).await,
            blocked(10),
            "{seconds} s ahead, then set"
        );
        let (third, _) = replicas.start_ahead(5.0, -seconds);
        assert_eq!(third.acquire(CallPriority::Live, MAX_WAIT).await, blocked(10), "a new replica");
        replicas.database.advance(Duration::from_secs(10));
        for limiter in [&first, &other, &third] {
            assert_eq!(limiter.acquire(CallPriority::Live, MAX_WAIT).await, Ok(()), "{seconds} s ahead");
        }
    }
}

#[tokio::test]
async fn calls_of_a_machine_that_stood_still_are_seen_by_others() {
    let replicas = Replicas::new();
    let machines: Vec<_> =
        (0..2).map(|_| Arc::new(Machine(ManualClock::starting_at(replicas.database.now())))).collect();
    let limiters: Vec<_> = machines.iter().map(|machine| replicas.start(1.0, machine.clone())).collect();
    let now = Ok(Grant::After(Duration::ZERO));
    assert_eq!(limiters[0].ask(CallPriority::Live).await, now);
    // The first one is suspended for a minute.
    machines[1].0.advance(Duration::from_secs(60));
    replicas.database.advance(Duration::from_secs(60));
    machines[0].0.advance(Duration::from_secs(1));
    assert_eq!(limiters[0].ask(CallPriority::Live).await, now);
    let waits = limiters[1].ask(CallPriority::Live).await;
    assert_eq!(waits, Ok(Grant::After(Duration::from_secs(1))), "the other one has called just now");
}
