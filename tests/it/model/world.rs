//! The world around the machine: subjects that change, a far side that may lag, fail, or do what it has not confirmed, and
//! workers who stop between any two of their steps.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
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
    Mutant,
    machine::{MAX_ATTEMPTS, Machine, Row},
};

pub const SUBJECTS: usize = 3;
const WORKERS: usize = 3;
const LEASE: i64 = 30;

/// A worker makes no call later than this after its claim.
const CALL_DEADLINE: i64 = 27;

/// How late the far side may do what it was asked, and how late its search may show it: both less than the two settling
/// times that a resend waits.
const MAX_VENDOR_DELAY: i64 = 8;

pub const POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(8),
    attempts: MAX_ATTEMPTS,
    recheck_delay: Duration::from_secs(10),
    unknown_for: Duration::from_secs(600),
};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Done, and answered.
    Well,
    /// Lost before it was done.
    NotHeard,
    /// Done, and the answer lost.
    AnswerLost,
    /// The caller gives up; it is done so many seconds later.
    DoneLater(i64),
    /// 429.
    Busy,
    /// Refused for good.
    Refused,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A subject changes, and a webhook tells of it, to two receivers at once where it is doubled.
    Told { subject: usize, doubled: bool },
    /// The last webhook is told again.
    ToldAgain,
    /// A webhook arrives and its process dies before the commit.
    CrashBeforeCommit { subject: usize },
    /// A worker takes its next step; a call meets this.
    Works { worker: usize, fate: Fate },
    /// A worker is gone in the middle of whatever it did.
    Crashes { worker: usize },
    /// A worker goes through to the end of its attempt, unless its call meets this.
    Finishes { worker: usize, fate: Fate },
    /// Whoever works on what is due dies of it, so many times in a row.
    Poisoned { times: u32 },
    /// Time passes.
    Passes { seconds: i64 },
    /// Leases that have run out are taken back.
    Rescue,
    /// A person orders a fresh look.
    Replayed { subject: usize },
    /// A person cancels what waits.
    Cancelled { subject: usize },
}

pub fn step() -> impl Strategy<Value = Step> {
    let fate = || {
        prop_oneof![
            6 => Just(Fate::Well),
            2 => Just(Fate::NotHeard),
            2 => Just(Fate::AnswerLost),
            2 => (1..=MAX_VENDOR_DELAY).prop_map(Fate::DoneLater),
            1 => Just(Fate::Busy),
            1 => Just(Fate::Refused),
        ]
    };
    prop_oneof![
        3 => (0..SUBJECTS, any::<bool>()).prop_map(|(subject, doubled)| Step::Told { subject, doubled }),
        1 => Just(Step::ToldAgain),
        1 => (0..SUBJECTS).prop_map(|subject| Step::CrashBeforeCommit { subject }),
        8 => (0..WORKERS, fate()).prop_map(|(worker, fate)| Step::Works { worker, fate }),
        2 => (0..WORKERS).prop_map(|worker| Step::Crashes { worker }),
        3 => (0..WORKERS, fate()).prop_map(|(worker, fate)| Step::Finishes { worker, fate }),
        1 => (1_u32..7).prop_map(|times| Step::Poisoned { times }),
        4 => prop_oneof![1_i64..4, 9_i64..12, 28_i64..40].prop_map(|seconds| Step::Passes { seconds }),
        3 => Just(Step::Rescue),
        1 => (0..SUBJECTS).prop_map(|subject| Step::Replayed { subject }),
        1 => (0..SUBJECTS).prop_map(|subject| Step::Cancelled { subject }),
    ]
}

/// A subject on both sides.
#[derive(Debug, Default)]
struct Thing {
    /// Its version in the shop; 0 before it exists.
    shop: u32,
    /// Each time the far side was given it: when its search shows it.
    placed: Vec<Timestamp>,
    /// The version that the far side has.
    far: u32,
    /// The highest that it ever had.
    best: u32,
}

