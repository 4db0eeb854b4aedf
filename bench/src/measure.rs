//! Latencies, medians and spreads.

use std::time::Duration;

/// Latencies of one kind, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn add_micros(&mut self, micros: u32) {
        self.0.push(micros);
    }

    pub fn merge(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// The percentile in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted.get(at.saturating_sub(1)).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}

/// The median of the figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The range of the figures, as a share of their median.
pub fn spread(figures: &[f64]) -> f64 {
    let most = figures.iter().copied().fold(f64::MIN, f64::max);
    let least = figures.iter().copied().fold(f64::MAX, f64::min);
    if most > least { (most - least) / median(figures) } else { 0.0 }
}
