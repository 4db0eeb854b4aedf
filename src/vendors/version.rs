//! When a read covers the version that it shows.
//!
//! Vendors' times have whole seconds. A thing that was read in the second of its last change can change again in
//! that second and keep its version, so an equal version does not mean that nothing is new. A read covers a version
//! if it began clearly later than the change, by the clock of the vendor that dated both: its `Date` header. Our own
//! clock decides nothing. A version that is not covered is marked, so that it equals no version of a list, and a
//! poll has the thing read once more.

use crate::domain::Timestamp;

use super::{
    http::Response,
    times::{Zone, parse_time},
};

/// How much later than the change a read must begin. One second is the precision of both times; the rest is for a
/// vendor whose servers differ in their clocks.
const CLEARLY_LATER: chrono::Duration = chrono::Duration::seconds(3);

/// Marks a version that its read does not cover.
const UNCOVERED_MARK: char = '~';

/// When a read began, by the vendor's clock; `None` where the answer had no date.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadStart(Option<Timestamp>);

impl ReadStart {
    /// Of this answer: its date, less the time that the call took.
    pub fn of(response: &Response) -> Self {
        let took = chrono::Duration::from_std(response.elapsed).ok();
        Self(response.date.zip(took).and_then(|(date, took)| date.checked_sub_signed(took)))
    }

    /// The time.
    pub const fn time(self) -> Option<Timestamp> {
        self.0
    }

    /// A version of the shop, which is a time, as it is remembered.
    pub fn mark_time(self, version: String) -> String {
        let changed_at = parse_time(&version, Zone::Helsinki);
        self.mark(version, changed_at)
    }

    /// A version as it is remembered: marked, unless the read began clearly later than `changed_at`.
    pub fn mark(self, version: String, changed_at: Option<Timestamp>) -> String {
        let is_covered = self.0.zip(changed_at).is_some_and(|(began, at)| began >= at + CLEARLY_LATER);
        if is_covered { version } else { format!("{version}{UNCOVERED_MARK}") }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mark(date: Option<i64>, took: Duration, changed: Option<i64>) -> String {
        let at = |second| Timestamp::from_timestamp(second, 0).expect("a small number");
        let response = Response::dated(date.map(at), took);
        ReadStart::of(&response).mark("v".to_owned(), changed.map(at))
    }

    #[test]
    fn only_a_read_that_began_clearly_later_covers_a_version() {
        let fast = Duration::from_millis(20);
        assert_eq!(mark(Some(100), fast, Some(100)), "v~", "the same second");
        assert_eq!(mark(Some(102), fast, Some(100)), "v~", "too close");
        assert_eq!(mark(Some(104), fast, Some(100)), "v");
        assert_eq!(mark(Some(110), Duration::from_secs(9), Some(100)), "v~", "it began nine seconds before");
        assert_eq!(mark(Some(90), fast, Some(100)), "v~", "a date before the change");
        assert_eq!(mark(None, fast, Some(100)), "v~", "no date");
        assert_eq!(mark(Some(104), fast, None), "v~", "no time");
    }
}
