//! Table `task`: returned claims, rescue, and operator decisions. Attempts begin in `claim` and end in `settle`.
//! Every change names the state that it expects, and the claim where there is one.

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    event::subject::{Subject, SubjectKind},
    id::TaskId,
    task::{
        reason::Reason,
        state::{LeasedTask, TaskState},
        transition::LONGEST_CIRCUIT,
    },
};

/// How many held-back tasks become due at once when a vendor's writes go through again. The others become due in their time.
const MAX_WOKEN: i64 = 1000;

/// What a fenced write found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// The claim was still valid: written.
    Written,
    /// The task was rescued meanwhile: nothing was changed.
    LeaseLost,
}

impl Fenced {
    pub(super) const fn from_rows(rows: u64) -> Self {
        if rows == 1 { Self::Written } else { Self::LeaseLost }
    }
}

/// Parses a subject from a row.
pub fn parse_subject(text: &str) -> Result<Subject> {
    text.parse().map_err(|_| StoreError::Inconsistent { table: "task", column: "subject" })
}

// A row has a claim id exactly while it is leased (`task_leased_iff_claimed`), so the fenced statements below
// test the claim id alone. With `state = 'leased'` beside it the planner may read the small index of leases
// instead of the primary key, and under a long snapshot that index is full of dead entries.

/// Checks that a claim is still valid. Called right before a call that overwrites, in case the process slept
/// past its lease.
pub async fn verify_claim(db: &mut PgConnection, leased: &LeasedTask) -> Result<Fenced> {
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "count!" from task where id = $1 and claim_id = $2"#,
        leased.id.0,
        leased.claim.0,
    );
    let rows = rows.fetch_one(db).await?;
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// Makes tasks that wait for this reason due now. A leased task of the same kind may be about to wait for it,
/// so its revision is raised.
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

/// Makes tasks due whose write was held back for this reason, at most `MAX_WOKEN` of them, the first in turn first. What is
/// leased is left alone: it finds out by itself.
pub async fn wake_held_back(
    db: &mut PgConnection,
    connection: &str,
    reason: Reason,
    now: Timestamp,
) -> Result<u64> {
    let latest = now + LONGEST_CIRCUIT;
    let done = sqlx::query!(
        "
        with held_back as (
            select id, connection from task
            where connection = $1 and state in ('pending', 'in_doubt') and reason = $2
              and due_at > $3 and due_at <= $4 and snoozes > 0
            order by priority, due_at
            limit $5
            for update skip locked
        )
        update task set due_at = $3
        from held_back
        where task.id = held_back.id and task.connection = held_back.connection
        ",
        connection,
        reason.code(),
        now,
        latest,
        MAX_WOKEN,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Returns the claim of an attempt that made no call, as if it had not been taken. Where it was not its turn at a vendor,
/// `waits` says the state and reason in which it goes on waiting where it was.
pub async fn return_claim(
    db: &mut PgConnection,
    leased: &LeasedTask,
    waits: Option<(TaskState, Reason)>,
) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        update task set
            -- Only the subject state knows whether it was in doubt before; one time too often costs one read.
            state = coalesce($3, case when reason is null then 'pending' else 'in_doubt' end),
            reason = coalesce($4, reason),
            failures = failures - 1,
            attempts = attempts - 1,
            claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
        where id = $1 and claim_id = $2
        ",
        leased.id.0,
        leased.claim.0,
        waits.map(|(state, _)| state.as_str()),
        waits.map(|(_, reason)| reason.code()),
    );
    Ok(Fenced::from_rows(done.execute(db).await?.rows_affected()))
}

