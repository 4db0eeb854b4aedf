//! What settled attempts write into table `action`: all of a batch at once, in the transaction of the settle.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    begun_actions::{self, Beginning},
};
use crate::domain::{
    Timestamp,
    task::{ledger::LedgerChange, state::LeasedTask},
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
    for (leased, change) in each(batch) {
        if let LedgerChange::Performed { action, state } = change {
            begun_actions::enter(db, Beginning { leased, action }, *state, now).await?;
        }
    }
    Ok(())
}

/// Every change of a batch, with its claim.
fn each<'a>(batch: &[AttemptChanges<'a>]) -> impl Iterator<Item = (&'a LeasedTask, &'a LedgerChange)> {
    batch.iter().flat_map(|AttemptChanges { leased, changes, .. }| changes.iter().map(|it| (*leased, it)))
}

/// Ends open actions. One that has ended already, or that a person has resolved, stays as it is.
async fn end(db: &mut PgConnection, batch: &[AttemptChanges<'_>], now: Timestamp) -> Result<()> {
    let (mut keys, mut states, mut remote_ids) = (Keys::default(), Vec::new(), Vec::new());
    for (leased, change) in each(batch) {
        if let LedgerChange::Ended { number, state, remote_id } = change {
            keys.push(leased, *number);
            states.push(state.as_str());
            remote_ids.push(remote_id.as_deref());
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
    for (leased, change) in each(batch) {
        if let LedgerChange::ReadInVain { number } = change {
            keys.push(leased, *number);
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