/// Where a worker stands in its attempt.
#[derive(Clone, Debug)]
enum Phase {
    Claimed,
    /// It has read, and will send this version for the first time.
    Begins(u32),
    /// The intent is committed.
    Places(u32),
    /// It will overwrite with this version.
    Overwrites(u32),
    /// It knows the outcome.
    Settles {
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
    things: Vec<Thing>,
    /// What the far side will do later.
    later: Vec<(Timestamp, usize, u32, bool)>,
    workers: BTreeMap<usize, Attempt>,
    fences: u128,
    fingerprints: u32,
    last_webhook: Option<(usize, u32)>,
    /// Fingerprints of webhooks that were answered 200.
    answered: Vec<u32>,
}

impl World {
    pub fn new(mutant: Mutant) -> Self {
        Self {
            machine: Machine::new(mutant),
            now: Timestamp::from_timestamp(1_000_000, 0).unwrap(),
            things: (0..SUBJECTS).map(|_| Thing::default()).collect(),
            later: Vec::new(),
            workers: BTreeMap::new(),
            fences: 0,
            fingerprints: 0,
            last_webhook: None,
            answered: Vec::new(),
        }
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.now + chrono::Duration::seconds(seconds)
    }

    pub fn play(&mut self, step: &Step) {
        match *step {
            Step::Told { subject, doubled } => self.told(subject, doubled),
            Step::ToldAgain => {
                if let Some((subject, fingerprint)) = self.last_webhook {
                    self.machine.receive(subject, fingerprint, None, self.now);
                }
            }
            Step::CrashBeforeCommit { subject } => {
                self.things[subject].shop += 1;
                self.fingerprints += 1;
                if self.machine.mutant == Mutant::AnswerBeforeCommit {
                    self.answered.push(self.fingerprints);
                }
                // No webhook, so a poll must find it: an event of our own.
                self.fingerprints += 1;
                self.machine.receive(subject, self.fingerprints, None, self.now);
            }
            Step::Works { worker, fate } => self.works(worker, fate),
            Step::Crashes { worker } => drop(self.workers.remove(&worker)),
            Step::Finishes { worker, fate } => {
                self.works(worker, fate);
                while self.workers.contains_key(&worker) {
                    self.works(worker, fate);
                }
            }
            Step::Poisoned { times } => {
                for _ in 0..times {
                    self.works(0, Fate::NotHeard);
                    self.workers.remove(&0);
                    self.passes(LEASE + 1);
                    self.machine.rescue(self.now);
                }
            }
            Step::Passes { seconds } => self.passes(seconds),
            Step::Rescue => self.machine.rescue(self.now),
            Step::Replayed { subject } => {
                self.fingerprints += 1;
                if self.things[subject].shop > 0 {
                    self.machine.receive(subject, self.fingerprints, None, self.now);
                }
            }
            Step::Cancelled { subject } => drop(self.machine.cancel(subject)),
        }
    }

    fn told(&mut self, subject: usize, doubled: bool) {
        self.things[subject].shop += 1;
        self.fingerprints += 1;
        let fingerprint = self.fingerprints;
        // Both receivers ask before either stores, where nothing stops them.
        let outside = self.machine.mutant == Mutant::DuplicateCheckOutside;
        let checked = outside.then(|| self.machine.knows(fingerprint));
        self.machine.receive(subject, fingerprint, checked, self.now);
        if doubled {
            self.machine.receive(subject, fingerprint, checked, self.now);
        }
        self.answered.push(fingerprint);
        self.last_webhook = Some((subject, fingerprint));
    }

    fn passes(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += chrono::Duration::seconds(1);
            let (done, later) = self.later.drain(..).partition(|(at, ..)| *at <= self.now);
            self.later = later;
            for (_, subject, version, is_new) in Vec::from_iter::<Vec<_>>(done) {
                self.does(subject, version, is_new);
            }
        }
    }

