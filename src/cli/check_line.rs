//! A check of `silta doctor` as it is printed.

use serde::Serialize;

use crate::{
    domain::{
        check::{Check, CheckResult},
        language::Language,
    },
    explain::{Place, check_finding, check_remedy},
};

/// A check and its result, in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CheckLine {
    pub(super) connection: String,
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) result: CheckResult,
    /// The finding.
    pub(super) found: String,
    /// What it was found for, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) details: Vec<String>,
    /// What to do if it is not good.
    pub(super) remedy: String,
}

impl CheckLine {
    /// A check of this machine that came out good.
    pub(super) fn good(name: &'static str, found: String) -> Self {
        let (result, remedy) = (CheckResult::Good, String::new());
        Self { connection: "silta".to_owned(), name, result, found, details: Vec::new(), remedy }
    }

    /// The same, with a warning and what to do.
    pub(super) fn warning(self, remedy: &str) -> Self {
        Self { result: CheckResult::Warning, remedy: remedy.to_owned(), ..self }
    }

    /// A check of a connection.
    pub(super) fn of(connection: &str, check: &Check) -> Self {
        Self {
            connection: connection.to_owned(),
            name: check.name.into(),
            result: check.result,
            found: check_finding(&check.found, Language::English),
            details: check.details.clone(),
            remedy: check_remedy(check, Place::Shell(connection), Language::English),
        }
    }
}
