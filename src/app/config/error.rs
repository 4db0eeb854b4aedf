//! The errors of a configuration, collected so that all are reported together.

use std::{cell::RefCell, fmt};

/// An error of the configuration, with its key and a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The path of the key.
    pub key: String,
    /// What is wrong, and what to do; never the value of a secret.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// The errors found so far.
#[derive(Default)]
pub(super) struct ConfigErrors(RefCell<Vec<ConfigError>>);

impl ConfigErrors {
    pub(super) fn add(&self, key: &str, problem: &str) {
        self.0.borrow_mut().push(ConfigError { key: key.to_owned(), problem: problem.to_owned() });
    }

    pub(super) fn into_result<T>(self, config: T) -> Result<T, Vec<ConfigError>> {
        let errors = self.0.into_inner();
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }
}
