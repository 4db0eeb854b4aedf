//! The world around the machine: subjects that change, a vendor that may lag, fail or do what it has not confirmed, and
//! workers that stop between any two of their steps.

use std::{collections::BTreeMap, time::Duration};

use silta::domain::{
    Timestamp,
    task::{
        outcome::Outcome,
        reason::Reason,
        retry::RetryPolicy,
        state::{LeasedTask, TaskState},
        subject_state::BegunAction,
        transition::{AttemptEnd, transition},
    },
};
use uuid::Uuid;

use super::{
    machine::{MAX_ATTEMPTS, Machine, Row},
    mutants::Mutant,
    step::{CallFate, Step},
};

pub const SUBJECTS: usize = 3;

pub const WORKERS: usize = 3;

const LEASE: i64 = 30;

/// Seconds after its claim in which a worker may still make a call.
const CALL_DEADLINE: i64 = 27;

/// Seconds by which the vendor may apply a call late, and by which its search may show it late. Both are less than the
/// two settling times that a resend waits.
pub const MAX_VENDOR_DELAY: i64 = 8;

pub const POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(8),
    attempts: MAX_ATTEMPTS,
    recheck_delay: Duration::from_secs(10),
    unknown_for: Duration::from_secs(600),
};

/// A subject on both sides.
#[derive(Debug, Default)]
struct SubjectSides {
    /// Its version in the shop; 0 before it exists.
    shop: u32,
    /// One entry for each time the vendor applied a first order: when its search shows it.
    placed: Vec<Timestamp>,
    /// The version at the vendor.
    vendor: u32,
    /// The highest version that the vendor ever had.
    highest: u32,
}

/// The phase of a worker's attempt.
#[derive(Clone, Debug)]
enum Phase {
    Claimed,
    /// It has read both sides and will send this version for the first time.
    WillBegin(u32),
    /// The begun action is committed.
    WillPlace(u32),
    /// It will overwrite with this version.
    WillOverwrite(u32),
    /// It knows the outcome and will settle.
    WillSettle {
        outcome: Outcome,
        is_doubt_resolved: bool,
        placed: bool,
    },
}

#[derive(Debug)]
struct Attempt {
    leased: LeasedTask,
    phase: Phase,
    has_begun: bool,
}

#[derive(Debug)]
pub struct World {
    pub machine: Machine,
    now: Timestamp,
    subjects: Vec<SubjectSides>,
    /// Calls that the vendor will apply later.
    later: Vec<(Timestamp, usize, u32, bool)>,
    workers: BTreeMap<usize, Attempt>,
    claim_ids: u128,
    fingerprints: u32,
    last_webhook: Option<(usize, u32)>,
    /// Fingerprints of webhooks that were answered 200.
    acknowledged: Vec<u32>,
}

impl World {
    pub fn new(mutant: Mutant) -> Self {
        Self {
            machine: Machine::new(mutant),
            now: Timestamp::from_timestamp(1_000_000, 0).unwrap(),
            subjects: (0..SUBJECTS).map(|_| SubjectSides::default()).collect(),
            later: Vec::new(),
            workers: BTreeMap::new(),
            claim_ids: 0,
            fingerprints: 0,
            last_webhook: None,
            acknowledged: Vec::new(),
        }
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.now + chrono::Duration::seconds(seconds)
    }

    pub fn run_step(&mut self, step: &Step) {
        match *step {
            Step::Webhook { subject, is_duplicated } => self.webhook(subject, is_duplicated),
            Step::WebhookAgain => {
                if let Some((subject, fingerprint)) = self.last_webhook {
                    self.machine.receive(subject, fingerprint, None, self.now);
                }
            }
            Step::CrashBeforeCommit { subject } => {
                self.subjects[subject].shop += 1;
                self.fingerprints += 1;
                if self.machine.mutant == Mutant::AnswerBeforeCommit {
                    self.acknowledged.push(self.fingerprints);
                }
                // The webhook is lost, so a poll must find the change: an event of our own.
                self.fingerprints += 1;
                self.machine.receive(subject, self.fingerprints, None, self.now);
            }
            Step::Work { worker, fate } => self.step_worker(worker, fate),
            Step::Crash { worker } => drop(self.workers.remove(&worker)),
            Step::Finish { worker, fate } => {
                self.step_worker(worker, fate);
                while self.workers.contains_key(&worker) {
                    self.step_worker(worker, fate);
                }
            }
            Step::CrashLoop { times } => {
                for _ in 0..times {
                    self.step_worker(0, CallFate::LostBefore);
                    self.workers.remove(&0);
                    self.advance(LEASE + 1);
                    self.machine.rescue(self.now);
                }
            }
            Step::Advance { seconds } => self.advance(seconds),
            Step::Rescue => self.machine.rescue(self.now),
            Step::Replay { subject } => {
                self.fingerprints += 1;
                if self.subjects[subject].shop > 0 {
                    self.machine.receive(subject, self.fingerprints, None, self.now);
                }
            }
            Step::Cancel { subject } => drop(self.machine.cancel(subject)),
        }
    }

