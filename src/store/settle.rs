//! Ends attempts: settles table `task` and writes table `attempt`, in one statement.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    tasks::{Fenced, saturating_i32},
};
use crate::domain::{
    Timestamp,
    task::{outcome::Outcome, reason::Reason, state::LeasedTask, transition::Transition},
};

/// What is recorded of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct AttemptRecord<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The one action decided on.
    pub action: Option<&'a str>,
    /// The key sent with the action.
    pub idempotency_key: Option<&'a str>,
    /// Explanation for people; never personal data.
    pub detail: Option<&'a str>,
    /// Every call in order: a JSON array.
    pub calls: &'a str,
}

impl<'a> AttemptRecord<'a> {
    /// The record of an attempt that made no call.
    pub const fn without_calls(outcome: &'a Outcome) -> Self {
        Self { outcome, action: None, idempotency_key: None, detail: None, calls: "[]" }
    }
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub struct SettledAttempt<'a> {
    /// The claim.
    pub leased: &'a LeasedTask,
    /// What follows for the task.
    pub next: &'a Transition,
    /// What is recorded.
    pub entry: AttemptRecord<'a>,
}

/// Settles attempts and records them, all in one statement; returns for each whether it was written.
///
/// If the revision has grown since the claim, the attempt did not read the latest state. Then a task that the
/// transition would close stays open, due at once and with no failures, and one that would wait is due at
/// once.
pub async fn settle(
    db: &mut PgConnection,
    settled: &[SettledAttempt<'_>],
    now: Timestamp,
) -> Result<Vec<Fenced>> {
    let mut in_lock_order: Vec<_> = settled.iter().collect();
    in_lock_order.sort_by_key(|it| it.leased.id.0); // one lock order for all writers, as in `ingest`
    let mut columns = Columns::default();
    for settled in in_lock_order {
        columns.push(settled);
    }
    let written = execute(db, &columns, now).await?;
    Ok(settled.iter().map(|it| Fenced::from_rows(u64::from(written.contains(&it.leased.id.0)))).collect())
}

/// Runs the statement; returns the ids of the tasks that were still leased under their claim.
async fn execute(db: &mut PgConnection, columns: &Columns<'_>, now: Timestamp) -> Result<HashSet<Uuid>> {
    let written = sqlx::query_scalar!(
        r#"
        with ended as materialized (
            select * from unnest(
                $1::uuid[], $2::uuid[], $3::text[], $4::bool[], $5::text[], $6::timestamptz[], $7::integer[],
                $8::integer[], $9::bool[], $10::integer[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::text[], $18::text[], $20::integer[]
            ) as ended (
                id, claim_id, state, is_closed, reason, due_at, failures,
                actions, is_waiting, number, started_at, outcome, outcome_reason, action,
                idempotency_key, detail, calls, connection, snoozes
            )
        ),
        written as (
            update task set
                state = case when ended.is_closed and revision > claimed_revision then 'pending' else ended.state end,
                reason = ended.reason,
                due_at = case
                    when (ended.is_closed or ended.is_waiting) and revision > claimed_revision then $19::timestamptz
                    else ended.due_at
                end,
                settled_at = case when ended.is_closed and revision = claimed_revision then $19::timestamptz end,
                failures = case when ended.is_closed and revision > claimed_revision then 0 else ended.failures end,
                actions = ended.actions,
                snoozes = ended.snoozes,
                claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
            from ended
            where task.id = ended.id and task.connection = ended.connection and task.claim_id = ended.claim_id
            returning ended.*, task.kind, task.settled_at is not null as has_closed
        ),
        counted as (
            insert into open_task_change (connection, kind, change)
            select connection, kind, -count(*) from written where has_closed group by connection, kind
        ),
        -- Each claim has a number of its own, so the primary key refuses a second settle of one claim.
        recorded as (
            insert into attempt (
                task_id, number, connection, claim_id, started_at, ended_at, outcome, reason, action,
                idempotency_key, detail, calls
            )
            select
                id, number, connection, claim_id, started_at, greatest(started_at, $19::timestamptz), outcome,
                outcome_reason, action, idempotency_key, detail, calls::jsonb
            from written
        )
        select id as "id!" from written
        "#,
        &columns.id,
        &columns.claim,
        &columns.state as &[&str],
        &columns.is_closed,
        &columns.reason as &[Option<&str>],
        &columns.due_at,
        &columns.failures,
        &columns.actions,
        &columns.is_waiting,
        &columns.number,
        &columns.started_at,
        &columns.outcome as &[&str],
        &columns.outcome_reason as &[Option<&str>],
        &columns.action as &[Option<&str>],
        &columns.idempotency_key as &[Option<&str>],
        &columns.detail as &[Option<&str>],
        &columns.calls as &[&str],
        &columns.connection as &[&str],
        now,
        &columns.snoozes,
    );
    Ok(written.fetch_all(db).await?.into_iter().collect())
}

/// The settled attempts as columns, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    id: Vec<Uuid>,
    claim: Vec<Uuid>,
    connection: Vec<&'a str>,
    state: Vec<&'static str>,
    is_closed: Vec<bool>,
    reason: Vec<Option<&'static str>>,
    due_at: Vec<Timestamp>,
    failures: Vec<i32>,
    actions: Vec<i32>,
    snoozes: Vec<i32>,
    is_waiting: Vec<bool>,
    number: Vec<i32>,
    started_at: Vec<Timestamp>,
    outcome: Vec<&'static str>,
    outcome_reason: Vec<Option<&'static str>>,
    action: Vec<Option<&'a str>>,
    idempotency_key: Vec<Option<&'a str>>,
    detail: Vec<Option<&'a str>>,
    calls: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, SettledAttempt { leased, next, entry }: &SettledAttempt<'a>) {
        self.id.push(leased.id.0);
        self.claim.push(leased.claim.0);
        self.connection.push(&leased.connection);
        self.state.push(next.state.as_str());
        self.is_closed.push(next.state.is_closed());
        self.reason.push(next.reason.map(Reason::code));
        self.due_at.push(next.due_at);
        self.failures.push(saturating_i32(next.failures));
        self.actions.push(saturating_i32(next.actions));
        self.snoozes.push(saturating_i32(next.snoozes));
        self.is_waiting.push(next.is_waiting);
        self.number.push(saturating_i32(leased.number));
        self.started_at.push(leased.claimed_at);
        self.outcome.push(entry.outcome.as_str());
        self.outcome_reason.push(entry.outcome.reason().map(Reason::code));
        self.action.push(entry.action);
        self.idempotency_key.push(entry.idempotency_key);
        self.detail.push(entry.detail);
        self.calls.push(entry.calls);
    }
}
