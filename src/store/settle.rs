//! How attempts end: table `delivery` settled, and table `attempt`, the diary, written, in one statement.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    tasks::{Fenced, signed},
};
use crate::domain::{
    Timestamp,
    task::{
        outcome::{Outcome, Reason},
        state::Leased,
        transition::Settlement,
    },
};

/// What an attempt leaves in the diary.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The one thing decided on.
    pub deed: Option<&'a str>,
    /// The key sent with it.
    pub idempotency_key: Option<&'a str>,
    /// Plain words; never personal data.
    pub detail: Option<&'a str>,
    /// Every call in order: a JSON array.
    pub calls: &'a str,
}

impl<'a> Entry<'a> {
    /// Of an attempt that called nobody.
    pub const fn of(outcome: &'a Outcome) -> Self {
        Self { outcome, deed: None, idempotency_key: None, detail: None, calls: "[]" }
    }
}

/// An attempt that has come to its end.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    /// The claim.
    pub held: &'a Leased,
    /// What follows for the delivery.
    pub next: &'a Settlement,
    /// What is written into the diary.
    pub entry: Entry<'a>,
}

/// Ends attempts, all in one statement, each with its entry in the diary; answers for each whether it was written. News
/// since its claim keep a delivery open that the settlement would close, due at once and with all its attempts, and end
/// a wait before it has begun: what was read is not the last word.
pub async fn settle(db: &mut PgConnection, settled: &[Settled<'_>], now: Timestamp) -> Result<Vec<Fenced>> {
    let mut in_order: Vec<_> = settled.iter().collect();
    in_order.sort_by_key(|it| it.held.id.0); // one lock order for all writers, as in `arrivals::receive`
    let mut columns = Columns::default();
    for settled in in_order {
        columns.push(settled);
    }
    let written = sqlx::query_scalar!(
        r#"
        with told as materialized (
            select * from unnest(
                $1::uuid[], $2::uuid[], $3::text[], $4::bool[], $5::text[], $6::timestamptz[], $7::integer[],
                $8::integer[], $9::bool[], $10::integer[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::text[], $18::text[]
            ) as told (
                id, claim_id, state, is_closed, reason, due_at, attempts,
                deeds, waits, number, started_at, outcome, outcome_reason, deed,
                idempotency_key, detail, calls, connection
            )
        ),
        written as (
            update delivery set
                state = case when told.is_closed and news > news_at_claim then 'pending' else told.state end,
                reason = told.reason,
                due_at = case
                    when (told.is_closed or told.waits) and news > news_at_claim then $19::timestamptz
                    else told.due_at
                end,
                settled_at = case when told.is_closed and news = news_at_claim then $19::timestamptz end,
                attempts = case when told.is_closed and news > news_at_claim then 0 else told.attempts end,
                deeds = told.deeds,
                claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
            from told
            where delivery.id = told.id and delivery.connection = told.connection
              and delivery.claim_id = told.claim_id
            returning told.*
        ),
        -- Each claim has a number of its own, so a second settle of one claim cannot be written.
        noted as (
            insert into attempt (
                delivery_id, number, connection, claim_id, started_at, ended_at, outcome, reason, deed,
                idempotency_key, detail, calls
            )
            select
                id, number, connection, claim_id, started_at, greatest(started_at, $19::timestamptz), outcome,
                outcome_reason, deed, idempotency_key, detail, calls::jsonb
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
        &columns.attempts,
        &columns.deeds,
        &columns.waits,
        &columns.number,
        &columns.started_at,
        &columns.outcome as &[&str],
        &columns.outcome_reason as &[Option<&str>],
        &columns.deed as &[Option<&str>],
        &columns.idempotency_key as &[Option<&str>],
        &columns.detail as &[Option<&str>],
        &columns.calls as &[&str],
        &columns.connection as &[&str],
        now,
    );
    let written: HashSet<Uuid> = written.fetch_all(db).await?.into_iter().collect();
    Ok(settled.iter().map(|it| Fenced::of(u64::from(written.contains(&it.held.id.0)))).collect())
}

/// Settled attempts turned on their side, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    id: Vec<Uuid>,
    claim: Vec<Uuid>,
    connection: Vec<&'a str>,
    state: Vec<&'static str>,
    is_closed: Vec<bool>,
    reason: Vec<Option<&'static str>>,
    due_at: Vec<Timestamp>,
    attempts: Vec<i32>,
    deeds: Vec<i32>,
    waits: Vec<bool>,
    number: Vec<i32>,
    started_at: Vec<Timestamp>,
    outcome: Vec<&'static str>,
    outcome_reason: Vec<Option<&'static str>>,
    deed: Vec<Option<&'a str>>,
    idempotency_key: Vec<Option<&'a str>>,
    detail: Vec<Option<&'a str>>,
    calls: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, Settled { held, next, entry }: &Settled<'a>) {
        self.id.push(held.id.0);
        self.claim.push(held.claim.0);
        self.connection.push(&held.connection);
        self.state.push(next.state.as_str());
        self.is_closed.push(next.state.is_closed());
        self.reason.push(next.reason.map(Reason::code));
        self.due_at.push(next.due_at);
        self.attempts.push(signed(next.attempts));
        self.deeds.push(signed(next.deeds));
        self.waits.push(next.waits);
        self.number.push(signed(held.number));
        self.started_at.push(held.claimed_at);
        self.outcome.push(entry.outcome.as_str());
        self.outcome_reason.push(entry.outcome.reason().map(Reason::code));
        self.deed.push(entry.deed);
        self.idempotency_key.push(entry.idempotency_key);
        self.detail.push(entry.detail);
        self.calls.push(entry.calls);
    }
}
