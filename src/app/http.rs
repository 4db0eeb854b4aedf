//! What all routers share: the limits of bodies, answers to unknown paths, panics and timeouts, headers, and a span for each
//! request.

use std::time::Duration;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{config::Http, request_span::trace_request};
use crate::{
    runtime::memory_limit::MemoryLimit,
    web::{
        dashboard::{show_failures, unknown_address},
        problem::{Code, Problem},
        request_body::{BodyLimits, bound_body},
        request_id::RequestIds,
        response_headers::set_headers,
    },
};

/// What a handler has at least after a body that came in the last moment: a slow body gets its own answer first.
const AFTER_THE_BODY: Duration = Duration::from_secs(1);

/// Merges the routers. Unknown paths, panics and timeouts are answered with a problem too, and people get a page.
pub(super) fn merge_routers<'a>(
    routers: impl IntoIterator<Item = &'a Router>,
    options: &Http,
    ids: &RequestIds,
) -> Router {
    let bodies = BodyLimits { memory: MemoryLimit::new(options.waiting), timeout: options.timeout };
    let is_secure = options.public_url.starts_with("https://");
    let router = routers.into_iter().cloned().fold(Router::new(), Router::merge);
    router
        .fallback(move |request: Request| async move { unknown_address(&request, is_secure) })
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed).into_response())
        .layer(middleware::from_fn_with_state(bodies, bound_body))
        .layer(CatchPanicLayer::custom(|_| Problem::from(Code::Internal).into_response()))
        .layer(middleware::from_fn_with_state(options.timeout + AFTER_THE_BODY, limit_time))
        .layer(middleware::from_fn_with_state(is_secure, show_failures))
        .layer(middleware::from_fn(set_headers))
        .layer(middleware::from_fn_with_state(ids.clone(), trace_request))
}

/// Ends a request that takes too long.
async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Busy, "the request took too long: try again").into_response(),
    }
}
