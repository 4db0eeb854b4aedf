//! The last step of every response of the dashboard: renders errors as pages and sets the security headers.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use maud::Markup;

use super::{
    deps::DashboardState,
    error::PageError,
    language::{language_of, local_path},
    page::ErrorPage,
};
use crate::{
    domain::language::Language,
    explain::{capitalised, conflict_text, page_texts},
    web::{
        parameters::has_control_characters,
        problem::{Code, Problem},
        request_id::RequestId,
    },
};

/// Allows our own style and script only, and no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where programs ask: they get a problem, whatever kinds they accept.
const PROGRAM_PATHS: [&str; 5] = ["/admin/", "/webhooks/", "/livez", "/readyz", "/metrics"];

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
    let reader = Reader::of(&request);
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        reader.record_failure(&error, response.status());
        response = (response.status(), reader.rendered(&error)).into_response();
    }
    set_security_headers(response.headers_mut(), deps.is_secure);
    response
}

/// Who asked, and for what: an error is shown in their language and leads on from where they were.
struct Reader {
    language: Language,
    /// The page that they came from.
    back: String,
    /// The page that they asked for, where asking again is safe.
    retry: Option<String>,
    /// The request's id, with which the log says more of a failure.
    id: Option<RequestId>,
}

impl Reader {
    fn of(request: &Request) -> Self {
        let path = request.uri().path_and_query().map(ToString::to_string);
        Self {
            language: language_of(request.headers()),
            back: came_from(request.headers()),
            retry: path.filter(|_| request.method() == Method::GET).map(|path| local_path(Some(path))),
            id: RequestId::of(request),
        }
    }

    /// Writes a failure to the log, under the id that its page shows.
    fn record_failure(&self, error: &PageError, status: StatusCode) {
        let PageError::Failed(cause) = error else { return };
        let (request_id, status) = (self.id.as_ref().map(RequestId::as_str), status.as_u16());
        if let Some(error) = cause {
            let cause = std::error::Error::source(&**error).map(ToString::to_string);
            tracing::error!(request_id, status, error = %error, cause, "page failed");
        } else {
            tracing::warn!(request_id, status, "page failed");
        }
    }

    fn rendered(&self, error: &PageError) -> Markup {
        let words = page_texts(self.language);
        let (title, text) = match error {
            PageError::NotFound => (words.not_found, words.not_found_text.to_owned()),
            PageError::Forbidden => (words.not_allowed, words.not_allowed_text.to_owned()),
            PageError::InvalidForm => (words.invalid_form, words.invalid_form_text.to_owned()),
            PageError::Conflict(conflict) => {
                (words.conflict, format!("{}.", capitalised(conflict_text(*conflict, self.language))))
            }
            PageError::Failed(_) => (words.failure, words.failure_text.to_owned()),
        };
        let has_failed = matches!(error, PageError::Failed(_));
        let shown = ErrorPage {
            title,
            text: &text,
            reference: self.id.as_ref().map(RequestId::as_str).filter(|_| has_failed),
            retry: self.retry.as_deref().filter(|_| has_failed),
            back: &self.back,
        };
        shown.render(self.language)
    }
}

/// Shows a person who asked for a page a refusal or a failure that is no page yet: of a path that cannot be read, of a handler
/// that panicked or took too long.
pub async fn show_failures(State(is_secure): State<bool>, request: Request, next: Next) -> Response {
    let reader = is_of_people(&request).then(|| Reader::of(&request));
    let response = next.run(request).await;
    match reader.zip(failure_of(&response)) {
        Some((reader, error)) => {
            reader.record_failure(&error, response.status());
            let mut page = (response.status(), reader.rendered(&error)).into_response();
            set_security_headers(page.headers_mut(), is_secure);
            page
        }
        None => response,
    }
}

/// What a failed response is, unless it is a page already.
fn failure_of(response: &Response) -> Option<PageError> {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return None;
    }
    match response.status().as_u16() {
        404 | 405 => Some(PageError::NotFound),
        400 | 413 | 414 | 415 | 422 => Some(PageError::InvalidForm),
        408 | 429 | 500.. => Some(PageError::Failed(None)),
        _ => None,
    }
}

/// Whether a browser asks for a page: programs ask for other kinds, or for the paths of programs.
fn is_of_people(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_of_programs = PROGRAM_PATHS.iter().any(|start| request.uri().path().starts_with(start));
    !is_of_programs && accepted.is_some_and(|accepted| accepted.contains("text/html"))
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
    if !is_of_people(request) {
        return Problem::from(Code::NotFound).into_response();
    }
    let page = Reader::of(request).rendered(&PageError::NotFound);
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
