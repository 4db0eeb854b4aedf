//! A span for each request, by OpenTelemetry's conventions for HTTP servers (semantic conventions 1.37, "HTTP spans").
//!
//! They ask for `url.path` too, which is left out: a webhook's path has its token. `http.route` says enough.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span, field::Empty};

use crate::web::request_id::{self, RequestId, RequestIds};

/// The methods that a span names; every other one is `_OTHER`, so that clients cannot make names of their own.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::CONNECT,
    Method::TRACE,
];

/// The layer of all routes.
pub(super) async fn trace_request(
    State(ids): State<RequestIds>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = ids.next();
    let span = make_span(&request, &id);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(request_id::HEADER, id.value().clone());
    record_status(&span, response.status());
    response
}

fn make_span(request: &Request, id: &RequestId) -> Span {
    let known = METHODS.contains(request.method());
    let method = if known { request.method().as_str() } else { "_OTHER" };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let first = if known { method } else { "HTTP" };
    let name = route.map_or_else(|| first.to_owned(), |route| format!("{first} {route}"));
    let host = request.headers().get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    tracing::debug_span!(
        "http",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        request_id = id.as_str(),
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        url.scheme = "http",
        server.address = host.as_ref().map(Authority::host),
        server.port = host.as_ref().and_then(Authority::port_u16).map(i64::from),
        "error.type" = Empty,
    )
}

/// A server's span is an error where the fault is the server's.
fn record_status(span: &Span, status: StatusCode) {
    // A signed number: an unsigned one would be sent as a text.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
}
