//! The configuration of a test's Silta.

use silta::{dev::sandbox::Sandbox, domain::digest::sha256_hex};

/// The connection of every test; its reference prefix is `shop-`.
pub const CONNECTION: &str = "shop";

pub const OPERATOR: &str = "operator-token";
pub const VIEWER: &str = "viewer-token";

/// Additions to the default configuration.
#[derive(Default)]
pub struct TestOptions {
    /// TOML after the connection's block.
    pub connection: &'static str,
    /// TOML before it.
    pub service: &'static str,
}

/// The environment variable of a connection's setting, as `orders.hold`.
pub(super) fn variable(path: &str) -> String {
    format!("SILTA__CONNECTIONS__{CONNECTION}__{}", path.replace('.', "__")).to_uppercase()
}

pub fn configuration(sandbox: &Sandbox, options: &TestOptions) -> String {
    let token = |name: &str, token: &str, role: &str| {
        let digest = sha256_hex(token.as_bytes());
        format!("[[admin.tokens]]\nname = \"{name}\"\ntoken_sha256 = \"{digest}\"\nrole = \"{role}\"\n")
    };
    [
        options.service,
        &format!("\n[secrets]\nkeys = [\"{}\"]\n", "5e".repeat(32)),
        "[outbound]\ntimeout = \"3s\"\ndangerously_allow_private = true\n[retry]\nattempts = 6\n",
        &token("ops", OPERATOR, "operator"),
        &token("eyes", VIEWER, "viewer"),
        &sandbox.connection_toml(CONNECTION),
        options.connection,
    ]
    .concat()
}
