//! Claims due tasks, and says when the next one may be due.

use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{Result, StoreError, tasks};
use crate::domain::{
    Timestamp,
    event::subject::Priority,
    id::{ClaimId, TaskId},
    task::{fault::CallKind, state::LeasedTask},
    vendor::Vendor,
};

/// How many tasks of one connection a claim may take.
#[derive(Clone, Debug)]
pub struct ConnectionCapacity {
    /// The connection's name.
    pub connection: String,
    /// Tasks at most.
    pub max_tasks: usize,
    /// Of these, background tasks at most.
    pub max_background: usize,
    /// Of these, tasks at most that rise above all others, since they have been passed over for long.
    pub max_risen: usize,
}

/// What a claim asks for.
#[derive(Clone, Debug)]
pub struct ClaimRequest<'a> {
    /// One claim id for each task that may be claimed.
    pub claim_ids: &'a [Uuid],
    /// The claiming process.
    pub worker: &'a str,
    /// The connections with free capacity; others are not claimed for.
    pub capacities: &'a [ConnectionCapacity],
    /// Background tasks at most, of all connections together. One that has risen is none.
    pub background: usize,
    /// Claims although the circuit is open: the caller has probed it and lets one task through.
    pub is_trial: bool,
    /// Tasks due before this are not looked for: see the worker's `DueWatermark`.
    pub since: Timestamp,
    /// The current time.
    pub now: Timestamp,
    /// When the leases end.
    pub leased_until: Timestamp,
}

/// Claims due tasks. Connections take turns; within each, the order is priority, then the time since when a task is due. The
/// few that have been passed over the longest go first. Paused connections and those with an open circuit are skipped.
#[expect(clippy::too_many_lines, reason = "one SQL statement; its CTEs are its steps")]
pub async fn claim_due(db: &mut PgConnection, request: &ClaimRequest<'_>) -> Result<Vec<LeasedTask>> {
    let ClaimRequest { claim_ids, worker, capacities, background, is_trial, since, now, leased_until } =
        request;
    let names: Vec<_> = capacities.iter().map(|capacity| capacity.connection.clone()).collect();
    let max_tasks: Vec<_> =
        capacities.iter().map(|capacity| i64::try_from(capacity.max_tasks).unwrap_or(i64::MAX)).collect();
    let max_background: Vec<_> =
        capacities.iter().map(|it| i64::try_from(it.max_background).unwrap_or(i64::MAX)).collect();
    let max_risen: Vec<_> =
        capacities.iter().map(|it| i64::try_from(it.max_risen).unwrap_or(i64::MAX)).collect();
    let rows = sqlx::query!(
        r#"
        with candidate as materialized (
            select
                c.name, c.faults, coalesce(c.shop_connected_at, c.created_at) as connected_at, capacity.max_tasks,
                capacity.max_background, capacity.max_risen, u.priority, d.id, d.due_at,
                $1 - d.due_at - u.priority * $12::interval as overdue
            from unnest($6::text[], $7::bigint[], $11::bigint[], $13::bigint[])
                as capacity (name, max_tasks, max_background, max_risen)
            join connection c on c.name = capacity.name
            cross join generate_series(0, 3) as u (priority)
            cross join lateral (
                -- Equality on connection and priority, a range on due_at: the index is read no further than
                -- needed, however many rows are due later and however many dead entries lie before the
                -- watermark.
                select id, due_at from task
                where connection = c.name
                  and priority = u.priority::smallint
                  and state in ('pending', 'in_doubt')
                  and due_at <= $1 and due_at >= $8
                order by due_at
                limit capacity.max_tasks
                for update skip locked
            ) d
            where c.paused_at is null and (c.circuit_open_until is null or $10)
        ),
        ready as (
            select *, row_number() over (order by turn, rank, due_at, id) as position
            from (
                select *, count(*) filter (where rank = 3) over (order by turn, rank, due_at, id) as background
                from (
                    select *, row_number() over (partition by name order by rank, due_at, id) as turn
                    from (
                        select *, row_number() over (partition by name, rank order by due_at, id) as nth
                        from (
                            select *, case
                                when priority > 0 and overdue >= interval '0' and row_number() over (
                                    partition by name, priority > 0 order by overdue desc, id
                                ) <= max_risen then -1
                                else priority
                            end as rank
                            from candidate
                        ) ranked
                    ) numbered
                    where rank < 3 or nth <= max_background
                ) turns
                where turn <= max_tasks
            ) counted
            where rank < 3 or background <= $9::bigint
            order by position
            limit $2
        ),
        suspicion as materialized (
            select name, array(
                select vendor || ' ' || call from call_fault where connection = name
                union select vendor || ' write' from write_circuit where connection = name
            ) as suspects
            from (select distinct name from ready) as claimed
        )
        update task set
            state = 'leased',
            claim_id = ($3::uuid[])[ready.position],
            claimed_by = $4,
            claimed_at = $1,
            leased_until = $5,
            failures = failures + 1,
            attempts = attempts + 1,
            -- Only actions without a new event count towards a pair of vendors that never converges.
            actions = case when revision > claimed_revision then 0 else actions end,
            claimed_revision = revision
        from ready join suspicion on suspicion.name = ready.name
        where task.id = ready.id
        returning
            task.id, task.claim_id as "claim_id!", task.connection, task.subject, task.priority,
            task.failures, task.attempts, task.actions, task.snoozes, task.created_at, ready.due_at, ready.faults,
            ready.rank < 0 as "has_risen!",
            ready.connected_at as "connected_at!", suspicion.suspects as "suspects!"
        "#,
        now,
        i64::try_from(claim_ids.len()).unwrap_or(i64::MAX),
        claim_ids,
        worker,
        leased_until,
        &names,
        &max_tasks,
        since,
        i64::try_from(*background).unwrap_or(i64::MAX),
        is_trial,
        &max_background,
        PgInterval::try_from(Priority::STEP).unwrap_or_default(),
        &max_risen,
    )
    .fetch_all(db)
    .await?;

    let leased = rows.into_iter().map(|row| {
        Ok(LeasedTask {
            id: TaskId(row.id),
            claim: ClaimId(row.claim_id),
            connection: row.connection,
            subject: tasks::parse_subject(&row.subject)?,
            priority: Priority(row.priority),
            has_risen: row.has_risen,
            failures: row.failures.unsigned_abs(),
            number: row.attempts.unsigned_abs(),
            actions: row.actions.unsigned_abs(),
            snoozes: row.snoozes.unsigned_abs(),
            created_at: row.created_at,
            due_at: row.due_at,
            claimed_at: *now,
            connected_at: row.connected_at,
            connection_faults: row.faults.unsigned_abs(),
            suspects: row.suspects.iter().map(|suspect| parse_suspect(suspect)).collect::<Result<_>>()?,
        })
    });
    leased.collect()
}

