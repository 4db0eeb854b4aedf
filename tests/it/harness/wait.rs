//! Durations, and waits for the real world.

use std::time::{Duration, Instant};

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits until a condition holds; fails after a minute.
pub async fn wait_until(what: &str, mut is_met: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_met().await {
        assert!(begun.elapsed() < secs(60), "waited for a minute: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
