//! A vendor's rate budget: one token bucket per connection and system, so that every caller is polite by construction.
//!
//! It has two lanes. What is live takes any token there is, and borrows from the next seconds where there is none. What
//! can wait (a full comparison, and whatever sweeps and replays have found) takes a token only while half of the bucket
//! stays behind it: as long as live calls keep the bucket low it stands still, and alone it has the whole rate.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{clock::Clock, domain::Timestamp};

/// The longest a call waits for its turn inside an attempt; beyond it the delivery is snoozed instead, and its lease
/// goes to one that can use it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// News of this moment.
    Live,
    /// What can wait, and gives way.
    Background,
}

/// Why a call may not be made now, and when it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The system itself asked to be left alone so long.
    Closed(Duration),
    /// Others have spent the budget; there may be a token after so long.
    Spent(Duration),
}

/// Tokens are earned at a steady rate and saved up to one second's worth.
#[derive(Debug)]
pub struct Budget {
    per_second: f64,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Below zero while calls wait their turn.
    tokens: f64,
    at: Timestamp,
    closed_until: Option<Timestamp>,
}

impl Budget {
    /// A budget of so many calls a second.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>) -> Self {
        let state = State { tokens: per_second.max(1.0), at: clock.now(), closed_until: None };
        Self { per_second, clock, state: Mutex::new(state) }
    }

    /// The time by its clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a token, or answers how long the wait would be where that is too long.
    pub async fn spend(&self, lane: Lane) -> Result<(), Denied> {
        if lane == Lane::Live {
            let wait = self.reserve(self.clock.now())?;
            sleep(wait).await;
            return Ok(());
        }
        let mut waited = Duration::ZERO;
        loop {
            let wait = self.take_spare(self.clock.now())?;
            if wait.is_zero() {
                return Ok(());
            }
            if waited + wait > LONGEST_WAIT {
                return Err(Denied::Spent(wait));
            }
            sleep(wait).await;
            waited += wait;
        }
    }

    /// The system said how long it wants to be left alone.
    pub fn close_for(&self, wait: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // An unbounded word of theirs must not silence us for a week; the retry policy clamps likewise.
        state.closed_until = Some(self.clock.now() + wait.min(Duration::from_secs(300)));
    }

    /// Takes a token now or in a moment, ahead of everybody who comes later; answers how long that moment is.
    fn reserve(&self, now: Timestamp) -> Result<Duration, Denied> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.earn(&mut state, now)?;
        let wait = self.until(1.0, &state);
        if wait > LONGEST_WAIT {
            return Err(Denied::Spent(wait));
        }
        state.tokens -= 1.0;
        Ok(wait)
    }

    /// Takes a token that nobody live will miss, and answers zero; or how long until there may be one.
    fn take_spare(&self, now: Timestamp) -> Result<Duration, Denied> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.earn(&mut state, now)?;
        let wait = self.until(1.0 + (self.burst() - 1.0) / 2.0, &state);
        if wait.is_zero() {
            state.tokens -= 1.0;
        }
        Ok(wait)
    }

    fn earn(&self, state: &mut State, now: Timestamp) -> Result<(), Denied> {
        // A clock that was put back earns nothing and closes nothing.
        let since = |earlier: Timestamp, later: Timestamp| (later - earlier).to_std().unwrap_or_default();
        let closed = state.closed_until.map(|until| since(now, until)).unwrap_or_default();
        if !closed.is_zero() {
            return Err(Denied::Closed(closed));
        }
        let earned = since(state.at, now).as_secs_f64() * self.per_second;
        state.tokens = (state.tokens + earned).min(self.burst());
        state.at = now;
        Ok(())
    }

    const fn burst(&self) -> f64 {
        self.per_second.max(1.0)
    }

    /// How long until there are so many tokens.
    fn until(&self, tokens: f64, state: &State) -> Duration {
        Duration::from_secs_f64((tokens - state.tokens).max(0.0) / self.per_second)
    }
}

async fn sleep(wait: Duration) {
    if !wait.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "waiting for its turn is what a budget is for")]
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn budget(per_second: f64) -> (Budget, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH));
        (Budget::new(per_second, clock.clone()), clock)
    }

    #[test]
    fn a_spent_budget_makes_calls_wait_their_turn_and_turns_them_away_when_the_wait_is_long() {
        let (budget, clock) = budget(2.0);
        let reserve = || budget.reserve(clock.now()).map(|wait| wait.as_millis());
        let waits: Vec<_> = (0..9).map(|_| reserve()).collect();
        assert_eq!(waits[..4], [Ok(0), Ok(0), Ok(500), Ok(1000)]);
        assert_eq!(waits[7], Ok(3000));
        assert!(waits[8].is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(reserve(), Ok(0));
    }

    #[tokio::test]
    async fn a_system_that_asks_for_patience_gets_it_and_no_more() {
        let (budget, clock) = budget(100.0);
        budget.close_for(Duration::from_secs(30));
        assert_eq!(budget.spend(Lane::Live).await, Err(Denied::Closed(Duration::from_secs(30))));
        clock.advance(Duration::from_secs(30));
        assert_eq!(budget.spend(Lane::Live).await, Ok(()));
    }

    #[test]
    fn what_can_wait_takes_only_what_nobody_live_will_miss_and_alone_has_the_whole_rate() {
        let (budget, clock) = budget(9.0);
        let spare = || budget.take_spare(clock.now()).map(|wait| wait.is_zero());
        let taken = (0..9).filter(|_| spare() == Ok(true)).count();
        assert_eq!(taken, 5, "four of nine stay for whoever is live");
        assert_eq!(budget.reserve(clock.now()), Ok(Duration::ZERO), "and they do find one");
        let mut alone = 0;
        for _ in 0..90 {
            clock.advance(Duration::from_millis(100));
            alone += usize::from(spare() == Ok(true));
        }
        assert!((75..=82).contains(&alone), "{alone} in nine seconds at nine a second");
        while budget.reserve(clock.now()).is_ok_and(|wait| wait.is_zero()) {}
        assert_eq!(spare(), Ok(false), "live calls have spent it all");
    }
}
