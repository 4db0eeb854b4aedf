//! The environment of the process, as a value.

use std::collections::BTreeMap;

/// What the names of the shell's accounts begin with in the audit trail; no admin token may have such a name.
pub(super) const SHELL_PREFIX: &str = "cli:";

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process.
#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The account that runs this process, for the audit trail of the shell.
pub fn account(environment: &Environment) -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|key| environment.get(*key));
    format!("{SHELL_PREFIX}{}", named.map_or("unknown", String::as_str))
}
