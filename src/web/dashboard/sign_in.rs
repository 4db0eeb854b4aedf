//! Signing in with an admin token, and signing out.
//!
//! A known token always signs in. Unknown ones are counted together with those of the API, and after ten within a minute
//! from one IP address they are answered 429.

use axum::{
    Form,
    extract::{Extension, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use maud::html;
use serde::Deserialize;

use super::{
    deps::DashboardState,
    error::PageError,
    form::is_cross_site,
    icon::{Icon, icon},
    language::{ReturnTo, cookie, language_links, language_of, local_path},
    page,
    user::session_cookie_name,
};
use crate::{
    domain::{digest::sha256_hex, language::Language},
    explain::page_texts,
    security::admin_token::{TokenError, find_token},
    store::sessions::{self, Session},
    web::client_ip::{Peer, client_ip},
};

const SESSION_TTL: TimeDelta = TimeDelta::hours(12);

/// Shows the sign-in page.
pub(super) async fn show(Query(ReturnTo { to }): Query<ReturnTo>, headers: HeaderMap) -> Response {
    sign_in_page(language_of(&headers), &local_path(to), None)
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
    to: Option<String>,
}

/// Starts a session if the token is known.
pub(super) async fn sign_in(
    State(deps): State<DashboardState>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(SignIn { token, to }): Form<SignIn>,
) -> Result<Response, PageError> {
    let (language, to, now) = (language_of(&headers), local_path(to), deps.clock.now());
    let words = page_texts(language);
    if is_cross_site(&headers) {
        return Err(PageError::InvalidForm);
    }
    let from = client_ip(peer.map(|Extension(peer)| peer), &headers, deps.proxies);
    let token = match find_token(&deps.tokens, &token, &deps.throttle, (from, now)) {
        Ok(token) => token,
        Err(TokenError::Unknown) => {
            tracing::warn!("sign-in failed: unknown token");
            return Ok(sign_in_page(language, &to, Some(words.token_unknown)));
        }
        Err(TokenError::Throttled) => {
            let mut response = sign_in_page(language, &to, Some(words.too_many_attempts));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            return Ok(response);
        }
    };
    let secret = || format!("{}{}", deps.entropy.fence().simple(), deps.entropy.fence().simple());
    let (cookie, csrf) = (secret(), secret());
    let session = Session { token_name: token.name.clone(), token_sha256: token.sha256.clone(), csrf };
    let mut db = deps.pool.acquire().await?;
    deps.key_usage.record_use(token.key_name(), now);
    sessions::begin(&mut db, &sha256_hex(cookie.as_bytes()), &session, now, now + SESSION_TTL).await?;
    let set = session_cookie(&cookie, SESSION_TTL, deps.is_secure);
    Ok(([(header::SET_COOKIE, set)], Redirect::to(&to)).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(
    State(deps): State<DashboardState>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if is_cross_site(&headers) {
        return Err(PageError::InvalidForm);
    }
    if let Some(cookie) = cookie(&headers, session_cookie_name(deps.is_secure)) {
        let mut db = deps.pool.acquire().await?;
        sessions::end(&mut db, &sha256_hex(cookie.as_bytes())).await?;
    }
    let expired = session_cookie("", TimeDelta::zero(), deps.is_secure);
    Ok(([(header::SET_COOKIE, expired)], Redirect::to("/sign-in")).into_response())
}

fn session_cookie(value: &str, ttl: TimeDelta, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let max_age = ttl.num_seconds();
    let name = session_cookie_name(is_secure);
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}")
}

fn sign_in_page(language: Language, to: &str, error: Option<&'static str>) -> Response {
    let words = page_texts(language);
    let text = html! {
        form.sign-in method="post" action="/sign-in" {
            h1 { "Silta" }
            p { (words.sign_in_text) }
            label for="token" { (words.token) }
            input #token type="password" name="token" autocomplete="current-password" required autofocus
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "refused")];
            @if let Some(error) = error { p.error #refused role="alert" { (icon(Icon::Attention)) span { (error) } } }
            input type="hidden" name="to" value=(to);
            button.main { (words.sign_in) }
        }
        (language_links(language, "/"))
    };
    let status = if error.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    (status, page::bare_page(language, words.sign_in, &text)).into_response()
}
