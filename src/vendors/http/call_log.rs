//! The calls of an attempt as people see them: shown with the attempt and in the order's call log.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

use super::{
    call::Response,
    error::{CallError, Failure, Sent},
};
use crate::domain::Timestamp;

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
}

impl CallRecord {
    /// Records how the call ended.
    pub(super) fn finish(&mut self, result: &Result<Response, CallError>) {
        let error = result.as_ref().err();
        self.status = match error.map(|error| error.failure) {
            None => Some(200),
            Some(Failure::Status(status)) => Some(status),
            Some(_) => None,
        };
        self.sent = error.map(|error| match error.sent() {
            Sent::No => "no",
            Sent::Maybe => "maybe",
            Sent::Yes => "yes",
        });
    }
}

/// The calls of one attempt, in order.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Arc<CallLogState>);

#[derive(Debug, Default)]
struct CallLogState {
    /// What request ids begin with. Empty: none are sent.
    request_id_prefix: String,
    /// A call that would change something is recorded and not sent.
    is_dry_run: bool,
    calls: Mutex<Vec<CallRecord>>,
}

impl CallLog {
    /// The log of an attempt, whose request ids begin with `request_id_prefix`.
    pub fn for_attempt(request_id_prefix: String) -> Self {
        Self(Arc::new(CallLogState { request_id_prefix, ..CallLogState::default() }))
    }

    /// The log of a dry run: reads are made; the first call that would change something is recorded and not
    /// sent.
    pub fn dry_run() -> Self {
        Self(Arc::new(CallLogState { is_dry_run: true, ..CallLogState::default() }))
    }

    /// Whether calls that change something are withheld.
    pub(in crate::vendors) fn is_dry_run(&self) -> bool {
        self.0.is_dry_run
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.0.calls.lock().clone()
    }

    /// Appends a call.
    pub(in crate::vendors) fn push(&self, call: CallRecord) {
        self.0.calls.lock().push(call);
    }

    /// The id of the next call; `None` where none are sent.
    pub(in crate::vendors) fn request_id(&self) -> Option<String> {
        let CallLogState { request_id_prefix, .. } = &*self.0;
        (!request_id_prefix.is_empty())
            .then(|| format!("{request_id_prefix}-{}", self.0.calls.lock().len() + 1))
    }
}
