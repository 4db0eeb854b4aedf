//! What settled attempts write into table `action`: all of a batch at once, in the transaction of the settle.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, actions::digest, tasks::saturating_i32};
use crate::domain::{
    Timestamp,
    task::{
        action::{LedgerChange, NewAction},
        state::LeasedTask,
    },
};

/// What one attempt writes.
#[derive(Clone, Copy, Debug)]
pub struct AttemptChanges<'a> {
    /// The claim; it was checked by the settle in the same transaction.
    pub leased: &'a LeasedTask,
    /// What it found, in order.
    pub changes: &'a [LedgerChange],
    /// True where it may have begun an action whose end it does not know.
    pub may_have_begun: bool,
}

/// Writes the changes of a batch of settled attempts.
pub async fn write(db: &mut PgConnection, batch: &[AttemptChanges<'_>], now: Timestamp) -> Result<()> {
    end(db, batch, now).await?;
    count_reads(db, batch).await?;
    leave_unknown(db, batch, now).await?;
    for AttemptChanges { leased, changes, .. } in batch {
        for change in *changes {
            if let LedgerChange::Performed { action, state } = change {
                enter(db, leased, action, state.as_str(), now).await?;
            }
        }
    }
    Ok(())
}

/// Ends open actions. One that has ended already, or that a person has resolved, stays as it is.
async fn end(db: &mut PgConnection, batch: &[AttemptChanges<'_>], now: Timestamp) -> Result<()> {
    let (mut keys, mut states, mut remote_ids) = (Keys::default(), Vec::new(), Vec::new());
    for AttemptChanges { leased, changes, .. } in batch {
        for change in *changes {
            if let LedgerChange::Ended { number, state, remote_id } = change {
                keys.push(leased, *number);
                states.push(state.as_str());
                remote_ids.push(remote_id.as_deref());
            }
        }
    }
    if keys.numbers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update action set
             state = ended.state, ended_at = $6, remote_id = coalesce(ended.remote_id, action.remote_id),
             reads = 0
         from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[])
             as ended (connection, subject, number, state, remote_id)
         where action.connection = ended.connection and action.subject = ended.subject
           and action.number = ended.number and action.state in ('begun', 'unknown')",
        &keys.connections as &[&str],
        &keys.subjects,
        &keys.numbers,
        &states as &[&str],
        &remote_ids as &[Option<&str>],
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Counts reads that have not found the effect of an open action.
async fn count_reads(db: &mut PgConnection, batch: &[AttemptChanges<'_>]) -> Result<()> {
    let mut keys = Keys::default();
    for AttemptChanges { leased, changes, .. } in batch {
        for change in *changes {
            if let LedgerChange::ReadInVain { number } = change {
                keys.push(leased, *number);
            }
        }
    }
    if keys.numbers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update action set reads = reads + 1
         from unnest($1::text[], $2::text[], $3::integer[]) as read (connection, subject, number)
         where action.connection = read.connection and action.subject = read.subject
           and action.number = read.number and action.state in ('begun', 'unknown')",
        &keys.connections as &[&str],
        &keys.subjects,
        &keys.numbers,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whatever an attempt began and does not say the end of is unknown from now on.
async fn leave_unknown(db: &mut PgConnection, batch: &[AttemptChanges<'_>], now: Timestamp) -> Result<()> {
    let mut keys = Keys::default();
    let mut claims: Vec<Uuid> = Vec::new();
    for AttemptChanges { leased, .. } in batch.iter().filter(|it| it.may_have_begun) {
        keys.push(leased, 0);
        claims.push(leased.claim.0);
    }
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update action set state = 'unknown', ended_at = $4, reads = 0
         from unnest($1::text[], $2::text[], $3::uuid[]) as began (connection, subject, claim_id)
         where action.connection = began.connection and action.subject = began.subject
           and action.claim_id = began.claim_id and action.state = 'begun'",
        &keys.connections as &[&str],
        &keys.subjects,
        &claims,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Enters an action that was performed without having been begun.
async fn enter(
    db: &mut PgConnection,
    leased: &LeasedTask,
    action: &NewAction,
    state: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into action (
             connection, subject, number, kind, target, repeat, task_id, attempt, claim_id, idempotency_key, reference,
             sent, sent_digest, inputs, inputs_digest, policy_digest, state, begun_at, ended_at
         )
         select
             $1, $2, coalesce(max(number), 0) + 1, $3, $4,
             count(*) filter (
                 where kind = $3 and target = $4 and state in ('begun', 'unknown', 'applied', 'resolved_applied')
             ) + 1,
             $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16
         from action where connection = $1 and subject = $2",
        leased.connection,
        leased.subject.to_string(),
        action.kind.as_str(),
        action.target,
        leased.id.0,
        saturating_i32(leased.number),
        leased.claim.0,
        action.key,
        action.reference,
        action.sent,
        action.sent.as_ref().map(digest),
        action.inputs,
        action.inputs.as_ref().map(digest),
        action.policy_digest,
        state,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Names entries, as `unnest` takes them.
#[derive(Default)]
struct Keys<'a> {
    connections: Vec<&'a str>,
    subjects: Vec<String>,
    numbers: Vec<i32>,
}

impl<'a> Keys<'a> {
    fn push(&mut self, leased: &'a LeasedTask, number: i32) {
        self.connections.push(&leased.connection);
        self.subjects.push(leased.subject.to_string());
        self.numbers.push(number);
    }
}
