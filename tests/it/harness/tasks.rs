//! Claims and settles tasks by hand, as a worker does.

use silta::{
    domain::{
        Timestamp,
        task::{
            outcome::Outcome,
            retry::RetryPolicy,
            state::LeasedTask,
            transition::{AttemptEnd, Transition},
        },
    },
    runtime::clock::Entropy,
    store::{
        claim::{self, ClaimRequest, ConnectionCapacity},
        settle::{self, AttemptRecord, SettledAttempt},
        tasks::Fenced,
    },
};
use sqlx::PgConnection;

use super::secs;

/// The end of an attempt with this outcome, in no doubt and without jitter.
pub fn attempt_end(outcome: &Outcome, at: Timestamp) -> AttemptEnd<'_> {
    AttemptEnd { outcome, in_doubt_since: None, keeps_place: false, at, jitter: 0.0 }
}

/// The retry policy of attempts that a test settles by hand.
pub const POLICY: RetryPolicy =
    RetryPolicy { base: secs(1), cap: secs(9), attempts: 3, recheck_delay: secs(1), unknown_for: secs(60) };

/// Claims up to `count` due tasks of these connections for a minute, as a worker of its own.
pub async fn claim_tasks(
    db: &mut PgConnection,
    connections: &[String],
    count: usize,
    now: Timestamp,
) -> Vec<LeasedTask> {
    let entropy = Entropy::from_os();
    let claim_ids: Vec<_> = (0..count).map(|_| entropy.fence()).collect();
    let capacity = |name: &String| ConnectionCapacity {
        connection: name.clone(),
        max_tasks: count,
        max_background: count,
        max_risen: 0,
    };
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: "test",
        capacities: &connections.iter().map(capacity).collect::<Vec<_>>(),
        background: count,
        is_trial: false,
        since: Timestamp::UNIX_EPOCH,
        now,
        leased_until: now + secs(60),
    };
    claim::claim_due(db, &request).await.unwrap()
}

/// Settles one attempt.
pub async fn settle_task(
    db: &mut PgConnection,
    leased: &LeasedTask,
    outcome: &Outcome,
    next: &Transition,
    now: Timestamp,
) -> Fenced {
    let settled = SettledAttempt { leased, next, entry: AttemptRecord::without_calls(outcome) };
    settle::settle(db, &[settled], now).await.unwrap().remove(0)
}
