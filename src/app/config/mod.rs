//! The configuration: loads and validates it, and reports every error at once. The only reader of the environment.
//!
//! It has three layers, later over earlier: the annotated defaults (`deploy/silta.toml`, compiled in), the file, the
//! environment. Reading a value takes it out of the merged table, so that a key that is left over is an unknown key. An
//! error names its key and the remedy.

mod alerts;
mod configuration;
mod connection;
mod dashboard;
mod environment;
mod error;
mod extra;
mod in_effect;
mod key_digests;
mod key_lines;
mod layers;
mod log;
mod outbound;
mod pages;
mod policy;
mod secret;
mod secret_keys;
mod section;
mod tokens;
mod traces;

pub use configuration::{Config, Database, Http};
pub use connection::{Connection, MyCashflow, Ogoship, Signature};
pub use environment::{Environment, account, environment};
pub use error::ConfigError;
pub use key_digests::KeyDigests;
pub use layers::DEFAULTS;
pub use log::Log;
pub use secret::Secret;
