//! The span of a call, by OpenTelemetry's conventions for HTTP clients (semantic conventions 1.37, "HTTP spans").
//!
//! They ask for `url.full` too, which is left out: the path of a subscription may have its key. The call's name is what
//! they call a template: a closed set, unlike paths with ids.

use reqwest::Url;
use tracing::{Span, field::Empty};

use super::{
    call::Call,
    error::{CallError, Failure},
};
use crate::domain::vendor::Vendor;

/// The span of a call that begins.
pub(super) fn begin(call: &Call, vendor: Vendor, base: &str, request_id: Option<&str>) -> Span {
    let url = Url::parse(base).ok();
    tracing::debug_span!(
        "call",
        otel.name = format!("{} {}", call.method, call.name),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = call.method.as_str(),
        http.response.status_code = Empty,
        server.address = url.as_ref().and_then(Url::host_str),
        server.port = url.as_ref().and_then(Url::port_or_known_default).map(i64::from),
        "error.type" = Empty,
        vendor = %vendor,
        request_id,
    )
}

/// Records how the call ended.
pub(super) fn record_end(span: &Span, status: Option<u16>, error: Option<&CallError>) {
    if let Some(status) = status {
        // A signed number: an unsigned one would be sent as a text.
        span.record("http.response.status_code", i64::from(status));
    }
    if let Some(error) = error {
        span.record("error.type", error_type(error.failure).as_str());
        span.record("otel.status_code", "ERROR");
    }
}

/// A word of a closed set, or the status.
fn error_type(failure: Failure) -> String {
    match failure {
        Failure::Status(status) | Failure::TokenRefused(status) => status.to_string(),
        Failure::Connect => "connect".to_owned(),
        Failure::Lost => "no_answer".to_owned(),
        Failure::Maintenance(_) => "maintenance".to_owned(),
        Failure::Unreadable => "unreadable".to_owned(),
        Failure::RateLimited
        | Failure::Blocked
        | Failure::CircuitOpen(_)
        | Failure::Unbuildable
        | Failure::DryRun => "not_called".to_owned(),
    }
}
