//! A token bucket for calls to one vendor: pure arithmetic from one state to the next.

use std::time::Duration;

use super::Timestamp;

/// The longest a call waits for its token inside an attempt. Beyond it the task is snoozed, and its slot goes
/// to a task that can use it.
pub const MAX_WAIT: Duration = Duration::from_secs(3);

/// The lowest share of the configured rate that repeated 429 answers lead to.
const MIN_SHARE: f64 = 0.1;

/// How much of the configured rate one minute without a 429 regains.
const SHARE_REGAINED_PER_MINUTE: f64 = 0.1;

/// Which calls go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPriority {
    /// Calls for events of this moment.
    Live,
    /// Calls that can wait.
    Background,
}

/// A token bucket as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    /// Tokens are spent up to this time; each takes one interval of the rate.
    pub spent_until: Timestamp,
    /// No call before this time: the vendor asked for silence.
    pub blocked_until: Option<Timestamp>,
    /// The share of the configured rate that the vendor accepted at `lowered_at`.
    pub share: f64,
    /// When the vendor last answered 429.
    pub lowered_at: Option<Timestamp>,
}

/// The answer to a request for tokens.
pub enum TakeResult {
    /// Granted: use them after this wait.
    Now(TokenBucket, Duration),
    /// Refused: ask again after this wait.
    Later(Duration),
}

impl TokenBucket {
    /// Creates a bucket of which nothing is spent.
    pub const fn full(now: Timestamp) -> Self {
        Self { spent_until: now, blocked_until: None, share: 1.0, lowered_at: None }
    }

    /// How long the vendor still wants silence.
    pub fn blocked_for(&self, now: Timestamp) -> Option<Duration> {
        (self.blocked_until? - now).to_std().ok().filter(|left| !left.is_zero())
    }

    /// The share of the configured rate that is regained by now.
    fn share_now(&self, now: Timestamp) -> f64 {
        let minutes = self.lowered_at.map_or(0.0, |at| seconds(at, now) / 60.0);
        (self.share + minutes * SHARE_REGAINED_PER_MINUTE).min(1.0)
    }

    /// Calls a second that are allowed now, of the configured `per_second`.
    pub fn rate(&self, per_second: f64, now: Timestamp) -> f64 {
        per_second * self.share_now(now)
    }

    /// Lowers the rate after a 429 to a call that began at `begun`.
    pub fn lowered(self, begun: Timestamp, now: Timestamp) -> Self {
        if self.lowered_at.is_some_and(|at| at > begun) {
            return self; // the call was under way before the rate was last lowered
        }
        Self { share: (self.share_now(now) / 2.0).max(MIN_SHARE), lowered_at: Some(now), ..self }
    }

    /// Takes `count` tokens. Live calls may reserve tokens ahead of time; background calls only take what
    /// live calls will not miss.
    pub fn take(self, rate: f64, count: u32, priority: CallPriority, now: Timestamp) -> TakeResult {
        let burst = rate.max(1.0);
        // A clock that was set back earns no tokens.
        let spent = seconds(now, self.spent_until) * rate;
        let wanted = f64::from(count);
        let kept_for_live = match priority {
            CallPriority::Live => 0.0,
            CallPriority::Background => (burst - 1.0) / 2.0,
        };
        let missing = spent + wanted + kept_for_live - burst;
        let wait = Duration::from_secs_f64((missing / rate).max(0.0));
        let allowed = match priority {
            CallPriority::Live => wait <= MAX_WAIT,
            // Times are stored to the microsecond, so a hundredth of a token is rounding.
            CallPriority::Background => missing <= 0.01,
        };
        if !allowed {
            return TakeResult::Later(wait);
        }
        let spent_until = now + interval((spent + wanted) / rate);
        TakeResult::Now(
            Self { spent_until, ..self },
            if priority == CallPriority::Live { wait } else { Duration::ZERO },
        )
    }
}

/// Seconds from one time to a later one; zero backwards.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

/// Rounds up to the microsecond, the resolution of the stored time.
#[expect(clippy::cast_possible_truncation, reason = "a bucket spans seconds")]
fn interval(seconds: f64) -> chrono::Duration {
    chrono::Duration::microseconds((seconds * 1e6).ceil() as i64)
}
