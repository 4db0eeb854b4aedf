//! Table `task`: release, rescue, and what a person decides; how attempts begin is in `claiming`, how they end in
//! `settling`. Every change names the state, and where there is one the claim, that it expects.

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    event::subject::{Subject, SubjectKind},
    id::TaskId,
    task::{outcome::Reason, state::LeasedTask},
};

/// What a fenced write found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// We still leased the lease: written.
    Written,
    /// Somebody rescued it meanwhile: nothing was changed.
    LeaseLost,
}

impl Fenced {
    pub(super) const fn from_rows(rows: u64) -> Self {
        if rows == 1 { Self::Written } else { Self::LeaseLost }
    }
}

/// A subject as a row has it.
pub fn parse_subject(text: &str) -> Result<Subject> {
    text.parse().map_err(|_| StoreError::Inconsistent { table: "task", column: "subject" })
}

// A claim's id stands in a row exactly while it is leased (`task_leased_iff_claimed`), so the fenced statements below
// ask for it alone. Said beside it, `state = 'leased'` would let the planner read the small index of leases instead of the
// primary key; under somebody's long snapshot that index is full of dead entries.

/// Is a claim still ours? Asked right before a call that overwrites: whoever slept over his lease learns it here.
pub async fn verify_claim(db: &mut PgConnection, leased: &LeasedTask) -> Result<Fenced> {
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "count!" from task where id = $1 and claim_id = $2"#,
        leased.id.0,
        leased.claim.0,
    );
    let rows = rows.fetch_one(db).await?;
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// What waits for this reason is due now. One of its kind that is just being worked on may be about to wait for it: for
/// that one it is news.
pub async fn wake_waiting(
    db: &mut PgConnection,
    connection: &str,
    kind: SubjectKind,
    reason: Reason,
    now: Timestamp,
) -> Result<u64> {
    let done = sqlx::query!(
        "update task set
             due_at = case when state = 'pending' then $4 else due_at end,
             revision = case when state = 'leased' then revision + 1 else revision end
         where connection = $1
           and (state = 'pending' and reason = $3 and due_at > $4 or state = 'leased' and kind = $2)",
        connection,
        kind.as_str(),
        reason.code(),
        now,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Gives a claim back that was never begun: as if it had not been taken.
pub async fn release(db: &mut PgConnection, leased: &LeasedTask) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        update task set
            -- Whether it was in doubt before, only the subject_state knows; saying so once too often costs one look.
            state = case when reason is null then 'pending' else 'in_doubt' end,
            failures = failures - 1,
            attempts = attempts - 1,
            claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
        where id = $1 and claim_id = $2
        ",
        leased.id.0,
        leased.claim.0,
    );
    Ok(Fenced::from_rows(done.execute(db).await?.rows_affected()))
}

/// Takes back every lease that has run out: in doubt and due at once, or dead when its attempts are spent and nothing
/// new was told meanwhile. Writes the lost attempts into the diary. Answers how many.
pub async fn rescue_expired(db: &mut PgConnection, max_attempts: u32, now: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "
        with expired as (
            select id, connection, subject, claim_id, claimed_at, attempts, failures >= $1 and revision = claimed_revision as spent
            from task
            where state = 'leased' and leased_until < $2
            for update skip locked
        ),
        rescued as (
            update task set
                state = case when spent then 'dead' else 'in_doubt' end,
                reason = $3,
                due_at = $2,
                settled_at = case when spent then $2 end,
                claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
            from expired where expired.id = task.id
        ),
        doubted as (
            -- When its call ended nobody knows, but it was before now: the settling time before a resend runs from here.
            update subject_state set begun_at = $2
            from expired
            where subject_state.connection = expired.connection and subject_state.subject = expired.subject
              and subject_state.begun_action is not null
        )
        insert into attempt (task_id, number, connection, claim_id, started_at, ended_at, outcome, reason)
        select id, attempts, connection, claim_id, claimed_at, $2, 'lost', $3 from expired
        ",
        saturating_i32(max_attempts),
        now,
        Reason::LeaseExpired.code(),
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Marks a task just opened as the replay of a closed one.
pub async fn mark_replay(db: &mut PgConnection, opened: TaskId, replay_of: TaskId) -> Result<()> {
    sqlx::query!("update task set replay_of = $2 where id = $1", opened.0, replay_of.0).execute(db).await?;
    Ok(())
}

/// Cancels a task that waits; false where it is not waiting (running, closed or unknown).
pub async fn cancel(db: &mut PgConnection, id: TaskId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update task set state = 'cancelled', reason = $2, settled_at = $3
         where id = $1 and claim_id is null and settled_at is null",
        id.0,
        Reason::CancelledByOperator.code(),
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// What a person found out about a task in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It was done: close it.
    Done,
    /// It was not done: try again now.
    Pending,
}

/// Settles a task in doubt by a person's word; false where it is not in doubt.
pub async fn resolve(
    db: &mut PgConnection,
    id: TaskId,
    resolution: Resolution,
    now: Timestamp,
) -> Result<bool> {
    let is_done = resolution == Resolution::Done;
    let done = sqlx::query!(
        "update task set
             state = case when $2 then 'done' else 'pending' end,
             settled_at = case when $2 then $3::timestamptz end,
             due_at = $3, reason = $4, failures = 0
         where id = $1 and state = 'in_doubt'",
        id.0,
        is_done,
        now,
        Reason::ResolvedByOperator.code(),
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Counters in rows are never near the limit of an `integer`.
pub(super) fn saturating_i32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
