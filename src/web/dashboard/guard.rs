//! What every answer of the dashboard carries: a strict policy for browsers, and refusals as pages.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{page, session};
use crate::{
    actions::{Declined, WrongState},
    store::StoreError,
};

/// Nothing but our own style and script, and no frame around us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why a page was not shown, or something not done.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// No such thing.
    NotFound,
    /// The role of the token is viewer.
    NotAllowed,
    /// The form is not of this session, or lacks a field.
    Form,
    /// Its state does not allow it.
    WrongState(WrongState),
    /// The store failed.
    Store,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_of_unstorable_text() {
            return Self::NotFound;
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "a page could not be read");
        Self::Store
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Declined> for Refusal {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::NotFound => Self::NotFound,
            Declined::WrongState(wrong) => Self::WrongState(wrong),
            Declined::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Refusal {
    /// A bare status that [`guard`], which knows the reader's language, makes a page of.
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Form => StatusCode::BAD_REQUEST,
            Self::WrongState(_) => StatusCode::CONFLICT,
            Self::Store => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes pages of refusals, and says to browsers what they may do with ours.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let language = session::language_of(request.headers());
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let words = language.words();
        let (title, text) = match refusal {
            Refusal::NotFound => (words.not_found, words.not_found_text),
            Refusal::NotAllowed => (words.not_allowed, words.not_allowed_text),
            Refusal::Form => (words.form_refused, words.form_refused_text),
            Refusal::WrongState(wrong) => (words.wrong_state, wrong.words(language)),
            Refusal::Store => (words.database_away, words.database_away_text),
        };
        let text = html! { h1 { (title) } p { (text) } p { a href="/" { (words.to_overview) } } };
        response = (response.status(), page::bare(language, title, &text)).into_response();
    }
    let headers = response.headers_mut();
    put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(headers, header::REFERRER_POLICY, "same-origin");
    if !headers.contains_key(header::CACHE_CONTROL) {
        put(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// The style, for a day: its address changes with the version.
pub(super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

/// What makes pages move.
pub(super) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("live.js"))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=86400")], text)
}
