//! Table `delivery`: claim, release, rescue; how attempts end is in `settling`. Every change names the state, and where
//! there is one the claim, that it expects.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    delivery::Leased,
    id::{ClaimId, DeliveryId},
    outcome::Reason,
    subject::{Subject, SubjectKind, Urgency},
};

/// How many deliveries of one connection a claim may take.
#[derive(Clone, Debug)]
pub struct Room {
    /// The connection's name.
    pub connection: String,
    /// At most so many in all.
    pub most: usize,
}

/// What a claim asks for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// One fence for each delivery that may be claimed.
    pub fences: &'a [Uuid],
    /// Who claims.
    pub worker: &'a str,
    /// Whose deliveries: a connection without room is passed by.
    pub rooms: &'a [Room],
    /// At most so many that can wait, of all connections together.
    pub background: usize,
    /// Nothing that was due before this is looked for: see the worker's `Floor`.
    pub since: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// The end of the leases.
    pub leased_until: Timestamp,
}

/// Claims due deliveries, turn by turn across connections and within each by urgency, then age. Paused and held
/// connections are passed by.
#[expect(clippy::too_many_lines, reason = "one statement, told in its CTEs; read, not traced")]
pub async fn claim_due(db: &mut PgConnection, wanted: &Wanted<'_>) -> Result<Vec<Leased>> {
    let Wanted { fences, worker, rooms, background, since, now, leased_until } = wanted;
    let names: Vec<_> = rooms.iter().map(|room| room.connection.clone()).collect();
    let most: Vec<_> = rooms.iter().map(|room| i64::try_from(room.most).unwrap_or(i64::MAX)).collect();
    let rows = sqlx::query!(
        r#"
        with candidate as materialized (
            select c.name, c.faults, c.created_at as connected_at, room.most, u.urgency, d.id, d.due_at
            from unnest($6::text[], $7::bigint[]) as room (name, most)
            join connection c on c.name = room.name
            cross join generate_series(0, 3) as u (urgency)
            cross join lateral (
                -- Equality on connection and urgency, a range on due_at: the index is read no further than needed,
                -- however many rows are due later, and however many dead ones lie before the floor.
                select id, due_at from delivery
                where connection = c.name
                  and urgency = u.urgency::smallint
                  and state in ('pending', 'in_doubt')
                  and due_at <= $1 and due_at >= $8
                order by due_at
                limit case when u.urgency = 3 then least(room.most, $9::bigint) else room.most end
                for update skip locked
            ) d
            where c.paused_at is null and c.held_until is null
        ),
        ready as (
            select id, faults, connected_at, row_number() over (order by turn, urgency, due_at, id) as place
            from (
                select *, count(*) filter (where urgency = 3) over (order by turn, urgency, due_at, id) as background
                from (
                    select *, row_number() over (partition by name order by urgency, due_at, id) as turn from candidate
                ) turns
                where turn <= most
            ) counted
            where urgency < 3 or background <= $9::bigint
            order by place
            limit $2
        )
        update delivery set
            state = 'leased',
            claim_id = ($3::uuid[])[ready.place],
            claimed_by = $4,
            claimed_at = $1,
            leased_until = $5,
            attempts = attempts + 1,
            tries = tries + 1,
            news_at_claim = news
        from ready
        where delivery.id = ready.id
        returning
            delivery.id, delivery.claim_id as "claim_id!", delivery.connection, delivery.subject, delivery.urgency,
            delivery.attempts, delivery.tries, delivery.deeds, delivery.created_at, ready.faults,
            ready.connected_at
        "#,
        now,
        i64::try_from(fences.len()).unwrap_or(i64::MAX),
        fences,
        worker,
        leased_until,
        &names,
        &most,
        since,
        i64::try_from(*background).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await?;

    let held = rows.into_iter().map(|row| {
        let subject: Subject = row
            .subject
            .parse()
            .map_err(|_| StoreError::Inconsistent { table: "delivery", column: "subject" })?;
        Ok(Leased {
            id: DeliveryId(row.id),
            claim: ClaimId(row.claim_id),
            connection: row.connection,
            subject,
            urgency: Urgency(row.urgency),
            attempts: row.attempts.unsigned_abs(),
            number: row.tries.unsigned_abs(),
            deeds: row.deeds.unsigned_abs(),
            created_at: row.created_at,
            claimed_at: *now,
            connected_at: row.connected_at,
            connection_faults: row.faults.unsigned_abs(),
        })
    });
    held.collect()
}

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

/// When there may be something to do next.
#[derive(Clone, Copy, Debug, Default)]
pub struct NextDue {
    /// When the next delivery may be claimed; paused and held connections aside.
    pub delivery: Option<Timestamp>,
    /// When the next held connection is to be probed.
    pub probe: Option<Timestamp>,
}

/// When there may be something to do next for these connections, so that an idle worker sleeps until then. What was due
/// before `since` is not looked for.
pub async fn next_due(db: &mut PgConnection, connections: &[String], since: Timestamp) -> Result<NextDue> {
    let due = sqlx::query_as!(
        NextDue,
        r#"
        select
            min(d.due_at) filter (where c.held_until is null) as delivery,
            min(c.held_until) as probe
        from connection c
        cross join generate_series(0, 3) as u (urgency)
        left join lateral (
            -- The first entry of each range of the index: never a walk over all that is due later.
            select due_at from delivery
            where connection = c.name and urgency = u.urgency::smallint and state in ('pending', 'in_doubt')
              and due_at >= $2
            order by due_at
            limit 1
        ) d on true
        where c.paused_at is null and c.name = any($1)
        "#,
        connections,
        since,
    );
    Ok(due.fetch_one(db).await?)
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
