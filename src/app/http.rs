//! What all routers share: the limits of bodies, answers to unknown paths, panics and timeouts, and a span for each request.

use axum::{
    Router,
    extract::MatchedPath,
    http::{Request, StatusCode},
    middleware,
    response::IntoResponse,
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

use super::config::Http;
use crate::{
    runtime::memory_limit::MemoryLimit,
    web::{
        problem::{Code, Problem},
        request_body::bound_body,
    },
};

/// Merges the routers. Unknown paths, panics and timeouts are answered with a problem too.
pub(super) fn merge_routers<'a>(routers: impl IntoIterator<Item = &'a Router>, options: &Http) -> Router {
    let bodies = MemoryLimit::new(options.waiting);
    let router = routers.into_iter().cloned().fold(Router::new(), Router::merge);
    router
        .fallback(async || Problem::from(Code::NotFound).into_response())
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed).into_response())
        .layer(middleware::from_fn_with_state(bodies, bound_body))
        .layer(CatchPanicLayer::custom(|_| Problem::from(Code::Internal).into_response()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, options.timeout))
        .layer(TraceLayer::new_for_http().make_span_with(make_span))
}

fn make_span<B>(request: &Request<B>) -> tracing::Span {
    // The route, not the path: a webhook's path holds its token.
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    tracing::debug_span!("http", method = %request.method(), route)
}
