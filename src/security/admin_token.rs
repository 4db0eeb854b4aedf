//! Admin tokens: who may use the API and the dashboard. Only their SHA-256 digests are known.

use std::net::IpAddr;

use super::auth_throttle::AuthThrottle;
use crate::{
    domain::{Timestamp, digest::sha256_hex},
    store::key_usage::KeyIdentity,
};

/// Wrong admin tokens a minute from one address that are answered as such.
const MAX_FAILURES: u32 = 10;

/// The same from all addresses together: so many guesses a minute find no token of 192 bits, and fill no log.
const MAX_TOTAL_FAILURES: u32 = 300;

/// The scope under which wrong admin tokens are counted, wherever they were tried.
const THROTTLE_SCOPE: &str = "admin-token";

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Read and change.
    Operator,
}

/// A configured admin token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The name in the audit log.
    pub name: String,
    /// The token's SHA-256 in lower-case hex.
    pub sha256: String,
    /// What its holder may do.
    pub role: Role,
}

impl Token {
    /// The key under which its uses are counted.
    pub fn key_name(&self) -> KeyIdentity {
        KeyIdentity { connection: String::new(), purpose: "admin_token", key_id: self.name.clone() }
    }
}

/// Why a given token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// No configured token is the given one.
    Unknown,
    /// The same, after too many others.
    Throttled,
}

/// Makes the throttle of wrong admin tokens.
pub fn admin_throttle() -> AuthThrottle {
    AuthThrottle::new(MAX_FAILURES).with_total(MAX_TOTAL_FAILURES)
}

/// Finds the configured token that was given. A right one is never throttled: only wrong ones are counted.
pub fn find_token<'a>(
    tokens: &'a [Token],
    given: &str,
    throttle: &AuthThrottle,
    (from, now): (Option<IpAddr>, Timestamp),
) -> Result<&'a Token, TokenError> {
    // Comparing digests reveals nothing about a token by its duration.
    let digest = sha256_hex(given.trim().as_bytes());
    tokens.iter().find(|token| token.sha256 == digest).ok_or_else(|| {
        let is_over = throttle.record_failure(from, THROTTLE_SCOPE, now);
        if is_over { TokenError::Throttled } else { TokenError::Unknown }
    })
}
