//! The rate limit of a vendor: pure arithmetic from one state to the next.
//!
//! N per second is N in **any** window of a second, not on average: calls are remembered until they have left the
//! window. A bucket that fills while idle and refills while it is emptied would let 2 N through in one second.

use std::time::Duration;

use super::Timestamp;

/// The longest a call waits for its turn inside an attempt. Beyond it the task is snoozed, and its slot goes to a
/// task that can use it.
pub const MAX_WAIT: Duration = Duration::from_secs(3);

/// The longest silence that a vendor can ask for. It must not silence us for a week by mistake; the retry policy
/// has the same cap.
pub const MAX_BLOCK: Duration = Duration::from_secs(300);

/// The lowest share of the configured rate that repeated 429 answers lead to.
const MIN_SHARE: f64 = 0.1;

/// How much of the configured rate one minute without a 429 regains.
const SHARE_REGAINED_PER_MINUTE: f64 = 0.1;

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// Calls of one grant are made within this time after it, in microseconds.
const GRANT_LIFE: i64 = SECOND / 50;

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
        let limit = Self { calls, window, batch };
        // A call may be made at the end of its grant's life, so a grant counts for as much longer.
        Self { window: window + limit.grant_life(), ..limit }
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

/// Calls that were granted within the last window, and those whose turn comes: times in microseconds of any one
/// clock, in order, with the number of calls of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedCalls {
    grants: Vec<(i64, u32)>,
}

/// The answer to a request for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Granted, to be made at this time.
    At(i64),
    /// Not granted: ask again at this time.
    AskAt(i64),
}

impl GrantedCalls {
    /// From times and counts as they are stored.
    pub fn new(times: &[i64], counts: &[i32]) -> Self {
        let counts = counts.iter().map(|count| count.unsigned_abs());
        Self { grants: times.iter().copied().zip(counts).collect() }
    }

    /// The times as they are stored.
    pub fn times(&self) -> Vec<i64> {
        self.grants.iter().map(|(at, _)| *at).collect()
    }

    /// The counts as they are stored.
    pub fn counts(&self) -> Vec<i32> {
        self.grants.iter().map(|(_, count)| i32::try_from(*count).unwrap_or(i32::MAX)).collect()
    }

    /// Brings grants that lie further ahead than any can (a clock was set back, or another one is ahead) to now: they
    /// grant nothing extra, and do not freeze the limit until that time comes.
    pub fn settle_clock(&mut self, now: i64) {
        let furthest = now + micros(MAX_WAIT);
        for (at, _) in &mut self.grants {
            if *at > furthest {
                *at = now;
            }
        }
        self.grants.sort_unstable_by_key(|(at, _)| *at);
    }

    /// The same calls by a clock that is ahead by this many microseconds.
    fn shifted(&self, by: i64) -> Self {
        Self { grants: self.grants.iter().map(|(at, count)| (at.saturating_add(by), *count)).collect() }
    }

    /// When a live call may be made at the earliest, after those that wait already.
    fn earliest(&self, limit: RateLimit, count: u32, now: i64) -> i64 {
        let mut taken: u32 = self.grants.iter().map(|(_, count)| count).sum();
        let mut at = self.grants.last().map_or(now, |(last, _)| now.max(*last));
        for (granted_at, calls) in &self.grants {
            if taken + count <= limit.calls {
                break;
            }
            // It has left the window once a whole one has passed.
            at = at.max(granted_at + limit.window);
            taken -= calls;
        }
        at
    }

    /// When this many calls may be made. Live calls wait in line, as long as that is not too long. A background call
    /// waits outside the line: it takes what live calls leave, at most half of a window at once, the rest one by one.
    pub fn turn(&self, limit: RateLimit, count: u32, priority: CallPriority, now: i64) -> Turn {
        let current = self.current(limit, now);
        let at = current.earliest(limit, count, now);
        match priority {
            CallPriority::Live if at - now <= micros(MAX_WAIT) => Turn::At(at),
            CallPriority::Live => Turn::AskAt(at),
            CallPriority::Background => {
                let taken: u32 = current.grants.iter().map(|(_, count)| count).sum();
                let is_within_half = taken + count <= limit.calls.div_ceil(2);
                let last = current.grants.last().map_or(i64::MIN, |(last, _)| *last);
                let spaced = last.saturating_add(limit.window / i64::from(limit.calls) * i64::from(count));
                if at <= now && (is_within_half || spaced <= now) {
                    Turn::At(now)
                } else {
                    Turn::AskAt(at.max(if is_within_half { at } else { spaced }))
                }
            }
        }
    }

    /// Records calls granted for this time, and forgets those that have left the window.
    pub fn grant(&mut self, limit: RateLimit, count: u32, at: i64, now: i64) {
        *self = self.current(limit, now);
        self.grants.push((at, count));
        self.grants.sort_unstable_by_key(|(at, _)| *at);
    }

    /// Without those that have left the window.
    fn current(&self, limit: RateLimit, now: i64) -> Self {
        let is_in_window = |(at, _): &&(i64, u32)| at + limit.window > now;
        Self { grants: self.grants.iter().filter(is_in_window).copied().collect() }
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
