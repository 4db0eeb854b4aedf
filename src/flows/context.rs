//! What an attempt may read and use.

use std::sync::Arc;

use super::{ConnectionClients, TaskStore};
use crate::{
    domain::{
        Timestamp,
        event::subject::Subject,
        order::Intent,
        task::{ledger::Ledger, reason::Reason, subject_state::SubjectState},
    },
    runtime::{clock::Clock, failpoints::Failpoints},
};

/// What an attempt may read and use.
pub struct Context {
    /// The vendors and the rules.
    pub clients: ConnectionClients,
    /// What to sync.
    pub subject: Subject,
    /// What was done for it.
    pub ledger: Ledger,
    /// The last observed state.
    pub known: SubjectState,
    /// The operator's latest intent.
    pub intent: Option<Intent>,
    /// When that intent, or a confirmed replacement, may leave at the earliest: until then it can be taken back.
    pub leaves_at: Option<Timestamp>,
    /// The shipments that operators have confirmed as replacements.
    pub confirmed: Vec<String>,
    /// An operator has asked for what this task does.
    pub is_asked: bool,
    /// When the connection began, as far as it was known when the task was claimed.
    pub connected_at: Timestamp,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where an action is begun.
    pub task_store: Arc<dyn TaskStore>,
    /// Where a test or a chaos run stops the process.
    pub failpoints: Failpoints,
}

impl Context {
    /// Why nothing may be written for the subject now; `None` where it may.
    pub(super) fn withholds(&self) -> Option<Reason> {
        self.clients.switches().withholds(self.subject.kind, self.is_asked)
    }
}
