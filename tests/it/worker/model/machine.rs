//! The state machine in memory: what the statements of `store::{ingest, claim, tasks, settle, observations}` do to rows.

use std::collections::{BTreeMap, BTreeSet};

use silta::domain::{
    Timestamp,
    event::subject::{Priority, Subject},
    id::{ClaimId, TaskId},
    task::{
        state::{LeasedTask, TaskState},
        subject_state::BegunAction,
        transition::Transition,
    },
};
use uuid::Uuid;

use super::mutants::Mutant;

pub const MAX_ATTEMPTS: u32 = 4;

/// The columns of table `task` that the machine changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: Uuid,
    pub subject: usize,
    pub state: TaskState,
    pub failures: u32,
    pub attempts: u32,
    pub actions: u32,
    pub revision: u32,
    pub claimed_revision: u32,
    pub due_at: Timestamp,
    pub claim: Option<Uuid>,
    pub leased_until: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Crashed attempts in a row without a new event. Not a column: only `check` reads it.
    pub crashes_since_event: u32,
}

/// The part of a subject state that the machine needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectState {
    pub begun: Option<BegunAction>,
    pub is_placed: bool,
}

#[derive(Debug)]
pub struct Machine {
    pub mutant: Mutant,
    pub rows: Vec<Row>,
    /// Fingerprints of stored events; a broken machine stores some twice.
    pub events: Vec<u32>,
    pub subject_states: BTreeMap<usize, SubjectState>,
}

impl Machine {
    pub fn new(mutant: Mutant) -> Self {
        Self { mutant, rows: Vec::new(), events: Vec::new(), subject_states: BTreeMap::new() }
    }

    pub fn has_event(&self, fingerprint: u32) -> bool {
        self.events.contains(&fingerprint)
    }

    /// `ingest::ingest`: the event and its task in one commit. `is_known` is a mutant's earlier duplicate check.
    pub fn receive(&mut self, subject: usize, fingerprint: u32, is_known: Option<bool>, now: Timestamp) {
        if is_known.unwrap_or_else(|| self.has_event(fingerprint)) {
            return;
        }
        self.events.push(fingerprint);
        let open = self.rows.iter_mut().find(|row| row.subject == subject && !row.state.is_closed());
        match open {
            Some(row) if self.mutant != Mutant::SecondOpenTask => {
                row.revision += 1;
                row.crashes_since_event = 0;
                if row.state == TaskState::Pending && row.failures == 0 {
                    row.due_at = row.due_at.min(now);
                }
            }
            _ => self.rows.push(Row {
                id: Uuid::from_u128(self.rows.len() as u128 + 1),
                subject,
                state: TaskState::Pending,
                failures: 0,
                attempts: 0,
                actions: 0,
                revision: 1,
                claimed_revision: 0,
                due_at: now,
                claim: None,
                leased_until: None,
                created_at: now,
                crashes_since_event: 0,
            }),
        }
    }

    /// The tasks that a claim may take: those due the longest.
    pub fn claimable(&self, now: Timestamp) -> Vec<Uuid> {
        let is_due =
            |row: &&Row| matches!(row.state, TaskState::Pending | TaskState::InDoubt) && row.due_at <= now;
        let first = self.rows.iter().filter(is_due).map(|row| row.due_at).min();
        let due = self.rows.iter().filter(is_due).filter(|row| Some(row.due_at) == first);
        due.map(|row| row.id).collect()
    }

    /// `claim::claim_due` for one task.
    pub fn claim(
        &mut self,
        id: Uuid,
        fence: Uuid,
        now: Timestamp,
        leased_until: Timestamp,
    ) -> Option<LeasedTask> {
        let row = self.rows.iter_mut().find(|row| row.id == id)?;
        row.state = TaskState::Leased;
        let fence = *row.claim.get_or_insert(fence); // only a mutant leaves a claim id
        row.leased_until = Some(leased_until);
        row.failures += 1;
        row.attempts += 1;
        row.claimed_revision = row.revision;
        Some(LeasedTask {
            id: TaskId(row.id),
            claim: ClaimId(fence),
            connection: "shop".into(),
            subject: Subject::order(row.subject.to_string()),
            priority: Priority(0),
            failures: row.failures,
            number: row.attempts,
            actions: row.actions,
            created_at: row.created_at,
            claimed_at: now,
            connected_at: now,
            connection_faults: 0,
        })
    }

