//! What an attempt called, kept for people: what the diary shows and `call_log` explains.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::domain::Timestamp;

/// One call of an attempt, as people see it. Paths hold ids and codes, never names or addresses.
#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    /// mycashflow or ogoship.
    pub vendor: &'static str,
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
    /// no, maybe or yes: did the vendor hear us? Only for failed calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<&'static str>,
}

/// The calls of one attempt, in order.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Arc<CallLogState>);

#[derive(Debug, Default)]
struct CallLogState {
    /// What request ids begin with; empty: none are sent.
    request_id_prefix: String,
    /// Nothing may be changed: what would change something is kept instead of being sent.
    is_dry_run: bool,
    calls: Mutex<Vec<CallRecord>>,
}

impl CallLog {
    /// CallLog of an attempt of this name, from which request ids are made.
    pub fn for_attempt(request_id_prefix: String) -> Self {
        Self(Arc::new(CallLogState { request_id_prefix, ..CallLogState::default() }))
    }

    /// CallLog of a dry_run: reads are made, and the first call that would change anything is kept and not sent.
    pub fn dry_run() -> Self {
        Self(Arc::new(CallLogState { is_dry_run: true, ..CallLogState::default() }))
    }

    /// May nothing be changed?
    pub(in crate::vendors) fn is_dry_run(&self) -> bool {
        self.0.is_dry_run
    }

    /// Everything kept so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().clone()
    }

    /// Keeps a call.
    pub(in crate::vendors) fn push(&self, call: CallRecord) {
        self.lock().push(call);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CallRecord>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the next call; nothing where none are sent.
    pub(in crate::vendors) fn request_id(&self) -> Option<String> {
        let CallLogState { request_id_prefix, .. } = &*self.0;
        (!request_id_prefix.is_empty()).then(|| format!("{request_id_prefix}-{}", self.lock().len() + 1))
    }
}
