//! Table `delivery`: release, rescue, and what a person decides; how attempts begin is in `claiming`, how they end in
//! `settling`. Every change names the state, and where there is one the claim, that it expects.

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    event::subject::{Subject, SubjectKind},
    id::DeliveryId,
    task::{outcome::Reason, state::Leased},
};

/// What a fenced write found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    /// We still held the lease: written.
    Written,
    /// Somebody rescued it meanwhile: nothing was changed.
    LeaseLost,
}

impl Fenced {
    pub(super) const fn of(rows: u64) -> Self {
        if rows == 1 { Self::Written } else { Self::LeaseLost }
    }
}

/// A subject as a row has it.
pub fn subject(text: &str) -> Result<Subject> {
    text.parse().map_err(|_| StoreError::Inconsistent { table: "delivery", column: "subject" })
}

// A claim's id stands in a row exactly while it is leased (`delivery_leased_iff_claimed`), so the fenced statements below
// ask for it alone. Said beside it, `state = 'leased'` would let the planner read the small index of leases instead of the
// primary key; under somebody's long snapshot that index is full of dead entries.

/// Is a claim still ours? Asked right before a call that overwrites: whoever slept over his lease learns it here.
pub async fn still_ours(db: &mut PgConnection, held: &Leased) -> Result<Fenced> {
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "count!" from delivery where id = $1 and claim_id = $2"#,
        held.id.0,
        held.claim.0,
    );
    let rows = rows.fetch_one(db).await?;
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// What waits for this reason is due now. One of its kind that is just being worked on may be about to wait for it: for
/// that one it is news.
pub async fn wake(
    db: &mut PgConnection,
    connection: &str,
    kind: SubjectKind,
    reason: Reason,
    now: Timestamp,
) -> Result<u64> {
    let done = sqlx::query!(
        "update delivery set
             due_at = case when state = 'pending' then $4 else due_at end,
             news = case when state = 'leased' then news + 1 else news end
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
pub async fn release(db: &mut PgConnection, held: &Leased) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        update delivery set
            -- Whether it was in doubt before, only the link knows; saying so once too often costs one look.
            state = case when reason is null then 'pending' else 'in_doubt' end,
            attempts = attempts - 1,
            tries = tries - 1,
            claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
        where id = $1 and claim_id = $2
        ",
        held.id.0,
        held.claim.0,
    );
    Ok(Fenced::of(done.execute(db).await?.rows_affected()))
}

/// Takes back every lease that has run out: in doubt and due at once, or dead when its attempts are spent and nothing
/// new was told meanwhile. Writes the lost attempts into the diary. Answers how many.
pub async fn rescue_expired(db: &mut PgConnection, most_attempts: u32, now: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "
        with expired as (
            select id, connection, subject, claim_id, claimed_at, tries, attempts >= $1 and news = news_at_claim as spent
            from delivery
            where state = 'leased' and leased_until < $2
            for update skip locked
        ),
        rescued as (
            update delivery set
                state = case when spent then 'dead' else 'in_doubt' end,
                reason = $3,
                due_at = $2,
                settled_at = case when spent then $2 end,
                claim_id = null, claimed_by = null, claimed_at = null, leased_until = null
            from expired where expired.id = delivery.id
        ),
        doubted as (
            -- When its call ended nobody knows, but it was before now: the settling time before a resend runs from here.
            update link set begun_at = $2
            from expired
            where link.connection = expired.connection and link.subject = expired.subject
              and link.begun_deed is not null
        )
        insert into attempt (delivery_id, number, connection, claim_id, started_at, ended_at, outcome, reason)
        select id, tries, connection, claim_id, claimed_at, $2, 'lost', $3 from expired
        ",
        signed(most_attempts),
        now,
        Reason::LeaseExpired.code(),
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// Marks a delivery just opened as the replay of a closed one.
pub async fn mark_replay(db: &mut PgConnection, opened: DeliveryId, replay_of: DeliveryId) -> Result<()> {
    sqlx::query!("update delivery set replay_of = $2 where id = $1", opened.0, replay_of.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Cancels a delivery that waits; false where it is not waiting (running, closed or unknown).
pub async fn cancel(db: &mut PgConnection, id: DeliveryId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        "update delivery set state = 'cancelled', reason = $2, settled_at = $3
         where id = $1 and claim_id is null and settled_at is null",
        id.0,
        Reason::CancelledByPerson.code(),
        now,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// What a person found out about a delivery in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It was done: close it.
    Delivered,
    /// It was not done: try again now.
    Pending,
}

/// Settles a delivery in doubt by a person's word; false where it is not in doubt.
pub async fn resolve(
    db: &mut PgConnection,
    id: DeliveryId,
    word: Resolution,
    now: Timestamp,
) -> Result<bool> {
    let delivered = word == Resolution::Delivered;
    let done = sqlx::query!(
        "update delivery set
             state = case when $2 then 'delivered' else 'pending' end,
             settled_at = case when $2 then $3::timestamptz end,
             due_at = $3, reason = $4, attempts = 0
         where id = $1 and state = 'in_doubt'",
        id.0,
        delivered,
        now,
        Reason::ResolvedByPerson.code(),
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Counters in rows are never near the limit of an `integer`.
pub(super) fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