    fn leased(&mut self, leased: &LeasedTask, is_fenced: bool) -> Option<&mut Row> {
        let row = self.rows.iter_mut().find(|row| row.id == leased.id.0)?;
        let is_claim_current = row.state == TaskState::Leased && row.claim == Some(leased.claim.0);
        (is_claim_current || !is_fenced).then_some(row)
    }

    pub fn verify_claim(&mut self, leased: &LeasedTask) -> bool {
        self.leased(leased, true).is_some()
    }

    /// `settle::settle`; false if the lease was lost.
    pub fn settle(&mut self, leased: &LeasedTask, next: &Transition, now: Timestamp) -> bool {
        let mutant = self.mutant;
        let Some(row) = self.leased(leased, mutant != Mutant::SettleWithoutFence) else { return false };
        let has_new_revision = row.revision > row.claimed_revision && mutant != Mutant::SettleWithoutRevision;
        let reopens = has_new_revision && next.state.is_closed();
        row.state = if reopens { TaskState::Pending } else { next.state };
        row.due_at =
            if has_new_revision && (next.state.is_closed() || next.is_waiting) { now } else { next.due_at };
        row.failures = if reopens { 0 } else { next.failures };
        row.actions = next.actions;
        row.crashes_since_event = 0;
        row.claim = None;
        row.leased_until = None;
        true
    }

    /// `tasks::release`.
    pub fn release(&mut self, leased: &LeasedTask, was_settled_before: bool) {
        if let Some(row) = self.leased(leased, true) {
            row.state = if was_settled_before { TaskState::InDoubt } else { TaskState::Pending };
            row.failures -= 1;
            row.attempts -= 1;
            row.claim = None;
            row.leased_until = None;
        }
    }

    /// `tasks::rescue_expired`.
    pub fn rescue(&mut self, now: Timestamp) {
        let mutant = self.mutant;
        let is_expired = |row: &&mut Row| {
            row.state == TaskState::Leased && row.leased_until.is_some_and(|until| until < now)
        };
        for row in self.rows.iter_mut().filter(is_expired) {
            let has_new_revision =
                row.revision > row.claimed_revision && mutant != Mutant::DeadIgnoresRevision;
            let is_exhausted = row.failures >= MAX_ATTEMPTS && !has_new_revision;
            row.state = if is_exhausted { TaskState::Dead } else { TaskState::InDoubt };
            row.due_at = now;
            row.leased_until = None;
            row.crashes_since_event += 1;
            if let Some(begun) =
                self.subject_states.get_mut(&row.subject).and_then(|known| known.begun.as_mut())
            {
                begun.at = now;
            }
            if mutant == Mutant::CrashDoesNotCount {
                row.failures -= 1;
            }
            if mutant != Mutant::RescueWithoutFence {
                row.claim = None;
            }
        }
    }

    /// `tasks::cancel`; true if the task was waiting.
    pub fn cancel(&mut self, subject: usize) -> bool {
        let is_waiting = |row: &&mut Row| {
            row.subject == subject && matches!(row.state, TaskState::Pending | TaskState::InDoubt)
        };
        let Some(row) = self.rows.iter_mut().find(is_waiting) else { return false };
        row.state = TaskState::Cancelled;
        true
    }

    /// `observations::begin_action`; false if the lease was lost.
    pub fn begin(&mut self, leased: &LeasedTask, begun: BegunAction) -> bool {
        let is_fenced = self.mutant != Mutant::BeginWithoutFence;
        let Some(subject) = self.leased(leased, is_fenced).map(|row| row.subject) else { return false };
        if self.mutant != Mutant::NoBegunAction {
            self.subject_states.entry(subject).or_default().begun = Some(begun);
        }
        true
    }

    /// A subject with more than one open task.
    pub fn subject_with_two_open_tasks(&self) -> Option<usize> {
        let mut seen = BTreeSet::new();
        let open = self.rows.iter().filter(|row| !row.state.is_closed());
        open.map(|row| row.subject).find(|subject| !seen.insert(*subject))
    }
}
