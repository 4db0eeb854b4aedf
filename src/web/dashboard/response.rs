//! The last step of every response of the dashboard: renders errors as pages and sets the security headers.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{deps::DashboardState, error::PageError, language::language_of, page};
use crate::{
    explain::{conflict_text, page_texts},
    web::parameters::has_control_characters,
};

/// Allows our own style and script only, and no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For a year no browser asks without TLS. Other names of the domain are not ours to decide about.
const ONLY_OVER_TLS: &str = "max-age=31536000";

/// Refuses a request with a control character in its path or query.
pub(super) async fn refuse_control_characters(request: Request, next: Next) -> Response {
    if has_control_characters(request.uri()) {
        return PageError::InvalidForm.into_response();
    }
    next.run(request).await
}

/// Renders a [`PageError`] in the reader's language and sets the security headers.
pub(super) async fn finish(State(deps): State<DashboardState>, request: Request, next: Next) -> Response {
    let language = language_of(request.headers());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        let words = page_texts(language);
        let (title, text) = match error {
            PageError::NotFound => (words.not_found, words.not_found_text),
            PageError::Forbidden => (words.not_allowed, words.not_allowed_text),
            PageError::InvalidForm => (words.invalid_form, words.invalid_form_text),
            PageError::Conflict(conflict) => (words.conflict, conflict_text(conflict, language)),
            PageError::Store => (words.database_unavailable, words.database_unavailable_text),
        };
        response = (response.status(), page::error_page(language, title, text)).into_response();
    }
    let headers = response.headers_mut();
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    if deps.is_secure {
        set(headers, header::STRICT_TRANSPORT_SECURITY, ONLY_OVER_TLS);
    }
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "same-origin");
    if !headers.contains_key(header::CACHE_CONTROL) {
        set(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
