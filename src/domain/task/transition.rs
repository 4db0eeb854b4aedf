//! Decides a task's next state from the outcome of an attempt.
//!
//! ```text
//!  pending ──claim──▶ leased ──settle──▶ done | skipped     (closed)
//!     ▲                 │ ├───────────▶ pending             (acted · retry · snooze · revision raised)
//!     │                 │ ├───────────▶ in_doubt            (maybe applied: read before anything is sent)
//!  resolve              │ └───────────▶ dead                (closed: needs attention)
//!     │                 └──rescue─────▶ in_doubt            (the lease ran out)
//!  in_doubt ──resolve──▶ done | pending       pending | in_doubt ──cancel──▶ cancelled
//! ```
//!
//! [`transition`] decides what an outcome means. It cannot know whether an event raised the task's revision since the
//! claim, nor whether the claim still holds: the statements know. SQL only applies, by this table:
//!
//! | statement | the task is | the row says | next |
//! |---|---|---|---|
//! | `store::settle` | leased by this claim | the same revision | as `transition` decided |
//! | | | raised, and it would close | pending, due now, no failures: the attempt did not see the new event |
//! | | | raised, and it would wait | as decided, but due now |
//! | | | raised, and it would back off | as decided: a new event repairs no fault |
//! | | not leased by this claim | | nothing is written: the fence |
//! | `store::tasks::return_claim` | leased, never started | | as before the claim, its failure not counted |
//! | | leased, its first call did not get its turn | | as before the claim; nothing is counted |
//! | `store::tasks::wake_held_back` | snoozed while a vendor's writes were held back | | due now: they go through again |
//! | `store::tasks::rescue_expired` | leased, the lease ran out | | in doubt, due now |
//! | | | the same revision, failures at the limit | dead |
//! | `store::ingest` | pending without failures | an event | due no later than the event |
//! | | pending with failures, leased, in doubt | an event | only the revision is raised |
//! | | closed, or there is none | an event | a new pending task |
//!
//! What operators decide (`resolve`, `cancel`, `replay`) is in `actions`.
//!
//! Failures are counted when a task is claimed, so a crash counts; what is not the attempt's fault is subtracted
//! again. While an action is begun and not known to have ended, every open state is `in_doubt`.

use std::time::Duration;

use super::{
    outcome::Outcome,
    reason::Reason,
    retry::{RetryPolicy, doubled},
    state::{LeasedTask, TaskState},
};
use crate::domain::Timestamp;

/// Actions for one task without a new event after which the vendors count as not converging: a product with many
/// variations needs one each, nothing needs more than this. A claim at a new revision begins at zero (`store::claim`): a
/// code that sells all day is busy, and converges each time.
pub const MAX_ACTIONS: u32 = 200;

/// How long after its opening a task may still be put off without counting a failure; then it needs attention.
const MAX_SNOOZE: chrono::Duration = chrono::Duration::days(14);

/// How often in a row. A long backlog at a low rate puts its last tasks off a hundred times; nothing needs this many.
const MAX_SNOOZES: u32 = 1000;

/// How long the circuit is open after refused credentials, at first and at most. Somebody must renew them, so there
/// is no hurry.
const CREDENTIALS_BACKOFF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// How long the circuit is open while a vendor is down, at first and at most. It recovers by itself, and a probe is
/// cheap.
const VENDOR_DOWN_BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// The longest time that a circuit is open.
pub const LONGEST_CIRCUIT: Duration = CREDENTIALS_BACKOFF.1;

/// The longest time that a circuit is open because a vendor is down.
pub const LONGEST_OUTAGE_CIRCUIT: Duration = VENDOR_DOWN_BACKOFF.1;

/// How long a circuit is open for this reason after `faults` faults in a row: doubled by each, up to a
/// bound.
pub fn circuit_open_for(reason: Reason, faults: u32) -> Duration {
    doubled(if reason == Reason::VendorDown { VENDOR_DOWN_BACKOFF } else { CREDENTIALS_BACKOFF }, faults)
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnd<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// Since when a begun action is not known to have ended.
    pub in_doubt_since: Option<Timestamp>,
    /// It was not its turn at a vendor, so it goes on waiting where it was. Not so after a vendor's own 429: a subject that
    /// draws one each time would stand in front for ever.
    pub keeps_place: bool,
    /// When it ended.
    pub at: Timestamp,
    /// Spreads retries, in 0..1.
    pub jitter: f64,
}

