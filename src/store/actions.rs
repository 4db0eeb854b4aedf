//! Table `action`: the ledger of what was begun for each subject. [`crate::domain::task::action`] says what is
//! concluded from it.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    task::{
        action::{ActionState, LedgerEntry},
        ledger::Ledger,
    },
};

/// An entry as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ActionRow {
    /// Its place in the order of the subject's actions, from 1.
    pub number: i32,
    /// `place`, `place_replacement`, `adopt`, `update`, `cancel`, `complete`, `activate_payment`, `complete_shipment` or
    /// `create`.
    pub kind: String,
    /// A shipment's id or an item, where there are several.
    pub target: String,
    /// `begun`, `unknown`, `applied`, `refused`, `not_sent`, `resolved_applied` or `resolved_not_applied`.
    pub state: String,
    /// Our reference at the warehouse, as sent.
    pub reference: Option<String>,
    /// Its id at the vendor.
    pub remote_id: Option<String>,
    /// Sent with it.
    pub idempotency_key: String,
    /// Task in which it was begun.
    pub task_id: Uuid,
    /// Number of the attempt.
    pub attempt: i32,
    /// Who found out what happened, where a person did.
    pub resolved_by: Option<String>,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When its end was known.
    pub ended_at: Option<Timestamp>,
    /// What was sent, redacted.
    pub sent: Option<Value>,
}

/// Lists the actions of a subject, in their order.
pub async fn list(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Vec<ActionRow>> {
    let rows = sqlx::query_as!(
        ActionRow,
        "select number, kind, target, state, reference, remote_id, idempotency_key, task_id, attempt, resolved_by,
                begun_at, ended_at, sent
         from action where connection = $1 and subject = $2 order by number",
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Loads the ledgers of subjects, in their order.
pub async fn load(db: &mut PgConnection, connections: &[&str], subjects: &[String]) -> Result<Vec<Ledger>> {
    let rows = sqlx::query!(
        r#"
        select position as "position!", number, kind, target, state, reference, sent, inputs, begun_at, ended_at,
               reads
        from unnest($1::text[], $2::text[]) with ordinality as wanted (connection, subject, position)
        join action on action.connection = wanted.connection and action.subject = wanted.subject
        order by position, number
        "#,
        connections as &[&str],
        subjects,
    )
    .fetch_all(db)
    .await?;
    let mut ledgers = vec![Ledger::default(); subjects.len()];
    for row in rows {
        let inconsistent = |column| StoreError::Inconsistent { table: "action", column };
        let entry = LedgerEntry {
            number: row.number,
            kind: row.kind.parse().map_err(|_| inconsistent("kind"))?,
            target: row.target,
            state: row.state.parse().map_err(|_| inconsistent("state"))?,
            reference: row.reference,
            sent: row.sent,
            inputs: row.inputs,
            begun_at: row.begun_at,
            ended_at: row.ended_at,
            reads: row.reads.unsigned_abs(),
            watched: None,
        };
        let position = usize::try_from(row.position - 1).map_err(|_| inconsistent("number"))?;
        ledgers.get_mut(position).ok_or_else(|| inconsistent("number"))?.0.push(entry);
    }
    Ok(ledgers)
}

/// What a person found out at a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// It was applied.
    pub was_applied: bool,
    /// It concerns what was placed and what the warehouse no longer shows: an order, or a replacement.
    pub vanished: Option<Vanished>,
}

/// What the warehouse no longer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vanished {
    /// The order itself.
    Order,
    /// A replacement.
    Replacement,
}

impl Vanished {
    /// The actions that put it there.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Order => &["place", "adopt"],
            Self::Replacement => &["place_replacement"],
        }
    }
}

/// Enters what a person found out about the actions of a subject whose outcome is unknown. Returns how many that are.
pub async fn resolve(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    found: Found,
    actor: &str,
    now: Timestamp,
) -> Result<u64> {
    let Found { was_applied, vanished } = found;
    let state = if was_applied { ActionState::ResolvedApplied } else { ActionState::ResolvedNotApplied };
    let done = sqlx::query!(
        "update action set state = $3, resolved_by = $4, ended_at = $5
         where connection = $1 and subject = $2
           and (state in ('begun', 'unknown') or kind = any($6) and state = 'applied')",
        connection,
        subject,
        state.as_str(),
        actor,
        now,
        vanished.map_or(&[][..], Vanished::kinds) as &[&str],
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Removes what was sent and what it was made from; what was done remains. Called inside the erasure's transaction.
pub async fn redact(db: &mut PgConnection, connection: &str, subject: &str) -> Result<()> {
    let done = sqlx::query!(
        "update action set sent = null, inputs = null where connection = $1 and subject = $2",
        connection,
        subject,
    );
    done.execute(db).await?;
    Ok(())
}
