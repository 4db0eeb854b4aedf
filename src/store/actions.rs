//! Table `action`: the ledger of what was begun for each subject. [`crate::domain::task::action`] says what is
//! concluded from it.

use serde_json::Value;
use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    digest::sha256_hex,
    task::{
        action::{ActionState, LedgerEntry, NewAction},
        ledger::Ledger,
        state::LeasedTask,
    },
};

/// What beginning an action came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is in the ledger, under this number.
    Entered(i32),
    /// The task was rescued meanwhile: nothing may be sent.
    LeaseLost,
    /// It was begun as often as is allowed in the life of its subject.
    TooOften,
}

/// Enters, before the call, that an action begins. Fenced by the claim: the next attempt sees that the vendor may
/// have applied it, and a stale worker learns that it must not send. Only the holder of the claim gets here, so
/// the numbers of a subject's actions are the order of claims.
pub async fn begin(
    db: &mut PgConnection,
    leased: &LeasedTask,
    action: &NewAction,
    now: Timestamp,
) -> Result<Begun> {
    match insert(db, leased, action, ActionState::Begun, now).await {
        Ok(number) => Ok(number.map_or(Begun::LeaseLost, Begun::Entered)),
        Err(error) if super::error::violates(&error, "action_repeats_bounded") => Ok(Begun::TooOften),
        Err(error) => Err(error.into()),
    }
}

/// Enters an action that was performed without having been begun. Called inside the settle transaction, which is fenced.
pub(super) async fn enter(
    db: &mut PgConnection,
    leased: &LeasedTask,
    action: &NewAction,
    state: ActionState,
    now: Timestamp,
) -> Result<()> {
    insert(db, leased, action, state, now).await?;
    Ok(())
}

/// Inserts an entry and returns its number. What begins is fenced: `None` where the claim is lost.
async fn insert(
    db: &mut PgConnection,
    leased: &LeasedTask,
    action: &NewAction,
    state: ActionState,
    now: Timestamp,
) -> std::result::Result<Option<i32>, sqlx::Error> {
    let entered = sqlx::query_scalar!(
        r#"
        with fence as (
            select id from task where $13::text = 'begun' and id = $1 and claim_id = $2 for update
        ),
        known as (
            select
                coalesce(max(number), 0) as number,
                count(*) filter (
                    where kind = $3 and (target = $4 or kind = 'place_replacement')
                      and state in ('begun', 'unknown', 'applied', 'resolved_applied')
                ) as repeats
            from action where connection = $15 and subject = $16
        )
        insert into action (
            connection, subject, number, kind, target, repeat, task_id, attempt, claim_id, idempotency_key, reference,
            sent, sent_digest, inputs, inputs_digest, policy_digest, state, begun_at, ended_at
        )
        select
            $15, $16, known.number + 1, $3, $4, known.repeats + 1, $1, $5, $2, $6, $7, $8, $9,
            $10, $11, $12, $13, $14, case when $13 <> 'begun' then $14::timestamptz end
        from known
        where $13 <> 'begun' or exists (select from fence)
        returning number
        "#,
        leased.id.0,
        leased.claim.0,
        action.kind.as_str(),
        action.target,
        super::tasks::saturating_i32(leased.number),
        action.key,
        action.reference,
        action.sent,
        action.sent.as_ref().map(digest),
        action.inputs,
        action.inputs.as_ref().map(digest),
        action.policy_digest,
        state.as_str(),
        now,
        leased.connection,
        leased.subject.to_string(),
    );
    entered.fetch_optional(db).await
}

fn digest(value: &Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}

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
    pub task_id: uuid::Uuid,
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
