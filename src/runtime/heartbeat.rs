//! The heartbeat of the claim loop: a worker that cannot claim is not ready, even while its process answers.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::domain::Timestamp;

/// The loop claims, or finds all slots used, at least every ten seconds; three times that is too long.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// When the claim loop last reached the database, or found all slots used.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Mutex<Option<Timestamp>>>);

impl Heartbeat {
    /// Records that the claim loop is alive.
    pub fn beat(&self, now: Timestamp) {
        *self.0.lock() = Some(now);
    }

    /// False once the claim loop has been silent for 30 s; true in a process that runs no worker.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.0.lock().is_none_or(|last| now < last + SILENCE_LIMIT)
    }
}
