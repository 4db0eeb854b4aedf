//! A check of `silta doctor`.

use serde::Serialize;

/// A check and its result.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
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

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckResult {
    /// Good.
    Good,
    /// Orders and stock flow, and somebody should look at it.
    Warning,
    /// Something does not work.
    Failed,
    /// It depends on a check that failed.
    NotChecked,
}

impl Check {
    /// A check of a connection that came out good.
    pub(super) fn good(connection: &str, name: &'static str, found: impl Into<String>) -> Self {
        Self {
            connection: connection.to_owned(),
            name,
            result: CheckResult::Good,
            found: found.into(),
            details: Vec::new(),
            remedy: String::new(),
        }
    }

    /// The same, with a warning and what to do.
    pub(super) fn warning(self, remedy: impl Into<String>) -> Self {
        Self { result: CheckResult::Warning, remedy: remedy.into(), ..self }
    }

    /// The same, failed, with what to do.
    pub(super) fn failed(self, remedy: impl Into<String>) -> Self {
        Self { result: CheckResult::Failed, remedy: remedy.into(), ..self }
    }

    /// The same, with what it was found for.
    pub(super) fn with_details<T: ToString>(self, details: &[T]) -> Self {
        Self { details: details.iter().map(ToString::to_string).collect(), ..self }
    }

    /// A check that would only repeat what another one has found.
    pub(super) fn skipped(connection: &str, name: &'static str, cause: &str) -> Self {
        let found = format!("not checked: {cause}");
        Self { result: CheckResult::NotChecked, ..Self::good(connection, name, found) }
    }

    /// True where something does not work, and the checks that depend on it are not made.
    pub(super) fn is_failed(&self) -> bool {
        self.result == CheckResult::Failed
    }
}
