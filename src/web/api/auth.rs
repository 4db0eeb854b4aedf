//! Who may come in: bearer tokens, known to us by their SHA-256 alone.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};

use super::ApiState;
use crate::{
    domain::digest::sha256_hex,
    store::key_usage::KeyIdentity,
    web::problem::{Code, Problem},
};

/// What a token's bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Look and change.
    Operator,
}

/// An admin token as configured.
#[derive(Clone, Debug)]
pub struct Token {
    /// Shown in the audit trail.
    pub name: String,
    /// Lower-case hex of the token's SHA-256.
    pub sha256: String,
    /// What its bearer may do.
    pub role: Role,
}

impl Token {
    /// What its uses are counted under.
    pub fn key_name(&self) -> KeyIdentity {
        KeyIdentity { connection: String::new(), purpose: "admin_token", key_id: self.name.clone() }
    }
}

/// A known bearer who may look.
pub(super) struct Auth(pub(super) Token);

/// A known bearer who may change.
pub(super) struct Operator(pub(super) Token);

impl FromRequestParts<ApiState> for Auth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &ApiState) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, given) = header.and_then(|value| value.split_once(' ')).ok_or(Code::Unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Code::Unauthenticated.into());
        }
        // Digests are compared, so that the time taken tells nothing about a token.
        let digest = sha256_hex(given.trim().as_bytes());
        let token = admin.tokens.iter().find(|token| token.sha256 == digest).ok_or(Code::Unauthenticated)?;
        admin.key_usage.record_use(token.key_name(), admin.clock.now());
        Ok(Self(token.clone()))
    }
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &ApiState) -> Result<Self, Problem> {
        let Auth(token) = Auth::from_request_parts(parts, admin).await?;
        if token.role < Role::Operator {
            return Err(Code::Forbidden.into());
        }
        Ok(Self(token))
    }
}
