//! Headers of every answer that its handler has not set: nothing is stored by a cache, and no browser guesses a type.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// The layer of all routes.
pub async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    set_missing(response.headers_mut());
    response
}

/// Sets what is missing.
pub(super) fn set_missing(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
}
