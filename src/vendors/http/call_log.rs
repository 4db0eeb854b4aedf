//! The calls of an attempt as people see them: shown with the attempt and in the order's call log.

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::Serialize;

use super::{
    call::Response,
    error::{CallError, Failure, Sent},
};
use crate::domain::{
    Timestamp,
    task::{fault::CallKind, reason::Reason},
    vendor::Vendor,
};

/// One call of an attempt. Paths hold ids and codes, never names or addresses.
#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    /// mycashflow or ogoship.
    pub vendor: &'static str,
    /// As `place_order`.
    pub call: &'static str,
    /// When it began.
    pub at: Timestamp,
    /// Sent as `X-Request-Id`, so that the vendor can find the call in its own log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// GET, POST, PUT or PATCH.
    pub method: String,
    /// The path behind the base URL, without the query.
    pub path: String,
    /// What was sent, with every personal value redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<serde_json::Value>,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// no, maybe or yes: whether the request reached the vendor. Only for failed calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<&'static str>,
    /// What the vendor said of a call that failed, without anything personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl CallRecord {
    /// Records how the call ended.
    pub(super) fn finish(&mut self, result: &Result<Response, CallError>) {
        let error = result.as_ref().err();
        self.status = match error.map(|error| error.failure) {
            None => Some(200),
            Some(Failure::Status(status) | Failure::Maintenance(status)) => Some(status),
            Some(_) => None,
        };
        self.message = error.and_then(|error| error.message.clone());
        self.sent = error.map(|error| match error.sent() {
            Sent::No => "no",
            Sent::Maybe => "maybe",
            Sent::Yes => "yes",
        });
    }
}

/// Says whether a call that changes something may be made now.
#[async_trait]
pub trait WriteGate: fmt::Debug + Send + Sync {
    /// Why writes to the vendor are held back, and for how long; `None` where this one may go.
    async fn hold_back(&self, vendor: Vendor) -> Option<(Reason, Duration)>;
}

/// The calls of one attempt, in order. The default belongs to no attempt and keeps nothing: a client that polls
/// for months must not remember each call.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Option<Arc<CallLogState>>);

#[derive(Debug, Default)]
struct CallLogState {
    /// What request ids begin with. Empty: none are sent.
    request_id_prefix: String,
    /// A call that would change something is recorded and not sent.
    is_dry_run: bool,
    /// Asked before each call that changes something.
    write_gate: Option<Arc<dyn WriteGate>>,
    calls: Mutex<Vec<CallRecord>>,
    /// The number of the last request id: calls are made at the same time too.
    last_id: AtomicU32,
    /// The vendors that answered as they do when they work, by kind of call.
    answered: Mutex<HashSet<(Vendor, CallKind)>>,
}

impl CallLog {
    /// The log of an attempt, whose request ids begin with `request_id_prefix`.
    pub fn for_attempt(request_id_prefix: String, write_gate: Option<Arc<dyn WriteGate>>) -> Self {
        Self(Some(Arc::new(CallLogState { request_id_prefix, write_gate, ..CallLogState::default() })))
    }

    /// The log of a dry run: reads are made; the first call that would change something is recorded and not
    /// sent.
    pub fn dry_run() -> Self {
        Self(Some(Arc::new(CallLogState { is_dry_run: true, ..CallLogState::default() })))
    }

    /// Whether calls that change something are withheld.
    pub(in crate::vendors) fn is_dry_run(&self) -> bool {
        self.0.as_ref().is_some_and(|state| state.is_dry_run)
    }

    /// Why a call that changes something may not be made now, and for how long.
    pub(super) async fn hold_back(&self, vendor: Vendor) -> Option<(Reason, Duration)> {
        self.0.as_ref()?.write_gate.as_ref()?.hold_back(vendor).await
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.0.as_ref().map(|state| state.calls.lock().clone()).unwrap_or_default()
    }

    /// Whether any call was made.
    pub fn has_calls(&self) -> bool {
        self.0.as_ref().is_some_and(|state| !state.calls.lock().is_empty())
    }

    /// Whether a vendor answered a call with this status.
    pub fn has_status(&self, status: u16) -> bool {
        let state = self.0.as_ref();
        state.is_some_and(|state| state.calls.lock().iter().any(|call| call.status == Some(status)))
    }

    /// Whether the vendor has answered a call of this kind as it does when it works.
    pub fn has_answered(&self, vendor: Vendor, kind: CallKind) -> bool {
        self.0.as_ref().is_some_and(|state| state.answered.lock().contains(&(vendor, kind)))
    }

    /// Appends a call.
    pub(in crate::vendors) fn push(&self, call: CallRecord) {
        if let Some(state) = &self.0 {
            state.calls.lock().push(call);
        }
    }

    /// Records that the vendor works.
    pub(super) fn record_answer(&self, vendor: Vendor, kind: CallKind) {
        if let Some(state) = &self.0 {
            state.answered.lock().insert((vendor, kind));
        }
    }

    /// The id of the next call; `None` where none are sent.
    pub(in crate::vendors) fn request_id(&self) -> Option<String> {
        let CallLogState { request_id_prefix, last_id, .. } = &**self.0.as_ref()?;
        let number = last_id.fetch_add(1, Ordering::Relaxed) + 1;
        (!request_id_prefix.is_empty()).then(|| format!("{request_id_prefix}-{number}"))
    }
}
