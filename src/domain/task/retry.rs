//! When to try again: exponential backoff, capped and jittered, and a vendor's Retry-After within bounds.

use std::time::Duration;

/// The retry schedule, from `[retry]`.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The wait before the second attempt; doubled each time.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// How many attempts may fail; then the task is dead.
    pub attempts: u32,
    /// The settling time before anything is sent again after an unknown outcome.
    pub recheck_delay: Duration,
    /// An outcome that stays unknown for longer needs attention.
    pub unknown_for: Duration,
}

/// A wait that is doubled so many times, up to its longest.
pub fn doubled((first, longest): (Duration, Duration), times: u32) -> Duration {
    first.saturating_mul(1_u32 << times.min(31)).min(longest)
}

impl RetryPolicy {
    /// The wait after failed attempt number `attempt` (from 1). `jitter` in 0..1 lengthens it by up to a half
    /// and never shortens it: failures come in groups, and jitter spreads their retries.
    pub fn backoff(&self, attempt: u32, jitter: f64) -> Duration {
        let step = doubled((self.base, self.cap), attempt.saturating_sub(1));
        step.mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// Bounds a vendor's Retry-After: at least one base step, at most the cap.
    pub fn clamp_retry_after(&self, asked: Duration) -> Duration {
        asked.clamp(self.base.min(self.cap), self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        base: Duration::from_secs(2),
        cap: Duration::from_secs(3600),
        attempts: 12,
        recheck_delay: Duration::from_secs(10),
        unknown_for: Duration::from_secs(6 * 3600),
    };

    #[test]
    fn wait_doubles_up_to_the_cap_and_jitter_only_lengthens_it() {
        assert_eq!(POLICY.backoff(1, 0.0), Duration::from_secs(2));
        assert_eq!(POLICY.backoff(4, 0.0), Duration::from_secs(16));
        assert_eq!(POLICY.backoff(4, 1.0), Duration::from_secs(24));
        assert_eq!(POLICY.backoff(4_000_000_000, 0.0), POLICY.cap);
    }

    #[test]
    fn retry_after_is_clamped_to_the_schedule() {
        assert_eq!(POLICY.clamp_retry_after(Duration::ZERO), POLICY.base);
        assert_eq!(POLICY.clamp_retry_after(Duration::from_secs(60)), Duration::from_secs(60));
        assert_eq!(POLICY.clamp_retry_after(Duration::from_secs(1 << 40)), POLICY.cap);
    }
}
