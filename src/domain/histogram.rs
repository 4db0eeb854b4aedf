//! Durations counted in fixed steps, so that hours can be added up and medians read from the sum.

use std::time::Duration;

/// Which durations are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Calls to a vendor: from ten milliseconds to half a minute.
    Calls,
    /// From a webhook to the warehouse: from a second to a day.
    Waits,
}

/// The upper bounds of the steps in milliseconds; the last step has none.
const CALLS: [u64; 15] =
    [10, 25, 50, 75, 100, 150, 250, 400, 600, 1_000, 1_500, 2_500, 5_000, 10_000, 30_000];
const WAITS: [u64; 15] = [
    500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 14_400_000,
    43_200_000, 86_400_000,
];

/// Steps of every scale.
pub const STEPS: usize = CALLS.len() + 1;

impl Scale {
    /// The upper bounds of its steps in milliseconds; the last step has none.
    pub const fn bounds(self) -> &'static [u64; STEPS - 1] {
        match self {
            Self::Calls => &CALLS,
            Self::Waits => &WAITS,
        }
    }

    /// The step of a duration: the first whose bound it does not exceed.
    pub fn step(self, millis: u64) -> usize {
        self.bounds().partition_point(|bound| *bound < millis)
    }
}

/// How many durations fell into each step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(pub [u64; STEPS]);

impl Histogram {
    /// From a row; steps that it lacks are empty.
    pub fn from_counts(counts: &[i64]) -> Self {
        let mut histogram = Self::default();
        for (step, count) in histogram.0.iter_mut().zip(counts) {
            *step = u64::try_from(*count).unwrap_or(0);
        }
        histogram
    }

    /// Counts one duration.
    pub fn add(&mut self, scale: Scale, millis: u64) {
        self.0[scale.step(millis)] += 1;
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (step, count) in self.0.iter_mut().zip(other.0) {
            *step += count;
        }
    }

    /// How many durations.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The duration that this share of all does not exceed, as near as the steps tell; `None` if there is none. In the last
    /// step it is that step's lower bound: at least so long.
    pub fn quantile(&self, scale: Scale, share: f64) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let wanted = share.clamp(0.0, 1.0) * approximate(total);
        let mut before = 0.0;
        let bounds = scale.bounds();
        for (step, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = approximate(*count);
            if before + count >= wanted {
                let low = if step == 0 { 0 } else { bounds[step - 1] };
                let high = bounds.get(step).copied().unwrap_or(low);
                let inside = ((wanted - before) / count).clamp(0.0, 1.0);
                let millis = approximate(low) + inside * approximate(high - low);
                return Some(Duration::from_secs_f64(millis / 1000.0));
            }
            before += count;
        }
        None
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds, for a figure that people read")]
const fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_the_first_step_that_holds_them() {
        assert_eq!([0, 10, 11, 25, 26].map(|millis| Scale::Calls.step(millis)), [0, 0, 1, 1, 2]);
        assert_eq!([30_000, 30_001, u64::MAX].map(|millis| Scale::Calls.step(millis)), [14, 15, 15]);
    }

    #[test]
    fn quantiles_lie_within_their_step() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(Scale::Waits, 0.5), None);
        for _ in 0..90 {
            histogram.add(Scale::Waits, 1_500);
        }
        for _ in 0..10 {
            histogram.add(Scale::Waits, 40_000);
        }
        let within = |histogram: &Histogram, share, low, high| {
            let quantile = histogram.quantile(Scale::Waits, share).unwrap();
            assert!(
                (Duration::from_millis(low)..=Duration::from_millis(high)).contains(&quantile),
                "{quantile:?}"
            );
        };
        within(&histogram, 0.5, 1_000, 2_000);
        within(&histogram, 0.95, 30_000, 60_000);
        histogram.add(Scale::Waits, u64::MAX);
        within(&histogram, 1.0, 86_400_000, 86_400_000);
    }

    #[test]
    fn a_shorter_row_fills_up_with_nothing() {
        assert_eq!(Histogram::from_counts(&[1, -1]).total(), 1);
        let mut sum = Histogram::from_counts(&[1; STEPS]);
        sum.merge(&Histogram::from_counts(&[2]));
        assert_eq!((sum.0[0], sum.total()), (3, u64::try_from(STEPS).unwrap() + 2));
    }
}
