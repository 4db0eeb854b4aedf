//! Table `alert`: what is, or was, wrong with a connection.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result, StoreError, lasting_conditions};
use crate::domain::{
    Timestamp,
    alert::{AlertKind, Condition, OpenAlert},
};

/// The limits beyond which a condition is an alert.
#[derive(Clone, Debug)]
pub struct AlertThresholds {
    /// A task due before this has waited too long.
    pub due_before: Timestamp,
    /// Only webhooks rejected since then count.
    pub rejected_since: Timestamp,
    /// Fewer rejected webhooks than this since the last accepted one are no alert.
    pub min_rejected: i64,
    /// Only these connections are watched, and of them only those that are not paused.
    pub connections: Vec<String>,
    /// Lists that should have been polled.
    pub polls: Vec<ExpectedPoll>,
    /// A subscription last seen at its vendor before this is gone.
    pub subscriptions_before: Timestamp,
    /// An order that has waited for goods since before this has waited too long; `None`: none ever has.
    pub waiting_since_before: Option<Timestamp>,
}

/// A list that should have been polled after a time.
#[derive(Clone, Debug)]
pub struct ExpectedPoll {
    /// The list's connection.
    pub connection: String,
    /// orders, statuses, stock or products.
    pub what: &'static str,
    /// The time.
    pub after: Timestamp,
}

/// Finds all conditions that the tables show; silence is judged apart, by the order rate.
pub async fn list_conditions(db: &mut PgConnection, thresholds: &AlertThresholds) -> Result<Vec<Condition>> {
    let (of_polls, lists, after) = columns(&thresholds.polls);
    let rows = sqlx::query!(
        r#"
        with dead as (
            select connection, coalesce(reason, '') as reason, count(*) as count from dead_letter group by 1, 2
        ),
        late as (
            select poll.connection, poll.what
            from unnest($3::text[], $4::text[], $5::timestamptz[]) as expected (connection, what, after)
            join poll on poll.connection = expected.connection and poll.what = expected.what
            where coalesce(poll.last_finished_at, poll.cursor) < expected.after
        )
        select found.connection as "connection!", found.kind as "kind!", found.count as "count!",
               found.detail as "detail!"
        from (
            select connection, 'dead' as kind, sum(count)::bigint as count,
                   string_agg(count || ' × ' || reason, ', ' order by count desc, reason) || coalesce('; ' || (
                       -- What the vendor said of the newest refusal.
                       select left(attempt.detail, 200)
                       from dead_letter refused join attempt on attempt.task_id = refused.id
                       where refused.connection = dead.connection and refused.reason in ('refused', 'conflict')
                       order by refused.id desc, attempt.number desc limit 1
                   ), '') as detail
            from dead group by connection
            union all
            select name, 'circuit_open', 1, reason from (
                select name, circuit_reason as reason from connection where circuit_open_until is not null
                union all
                -- Only while the whole circuit is closed: there is one open alert of a kind.
                select connection, string_agg(vendor || ' (writes): ' || reason, ', ' order by vendor)
                from write_circuit join connection on name = connection
                where circuit_open_until is null group by connection
            ) circuit
            union all
            select name, 'stock_braked', 1, brake_detail from connection where braked_at is not null
            union all
            select connection, 'poll_stopped', count(*), string_agg(what, ', ' order by what)
            from late group by connection
            union all
            select task.connection, 'backlog_old', count(*), string_agg(distinct task.kind, ', ')
            from task join connection on connection.name = task.connection
            where task.state in ('pending', 'in_doubt') and task.due_at < $1
              and connection.circuit_open_until is null
            group by task.connection
            union all
            select rejected.connection, 'webhooks_refused', sum(rejected.since_accepted)::bigint,
                   string_agg(rejected.source || ': ' || rejected.hint, ', ' order by rejected.source, rejected.hint)
            from rejected_webhook rejected
            where rejected.last_at >= $2 and not exists (
                select 1 from key_usage
                where key_usage.connection = rejected.connection and key_usage.purpose = rejected.source || '_webhook'
                  and key_usage.last_used_at >= rejected.last_at
            )
            group by rejected.connection having sum(rejected.since_accepted)::bigint >= $8
            union all
            select connection, 'subscription_gone', count(*),
                   string_agg(source || ': ' || topic, ', ' order by source, topic)
            from subscription where removed_at is null and seen_at < $6 group by connection
        ) found
        join connection watched on watched.name = found.connection and watched.paused_at is null
        where found.connection = any($7)
        "#,
        thresholds.due_before,
        thresholds.rejected_since,
        &of_polls,
        &lists,
        &after,
        thresholds.subscriptions_before,
        &thresholds.connections,
        thresholds.min_rejected,
    );
    let conditions = rows.fetch_all(&mut *db).await?.into_iter().map(|row| {
        let kind = AlertKind::parse(&row.kind).ok_or(UNKNOWN_KIND)?;
        Ok(Condition { connection: row.connection, kind, count: row.count, detail: row.detail })
    });
    let (watched, before) = (&thresholds.connections, thresholds.waiting_since_before);
    let others = lasting_conditions::list(db, watched, before, (&of_polls, &lists)).await?;
    conditions.chain(others.into_iter().map(Ok)).collect()
}

