//! A clock that is wrong: ahead or behind, and stepping. `silta chaos` starts replicas with `SILTA_CLOCK=+30,-12` in
//! their environment: 30 s ahead, after a while 12 s behind, and so on in turn.

use std::{str::FromStr, time::Duration};

use super::clock::{Clock, SystemClock};
use crate::domain::Timestamp;

/// How long each offset lasts.
const STEP_AFTER: Duration = Duration::from_millis(1500);

/// The machine's clock, off by one offset after the other. Time that only passes is right, as on a real machine.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongClock {
    offsets: Vec<chrono::Duration>,
}

/// The text is not a list of seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SILTA_CLOCK must be offsets in seconds, as +30,-12")]
pub struct ParseClockError;

impl FromStr for WrongClock {
    type Err = ParseClockError;

    fn from_str(text: &str) -> Result<Self, ParseClockError> {
        let offset = |text: &str| text.parse().map(|seconds: i32| chrono::Duration::seconds(seconds.into()));
        let offsets = text.split(',').map(offset).collect::<Result<_, _>>().map_err(|_| ParseClockError)?;
        Ok(Self { offsets })
    }
}

impl WrongClock {
    /// The offset once this much time has passed.
    fn offset(&self, passed: Duration) -> chrono::Duration {
        let steps = usize::try_from(passed.as_millis() / STEP_AFTER.as_millis()).unwrap_or_default();
        self.offsets[steps % self.offsets.len()]
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.offset(self.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_take_turns() {
        let clock: WrongClock = "+30,-12".parse().expect("two offsets");
        let at = |steps: u32| clock.offset(STEP_AFTER * steps + Duration::from_millis(1)).num_seconds();
        assert_eq!([at(0), at(1), at(2), at(7)], [30, -12, 30, -12]);
        for wrong in ["", "soon", "1,", "1.5"] {
            assert_eq!(wrong.parse::<WrongClock>(), Err(ParseClockError), "{wrong}");
        }
    }
}
