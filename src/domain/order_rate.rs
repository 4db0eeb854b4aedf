//! Detects that orders have stopped coming.
//!
//! No event reports an absence. The weeks before say how many orders the same stretch of the week usually
//! brings: nights are quiet, Mondays are not. When too many are missing for chance, somebody should check
//! that the shop sells, the webhook is registered and the poll runs.

use std::time::Duration;

/// How many weeks are looked back on.
pub const WEEKS: u32 = 4;

/// How many expected orders make silence suspicious: with seven expected, none at all is chance once in a
/// thousand times (Poisson: e^-7).
const SUSPICIOUS_EXPECTED: f64 = 7.0;

/// How long no order has come, compared with the weeks before.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct OrderRate {
    /// For how long no order has come, in seconds.
    pub silent_seconds: u64,
    /// How many orders the weeks before had in the same stretch, on average.
    pub expected: f64,
    /// True where that is too many for chance.
    pub is_suspicious: bool,
}

/// Compares a silence with the weeks before. `orders_then` counts the same stretch of the week in the last
/// `weeks` (at most [`WEEKS`], and only those since the connection was configured). Without any week before,
/// no order is expected.
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