    /// The far side does what it was asked; a first order is shown by its search only after a while.
    fn does(&mut self, subject: usize, version: u32, is_new: bool) {
        let shown_at = self.in_seconds(MAX_VENDOR_DELAY);
        let thing = &mut self.things[subject];
        if is_new {
            thing.placed.push(shown_at);
        }
        thing.far = version;
        thing.best = thing.best.max(version);
    }

    /// A worker's next step; a claim, where it does nothing yet.
    fn works(&mut self, worker: usize, fate: Fate) {
        let Some(mut attempt) = self.workers.remove(&worker) else {
            self.fences += 1;
            let until = self.in_seconds(LEASE);
            let first = self.machine.claimable(self.now).first().copied();
            let fence = Uuid::from_u128(self.fences);
            if let Some(leased) = first.and_then(|id| self.machine.claim(id, fence, self.now, until)) {
                self.workers.insert(worker, Attempt { leased, phase: Phase::Claimed, has_begun: false });
            }
            return;
        };
        let subject: usize = attempt.leased.subject.key.parse().unwrap();
        attempt.phase = match attempt.phase.clone() {
            Phase::Claimed => self.reads(subject),
            Phase::Begins(version) => {
                let begun = BegunAction { action: "place".into(), key: "k".into(), at: self.now };
                if self.machine.begin(&attempt.leased, begun) {
                    attempt.has_begun = true;
                    Phase::Places(version)
                } else {
                    failed(Reason::LeaseExpired)
                }
            }
            Phase::Places(version) if self.has_time_left(&attempt.leased) => {
                self.calls(subject, version, true, fate)
            }
            Phase::Overwrites(version) if self.has_time_left(&attempt.leased) => {
                let is_fenced = self.machine.mutant != Mutant::OverwriteWithoutFence;
                if is_fenced && !self.machine.verify_claim(&attempt.leased) {
                    failed(Reason::LeaseExpired)
                } else {
                    self.calls(subject, version, false, fate)
                }
            }
            Phase::Places(_) | Phase::Overwrites(_) => failed(Reason::LeaseExpired),
            Phase::Settles { outcome, is_doubt_resolved, placed } => {
                return self.settle_task(&attempt, subject, &outcome, is_doubt_resolved, placed);
            }
        };
        self.workers.insert(worker, attempt);
    }

    fn has_time_left(&self, leased: &LeasedTask) -> bool {
        // The fence and the lateness stand for each other: a mutant without one is seen only without the other.
        let blind = [Mutant::CallAfterTheLease, Mutant::OverwriteWithoutFence, Mutant::BeginWithoutFence];
        blind.contains(&self.machine.mutant) || (self.now - leased.claimed_at).num_seconds() < CALL_DEADLINE
    }

    fn reads(&self, subject: usize) -> Phase {
        let thing = &self.things[subject];
        let known = self.machine.subject_states.get(&subject).cloned().unwrap_or_default();
        let shown = thing.placed.iter().any(|shown_at| *shown_at <= self.now);
        let rests = |outcome| Phase::Settles { outcome, is_doubt_resolved: true, placed: shown };
        if shown && !known.is_placed {
            return rests(Outcome::Acted); // adopted
        }
        if !shown && known.is_placed {
            return waits(self.in_seconds(10));
        }
        if shown {
            return if thing.far == thing.shop {
                rests(Outcome::InSync)
            } else {
                Phase::Overwrites(thing.shop)
            };
        }
        let settling =
            if self.machine.mutant == Mutant::ResendAtOnce { Duration::ZERO } else { POLICY.recheck_delay };
        match known.begun.and_then(|begun| begun.next_read_at(self.now, settling)) {
            Some(until) => waits(until),
            None => Phase::Begins(thing.shop),
        }
    }

