//! The rate limit of a vendor: pure arithmetic from one state to the next.
//!
//! N per second is N in **any** window of a second, not on average: calls are remembered until they have left the
//! window. A bucket that fills while idle and refills while it is emptied would let 2 N through in one second.

use std::time::Duration;

use super::Timestamp;

mod granted_calls;

pub use granted_calls::{EndedGrant, GrantedCalls, Turn};

/// The longest a call waits for its turn. Beyond it the task goes on waiting, and its slot goes to one that can use it.
pub const MAX_WAIT: Duration = Duration::from_secs(3);

/// The longest that a read waits whose attempt has made calls already: they would be made again.
pub const MAX_WAIT_UNDER_WAY: Duration = Duration::from_secs(20);

/// The longest silence that a vendor can ask for. It must not silence us for a week by mistake; the retry policy
/// has the same cap.
pub const MAX_BLOCK: Duration = Duration::from_secs(300);

/// The lowest share of the configured rate that repeated 429 answers lead to.
const MIN_SHARE: f64 = 0.1;

/// How much of the configured rate one minute without a 429 regains.
const SHARE_REGAINED_PER_MINUTE: f64 = 0.1;

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// Calls of one grant are made within this time after it, in microseconds. Each grant is a write that all calls of the
/// vendor wait for, so a shorter one costs speed; a longer one keeps calls from other replicas for longer.
const GRANT_LIFE: i64 = SECOND / 10;

/// Which calls go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPriority {
    /// Calls for events of this moment.
    Live,
    /// Calls that can wait.
    Background,
}

/// How many calls fit into which window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls at most.
    calls: u32,
    /// In any window of this length, in microseconds.
    window: i64,
    /// Calls granted at once.
    batch: u32,
}

impl RateLimit {
    /// `rate` calls a second: as many whole ones in any second, or one in the time that one takes. Where there are
    /// many, a fiftieth is granted at once, so that not every call costs a write.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at most 10,000")]
    pub fn per_second(rate: f64) -> Self {
        let calls = rate.max(1.0) as u32;
        let batch = (calls / 50).max(1);
        let window = if rate >= 1.0 { SECOND } else { (1e6 / rate).ceil() as i64 };
        Self { calls, window, batch }
    }

    /// Calls granted at once.
    pub const fn batch(self) -> u32 {
        self.batch
    }

    /// How long after it a grant's calls may be made, in microseconds.
    pub const fn grant_life(self) -> i64 {
        if self.batch == 1 { 0 } else { GRANT_LIFE }
    }
}

/// The shared state of a rate limit, as it is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedLimit {
    /// Raised by each write.
    pub version: i64,
    /// The calls of all replicas.
    pub calls: GrantedCalls,
    /// No call before this time: the vendor asked for silence.
    pub blocked_until: Option<Timestamp>,
    /// How long it asked for, in milliseconds: no clock makes it longer.
    pub blocked_millis: i64,
    /// When the vendor last answered 429, and the share of the configured rate that it accepted then.
    pub lowered: Option<(Timestamp, f64)>,
}

impl SharedLimit {
    /// Records that the vendor asked for silence.
    pub fn block(&mut self, wait: Duration, now: Timestamp) {
        self.blocked_until = Some(now + wait.min(MAX_BLOCK));
        self.blocked_millis = i64::try_from(wait.min(MAX_BLOCK).as_millis()).unwrap_or_default();
    }

    /// How long the vendor still wants silence. Longer than it asked for means that a clock is wrong.
    pub fn blocked_for(&self, now: Timestamp) -> Option<Duration> {
        let left = (self.blocked_until? - now).min(chrono::Duration::milliseconds(self.blocked_millis));
        left.to_std().ok().filter(|left| !left.is_zero())
    }

    /// The share of the configured rate that is regained by now.
    fn share(&self, now: Timestamp) -> f64 {
        let Some((at, share)) = self.lowered else { return 1.0 };
        let minutes = (now - at).to_std().unwrap_or_default().as_secs_f64() / 60.0;
        (share + minutes * SHARE_REGAINED_PER_MINUTE).min(1.0)
    }

    /// Calls a second that are allowed now, of the configured `per_second`.
    pub fn rate(&self, per_second: f64, now: Timestamp) -> f64 {
        per_second * self.share(now)
    }

    /// Lowers the rate after a 429 to a call that began at `begun`.
    pub fn lower(&mut self, begun: Timestamp, now: Timestamp) {
        if self.lowered.is_some_and(|(at, _)| at > begun && at <= now) {
            return; // the call was under way before the rate was last lowered
        }
        self.lowered = Some((now, (self.share(now) / 2.0).max(MIN_SHARE)));
    }

    /// The same state by a clock that is ahead by this much.
    #[must_use]
    pub fn shifted(self, by: chrono::Duration) -> Self {
        let shifted = |at: Timestamp| at.checked_add_signed(by).unwrap_or(at);
        Self {
            calls: self.calls.shifted(by.num_microseconds().unwrap_or_default()),
            blocked_until: self.blocked_until.map(shifted),
            lowered: self.lowered.map(|(at, share)| (shifted(at), share)),
            ..self
        }
    }

    /// Corrects what a wrong clock has written.
    pub fn settle_clock(&mut self, now: Timestamp) {
        self.calls.settle_clock(now.timestamp_micros());
        let latest = now + chrono::Duration::milliseconds(self.blocked_millis);
        self.blocked_until = self.blocked_until.map(|until| until.min(latest));
        self.lowered = self.lowered.map(|(at, share)| (at.min(now), share));
    }
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
