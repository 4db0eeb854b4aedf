//! The style sheet, the script and the icon. Browsers cache them for a day; their address changes with the version.

use axum::{http::header, response::IntoResponse};

/// Serves the style sheet.
pub(super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", concat!(include_str!("tokens.css"), include_str!("style.css")))
}

/// Serves the script.
pub(super) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("live.js"))
}

/// Serves the icon.
pub(super) async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("favicon.svg"))
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "max-age=86400")], text)
}
