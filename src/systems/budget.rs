//! A vendor's rate budget: one token bucket per connection and system, so that every caller is polite by construction.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{clock::Clock, domain::Timestamp};

/// The longest a call waits for its turn inside an attempt; beyond it the delivery is snoozed instead, and its lease
/// goes to one that can use it.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

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
    pub async fn spend(&self) -> Result<(), Duration> {
        let wait = self.reserve(self.clock.now())?;
        if !wait.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "waiting for its turn is what a budget is for")]
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// The system said how long it wants to be left alone.
    pub fn close_for(&self, wait: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // An unbounded word of theirs must not silence us for a week; the retry policy clamps likewise.
        state.closed_until = Some(self.clock.now() + wait.min(Duration::from_secs(300)));
    }

    fn reserve(&self, now: Timestamp) -> Result<Duration, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back earns nothing and closes nothing.
        let since = |earlier: Timestamp, later: Timestamp| (later - earlier).to_std().unwrap_or_default();
        let closed = state.closed_until.map(|until| since(now, until)).unwrap_or_default();
        if !closed.is_zero() {
            return Err(closed);
        }
        let earned = since(state.at, now).as_secs_f64() * self.per_second;
        state.tokens = (state.tokens + earned).min(self.per_second.max(1.0));
        state.at = now;

        let missing = (1.0 - state.tokens).max(0.0);
        let wait = Duration::from_secs_f64(missing / self.per_second);
        if wait > LONGEST_WAIT {
            return Err(wait);
        }
        state.tokens -= 1.0;
        Ok(wait)
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
        assert_eq!(budget.spend().await, Err(Duration::from_secs(30)));
        clock.advance(Duration::from_secs(30));
        assert_eq!(budget.spend().await, Ok(()));
    }
}
