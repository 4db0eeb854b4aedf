//! The heartbeat of the claim loop: a worker that cannot claim any more is not ready, however alive its process is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// The loop claims, or finds all its slots taken, at least every ten seconds; three times that is too long.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// When the loop last came to a claim that the database took.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Mutex<Option<Timestamp>>>);

impl Heartbeat {
    pub(super) fn beat(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// False where the loop runs and has not claimed for too long; a process that does not work has none to feel.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| {
            now - last < chrono::Duration::seconds(i64::try_from(SILENCE_LIMIT.as_secs()).unwrap_or(30))
        })
    }
}