/// A task's next state, provided that its revision is the one that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The next state.
    pub state: TaskState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// When it may be claimed again; for a closed one, when it was closed.
    pub due_at: Timestamp,
    /// Failures that count towards the limit from now on.
    pub failures: u32,
    /// Actions performed for this task.
    pub actions: u32,
    /// Attempts in a row that were snoozed and do not count as failures.
    pub snoozes: u32,
    /// No task of the connection is claimed before this time.
    pub circuit_open_until: Option<Timestamp>,
    /// True where a new event ends the wait. A backoff after a fault goes on.
    pub is_waiting: bool,
}

/// Decides the next state of a task.
pub fn transition(task: &LeasedTask, end: &AttemptEnd<'_>, policy: &RetryPolicy) -> Transition {
    let AttemptEnd { outcome, in_doubt_since, at, jitter, .. } = *end;
    let next = Transition {
        state: if in_doubt_since.is_some() { TaskState::InDoubt } else { TaskState::Pending },
        reason: outcome.reason(),
        due_at: at,
        failures: task.failures,
        actions: task.actions,
        snoozes: task.snoozes,
        circuit_open_until: None,
        is_waiting: false,
    };
    let dead = |reason| Transition { state: TaskState::Dead, reason: Some(reason), ..next.clone() };
    let failures_before = task.failures.saturating_sub(1);
    let is_exhausted = task.failures >= policy.attempts;
    let is_snoozed_too_long = at - task.created_at > MAX_SNOOZE || task.snoozes + 1 >= MAX_SNOOZES;
    match outcome {
        // A vendor that goes on saying no has answered: this is not unknown, whatever an earlier call was.
        Outcome::Retryable { reason: Reason::Conflict } if is_exhausted => dead(Reason::Conflict),
        // Unknown for too long: stop retrying and ask an operator.
        Outcome::Retryable { .. } | Outcome::Unknown { .. } | Outcome::Snoozed { .. }
            if is_unknown_too_long(task, end, policy) =>
        {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Retryable { .. } | Outcome::Unknown { .. } if is_exhausted && in_doubt_since.is_some() => {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Acted if task.actions + 1 >= MAX_ACTIONS => dead(Reason::NotConverging),
        Outcome::Acted => Transition { failures: 0, snoozes: 0, actions: task.actions + 1, ..next },
        Outcome::InSync => Transition { state: TaskState::Done, ..next },
        Outcome::Skipped { .. } => Transition { state: TaskState::Skipped, ..next },
        Outcome::Waiting { until, .. } => {
            Transition { due_at: *until, failures: failures_before, is_waiting: true, ..next }
        }
        Outcome::Retryable { reason } | Outcome::Unknown { reason } if is_exhausted => dead(*reason),
        Outcome::Retryable { .. } => {
            Transition { due_at: at + policy.backoff(task.failures, jitter), ..next }
        }
        Outcome::Snoozed { .. } | Outcome::ConnectionFault { .. } if is_snoozed_too_long => {
            dead(Reason::SnoozedTooLong)
        }
        Outcome::Snoozed { .. } if end.keeps_place => Transition {
            due_at: task.due_at.min(at),
            failures: failures_before,
            snoozes: task.snoozes + 1,
            ..next
        },
        Outcome::Snoozed { after, .. } => {
            let wait = after.map_or(policy.backoff(1, jitter), |asked| policy.clamp_retry_after(asked));
            Transition { due_at: at + wait, failures: failures_before, snoozes: task.snoozes + 1, ..next }
        }
        Outcome::Unknown { .. } => {
            Transition { state: TaskState::InDoubt, due_at: at + policy.recheck_delay, ..next }
        }
        Outcome::Permanent { reason } => dead(*reason),
        Outcome::ConnectionFault { .. } => {
            let until = at + circuit_open_for(Reason::CredentialsRefused, task.connection_faults);
            Transition {
                due_at: until,
                failures: failures_before,
                snoozes: task.snoozes + 1,
                circuit_open_until: Some(until),
                ..next
            }
        }
    }
}

/// True where an outcome has stayed unknown for longer than `[retry] unknown_for`. A task that an operator opened
/// again has its own time.
fn is_unknown_too_long(task: &LeasedTask, end: &AttemptEnd<'_>, policy: &RetryPolicy) -> bool {
    let unknown_for = end.in_doubt_since.map(|since| end.at - since.max(task.created_at));
    unknown_for.is_some_and(|age| age.to_std().is_ok_and(|age| age > policy.unknown_for))
}

#[cfg(test)]
mod tests;
