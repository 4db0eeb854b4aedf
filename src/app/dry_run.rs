//! Connects the dry runs that operators ask for with the runner that can read the vendors.

use async_trait::async_trait;

use crate::{
    actions::{DryRun, DryRunResult},
    domain::{event::subject::Subject, task::reason::Reason},
    store::StoreError,
    sync::{DryRunner, PlannedAttempt},
};

#[async_trait]
impl DryRun for DryRunner {
    async fn dry_run(&self, connection: &str, subject: &Subject) -> Result<Option<DryRunResult>, StoreError> {
        let Some(planned) = self.plan(connection, subject).await? else { return Ok(None) };
        let PlannedAttempt { result, calls } = planned;
        // A dry run sends nothing, so a call with a body is the one that would be sent.
        let request = calls.last().and_then(|call| call.request.clone());
        Ok(Some(DryRunResult {
            outcome: result.outcome.as_str(),
            reason: result.outcome.reason().map(Reason::code),
            action: result.action,
            detail: result.detail,
            calls: calls.iter().map(|call| serde_json::json!(call)).collect(),
            request,
            differs: None,
        }))
    }
}
