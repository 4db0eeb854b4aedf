//! The last step of every response of the dashboard: renders errors as pages and sets the security headers.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use maud::Markup;

use super::{
    deps::DashboardState,
    error::PageError,
    language::{language_of, local_path},
    page,
};
use crate::{
    domain::language::Language,
    explain::{conflict_text, page_texts},
    web::{
        parameters::has_control_characters,
        problem::{Code, Problem},
    },
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
    let back = came_from(request.headers());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        response = (response.status(), rendered(&error, language, &back)).into_response();
    }
    set_security_headers(response.headers_mut(), deps.is_secure);
    response
}

fn rendered(error: &PageError, language: Language, back: &str) -> Markup {
    let words = page_texts(language);
    let (title, text) = match error {
        PageError::NotFound => (words.not_found, words.not_found_text),
        PageError::Forbidden => (words.not_allowed, words.not_allowed_text),
        PageError::InvalidForm => (words.invalid_form, words.invalid_form_text),
        PageError::Conflict(conflict) => (words.conflict, conflict_text(*conflict, language)),
        PageError::Store => (words.database_unavailable, words.database_unavailable_text),
    };
    page::error_page(language, title, text, back)
}

/// The page of ours that the request came from, as the browser says; the overview where it says none.
fn came_from(headers: &HeaderMap) -> String {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let path = text(header::REFERER).zip(text(header::HOST)).and_then(|(referer, host)| {
        let (_, address) = referer.split_once("://")?;
        address.strip_prefix(host).map(ToOwned::to_owned)
    });
    local_path(path)
}

/// The answer to an address that nothing is at: a page for people, a problem for programs.
pub fn unknown_address(request: &Request, is_secure: bool) -> Response {
    let headers = request.headers();
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_of_programs =
        ["/admin/", "/webhooks/"].iter().any(|start| request.uri().path().starts_with(start));
    if is_of_programs || !accepted.contains("text/html") {
        return Problem::from(Code::NotFound).into_response();
    }
    let page = rendered(&PageError::NotFound, language_of(headers), "/");
    let mut response = (StatusCode::NOT_FOUND, page).into_response();
    set_security_headers(response.headers_mut(), is_secure);
    response
}

fn set_security_headers(headers: &mut HeaderMap, is_secure: bool) {
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    if is_secure {
        set(headers, header::STRICT_TRANSPORT_SECURITY, ONLY_OVER_TLS);
    }
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "same-origin");
    if !headers.contains_key(header::CACHE_CONTROL) {
        set(headers, header::CACHE_CONTROL, "no-store");
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
