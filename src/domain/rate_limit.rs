//! The arithmetic of a vendor's rate budget: pure, from one standing to the next.

use std::time::Duration;

use super::Timestamp;

/// The longest a call waits for its turn inside an attempt; beyond it the task is snoozed instead, and its lease
/// goes to one that can use it.
pub const MAX_WAIT: Duration = Duration::from_secs(3);

/// The least that a vendor can teach us: a tenth of the configured rate.
const MIN_SHARE: f64 = 0.1;

/// How much of the configured rate a minute without a 429 gives back.
const SHARE_REGAINED_PER_MINUTE: f64 = 0.1;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPriority {
    /// Revision of this moment.
    Live,
    /// What can wait, and gives way.
    Background,
}

/// A budget as it is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    /// Every call takes one interval of the rate: they are taken up to this time.
    pub spent_until: Timestamp,
    /// The vendor asked to be left alone until then.
    pub blocked_until: Option<Timestamp>,
    /// How much of the configured rate the vendor took at `lowered_at`.
    pub share: f64,
    /// When the vendor last said that it was too much.
    pub lowered_at: Option<Timestamp>,
}

/// What came of asking for tokens.
pub enum TakeResult {
    /// There they are, from so long on.
    Now(TokenBucket, Duration),
    /// There may be some after so long.
    Later(Duration),
}

impl TokenBucket {
    /// Nothing is spent of it yet.
    pub const fn full(now: Timestamp) -> Self {
        Self { spent_until: now, blocked_until: None, share: 1.0, lowered_at: None }
    }

    /// How long the vendor still wants to be left alone.
    pub fn blocked_for(&self, now: Timestamp) -> Option<Duration> {
        (self.blocked_until? - now).to_std().ok().filter(|left| !left.is_zero())
    }

    /// The share that has grown back by now.
    fn share_now(&self, now: Timestamp) -> f64 {
        let minutes = self.lowered_at.map_or(0.0, |at| seconds(at, now) / 60.0);
        (self.share + minutes * SHARE_REGAINED_PER_MINUTE).min(1.0)
    }

    /// Calls a second that the vendor takes now, of so many configured.
    pub fn rate(&self, per_second: f64, now: Timestamp) -> f64 {
        per_second * self.share_now(now)
    }

    /// After the vendor has said that it was too much, to a call begun at `begun`.
    pub fn lowered(self, begun: Timestamp, now: Timestamp) -> Self {
        if self.lowered_at.is_some_and(|at| at > begun) {
            return self; // the call was on its way before the last detection
        }
        Self { share: (self.share_now(now) / 2.0).max(MIN_SHARE), lowered_at: Some(now), ..self }
    }

    /// Takes so many tokens: ahead of everybody who comes later where it is live, else only those that nobody live will
    /// miss.
    pub fn take(self, rate: f64, count: u32, priority: CallPriority, now: Timestamp) -> TakeResult {
        let burst = rate.max(1.0);
        // A clock that was put back earns nothing.
        let owed = seconds(now, self.spent_until) * rate;
        let wanted = f64::from(count);
        let left_behind = match priority {
            CallPriority::Live => 0.0,
            CallPriority::Background => (burst - 1.0) / 2.0,
        };
        let missing = owed + wanted + left_behind - burst;
        let wait = Duration::from_secs_f64((missing / rate).max(0.0));
        let allowed = match priority {
            CallPriority::Live => wait <= MAX_WAIT,
            // Times are written down to the microsecond: a hundredth of a token is nothing missing.
            CallPriority::Background => missing <= 0.01,
        };
        if !allowed {
            return TakeResult::Later(wait);
        }
        let spent_until = now + interval((owed + wanted) / rate);
        TakeResult::Now(
            Self { spent_until, ..self },
            if priority == CallPriority::Live { wait } else { Duration::ZERO },
        )
    }
}

/// Seconds from one time to a later one; none backwards.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

/// To the microsecond: as fine as it is written down.
#[expect(clippy::cast_possible_truncation, reason = "a bucket spans seconds")]
fn interval(seconds: f64) -> chrono::Duration {
    chrono::Duration::microseconds((seconds * 1e6).ceil() as i64)
}
