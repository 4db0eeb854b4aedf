//! What one process knows of a rate limit: its own calls, and the shared state as it was last read or written here.

use std::time::Duration;

use super::rate_limit_store::{RateLimitStore, RateLimitStoreError};
use crate::domain::{
    Timestamp,
    rate_limit::{CallPriority, EndedGrant, GrantedCalls, RateLimit, SharedLimit, Turn},
};

/// What this process knows by itself; its times are microseconds of a clock that never steps.
#[derive(Debug, Default)]
pub(super) struct LocalLimit {
    /// The shared state as last read or written here. Another replica may have written since.
    pub(super) seen: Option<SharedLimit>,
    /// Its own calls.
    calls: GrantedCalls,
    /// The latest grant, of which calls may be left.
    open: Option<OpenGrant>,
    /// What the shared state is still to get back.
    ended: Option<EndedGrant>,
    blocked_until: Option<i64>,
}

/// A grant of which calls may be left.
#[derive(Clone, Copy, Debug)]
struct OpenGrant {
    /// When its calls may be made.
    from: i64,
    until: i64,
    granted: u32,
    made: u32,
    last_made: i64,
    /// How far the clock of the shared state is ahead of the one that never steps.
    shared_ahead: i64,
}

/// The time by the clock of the shared state, and by one that never steps, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) shared: Timestamp,
    pub(super) monotonic: i64,
}

impl LocalLimit {
    /// Records that the vendor asked for silence until this time.
    pub(super) const fn block(&mut self, until: i64) {
        self.blocked_until = Some(until);
    }

    /// How long the vendor still wants silence.
    pub(super) fn blocked_for(&self, now: Now) -> Option<Duration> {
        let here = self.blocked_until.map(|until| from_micros(until - now.monotonic));
        let elsewhere = self.seen.as_ref().and_then(|seen| seen.blocked_for(now.shared));
        here.max(elsewhere).filter(|left| !left.is_zero())
    }

    /// Takes a call that was granted together with another one, and returns the wait until its turn.
    pub(super) fn take_unused(&mut self, now: Now) -> Option<Duration> {
        let open = self.open.as_mut()?;
        if open.made == open.granted || now.monotonic > open.until {
            self.end_open();
            return None;
        }
        open.made += 1;
        open.last_made = now.monotonic.max(open.from);
        Some(from_micros(open.from - now.monotonic))
    }

    /// Gives up calls that were granted and not made.
    pub(super) fn end_open(&mut self) {
        let Some(open) = self.open.take() else { return };
        let OpenGrant { until: latest, granted, made, last_made, shared_ahead, .. } = open;
        let ended = EndedGrant { latest, granted, made, last_made };
        self.calls.end(ended);
        let shared = |at| at + shared_ahead;
        self.ended = Some(EndedGrant { latest: shared(latest), last_made: shared(last_made), ..ended });
    }

    /// The shared state as this process knows it, with what its own grants return.
    pub(super) fn shared(&self, now: Timestamp) -> SharedLimit {
        let mut shared = self.seen.clone().unwrap_or_default();
        if let Some(ended) = self.ended {
            shared.calls.end(ended);
        }
        shared.settle_clock(now);
        shared
    }

    /// When a call may be made by what this process and all of them have made, as a wait in microseconds.
    pub(super) fn first_turn(
        &self,
        shared: &SharedLimit,
        limit: RateLimit,
        priority: CallPriority,
        now: Now,
    ) -> Turn {
        let (monotonic, now) = (now.monotonic, now.shared.timestamp_micros());
        let own = self.calls.turn(limit, limit.batch(), priority, monotonic);
        let shared = shared.calls.turn(limit, limit.batch(), priority, now);
        match (own, shared) {
            (Turn::At(own), Turn::At(shared)) => Turn::At((own - monotonic).max(shared - now)),
            (Turn::At(own) | Turn::AskAt(own), Turn::At(shared) | Turn::AskAt(shared)) => {
                Turn::AskAt((own - monotonic).max(shared - now))
            }
        }
    }

    /// Records a grant whose calls may be made after this wait, one of them by the caller.
    pub(super) fn grant(&mut self, limit: RateLimit, wait: i64, now: Now) {
        let (from, granted) = (now.monotonic + wait, limit.batch());
        self.calls.grant(limit, granted, from, now.monotonic);
        let shared_ahead = now.shared.timestamp_micros() - now.monotonic;
        let until = from + limit.grant_life();
        self.open = Some(OpenGrant { from, until, granted, made: 1, last_made: from, shared_ahead });
    }

    /// Replaces the shared state as it was last seen. False where another replica was faster: then reads its state.
    pub(super) async fn write(
        &mut self,
        store: &dyn RateLimitStore,
        mut new: SharedLimit,
    ) -> Result<bool, RateLimitStoreError> {
        new.version = self.seen.as_ref().map_or(0, |seen| seen.version) + 1;
        if store.replace(&new).await? {
            self.seen = Some(new);
            self.ended = None;
            return Ok(true);
        }
        self.seen = store.read().await?;
        Ok(false)
    }

    /// Writes the shared state anew where a wrong clock has written it: else it would stay wrong until that time comes.
    /// False where another replica has written it since it was read here.
    pub(super) async fn correct(
        &mut self,
        store: &dyn RateLimitStore,
        now: Timestamp,
    ) -> Result<bool, RateLimitStoreError> {
        let Some(seen) = &self.seen else { return Ok(true) };
        let corrected = self.shared(now);
        if corrected == *seen { Ok(true) } else { self.write(store, corrected).await }
    }
}

/// Zero where the time has passed.
pub(super) fn from_micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
