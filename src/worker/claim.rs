//! Claims due tasks, with the known state of their subjects.

use sqlx::PgPool;

use super::{Deps, slots::Slots};
use crate::{
    domain::{
        Timestamp,
        task::{state::LeasedTask, subject_state::KnownSubject},
    },
    store::{
        self,
        claim::{ClaimRequest, ConnectionCapacity, claim_due},
        subject_states,
    },
};

/// A claimed task.
pub(super) struct ClaimedTask {
    pub(super) leased: LeasedTask,
    /// What is known of the subject; `None` where it could not be read.
    pub(super) known: Option<KnownSubject>,
}

/// Claims as many due tasks of these connections as there are free slots, looking at none that was due before `since`.
pub(super) async fn claim(
    deps: &Deps,
    slots: &Slots,
    connections: &[String],
    since: Timestamp,
) -> store::Result<Vec<ClaimedTask>> {
    let Deps { pool, clock, entropy, options, .. } = deps;
    let free = slots.free(connections, clock.monotonic());
    if free.capacities.is_empty() {
        return Ok(Vec::new());
    }
    let claim_ids: Vec<_> = (0..free.all).map(|_| entropy.fence()).collect();
    let now = clock.now();
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: &options.name,
        capacities: &free.capacities,
        background: free.background,
        is_trial: false,
        since,
        now,
        leased_until: now + options.lease,
    };
    claim_with_states(pool, &request).await
}

/// Claims one due task of a connection although its circuit is open.
pub(super) async fn claim_trial(deps: &Deps, connection: &str) -> store::Result<Option<ClaimedTask>> {
    let Deps { pool, clock, entropy, options, .. } = deps;
    let now = clock.now();
    let request = ClaimRequest {
        claim_ids: &[entropy.fence()],
        worker: &options.name,
        capacities: &[ConnectionCapacity {
            connection: connection.to_owned(),
            max_tasks: 1,
            max_background: 1,
            max_risen: 0,
        }],
        background: 1,
        is_trial: true,
        since: Timestamp::UNIX_EPOCH,
        now,
        leased_until: now + options.lease,
    };
    Ok(claim_with_states(pool, &request).await?.pop())
}

async fn claim_with_states(pool: &PgPool, request: &ClaimRequest<'_>) -> store::Result<Vec<ClaimedTask>> {
    let mut db = pool.acquire().await?;
    let leased = claim_due(&mut db, request).await?;
    if leased.is_empty() {
        return Ok(Vec::new());
    }
    let connections: Vec<_> = leased.iter().map(|leased| leased.connection.as_str()).collect();
    let subjects: Vec<_> = leased.iter().map(|leased| leased.subject.to_string()).collect();
    let known = subject_states::load(&mut db, &connections, &subjects).await;
    let mut known = known.unwrap_or_else(|error| {
        // The claims are committed: each attempt is settled as retryable.
        tracing::warn!(error = %error, "cannot load the states of claimed subjects");
        Vec::new()
    });
    let mut known = known.drain(..);
    Ok(leased.into_iter().map(|leased| ClaimedTask { leased, known: known.next() }).collect())
}
