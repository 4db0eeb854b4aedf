//! Silence is suspicious: absence is the one fault that no report of what happened can show.
//!
//! A connection has a order_rate: nights are quiet, Mondays are not. The same stretch of the week in the weeks before says
//! how many orders would have come since the last one. When that many are as good as never absent by chance, somebody
//! should look whether the shop still sells, the webhook still stands and the poll still reads.

use std::time::Duration;

/// Weeks that are looked back on.
pub const WEEKS: u32 = 4;

/// Orders that would have come, at which silence is suspicious: with seven expected, none at all is chance once in a
/// thousand times (Poisson: e^-7).
const SUSPICIOUS_EXPECTED: f64 = 7.0;

/// How a connection's silence compares with its own past.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct OrderRate {
    /// For how long no order has come, in seconds.
    pub silent_seconds: u64,
    /// How many would have come meanwhile, by the weeks before.
    pub expected: f64,
    /// Is that too many for chance?
    pub is_suspicious: bool,
}

/// Judges a silence. `orders_then` came in the same stretch of the week in the `weeks` before (at most [`WEEKS`], and
/// only those in which the connection was there already); without any week behind it nothing is expected.
pub fn assess(silence: Duration, orders_then: u64, weeks: u32) -> OrderRate {
    #[expect(clippy::cast_precision_loss, reason = "orders of a few weeks")]
    let expected = if weeks == 0 { 0.0 } else { orders_then as f64 / f64::from(weeks) };
    OrderRate { silent_seconds: silence.as_secs(), expected, is_suspicious: expected >= SUSPICIOUS_EXPECTED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_judged_by_the_same_stretch_of_the_weeks_before() {
        let hour = Duration::from_secs(3600);
        assert!(!assess(hour, 0, 4).is_suspicious, "a quiet night");
        assert!(!assess(hour, 27, 4).is_suspicious);
        assert!(assess(hour, 28, 4).is_suspicious, "seven an hour, and none came");
        assert!(!assess(hour, 0, 0).is_suspicious, "a new connection expects nothing");
        assert!(assess(hour, 9, 1).is_suspicious);
    }
}
