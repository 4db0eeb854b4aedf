//! The configuration of a demo's service.

use crate::{dev::sandbox::Sandbox, domain::digest::sha256_hex};

/// The connection's name; with a hyphen, its reference prefix.
pub(super) const CONNECTION: &str = "demo";

/// The demo's admin token; it works on loopback only, and ends with the demo.
pub(super) const ADMIN_TOKEN: &str = "demo-admin-token";

/// A merchant's configuration with short intervals.
pub(super) fn configuration(sandbox: &Sandbox) -> String {
    let admin = sha256_hex(ADMIN_TOKEN.as_bytes());
    let connection = sandbox.connection_toml(CONNECTION);
    format!(
        r#"
        [worker]
        lease = "20s"
        [retry]
        base = "200ms"
        cap = "3s"
        attempts = 40
        recheck_delay = "1s"
        [outbound]
        timeout = "2s"
        dangerously_allow_private = true
        [[admin.tokens]]
        name = "demo"
        token_sha256 = "{admin}"
        role = "operator"
        {connection}
        [connections.polls]
        orders = "2s"
        statuses = "2s"
        stock = "2s"
        products = "5s"
        "#
    )
}
