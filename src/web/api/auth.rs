//! Authentication of API requests by bearer token.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};

use super::deps::ApiState;
use crate::{
    explain::Audience,
    security::admin_token::{Role, Token, TokenError, find_token},
    web::{
        client_ip::{Peer, client_ip},
        problem::{Code, Problem},
    },
};

/// A request with a known token, which may read.
pub(super) struct Auth(pub(super) Token);

impl Auth {
    /// What the token's holder may see.
    pub(super) fn audience(&self) -> Audience {
        if self.0.role >= Role::Operator { Audience::Operator } else { Audience::Viewer }
    }
}

/// A request with an operator's token, which may change.
pub(super) struct Operator(pub(super) Token);

impl FromRequestParts<ApiState> for Auth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &ApiState) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, given) = header.and_then(|value| value.split_once(' ')).ok_or(Code::Unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Code::Unauthenticated.into());
        }
        let now = deps.clock.now();
        let from = client_ip(parts.extensions.get::<Peer>().copied(), &parts.headers, deps.proxies);
        let found = find_token(&deps.tokens, given, &deps.throttle, (from, now));
        let token = found.map_err(|error| match error {
            TokenError::Unknown => Code::Unauthenticated,
            TokenError::Throttled => Code::TooMany,
        })?;
        deps.key_usage.record_use(token.key_name(), now);
        Ok(Self(token.clone()))
    }
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &ApiState) -> Result<Self, Problem> {
        let Auth(token) = Auth::from_request_parts(parts, deps).await?;
        if token.role < Role::Operator {
            return Err(Code::Forbidden.into());
        }
        Ok(Self(token))
    }
}
