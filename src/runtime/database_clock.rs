//! How far a clock is ahead of the database's: replicas whose clocks differ agree on the database's time.
//!
//! A statement returns `clock_timestamp()`. The database read it between the moment at which the statement was sent and
//! the one at which its answer was there, so that each statement gives a least and a most. Those of several statements
//! are intersected, as the slow ones say little. Where one contradicts what was measured before, it replaces that: a
//! clock was set, drifted, or stood still with its machine.

use std::{sync::Arc, time::Duration};

use chrono::Duration as Offset;
use parking_lot::Mutex;

use super::clock::Clock;
use crate::domain::Timestamp;

/// Clocks drift apart between two measurements, and a slow statement says little: an estimate may be wrong by so much.
const TOLERANCE: Offset = Offset::milliseconds(20);

/// Measures how far a clock is ahead of the database's.
#[derive(Debug)]
pub struct DatabaseClock {
    clock: Arc<dyn Clock>,
    measured: Mutex<Option<Measured>>,
}

/// By how much the clock is ahead, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Measured {
    least: Offset,
    most: Offset,
}

/// When a statement was sent.
#[derive(Clone, Copy, Debug)]
pub struct SentAt(Duration);

impl DatabaseClock {
    /// Compares `clock` with the database's.
    pub const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, measured: Mutex::new(None) }
    }

    /// Call this directly before the statement is sent.
    pub fn send(&self) -> SentAt {
        SentAt(self.clock.monotonic())
    }

    /// Records the database's time in the answer to a statement. False where it contradicts the estimate until now, so that
    /// what was translated for this statement is wrong.
    pub fn measure(&self, sent_at: SentAt, database: Timestamp) -> bool {
        let most = self.clock.ahead_of(database);
        let took = Offset::from_std(self.clock.monotonic().saturating_sub(sent_at.0)).unwrap_or_default();
        let latest = Measured { least: most - took, most };
        let mut measured = self.measured.lock();
        let holds = measured.is_none_or(|before| latest.allows(before.estimate()));
        *measured = Some(measured.and_then(|before| before.intersection(latest)).unwrap_or(latest));
        holds
    }

    /// How far the clock is ahead of the database's; `None` where nothing is measured yet.
    pub fn ahead(&self) -> Option<Offset> {
        self.measured.lock().map(Measured::estimate)
    }
}

impl Measured {
    fn estimate(self) -> Offset {
        self.least + (self.most - self.least) / 2
    }

    fn allows(self, estimate: Offset) -> bool {
        (self.least - TOLERANCE..=self.most + TOLERANCE).contains(&estimate)
    }

    fn intersection(self, other: Self) -> Option<Self> {
        let (least, most) = (self.least.max(other.least), self.most.min(other.most));
        (least <= most).then_some(Self { least, most })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runtime::clock::{Machine, ManualClock};

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a time")
    }

    /// Makes a statement that needs so many milliseconds there and back. The database is `ahead` behind the machine.
    fn ask(clock: &DatabaseClock, machine: &Machine, ahead: Offset, millis: (u64, u64)) -> bool {
        let sent_at = clock.send();
        machine.0.advance(Duration::from_millis(millis.0));
        let database = machine.now() - ahead;
        machine.0.advance(Duration::from_millis(millis.1));
        clock.measure(sent_at, database)
    }

    proptest! {
        #[test]
        fn estimate_errs_by_half_of_the_fastest_statement_at_most(
            seconds in -4000_i64..4000,
            statements in prop::collection::vec((0_u64..400, 0_u64..400), 1..20),
        ) {
            let machine = Arc::new(Machine(ManualClock::starting_at(time(1_000_000))));
            let clock = DatabaseClock::new(machine.clone());
            prop_assert_eq!(clock.ahead(), None);
            let ahead = Offset::seconds(seconds);
            for millis in &statements {
                ask(&clock, &machine, ahead, *millis);
            }
            let fastest = statements.iter().map(|(there, back)| there + back).min().unwrap_or_default();
            let error = (clock.ahead().unwrap_or_default() - ahead).num_microseconds().unwrap_or(i64::MAX).unsigned_abs();
            prop_assert!(error <= fastest * 500, "{error} µs where the fastest needed {fastest} ms");
        }
    }

    #[test]
    fn clock_that_was_set_is_measured_anew_and_drift_is_followed() {
        let machine = Arc::new(Machine(ManualClock::starting_at(time(1_000_000))));
        let clock = DatabaseClock::new(machine.clone());
        assert!(ask(&clock, &machine, Offset::seconds(15), (1, 1)));
        for (ahead, holds) in [(3600, false), (3600, true), (-15, false), (-15, true)] {
            assert_eq!(ask(&clock, &machine, Offset::seconds(ahead), (1, 1)), holds, "{ahead} s ahead");
            assert_eq!(clock.ahead(), Some(Offset::seconds(ahead)));
        }
        for drift in 0..100 {
            let ahead = Offset::milliseconds(drift * 10 - 15_000);
            assert!(ask(&clock, &machine, ahead, (1, 1)), "a drift of {drift} times 10 ms");
        }
        assert_eq!(clock.ahead(), Some(Offset::milliseconds(-14_010)));
    }
}
