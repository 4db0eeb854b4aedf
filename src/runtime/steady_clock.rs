//! A clock that no correction steps: it begins with another clock's time and then only passes.

use std::{sync::Arc, time::Duration};

use super::clock::Clock;
use crate::domain::Timestamp;

/// Another clock's time as it would be now if nobody had set that clock since.
#[derive(Debug)]
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    /// The other clock's time when its monotonic time was zero.
    zero: Timestamp,
}

impl SteadyClock {
    /// Begins with the current time of `clock`.
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        let zero = clock.now() - clock.monotonic();
        Self { clock, zero }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let now = self.zero + self.clock.monotonic();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    fn ahead_of(&self, database: Timestamp) -> chrono::Duration {
        self.clock.ahead_of(database) + (self.now() - self.clock.now())
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::{ManualClock, OffsetClock};

    #[test]
    fn steps_of_the_other_clock_do_not_step_it() {
        let start = Timestamp::from_timestamp(1_000_000, 0).expect("a time");
        let manual = Arc::new(ManualClock::starting_at(start));
        let other = Arc::new(OffsetClock::of(manual.clone()));
        other.set(chrono::Duration::seconds(15));
        let steady = SteadyClock::of(other.clone());
        let ahead = || (steady.now() - manual.now(), steady.ahead_of(start));
        let seconds = chrono::Duration::seconds(15);
        assert_eq!(ahead(), (seconds, seconds));
        other.set(chrono::Duration::hours(-1));
        manual.advance(Duration::from_secs(60));
        assert_eq!(ahead(), (seconds, seconds), "as if nobody had set the clock");
    }
}
