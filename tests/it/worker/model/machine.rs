//! The state machine in memory: what the statements of `store::{ingest, claim, tasks, settle, observations}` do to rows.

use std::collections::{BTreeMap, BTreeSet};

use silta::domain::{
    Timestamp,
    event::subject::{Priority, Subject},
    id::{ClaimId, TaskId},
    task::{
        action::{ActionKind, ActionState, LedgerEntry},
        ledger::Ledger,
        state::{LeasedTask, TaskState},
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

#[derive(Debug)]
pub struct Machine {
    pub mutant: Mutant,
    pub rows: Vec<Row>,
    /// Fingerprints of stored events; a broken machine stores some twice.
    pub events: Vec<u32>,
    /// Table `action`.
    pub ledgers: BTreeMap<usize, Ledger>,
    /// When each subject was last observed, by whatever clock. Only a mutant reads it.
    seen_at: BTreeMap<usize, Timestamp>,
}

impl Machine {
    pub fn new(mutant: Mutant) -> Self {
        let (ledgers, seen_at) = (BTreeMap::new(), BTreeMap::new());
        Self { mutant, rows: Vec::new(), events: Vec::new(), ledgers, seen_at }
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
        if row.revision > row.claimed_revision {
            row.actions = 0;
        }
        row.claimed_revision = row.revision;
        Some(LeasedTask {
            id: TaskId(row.id),
            claim: ClaimId(fence),
            connection: "shop".into(),
            subject: Subject::order(row.subject.to_string()),
            priority: Priority(0),
            has_risen: false,
            failures: row.failures,
            number: row.attempts,
            actions: row.actions,
            created_at: row.created_at,
            due_at: row.due_at,
            claimed_at: now,
            connected_at: now,
            connection_faults: 0,
            snoozes: 0,
            suspects: Vec::new(),
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

    /// `tasks::return_claim`.
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
            let entries = self.ledgers.entry(row.subject).or_default().0.iter_mut();
            for entry in entries.filter(|entry| entry.state == ActionState::Begun) {
                entry.state = ActionState::Unknown;
                (entry.ended_at, entry.reads) = (Some(now), 0);
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

    /// `actions::begin`; `None` if the lease was lost.
    pub fn begin(&mut self, leased: &LeasedTask, now: Timestamp) -> Option<i32> {
        let is_fenced = self.mutant != Mutant::BeginWithoutFence;
        let subject = self.leased(leased, is_fenced).map(|row| row.subject)?;
        let ledger = self.ledgers.entry(subject).or_default();
        let number = ledger.0.last().map_or(1, |entry| entry.number + 1);
        if self.mutant != Mutant::NoBegunAction {
            ledger.0.push(new_entry(number, ActionKind::Place, ActionState::Begun, now));
        }
        Some(number)
    }

    /// `action_changes::write`: an order that no action of ours is known of is ours.
    pub fn adopt(&mut self, subject: usize, now: Timestamp) {
        let ledger = self.ledgers.entry(subject).or_default();
        let number = ledger.0.last().map_or(1, |entry| entry.number + 1);
        ledger.0.push(new_entry(number, ActionKind::Adopt, ActionState::Applied, now));
    }

    /// `action_changes::write`: ends an open action. A mutant orders by clocks: what an attempt finding is not written
    /// where another clock has seen the subject later, and is forgotten.
    pub fn end_action(&mut self, subject: usize, number: i32, state: ActionState, now: Timestamp) {
        let is_outdated = self.seen_at.get(&subject).is_some_and(|seen_at| now < *seen_at);
        let ledger = self.ledgers.entry(subject).or_default();
        if self.mutant == Mutant::OrderedByClocks && is_outdated {
            ledger.0.retain(|entry| entry.number != number);
            return;
        }
        let entries = ledger.0.iter_mut();
        for entry in entries.filter(|entry| entry.number == number && entry.state.is_open()) {
            entry.state = state;
            (entry.ended_at, entry.reads) = (Some(now), 0);
        }
    }

    /// `observations::record_observation`.
    pub fn observe(&mut self, subject: usize, now: Timestamp) {
        let seen_at = self.seen_at.entry(subject).or_insert(now);
        *seen_at = now.max(*seen_at);
    }

    /// `action_changes::write`: counts a read that has not found the effect.
    pub fn count_read(&mut self, subject: usize, number: i32) {
        let entries = self.ledgers.entry(subject).or_default().0.iter_mut();
        for entry in entries.filter(|entry| entry.number == number && entry.state.is_open()) {
            entry.reads += 1;
        }
    }

    /// A subject with more than one open task.
    pub fn subject_with_two_open_tasks(&self) -> Option<usize> {
        let mut seen = BTreeSet::new();
        let open = self.rows.iter().filter(|row| !row.state.is_closed());
        open.map(|row| row.subject).find(|subject| !seen.insert(*subject))
    }
}

fn new_entry(number: i32, kind: ActionKind, state: ActionState, now: Timestamp) -> LedgerEntry {
    LedgerEntry {
        number,
        kind,
        target: String::new(),
        state,
        reference: None,
        sent: None,
        inputs: None,
        begun_at: now,
        ended_at: (state != ActionState::Begun).then_some(now),
        reads: 0,
        watched: None,
    }
}