    fn calls(&mut self, subject: usize, version: u32, is_new: bool, fate: Fate) -> Phase {
        let unknown = if is_new {
            Outcome::Unknown { reason: Reason::AnswerLost }
        } else {
            Outcome::Retryable { reason: Reason::AnswerLost }
        };
        let settle_task =
            |outcome, is_doubt_resolved, placed| Phase::Settles { outcome, is_doubt_resolved, placed };
        match fate {
            Fate::Well => {
                self.does(subject, version, is_new);
                settle_task(Outcome::Acted, true, is_new)
            }
            Fate::AnswerLost => {
                self.does(subject, version, is_new);
                settle_task(unknown, false, false)
            }
            Fate::DoneLater(seconds) if is_new => {
                self.later.push((self.in_seconds(seconds), subject, version, true));
                settle_task(unknown, false, false)
            }
            // What overwrites and comes late is fixed by the sync; see docs/guarantees.md.
            Fate::NotHeard | Fate::DoneLater(_) => settle_task(unknown, false, false),
            Fate::Busy => {
                settle_task(Outcome::Snoozed { after: None, reason: Reason::RateLimited }, is_new, false)
            }
            Fate::Refused => settle_task(Outcome::Permanent { reason: Reason::Refused }, is_new, false),
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

    /// Faults end, people and webhooks are silent, polls tell what changed, and time goes on until nothing is due.
    pub fn run_until_settled(&mut self) {
        for round in 0..400 {
            self.passes(10);
            self.machine.rescue(self.now);
            for worker in 0..WORKERS {
                self.play(&Step::Finishes { worker, fate: Fate::Well });
            }
            if round > 40 && self.machine.rows.iter().all(|row| row.state.is_closed()) {
                return;
            }
        }
    }

    /// What must hold at every moment.
    pub fn check(&self) -> Result<(), String> {
        if let Some(subject) = self.machine.crowded() {
            return Err(format!("two open tasks of subject {subject}"));
        }
        for (subject, thing) in self.things.iter().enumerate() {
            if thing.placed.len() > 1 {
                return Err(format!("subject {subject} was placed {} times", thing.placed.len()));
            }
            if thing.far < thing.best {
                return Err(format!("subject {subject} was overwritten with what is older"));
            }
        }
        let mut events = self.machine.events.clone();
        events.sort_unstable();
        if events.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("an event is stored twice".into());
        }
        if let Some(missing) = self.answered.iter().find(|told| !self.machine.knows(**told)) {
            return Err(format!("webhook {missing} was answered 200 and is not there"));
        }
        let poison = |row: &&Row| !row.state.is_closed() && row.crashes_in_a_row > MAX_ATTEMPTS;
        if let Some(row) = self.machine.rows.iter().find(poison) {
            return Err(format!("{} attempts died of it and it is not given up", row.crashes_in_a_row));
        }
        Ok(())
    }

    /// What must hold once everything has come to rest: each subject is in sync, or waits for a person.
    pub fn check_settled(&self) -> Result<(), String> {
        for (subject, thing) in self.things.iter().enumerate() {
            let Some(last) = self.machine.rows.iter().rfind(|row| row.subject == subject) else { continue };
            if !last.state.is_closed() {
                return Err(format!("subject {subject} never comes to rest: {last:?}"));
            }
            let is_a_persons = matches!(last.state, TaskState::Dead | TaskState::Cancelled);
            if !is_a_persons && thing.far != thing.shop {
                return Err(format!(
                    "subject {subject} is lost: {} in the shop, {} there",
                    thing.shop, thing.far
                ));
            }
            // Nobody dies of what was told while nobody looked.
            if last.state == TaskState::Dead && last.revision > last.claimed_revision {
                return Err(format!("subject {subject} is dead though its revision was raised"));
            }
        }
        Ok(())
    }
}

const fn failed(reason: Reason) -> Phase {
    Phase::Settles { outcome: Outcome::Retryable { reason }, is_doubt_resolved: false, placed: false }
}

const fn waits(until: Timestamp) -> Phase {
    let outcome = Outcome::Waiting { until, reason: Reason::SettlingTime };
    Phase::Settles { outcome, is_doubt_resolved: false, placed: false }
}
