//! What an attempt called, kept for people: what the diary shows and `evidence` explains.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::domain::Timestamp;

/// One call of an attempt, as people see it. Paths hold ids and codes, never names or addresses.
#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    /// mycashflow or ogoship.
    pub system: &'static str,
    /// As `place_order`.
    pub call: &'static str,
    /// When it was begun.
    pub at: Timestamp,
    /// Sent as `X-Request-Id`, so that either vendor can find the call in its own log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// GET, POST, PUT or PATCH.
    pub method: String,
    /// Behind the base URL, without the query.
    pub path: String,
    /// What was sent, with every personal value masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<serde_json::Value>,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// no, maybe or yes: did the system hear us? Only for failed calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<&'static str>,
}

/// The calls of one attempt, in order.
#[derive(Clone, Debug, Default)]
pub struct Evidence(Arc<Witness>);

#[derive(Debug, Default)]
struct Witness {
    /// What request ids begin with; empty: none are sent.
    name: String,
    /// Nothing may be changed: what would change something is kept instead of being sent.
    is_rehearsal: bool,
    calls: Mutex<Vec<CallRecord>>,
}

impl Evidence {
    /// Evidence of an attempt of this name, from which request ids are made.
    pub fn named(name: String) -> Self {
        Self(Arc::new(Witness { name, ..Witness::default() }))
    }

    /// Evidence of a rehearsal: reads are made, and the first call that would change anything is kept and not sent.
    pub fn rehearsal() -> Self {
        Self(Arc::new(Witness { is_rehearsal: true, ..Witness::default() }))
    }

    /// May nothing be changed?
    pub(in crate::vendors) fn is_rehearsal(&self) -> bool {
        self.0.is_rehearsal
    }

    /// Everything kept so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().clone()
    }

    /// Keeps a call.
    pub(in crate::vendors) fn keep(&self, call: CallRecord) {
        self.lock().push(call);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CallRecord>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the next call; nothing where none are sent.
    pub(in crate::vendors) fn request_id(&self) -> Option<String> {
        let Witness { name, .. } = &*self.0;
        (!name.is_empty()).then(|| format!("{name}-{}", self.lock().len() + 1))
    }
}
