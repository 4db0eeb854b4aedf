//! A check of `silta doctor`.

use serde::Serialize;

use crate::{flows::ConnectionClients, vendors::http::error::CallError};

/// A check and its result.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) connection: String,
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) result: CheckResult,
    /// The finding.
    pub(super) found: String,
    /// What to do if it is not good.
    pub(super) remedy: &'static str,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckResult {
    /// Good.
    Good,
    /// Orders and stock flow, and somebody should look at it.
    Warning,
    /// Something does not work.
    Failed,
}

impl CheckResult {
    /// Good or failed.
    pub(super) const fn of(is_ok: bool) -> Self {
        if is_ok { Self::Good } else { Self::Failed }
    }
}

impl Check {
    /// A check by a vendor's answer; an error fails it.
    pub(super) fn of(
        clients: &ConnectionClients,
        name: &'static str,
        answer: Result<String, CallError>,
        remedy: &'static str,
    ) -> Self {
        let result = CheckResult::of(answer.is_ok());
        let found = answer.unwrap_or_else(|error| error.to_string());
        Self { connection: clients.name.clone(), name, result, found, remedy }
    }
}