/// A kind of call under suspicion, as the claim spells it.
fn parse_suspect(text: &str) -> Result<(Vendor, CallKind)> {
    let parsed =
        text.split_once(' ').and_then(|(vendor, call)| Some((vendor.parse().ok()?, call.parse().ok()?)));
    parsed.ok_or(StoreError::Inconsistent { table: "call_fault", column: "vendor" })
}

/// When there may be work next in a connection.
#[derive(Clone, Debug)]
pub struct NextDue {
    /// The connection.
    pub connection: String,
    /// When the next task may be claimed; paused connections and open circuits aside.
    pub task: Option<Timestamp>,
    /// When the next open circuit is to be probed.
    pub probe: Option<Timestamp>,
}

impl NextDue {
    /// The connection, and when the first of both is.
    pub fn first(self) -> Option<(String, Timestamp)> {
        Some((self.connection, self.task.into_iter().chain(self.probe).min()?))
    }
}

/// Finds when there may be work next in each of these connections, so that an idle worker sleeps until then. Tasks
/// due before `since` are not looked for; one without work is left out.
pub async fn next_due(
    db: &mut PgConnection,
    connections: &[String],
    since: Timestamp,
) -> Result<Vec<NextDue>> {
    let due = sqlx::query_as!(
        NextDue,
        r#"
        select
            c.name as connection,
            min(d.due_at) filter (where c.circuit_open_until is null) as task,
            c.circuit_open_until as probe
        from connection c
        cross join generate_series(0, 3) as u (priority)
        left join lateral (
            -- Reads the first entry of each index range, never all that is due later.
            select due_at from task
            where connection = c.name and priority = u.priority::smallint and state in ('pending', 'in_doubt')
              and due_at >= $2
            order by due_at
            limit 1
        ) d on true
        where c.paused_at is null and c.name = any($1)
        group by c.name, c.circuit_open_until
        having min(d.due_at) is not null or c.circuit_open_until is not null
        "#,
        connections,
        since,
    );
    Ok(due.fetch_all(db).await?)
}
