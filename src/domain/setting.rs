//! A setting of a connection as people see it: its value, unless it is a secret, and where that comes from.

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
