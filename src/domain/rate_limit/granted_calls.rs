//! Which calls were granted, and when the next may be made.

use super::{CallPriority, GRANT_LIFE, MAX_WAIT, RateLimit, micros};

/// How far the time of a grant may have moved, in microseconds, for being translated between two clocks.
const TRANSLATION_ERROR: i64 = 1_000;

/// Calls that were granted within the last window, and those whose turn comes: when the last call of a grant may be made
/// or was made, in microseconds of any one clock, in order, with the number of its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedCalls {
    grants: Vec<(i64, u32)>,
}

/// A grant of which no more calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedGrant {
    /// When its calls might have been made at the latest.
    pub latest: i64,
    /// How many were granted.
    pub granted: u32,
    /// How many were made.
    pub made: u32,
    /// When the last one was made.
    pub last_made: i64,
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
        let furthest = now + micros(MAX_WAIT) + GRANT_LIFE;
        for (at, _) in &mut self.grants {
            if *at > furthest {
                *at = now;
            }
        }
        self.grants.sort_unstable_by_key(|(at, _)| *at);
    }

    /// The same calls by a clock that is ahead by this many microseconds.
    pub(super) fn shifted(&self, by: i64) -> Self {
        Self { grants: self.grants.iter().map(|(at, count)| (at.saturating_add(by), *count)).collect() }
    }

    /// When a live call may be made at the earliest, after those that wait already.
    fn earliest(&self, limit: RateLimit, count: u32, now: i64) -> i64 {
        let mut taken: u32 = self.grants.iter().map(|(_, count)| count).sum();
        let mut at = self.grants.last().map_or(now, |(last, _)| now.max(last - limit.grant_life()));
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

    /// When the last of these calls is due, were they spread evenly from the first one on: from then on the next may be made.
    /// Each waits for its time and not for the one before, so a call that was made late puts off none.
    fn last_due(&self, limit: RateLimit) -> i64 {
        let spacing = limit.window / i64::from(limit.calls);
        let (mut due, mut next) = (i64::MIN, i64::MIN);
        for (at, count) in &self.grants {
            due = next.max(at - limit.grant_life());
            next = due + spacing * i64::from(*count);
        }
        due
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
                let at = if is_within_half { at } else { at.max(current.last_due(limit)) };
                if at <= now { Turn::At(now) } else { Turn::AskAt(at) }
            }
        }
    }

    /// Records calls granted from this time on, and forgets those that have left the window.
    pub fn grant(&mut self, limit: RateLimit, count: u32, from: i64, now: i64) {
        *self = self.current(limit, now);
        self.grants.push((from + limit.grant_life(), count));
        self.grants.sort_unstable_by_key(|(at, _)| *at);
    }

    /// Returns what was not made of a grant. Where another replica's grant is alike and as near, it does not matter
    /// which of the two is changed.
    pub fn end(&mut self, ended: EndedGrant) {
        let distance = |at: i64| (at - ended.latest).abs();
        let grants = self.grants.iter_mut();
        let alike = grants
            .filter(|(at, count)| *count == ended.granted && distance(*at) <= TRANSLATION_ERROR)
            .min_by_key(|(at, _)| distance(*at));
        if let Some(grant) = alike {
            *grant = (ended.last_made, ended.made);
            self.grants.retain(|(_, count)| *count > 0);
            self.grants.sort_unstable_by_key(|(at, _)| *at);
        }
    }

    /// Without those that have left the window.
    fn current(&self, limit: RateLimit, now: i64) -> Self {
        let is_in_window = |(at, _): &&(i64, u32)| at + limit.window > now;
        Self { grants: self.grants.iter().filter(is_in_window).copied().collect() }
    }
}
