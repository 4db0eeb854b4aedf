//! How attempts begin: table `delivery` claimed, and when there may be something to claim next.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, tasks};
use crate::domain::{
    Timestamp,
    event::subject::Urgency,
    id::{ClaimId, DeliveryId},
    task::state::Leased,
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
        Ok(Leased {
            id: DeliveryId(row.id),
            claim: ClaimId(row.claim_id),
            connection: row.connection,
            subject: tasks::subject(&row.subject)?,
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
