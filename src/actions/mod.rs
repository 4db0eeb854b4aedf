//! What a person may do; one code path each, whether it is asked over HTTP, on a page or from a shell.
//!
//! Each is carried out inside the caller's transaction together with its line in the audit trail, so that there is no
//! change without a name to it, and no line about a change that was rolled back.

mod cancel;
mod dry_run;
mod erase;
mod error;
mod order;
mod pause;
mod replay;
mod resolve;
mod reveal;
mod shipping;
mod sync;

pub use cancel::cancel;
pub use dry_run::{DryRun, DryRunResult, dry_run_task};
pub use erase::erase_order;
pub use error::ConflictError;
pub use order::{OrderRequest, request_order_action};
pub use pause::{pause, resume};
pub use replay::{
    EnqueuedTask, MAX_REPLAYED, ReplaySelection, cancel_replay, replay_event, replay_many, replay_task,
    select_tasks,
};
pub use resolve::resolve;
pub use reveal::reveal_body;
use serde_json::Value;
pub use shipping::{put_shipping_rule, remove_shipping_rule};
use sqlx::PgConnection;
pub use sync::{approve_sync, release_brake, request_sync};

use crate::{
    domain::{
        Timestamp,
        id::{EventId, TaskId},
        language::Language,
    },
    runtime::clock::{Clock, Entropy},
    store::{
        StoreError,
        audit::{self, AuditRow},
        ingest::{self, InternalEvent},
    },
};

/// Who acts, and with what: an admin token's name, or `cli:ACCOUNT`.
pub struct Actor<'a> {
    /// The name in the audit trail.
    pub name: &'a str,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Ids.
    pub entropy: &'a Entropy,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// No such thing.
    #[error("there is no such thing")]
    NotFound,
    /// It is not in a state that allows it.
    #[error("{}", .0.words(Language::English))]
    Conflict(ConflictError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Receives a person's news about a subject: its task is opened, or told the news.
async fn enqueue(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
    event: InternalEvent<'_>,
) -> Result<EnqueuedTask, StoreError> {
    let arrival = event.into_incoming(id, TaskId(actor.entropy.id(actor.now())));
    let received = ingest::ingest(db, &[arrival]).await?;
    let received = received.first().expect("one arrival, one answer");
    let task = received.task_id.expect("an event with a subject has a task");
    Ok(EnqueuedTask { task, opened: received.opened })
}

impl Actor<'_> {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn audit(
        &self,
        db: &mut PgConnection,
        action: &str,
        connection: Option<&str>,
        subject: Option<String>,
        detail: Value,
    ) -> Result<(), StoreError> {
        let at = self.now();
        let row = AuditRow {
            id: self.entropy.id(at),
            at,
            actor: self.name.to_owned(),
            action: action.to_owned(),
            connection: connection.map(ToOwned::to_owned),
            subject,
            detail,
        };
        audit::insert(db, &row).await
    }
}