    fn webhook(&mut self, subject: usize, is_duplicated: bool) {
        self.subjects[subject].shop += 1;
        self.fingerprints += 1;
        let fingerprint = self.fingerprints;
        // In this mutant both receivers check before either stores.
        let outside = self.machine.mutant == Mutant::DuplicateCheckOutside;
        let checked = outside.then(|| self.machine.has_event(fingerprint));
        self.machine.receive(subject, fingerprint, checked, self.now);
        if is_duplicated {
            self.machine.receive(subject, fingerprint, checked, self.now);
        }
        self.acknowledged.push(fingerprint);
        self.last_webhook = Some((subject, fingerprint));
    }

    fn advance(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += chrono::Duration::seconds(1);
            let (done, later) = self.later.drain(..).partition(|(at, ..)| *at <= self.now);
            self.later = later;
            for (_, subject, version, is_new) in Vec::from_iter::<Vec<_>>(done) {
                self.apply(subject, version, is_new);
            }
        }
    }

    /// The vendor applies a call; its search shows a first order only after a while.
    fn apply(&mut self, subject: usize, version: u32, is_new: bool) {
        let shown_at = self.in_seconds(MAX_VENDOR_DELAY);
        let sides = &mut self.subjects[subject];
        if is_new {
            sides.placed.push(shown_at);
        }
        sides.vendor = version;
        sides.highest = sides.highest.max(version);
    }

    /// Runs a worker's next step; an idle worker claims a task.
    fn step_worker(&mut self, worker: usize, fate: CallFate) {
        let Some(mut attempt) = self.workers.remove(&worker) else {
            self.claim_ids += 1;
            let until = self.in_seconds(LEASE);
            let first = self.machine.claimable(self.now).first().copied();
            let fence = Uuid::from_u128(self.claim_ids);
            if let Some(leased) = first.and_then(|id| self.machine.claim(id, fence, self.now, until)) {
                self.workers.insert(worker, Attempt { leased, phase: Phase::Claimed, has_begun: false });
            }
            return;
        };
        let subject: usize = attempt.leased.subject.key.parse().unwrap();
        attempt.phase = match attempt.phase.clone() {
            Phase::Claimed => self.read_sides(subject),
            Phase::WillBegin(version) => {
                let begun = BegunAction { action: "place".into(), key: "k".into(), at: self.now };
                if self.machine.begin(&attempt.leased, begun) {
                    attempt.has_begun = true;
                    Phase::WillPlace(version)
                } else {
                    retryable(Reason::LeaseExpired)
                }
            }
            Phase::WillPlace(version) if self.has_time_left(&attempt.leased) => {
                self.call_vendor(subject, version, true, fate)
            }
            Phase::WillOverwrite(version) if self.has_time_left(&attempt.leased) => {
                let is_fenced = self.machine.mutant != Mutant::OverwriteWithoutFence;
                if is_fenced && !self.machine.verify_claim(&attempt.leased) {
                    retryable(Reason::LeaseExpired)
                } else {
                    self.call_vendor(subject, version, false, fate)
                }
            }
            Phase::WillPlace(_) | Phase::WillOverwrite(_) => retryable(Reason::LeaseExpired),
            Phase::WillSettle { outcome, is_doubt_resolved, placed } => {
                return self.settle_task(&attempt, subject, &outcome, is_doubt_resolved, placed);
            }
        };
        self.workers.insert(worker, attempt);
    }

    fn has_time_left(&self, leased: &LeasedTask) -> bool {
        // Fence and deadline cover each other: a mutant without one is caught only without the other.
        let blind = [Mutant::CallAfterTheLease, Mutant::OverwriteWithoutFence, Mutant::BeginWithoutFence];
        blind.contains(&self.machine.mutant) || (self.now - leased.claimed_at).num_seconds() < CALL_DEADLINE
    }

    fn read_sides(&self, subject: usize) -> Phase {
        let sides = &self.subjects[subject];
        let known = self.machine.subject_states.get(&subject).cloned().unwrap_or_default();
        let shown = sides.placed.iter().any(|shown_at| *shown_at <= self.now);
        let settled = |outcome| Phase::WillSettle { outcome, is_doubt_resolved: true, placed: shown };
        if shown && !known.is_placed {
            return settled(Outcome::Acted); // adopted
        }
        if !shown && known.is_placed {
            return waiting(self.in_seconds(10));
        }
        if shown {
            return if sides.vendor == sides.shop {
                settled(Outcome::InSync)
            } else {
                Phase::WillOverwrite(sides.shop)
            };
        }
        let settling =
            if self.machine.mutant == Mutant::ResendAtOnce { Duration::ZERO } else { POLICY.recheck_delay };
        match known.begun.and_then(|begun| begun.next_read_at(self.now, settling)) {
            Some(until) => waiting(until),
            None => Phase::WillBegin(sides.shop),
        }
    }

    fn call_vendor(&mut self, subject: usize, version: u32, is_new: bool, fate: CallFate) -> Phase {
        let unknown = if is_new {
            Outcome::Unknown { reason: Reason::AnswerLost }
        } else {
            Outcome::Retryable { reason: Reason::AnswerLost }
        };
        let settle_task =
            |outcome, is_doubt_resolved, placed| Phase::WillSettle { outcome, is_doubt_resolved, placed };
        match fate {
            CallFate::Success => {
                self.apply(subject, version, is_new);
                settle_task(Outcome::Acted, true, is_new)
            }
            CallFate::AnswerLost => {
                self.apply(subject, version, is_new);
                settle_task(unknown, false, false)
            }
            CallFate::AppliedLater(seconds) if is_new => {
                self.later.push((self.in_seconds(seconds), subject, version, true));
                settle_task(unknown, false, false)
            }
            // A late overwrite is fixed by the next sync; see docs/guarantees.md.
            CallFate::LostBefore | CallFate::AppliedLater(_) => settle_task(unknown, false, false),
            CallFate::Busy => {
                settle_task(Outcome::Snoozed { after: None, reason: Reason::RateLimited }, is_new, false)
            }
            CallFate::Refused => settle_task(Outcome::Permanent { reason: Reason::Refused }, is_new, false),
        }
    }

    fn settle_task(
        &mut self,
        attempt: &Attempt,
        subject: usize,
        outcome: &Outcome,
        is_doubt_resolved: bool,
        placed: bool,
    ) {
        let begun =
            self.machine.subject_states.get(&subject).and_then(|known| known.begun.as_ref().map(|it| it.at));
        let doubt =
            begun.or(attempt.has_begun.then_some(attempt.leased.claimed_at)).filter(|_| !is_doubt_resolved);
        let next = transition(
            &attempt.leased,
            &AttemptEnd { outcome, in_doubt_since: doubt, at: self.now, jitter: 0.0 },
            &POLICY,
        );
        if !self.machine.settle(&attempt.leased, &next, self.now) {
            return;
        }
        let known = self.machine.subject_states.entry(subject).or_default();
        known.is_placed |= placed;
        if matches!(outcome, Outcome::Unknown { .. })
            && let Some(begun) = &mut known.begun
        {
            begun.at = self.now;
        }
        if is_doubt_resolved {
            known.begun = None;
        }
    }

    /// Runs without faults and without new events until every task is closed.
    pub fn run_until_settled(&mut self) {
        for round in 0..400 {
            self.advance(10);
            self.machine.rescue(self.now);
            for worker in 0..WORKERS {
                self.run_step(&Step::Finish { worker, fate: CallFate::Success });
            }
            if round > 40 && self.machine.rows.iter().all(|row| row.state.is_closed()) {
                return;
            }
        }
    }

    /// Checks what must hold at every moment.
    pub fn check(&self) -> Result<(), String> {
        if let Some(subject) = self.machine.subject_with_two_open_tasks() {
            return Err(format!("two open tasks of subject {subject}"));
        }
        for (subject, sides) in self.subjects.iter().enumerate() {
            if sides.placed.len() > 1 {
                return Err(format!("subject {subject} was placed {} times", sides.placed.len()));
            }
            if sides.vendor < sides.highest {
                return Err(format!("subject {subject} was overwritten with an older version"));
            }
        }
        let mut events = self.machine.events.clone();
        events.sort_unstable();
        if events.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("an event is stored twice".into());
        }
        if let Some(missing) = self.acknowledged.iter().find(|webhook| !self.machine.has_event(**webhook)) {
            return Err(format!("webhook {missing} was answered 200 and is not stored"));
        }
        let crash_loop = |row: &&Row| !row.state.is_closed() && row.crashes_since_event > MAX_ATTEMPTS;
        if let Some(row) = self.machine.rows.iter().find(crash_loop) {
            return Err(format!("{} attempts crashed and the task is not dead", row.crashes_since_event));
        }
        Ok(())
    }

    /// Checks what must hold once everything is settled: each subject is in sync or needs an operator.
    pub fn check_settled(&self) -> Result<(), String> {
        for (subject, sides) in self.subjects.iter().enumerate() {
            let Some(last) = self.machine.rows.iter().rfind(|row| row.subject == subject) else { continue };
            if !last.state.is_closed() {
                return Err(format!("subject {subject} is never settled: {last:?}"));
            }
            let needs_operator = matches!(last.state, TaskState::Dead | TaskState::Cancelled);
            if !needs_operator && sides.vendor != sides.shop {
                return Err(format!(
                    "subject {subject} is lost: {} in the shop, {} there",
                    sides.shop, sides.vendor
                ));
            }
            // A task must not end dead while an event is unread.
            if last.state == TaskState::Dead && last.revision > last.claimed_revision {
                return Err(format!("subject {subject} is dead though its revision was raised"));
            }
        }
        Ok(())
    }
}

const fn retryable(reason: Reason) -> Phase {
    Phase::WillSettle { outcome: Outcome::Retryable { reason }, is_doubt_resolved: false, placed: false }
}

const fn waiting(until: Timestamp) -> Phase {
    let outcome = Outcome::Waiting { until, reason: Reason::SettlingTime };
    Phase::WillSettle { outcome, is_doubt_resolved: false, placed: false }
}
