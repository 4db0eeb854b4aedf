//! The world around the machine: subjects that change, a vendor that may lag, fail or do what it has not confirmed, and
//! workers that stop between any two of their steps.

use std::{collections::BTreeMap, time::Duration};

use silta::domain::{
    Timestamp,
    task::{
        action::{ActionKind, ActionState, Doubt, MAX_REPEATS},
        outcome::Outcome,
        reason::Reason,
        retry::RetryPolicy,
        state::{LeasedTask, TaskState},
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

/// Seconds after its claim in which a worker may still make a call, by no wall clock.
const CALL_DEADLINE: i64 = 27;

/// Seconds after its begin in which a call that must happen once may still be made.
const ONCE_DEADLINE: i64 = 1;

/// Seconds by which a worker's clock may be ahead or behind. No limit is needed; a greater one only makes histories
/// longer.
pub const MAX_SKEW: i64 = 60;

/// Seconds that a resend waits between its reads: so few that a lease outlasts them, or the lease alone would keep a late
/// call from doubling what was sent again.
const RECHECK_DELAY: i64 = 4;

/// Seconds by which the vendor may apply a call late, and by which its search may show it late. Both together are less
/// than what a resend waits.
pub const MAX_VENDOR_DELAY: i64 = 3;

pub const POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(8),
    attempts: MAX_ATTEMPTS,
    recheck_delay: Duration::from_secs(RECHECK_DELAY.unsigned_abs()),
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
    /// The begun action is committed under this number, and was begun then, by no worker's clock.
    WillPlace(u32, i32, Timestamp),
    /// It will overwrite with this version.
    WillOverwrite(u32),
    /// It knows the outcome and will settle.
    WillSettle {
        outcome: Outcome,
        finding: Finding,
    },
}

/// What an attempt writes into the ledger.
#[derive(Clone, Copy, Debug)]
enum Finding {
    Nothing,
    Ended(i32, ActionState),
    ReadInVain(i32),
    /// An order that no action of ours is known of is ours.
    Adopted,
}

#[derive(Debug)]
struct Attempt {
    leased: LeasedTask,
    phase: Phase,
    has_begun: bool,
    /// When it was claimed, by no worker's clock.
    claimed_at: Timestamp,
}

/// An entry of the ledger as a worker saw it: subject, number, state and reads.
type Seen = (usize, i32, &'static str, u16);

#[derive(Debug)]
pub struct World {
    pub machine: Machine,
    now: Timestamp,
    /// How far each worker's clock is ahead, in seconds.
    skews: [i64; WORKERS],
    /// Since when each worker has known an entry of the ledger as it is.
    watches: [BTreeMap<Seen, Timestamp>; WORKERS],
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
            skews: [0; WORKERS],
            watches: Default::default(),
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

    /// The time by a worker's clock.
    fn now_of(&self, worker: usize) -> Timestamp {
        self.in_seconds(self.skews[worker])
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
            Step::Crash { worker } => {
                self.workers.remove(&worker);
                self.watches[worker].clear();
            }
            Step::Finish { worker, fate } => self.finish(worker, fate),
            Step::CrashLoop { times } => {
                for _ in 0..times {
                    self.step_worker(0, CallFate::LostBefore);
                    self.workers.remove(&0);
                    self.advance(LEASE + 1);
                    self.machine.rescue(self.now_of(0));
                }
            }
            Step::Overtake { worker, by, ahead, seconds, changes } => {
                self.step_until_call(worker);
                if let Some(attempt) = self.workers.get(&worker).filter(|_| changes) {
                    self.webhook(attempt.leased.subject.key.parse().unwrap(), false);
                }
                self.skews[by] = ahead;
                for left in (0..seconds).rev() {
                    self.advance(1);
                    self.machine.rescue(self.now_of(by));
                    if left == 0 { self.step_until_call(by) } else { self.finish(by, CallFate::Success) }
                }
                self.finish(worker, CallFate::Success);
            }
            Step::Advance { seconds } => self.advance(seconds),
            Step::SetClock { worker, skew } => self.skews[worker] = skew,
            Step::Rescue { worker } => self.machine.rescue(self.now_of(worker)),
            Step::Replay { subject } => {
                self.fingerprints += 1;
                if self.subjects[subject].shop > 0 {
                    self.machine.receive(subject, self.fingerprints, None, self.now);
                }
            }
            Step::Cancel { subject } => drop(self.machine.cancel(subject)),
        }
    }

    /// Runs a worker's attempt to its end, or one from its claim.
    fn finish(&mut self, worker: usize, fate: CallFate) {
        self.step_worker(worker, fate);
        while self.workers.contains_key(&worker) {
            self.step_worker(worker, fate);
        }
    }

    /// Runs a worker's attempt until its next step is a call, or its end.
    fn step_until_call(&mut self, worker: usize) {
        let is_before = |attempt: &Attempt| matches!(attempt.phase, Phase::Claimed | Phase::WillBegin(_));
        self.step_worker(worker, CallFate::Success);
        while self.workers.get(&worker).is_some_and(is_before) {
            self.step_worker(worker, CallFate::Success);
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
            let now = self.now_of(worker);
            let until = now + chrono::Duration::seconds(LEASE);
            let first = self.machine.claimable(now).first().copied();
            let fence = Uuid::from_u128(self.claim_ids);
            if let Some(leased) = first.and_then(|id| self.machine.claim(id, fence, now, until)) {
                let claimed_at = self.now;
                let attempt = Attempt { leased, phase: Phase::Claimed, has_begun: false, claimed_at };
                self.workers.insert(worker, attempt);
            }
            return;
        };
        let subject: usize = attempt.leased.subject.key.parse().unwrap();
        attempt.phase = match attempt.phase.clone() {
            Phase::Claimed => self.read_sides(subject, worker),
            Phase::WillBegin(version) => {
                let begun = self.machine.begin(&attempt.leased, self.now_of(worker));
                attempt.has_begun |= begun.is_some();
                begun.map_or_else(
                    || retryable(Reason::LeaseExpired),
                    |number| Phase::WillPlace(version, number, self.now),
                )
            }
            Phase::WillPlace(version, number, begun_at)
                if self.has_time_left(&attempt)
                    && (self.now - begun_at).num_seconds() <= self.once_deadline() =>
            {
                self.call_vendor(subject, version, Some(number), fate)
            }
            Phase::WillPlace(_, number, _) => Phase::WillSettle {
                outcome: Outcome::Retryable { reason: Reason::LeaseExpired },
                finding: Finding::Ended(number, ActionState::NotSent),
            },
            Phase::WillOverwrite(version) if self.has_time_left(&attempt) => {
                let is_fenced = self.machine.mutant != Mutant::OverwriteWithoutFence;
                if is_fenced && !self.machine.verify_claim(&attempt.leased) {
                    retryable(Reason::LeaseExpired)
                } else {
                    self.call_vendor(subject, version, None, fate)
                }
            }
            Phase::WillOverwrite(_) => retryable(Reason::LeaseExpired),
            Phase::WillSettle { outcome, finding } => {
                return self.settle_task(&attempt, (subject, self.now_of(worker)), &outcome, finding);
            }
        };
        self.workers.insert(worker, attempt);
    }

    fn once_deadline(&self) -> i64 {
        if self.machine.mutant == Mutant::CallLongAfterItsBegin { i64::MAX } else { ONCE_DEADLINE }
    }

    fn has_time_left(&self, attempt: &Attempt) -> bool {
        (self.now - attempt.claimed_at).num_seconds() < CALL_DEADLINE
    }

    fn read_sides(&mut self, subject: usize, worker: usize) -> Phase {
        let now = self.now_of(worker);
        let mut ledger = self.machine.ledgers.get(&subject).cloned().unwrap_or_default();
        for entry in ledger.0.iter_mut().filter(|entry| entry.state.is_open()) {
            let seen = (subject, entry.number, entry.state.as_str(), entry.reads);
            let since = *self.watches[worker].entry(seen).or_insert(self.now);
            entry.watched = (self.now - since).to_std().ok();
        }
        let sides = &self.subjects[subject];
        let shown = sides.placed.iter().any(|shown_at| *shown_at <= self.now);
        let known = ledger.last(ActionKind::Place, "").or(ledger.last(ActionKind::Adopt, ""));
        let is_placed = known.is_some_and(|entry| entry.state.is_applied());
        let settled = |outcome, finding| Phase::WillSettle { outcome, finding };
        if shown && !is_placed {
            let finding =
                known.map_or(Finding::Adopted, |entry| Finding::Ended(entry.number, ActionState::Applied));
            return settled(Outcome::Acted, finding);
        }
        if !shown && is_placed {
            return waiting(now + chrono::Duration::seconds(RECHECK_DELAY), Finding::Nothing);
        }
        if shown {
            return if sides.vendor == sides.shop {
                settled(Outcome::InSync, Finding::Nothing)
            } else {
                Phase::WillOverwrite(sides.shop)
            };
        }
        let Some(open) = known else { return Phase::WillBegin(sides.shop) };
        let doubt = match self.machine.mutant {
            Mutant::ResendAtOnce => Doubt::MayRepeat,
            Mutant::SettlesByTheClockAlone
                if now >= open.ended_at.unwrap_or(open.begun_at) + POLICY.recheck_delay * 2 =>
            {
                Doubt::MayRepeat
            }
            _ => open.doubt(now, POLICY.recheck_delay),
        };
        match doubt {
            Doubt::Wait { until, counts: true } => waiting(until, Finding::ReadInVain(open.number)),
            Doubt::Wait { until, counts: false } => waiting(until, Finding::Nothing),
            Doubt::MayRepeat if ledger.repeats(ActionKind::Place, "") >= MAX_REPEATS => {
                settled(Outcome::Permanent { reason: Reason::RepeatedTooOften }, Finding::Nothing)
            }
            Doubt::MayRepeat => Phase::WillBegin(sides.shop),
        }
    }

    /// `first` is the number of the begun action, for a first order.
    fn call_vendor(&mut self, subject: usize, version: u32, first: Option<i32>, fate: CallFate) -> Phase {
        let is_new = first.is_some();
        let unknown = if is_new {
            Outcome::Unknown { reason: Reason::AnswerLost }
        } else {
            Outcome::Retryable { reason: Reason::AnswerLost }
        };
        let settle_task = |outcome, state| Phase::WillSettle {
            outcome,
            finding: first.map_or(Finding::Nothing, |number| Finding::Ended(number, state)),
        };
        match fate {
            CallFate::Success => {
                self.apply(subject, version, is_new);
                settle_task(Outcome::Acted, ActionState::Applied)
            }
            CallFate::AnswerLost => {
                self.apply(subject, version, is_new);
                settle_task(unknown, ActionState::Unknown)
            }
            CallFate::AppliedLater(seconds) if is_new => {
                self.later.push((self.in_seconds(seconds), subject, version, true));
                settle_task(unknown, ActionState::Unknown)
            }
            // A late overwrite is fixed by the next sync; see docs/guarantees.md.
            CallFate::LostBefore | CallFate::AppliedLater(_) => settle_task(unknown, ActionState::Unknown),
            CallFate::Busy => {
                let snoozed = Outcome::Snoozed { after: None, reason: Reason::RateLimited };
                settle_task(snoozed, ActionState::NotSent)
            }
            CallFate::Refused => {
                settle_task(Outcome::Permanent { reason: Reason::Refused }, ActionState::Refused)
            }
        }
    }

    fn settle_task(
        &mut self,
        attempt: &Attempt,
        (subject, now): (usize, Timestamp),
        outcome: &Outcome,
        finding: Finding,
    ) {
        let ledger = self.machine.ledgers.get(&subject).cloned().unwrap_or_default();
        let doubt = match finding {
            Finding::Ended(_, state) if !state.is_open() => None,
            Finding::Adopted => None,
            _ => ledger.in_doubt_since(),
        };
        let next = transition(
            &attempt.leased,
            &AttemptEnd { outcome, in_doubt_since: doubt, keeps_place: false, at: now, jitter: 0.0 },
            &POLICY,
        );
        if !self.machine.settle(&attempt.leased, &next, now) {
            return;
        }
        match finding {
            Finding::Nothing => {}
            Finding::Ended(number, state) => self.machine.end_action(subject, number, state, now),
            Finding::ReadInVain(number) => self.machine.count_read(subject, number),
            Finding::Adopted => self.machine.adopt(subject, now),
        }
        self.machine.observe(subject, now);
    }

    /// Runs without faults and without new events until every task is closed.
    pub fn run_until_settled(&mut self) {
        for round in 0..400 {
            self.advance(10);
            self.machine.rescue(self.now_of(0));
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
    Phase::WillSettle { outcome: Outcome::Retryable { reason }, finding: Finding::Nothing }
}

const fn waiting(until: Timestamp, finding: Finding) -> Phase {
    Phase::WillSettle { outcome: Outcome::Waiting { until, reason: Reason::SettlingTime }, finding }
}