/// Locks the open task of a subject against a claim until the transaction ends. Returns its state; `None` where there is none.
pub async fn lock_open(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Option<String>> {
    let state = sqlx::query_scalar!(
        "select state from task
         where connection = $1 and subject = $2 and state in ('pending', 'leased', 'in_doubt')
         for update",
        connection,
        subject,
    );
    Ok(state.fetch_optional(db).await?)
}

/// Rescues every task whose lease has run out: in doubt and due at once, or dead if its failures are used up
/// and its revision has not grown since the claim. Records the lost attempts; returns how many.
pub async fn rescue_expired(db: &mut PgConnection, max_failures: u32, now: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "
        with expired as (
            select
                id, connection, kind, subject, claim_id, claimed_at, attempts,
                failures >= $1 and revision = claimed_revision as is_exhausted
            from task
            where state = 'leased' and leased_until < $2
            for update skip locked
        ),
        rescued as (
            update task set
                state = case when is_exhausted then 'dead' else 'in_doubt' end,
                reason = $3,
                due_at = $2,
                settled_at = case when is_exhausted then $2 end,
                claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
            from expired where expired.id = task.id
        ),
        counted as (
            insert into open_task_change (connection, kind, change)
            select connection, kind, -count(*) from expired where is_exhausted group by connection, kind
        ),
        settling as (
            -- Its call ended at an unknown time before now, so the settling time before a resend starts now.
            update action set state = 'unknown', ended_at = $2, reads = 0
            from expired
            where action.connection = expired.connection and action.subject = expired.subject
              and action.state = 'begun'
        )
        insert into attempt (task_id, number, connection, claim_id, started_at, ended_at, outcome, reason)
        select id, attempts, connection, claim_id, claimed_at, $2, 'lost', $3 from expired
        ",
        saturating_i32(max_failures),
        now,
        Reason::LeaseExpired.code(),
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Marks a new task as the replay of a closed one.
pub async fn mark_replay(db: &mut PgConnection, opened: TaskId, replay_of: TaskId) -> Result<()> {
    sqlx::query!("update task set replay_of = $2 where id = $1", opened.0, replay_of.0).execute(db).await?;
    Ok(())
}

/// Cancels an open task that is not leased; false if there is none with this id.
pub async fn cancel(db: &mut PgConnection, id: TaskId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "with cancelled as (
             update task set state = 'cancelled', reason = $2, settled_at = $3
             where id = $1 and claim_id is null and settled_at is null
             returning connection, kind
         )
         insert into open_task_change (connection, kind, change) select connection, kind, -1 from cancelled",
        id.0,
        Reason::CancelledByOperator.code(),
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// What an operator found out about a task in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The action was applied: close the task.
    Done,
    /// The action was not applied: try again now.
    Pending,
}

/// Settles a task in doubt as the operator says; false if it is not in doubt.
pub async fn resolve(
    db: &mut PgConnection,
    id: TaskId,
    resolution: Resolution,
    now: Timestamp,
) -> Result<bool> {
    let is_done = resolution == Resolution::Done;
    let done = sqlx::query!(
        "with resolved as (
             update task set
                 state = case when $2 then 'done' else 'pending' end,
                 settled_at = case when $2 then $3::timestamptz end,
                 due_at = $3, reason = $4, failures = 0
             where id = $1 and state = 'in_doubt'
             returning connection, kind
         )
         -- Only a closed one is no longer open.
         insert into open_task_change (connection, kind, change)
         select connection, kind, case when $2 then -1 else 0 end from resolved",
        id.0,
        is_done,
        now,
        Reason::ResolvedByOperator.code(),
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Marks a dead task of an order as handled by a person; false if it needs no attention any more, or stopped for another reason.
pub async fn mark_handled(
    db: &mut PgConnection,
    id: TaskId,
    reasons: &[&str],
    (actor, now): (&str, Timestamp),
) -> Result<bool> {
    let done = sqlx::query!(
        "update task set handled_at = $3, handled_by = $4
         where id = $1 and state = 'dead' and handled_at is null and exists (
             select from dead_letter
             where dead_letter.id = task.id and dead_letter.kind = 'order' and dead_letter.reason = any($2)
         )",
        id.0,
        reasons as &[&str],
        now,
        actor,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// A counter as its column's type; counters never come near its limit.
pub(super) fn saturating_i32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
