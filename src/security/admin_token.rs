//! Admin tokens: who may use the API and the dashboard. Only their SHA-256 digests are known.

use crate::store::key_usage::KeyIdentity;

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
