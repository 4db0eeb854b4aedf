//! A check of `silta doctor`.

use serde::Serialize;

use crate::{flows::ConnectionClients, vendors::http::error::CallError};

/// A check and its result.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) connection: String,
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) is_ok: bool,
    /// The finding.
    pub(super) found: String,
    /// What to do if the check failed.
    pub(super) remedy: &'static str,
}

impl Check {
    /// A check by a vendor's answer; an error fails it.
    pub(super) fn of(
        clients: &ConnectionClients,
        name: &'static str,
        answer: Result<String, CallError>,
        remedy: &'static str,
    ) -> Self {
        let is_ok = answer.is_ok();
        let found = answer.unwrap_or_else(|error| error.to_string());
        Self { connection: clients.name.clone(), name, is_ok, found, remedy }
    }
}
