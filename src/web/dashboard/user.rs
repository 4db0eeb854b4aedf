//! The signed-in user of a request.
//!
//! The session cookie is random; the database keeps only its digest. It is `HttpOnly` and `SameSite=Strict`, and ends
//! after twelve hours, at a sign-out, and as soon as its token is no longer configured.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::{IntoResponse, Redirect, Response},
};

use chrono_tz::Tz;

use super::{
    deps::DashboardState,
    error::PageError,
    language::{cookie, language_of},
};
use crate::{
    domain::{Timestamp, digest::sha256_hex, language::Language},
    explain::{Audience, PageTexts, page_texts},
    security::admin_token::{Role, Token},
    store::{
        StoreError,
        sessions::{self, Session},
    },
};

/// The name of the session cookie. Behind TLS browsers hold its prefix to what it promises: set by this host alone, for all
/// paths, over TLS.
pub(super) const fn session_cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-silta-session" } else { "silta-session" }
}

/// The user of a request: a valid session of a configured token. Without one the browser is sent to the sign-in page.
pub(super) struct User {
    pub(super) token: Token,
    pub(super) csrf: String,
    pub(super) language: Language,
    /// The path and query of the request.
    pub(super) path: String,
    /// When the request came.
    pub(super) now: Timestamp,
    /// The shop's time zone.
    pub(super) zone: Tz,
}

impl User {
    /// What the user may see of what shoppers wrote.
    pub(super) fn audience(&self) -> Audience {
        if self.is_operator() { Audience::Operator } else { Audience::Viewer }
    }

    /// True if the token's role allows changes.
    pub(super) fn is_operator(&self) -> bool {
        self.token.role >= Role::Operator
    }

    /// The texts of the pages in the user's language.
    pub(super) fn words(&self) -> &'static PageTexts {
        page_texts(self.language)
    }
}

impl FromRequestParts<DashboardState> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, deps: &DashboardState) -> Result<Self, Response> {
        let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let language = language_of(&parts.headers);
        let found = find_session(deps, &parts.headers).await;
        match found.map_err(|error| PageError::from(error).into_response())? {
            Some((token, Session { csrf, .. })) => {
                Ok(Self { token, csrf, language, path, now: deps.clock.now(), zone: deps.time_zone })
            }
            None => Err(redirect_to_sign_in(&path)),
        }
    }
}

/// The valid session of a request, and its token.
pub(super) async fn find_session(
    deps: &DashboardState,
    headers: &HeaderMap,
) -> Result<Option<(Token, Session)>, StoreError> {
    let Some(cookie) = cookie(headers, session_cookie_name(deps.is_secure)) else { return Ok(None) };
    let digest = sha256_hex(cookie.as_bytes());
    let mut db = deps.pool.acquire().await?;
    let Some(session) = sessions::find(&mut db, &digest, deps.clock.now()).await? else { return Ok(None) };
    let is_owner = |token: &&Token| token.name == session.token_name && token.sha256 == session.token_sha256;
    let token = deps.tokens.iter().find(is_owner).cloned();
    Ok(token.map(|token| (token, session)))
}

fn redirect_to_sign_in(path: &str) -> Response {
    let to = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC);
    Redirect::to(&format!("/sign-in?to={to}")).into_response()
}