/// The polls as `unnest` takes them: connections, lists and times.
fn columns(polls: &[ExpectedPoll]) -> (Vec<String>, Vec<String>, Vec<Timestamp>) {
    let (mut connections, mut lists, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for poll in polls {
        connections.push(poll.connection.clone());
        lists.push(poll.what.to_owned());
        after.push(poll.after);
    }
    (connections, lists, after)
}

/// The error of an alert kind that this version does not know.
pub(super) const UNKNOWN_KIND: StoreError = StoreError::Inconsistent { table: "alert", column: "kind" };

/// Takes the lock of the alert check until the transaction ends; false if another process has it.
pub async fn try_lock(db: &mut PgConnection) -> Result<bool> {
    // An arbitrary number that names the alert check among advisory locks.
    let taken = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(7316280001) as "taken!""#);
    Ok(taken.fetch_one(db).await?)
}

/// An open alert.
#[derive(Clone, Debug)]
pub struct OpenAlertRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// What is wrong.
    pub kind: AlertKind,
    /// When it was seen and notified.
    pub status: OpenAlert,
}

/// Lists every open alert.
pub async fn list_open(db: &mut PgConnection) -> Result<Vec<OpenAlertRow>> {
    let rows =
        sqlx::query!("select id, connection, kind, seen_at, notified_at from alert where closed_at is null");
    let rows = rows.fetch_all(db).await?.into_iter();
    let alerts = rows.map(|row| {
        let kind = AlertKind::parse(&row.kind).ok_or(UNKNOWN_KIND)?;
        let status = OpenAlert { seen_at: row.seen_at, notified_at: row.notified_at };
        Ok(OpenAlertRow { id: row.id, connection: row.connection, kind, status })
    });
    alerts.collect()
}

/// Opens an alert without notifying anyone yet.
pub async fn insert(db: &mut PgConnection, id: Uuid, condition: &Condition, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into alert (id, connection, kind, seen_at, count, detail) values ($1, $2, $3, $4, $5, $6)",
        id,
        condition.connection,
        condition.kind.as_str(),
        now,
        condition.count,
        condition.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Updates the extent of an open alert.
pub async fn record_count(db: &mut PgConnection, id: Uuid, condition: &Condition) -> Result<()> {
    sqlx::query!(
        "update alert set count = $2, detail = $3 where id = $1 and (count, detail) is distinct from ($2, $3)",
        id,
        condition.count,
        condition.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records that a notification of an alert was sent now.
pub async fn mark_notified(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<()> {
    sqlx::query!("update alert set notified_at = $2 where id = $1", id, now).execute(db).await?;
    Ok(())
}

/// Closes an alert. Notifications that were never attempted are given up.
pub async fn close(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<()> {
    sqlx::query!("update alert set closed_at = $2 where id = $1", id, now).execute(&mut *db).await?;
    sqlx::query!(
        "update notification set given_up_at = $2
         where alert_id = $1 and sent_at is null and given_up_at is null and attempts = 0",
        id,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes an alert that ended before anyone was notified.
pub async fn delete_unnotified(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!("delete from alert where id = $1 and notified_at is null", id).execute(db).await?;
    Ok(())
}

/// An alert as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AlertRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// The kind, as a heading of docs/runbook.md.
    pub kind: String,
    /// How many tasks, polls, orders and so on.
    pub count: i64,
    /// What exactly, in codes.
    pub detail: String,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When it was last notified.
    pub notified_at: Option<Timestamp>,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Channels that have failed to take a notification.
    pub unsent: i64,
}

/// Lists alerts, newest first; with `open` only open ones.
pub async fn list(db: &mut PgConnection, open: bool, page: &Page) -> Result<Vec<AlertRow>> {
    let rows = sqlx::query_as!(
        AlertRow,
        r#"
        select id, connection, kind, count, detail, seen_at, notified_at, closed_at,
               (select count(distinct channel) from notification
                where alert_id = alert.id and sent_at is null and last_error is not null) as "unsent!"
        from alert
        where ($1::uuid is null or id < $1) and (not $2 or closed_at is null)
        order by id desc limit $3
        "#,
        page.before,
        open,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Removes a page of alerts closed before a time, with their notifications; returns how many.
pub async fn remove_closed(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "delete from alert where id in (select id from alert where closed_at < $1 order by id limit 500)",
        before,
    );
    Ok(done.execute(db).await?.rows_affected())
}
