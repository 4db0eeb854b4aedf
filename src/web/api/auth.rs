//! Authentication of API requests by bearer token.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};

use super::deps::ApiState;
use crate::{
    domain::digest::sha256_hex,
    security::admin_token::{Role, Token},
    web::problem::{Code, Problem},
};

/// A request with a known token, which may read.
pub(super) struct Auth(pub(super) Token);

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
        // Comparing digests reveals nothing about a token by its duration.
        let digest = sha256_hex(given.trim().as_bytes());
        let token = deps.tokens.iter().find(|token| token.sha256 == digest).ok_or(Code::Unauthenticated)?;
        deps.key_usage.record_use(token.key_name(), deps.clock.now());
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
