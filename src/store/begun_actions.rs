//! Enters actions in table `action`: before their calls, those that begin together in one statement; or, once performed,
//! those that did not have to be begun.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    digest::sha256_hex,
    task::{
        action::{ActionState, NewAction},
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

/// An action that is about to be performed under a claim.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// The claim.
    pub leased: &'a LeasedTask,
    /// The action.
    pub action: &'a NewAction,
}

/// Enters, before the calls, that actions begin: all in one statement, in the order given. Fenced by the claims: the next
/// attempt sees that the vendor may have applied it, and a stale worker learns that it must not send. Only the holder of
/// a claim gets here, so the numbers of a subject's actions are the order of claims.
///
/// # Errors
/// Where one of several was begun as often as is allowed, the database rejects all: each is then begun by itself.
pub async fn begin(
    db: &mut PgConnection,
    beginnings: &[Beginning<'_>],
    now: Timestamp,
) -> Result<Vec<Begun>> {
    let entered = match insert(db, beginnings, ActionState::Begun, now).await {
        Err(error) if beginnings.len() == 1 && super::error::violates(&error, "action_repeats_bounded") => {
            return Ok(vec![Begun::TooOften]);
        }
        entered => entered?,
    };
    let number_of = |it: &Beginning<'_>| entered.get(&it.leased.claim.0).copied();
    Ok(beginnings.iter().map(|it| number_of(it).map_or(Begun::LeaseLost, Begun::Entered)).collect())
}

/// Enters an action that was performed without having been begun. Called inside the settle transaction, which is fenced.
pub(super) async fn enter(
    db: &mut PgConnection,
    entry: Beginning<'_>,
    state: ActionState,
    now: Timestamp,
) -> Result<()> {
    insert(db, &[entry], state, now).await?;
    Ok(())
}

/// Inserts entries and returns the number of each by its claim. What begins is fenced: none where the claim is lost.
async fn insert(
    db: &mut PgConnection,
    entries: &[Beginning<'_>],
    state: ActionState,
    now: Timestamp,
) -> std::result::Result<HashMap<Uuid, i32>, sqlx::Error> {
    let mut columns = Columns::default();
    for entry in entries {
        columns.push(entry);
    }
    let entered = sqlx::query!(
        r#"
        with entry as materialized (
            select * from unnest(
                $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::jsonb[], $11::text[], $12::jsonb[], $13::text[], $14::text[]
            ) as entry (
                task_id, claim_id, connection, subject, attempt, kind, target, idempotency_key, reference, sent,
                sent_digest, inputs, inputs_digest, policy_digest
            )
        ),
        -- One lock order for all writers, as in `settle`.
        fenced as materialized (
            select task.claim_id from task
            join entry on task.id = entry.task_id and task.connection = entry.connection
                and task.claim_id = entry.claim_id
            where $15::text = 'begun'
            order by task.id
            for update of task
        )
        insert into action (
            connection, subject, number, kind, target, repeat, task_id, attempt, claim_id, idempotency_key, reference,
            sent, sent_digest, inputs, inputs_digest, policy_digest, state, begun_at, ended_at
        )
        select
            connection, subject, known.number + 1, kind, target, known.repeats + 1, task_id, attempt, claim_id,
            idempotency_key, reference, sent, sent_digest, inputs, inputs_digest, policy_digest, $15, $16,
            case when $15 <> 'begun' then $16::timestamptz end
        from entry
        cross join lateral (
            select
                coalesce(max(action.number), 0) as number,
                count(*) filter (
                    where action.kind = entry.kind
                      and (action.target = entry.target or action.kind = 'place_replacement')
                      and action.state in ('begun', 'unknown', 'applied', 'resolved_applied')
                ) as repeats
            from action where action.connection = entry.connection and action.subject = entry.subject
        ) known
        where $15 <> 'begun' or entry.claim_id in (select claim_id from fenced)
        returning claim_id, number
        "#,
        &columns.task,
        &columns.claim,
        &columns.connection as &[&str],
        &columns.subject,
        &columns.attempt,
        &columns.kind as &[&str],
        &columns.target as &[&str],
        &columns.key as &[&str],
        &columns.reference as &[Option<&str>],
        &columns.sent as &[Option<&Value>],
        &columns.sent_digest as &[Option<String>],
        &columns.inputs as &[Option<&Value>],
        &columns.inputs_digest as &[Option<String>],
        &columns.policy_digest as &[Option<&str>],
        state.as_str(),
        now,
    );
    Ok(entered.fetch_all(db).await?.into_iter().map(|row| (row.claim_id, row.number)).collect())
}

/// The entries, by column.
#[derive(Default)]
struct Columns<'a> {
    task: Vec<Uuid>,
    claim: Vec<Uuid>,
    connection: Vec<&'a str>,
    subject: Vec<String>,
    attempt: Vec<i32>,
    kind: Vec<&'a str>,
    target: Vec<&'a str>,
    key: Vec<&'a str>,
    reference: Vec<Option<&'a str>>,
    sent: Vec<Option<&'a Value>>,
    sent_digest: Vec<Option<String>>,
    inputs: Vec<Option<&'a Value>>,
    inputs_digest: Vec<Option<String>>,
    policy_digest: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, &Beginning { leased, action }: &Beginning<'a>) {
        self.task.push(leased.id.0);
        self.claim.push(leased.claim.0);
        self.connection.push(&leased.connection);
        self.subject.push(leased.subject.to_string());
        self.attempt.push(super::tasks::saturating_i32(leased.number));
        self.kind.push(action.kind.as_str());
        self.target.push(&action.target);
        self.key.push(&action.key);
        self.reference.push(action.reference.as_deref());
        self.sent.push(action.sent.as_ref());
        self.sent_digest.push(action.sent.as_ref().map(digest));
        self.inputs.push(action.inputs.as_ref());
        self.inputs_digest.push(action.inputs.as_ref().map(digest));
        self.policy_digest.push(action.policy_digest.as_deref());
    }
}

fn digest(value: &Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}
