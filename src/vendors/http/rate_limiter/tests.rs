use async_trait::async_trait;
use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::{
    domain::rate_limit::MAX_WAIT,
    runtime::clock::{ManualClock, SystemClock},
};

/// A store in memory, shared by limiters as the table is by replicas.
#[derive(Debug, Default)]
pub(super) struct MemoryStore(Mutex<Option<SharedLimit>>);

#[async_trait]
impl RateLimitStore for MemoryStore {
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError> {
        Ok(self.0.lock().clone())
    }

    async fn replace(&self, new: &SharedLimit) -> Result<bool, RateLimitStoreError> {
        let mut limit = self.0.lock();
        let is_as_read = limit.as_ref().map_or(0, |limit| limit.version) == new.version - 1;
        if is_as_read {
            *limit = Some(new.clone());
        }
        Ok(is_as_read)
    }
}

pub(super) fn clock() -> Arc<ManualClock> {
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
    assert_eq!(waits[8], Ok(Grant::AskAgain(Duration::from_secs(4))));
    assert_eq!(
        limiter.acquire(CallPriority::Live, MAX_WAIT).await,
        Err(RateLimitError::Exhausted(Duration::from_secs(4)))
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(limiter.ask(CallPriority::Live).await, after(0));
}

#[tokio::test]
async fn calls_that_were_granted_and_not_made_are_given_back() {
    let (limiters, clock) = limiters(100.0, 2);
    let at_once = Ok(Grant::After(Duration::ZERO));
    for _ in 0..9 {
        // Two are granted at once; the second is not made in time.
        assert_eq!(limiters[0].ask(CallPriority::Live).await, at_once);
        clock.advance(Duration::from_millis(101));
    }
    for made in 0..90 {
        assert_eq!(limiters[0].ask(CallPriority::Live).await, at_once, "{made} of 90");
    }
    clock.advance(Duration::from_millis(1_100));
    for made in 0..100 {
        assert_eq!(limiters[1].ask(CallPriority::Live).await, at_once, "{made} by the other replica");
    }
}

#[tokio::test]
async fn retry_after_blocks_all_replicas_for_five_minutes_at_most() {
    let (limiters, clock) = limiters(100.0, 2);
    assert_eq!(limiters[1].acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
    limiters[0].block_for(Duration::from_secs(30)).await;
    let blocked = |seconds| Err(RateLimitError::Blocked(Duration::from_secs(seconds)));
    assert_eq!(limiters[0].acquire(CallPriority::Live, MAX_WAIT).await, blocked(30));
    clock.advance(Duration::from_secs(2));
    assert_eq!(limiters[1].acquire(CallPriority::Live, MAX_WAIT).await, blocked(28));
    clock.advance(Duration::from_secs(28));
    assert_eq!(limiters[0].acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
    limiters[0].block_for(Duration::from_secs(1 << 40)).await;
    let longest = MAX_BLOCK.as_secs();
    assert_eq!(limiters[0].acquire(CallPriority::Live, MAX_WAIT).await, blocked(longest));
    assert_eq!(limiters[1].acquire(CallPriority::Live, MAX_WAIT).await, blocked(longest));
}

#[tokio::test]
async fn call_that_waits_for_its_turn_heeds_a_silence_asked_for_meanwhile() {
    let (limiters, _) = limiters(20.0, 2);
    for _ in 0..20 {
        assert_eq!(limiters[0].acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
    }
    let waiting = async || limiters[0].acquire(CallPriority::Live, MAX_WAIT).await;
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
    // Three are left of the first second.
    assert!((75..=76).contains(&alone), "{alone} in nine seconds at nine a second");
    while matches!(limiter.ask(CallPriority::Live).await, Ok(Grant::After(_))) {}
    assert!(!spare().await, "live calls wait in line");
}

#[tokio::test]
async fn background_calls_that_wake_late_still_have_the_whole_rate() {
    for per_second in [0.5, 5.0, 100.0] {
        let (limiter, clock) = limiter(per_second);
        let begun = clock.now();
        let mut made = 0.0;
        while clock.now() - begun < chrono::Duration::seconds(60) {
            match limiter.ask(CallPriority::Background).await {
                Ok(Grant::AskAgain(wait)) => clock.advance(wait + Duration::from_millis(5)),
                granted => made += f64::from(u8::from(granted == Ok(Grant::After(Duration::ZERO)))),
            }
        }
        let share = made / (60.0 * per_second);
        assert!((0.99..1.02).contains(&share), "{share} of {per_second} a second");
    }
}

#[tokio::test]
async fn background_calls_go_as_they_came() {
    let store = Arc::new(MemoryStore::default());
    let limiter = RateLimiter::new(50.0, Arc::new(SystemClock), store);
    let order = Mutex::new(Vec::new());
    // Each of four calls again as soon as it was its turn: half of a second's calls at once, then one by one.
    let caller = async || {
        for round in 0..10 {
            assert_eq!(limiter.acquire(CallPriority::Background, MAX_WAIT).await, Ok(()));
            order.lock().push(round);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(caller(), caller(), caller(), caller());
    assert!(order.lock().is_sorted(), "none goes again before all have gone: {order:?}");
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
pub(super) async fn call_times(
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
pub(super) fn most_in_a_second(made: &[i64]) -> usize {
    let within = |start: &i64| made.iter().filter(|at| (*start..start + 1_000_000).contains(*at)).count();
    made.iter().map(within).max().unwrap_or_default()
}

pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_second_has_more_calls_than_the_rate(
        rate in prop_oneof![1_u32..12, 40_u32..120, 120_u32..600],
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
    assert_eq!(
        limiters[0].acquire(CallPriority::Live, MAX_WAIT).await,
        blocked,
        "a step forward ends no silence"
    );
    clock.step(chrono::Duration::hours(-3));
    clock.advance(Duration::from_secs(61));
    // The other replica knows it by the shared row only, which says a time hours ahead.
    assert_eq!(
        limiters[1].acquire(CallPriority::Live, MAX_WAIT).await,
        blocked,
        "as long as the vendor asked for"
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(limiters[1].acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
    assert_eq!(limiters[0].acquire(CallPriority::Live, MAX_WAIT).await, Ok(()));
}
