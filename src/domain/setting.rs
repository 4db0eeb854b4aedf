//! A setting of a connection as people see it: its value, unless it is a secret, and where that comes from.

use std::collections::HashMap;

/// The settings in effect of all connections. What a connection has by default is kept once for all.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is given for each connection, by its name.
    pub given: HashMap<String, Vec<Setting>>,
    /// The defaults of every connection.
    pub defaults: Vec<Setting>,
}

impl Settings {
    /// The settings of a connection: what is given first; none of a connection that is not configured.
    pub fn of(&self, connection: &str) -> Vec<&Setting> {
        let Some(given) = self.given.get(connection) else { return Vec::new() };
        let is_given = |key: &str| given.iter().any(|setting| setting.key == key);
        given.iter().chain(self.defaults.iter().filter(|setting| !is_given(&setting.key))).collect()
    }
}

/// A setting in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key below the connection, as `orders.transfer`.
    pub key: String,
    /// Its value.
    pub value: SettingValue,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// As it is written.
    Shown(String),
    /// Kept to itself: all that is said is whether there is one.
    Secret {
        /// True where it is not empty.
        is_set: bool,
    },
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program's default.
    Default,
    /// The configuration file.
    File {
        /// On this line.
        line: usize,
    },
    /// An environment variable.
    Environment,
}
