//! What an attempt writes to table `subject_state` under its claim: the action it begins, and what it
//! observed.

use sqlx::PgConnection;

use super::{Result, stock, tasks::Fenced};
use crate::domain::{
    Timestamp,
    order::OrderStatus,
    task::{
        state::LeasedTask,
        subject_state::{BegunAction, Observation},
    },
};

/// Records, before the call, that an action begins. Fenced by the claim: the next attempt sees that the
/// vendor may have applied it, and a stale worker learns that it must not send.
pub async fn begin_action(db: &mut PgConnection, leased: &LeasedTask, begun: &BegunAction) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        with fence as (
            select connection, subject from task where id = $1 and claim_id = $2 for update
        )
        insert into subject_state (connection, subject, first_task_id, seen_at, begun_action, begun_key, begun_at)
        select connection, subject, $1, $5, $3, $4, $5 from fence
        on conflict (connection, subject) do update
            set begun_action = excluded.begun_action, begun_key = excluded.begun_key, begun_at = excluded.begun_at
        ",
        leased.id.0,
        leased.claim.0,
        begun.action,
        begun.key,
        begun.at,
    );
    let rows = done.execute(db).await?.rows_affected();
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// Restarts the settling time before a resend: the begun action's call has ended with an unknown outcome.
/// Called inside the settle transaction; a rescue does the same in its own statement.
pub async fn restart_settling_time(db: &mut PgConnection, leased: &LeasedTask, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update subject_state set begun_at = $3
         where connection = $1 and subject = $2 and begun_action is not null",
        leased.connection,
        leased.subject.to_string(),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Clears the begun action of a subject: its outcome is known. Called inside the settle transaction.
pub async fn clear_begun_action(db: &mut PgConnection, connection: &str, subject: &str) -> Result<()> {
    sqlx::query!(
        "update subject_state set begun_action = null, begun_key = null, begun_at = null
         where connection = $1 and subject = $2 and begun_action is not null",
        connection,
        subject,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records an observation, unless a newer one is recorded. Unknown fields (`None`) keep their value. Returns the
/// codes whose pieces in flight changed. Called inside the settle transaction, which is fenced.
pub async fn record_observation(
    db: &mut PgConnection,
    leased: &LeasedTask,
    observation: &Observation,
) -> Result<Vec<String>> {
    let Observation { subject, seen_at, known } = observation;
    let done = sqlx::query!(
        "
        insert into subject_state (
            connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
            shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at, completed_at,
            first_task_id, status, sent, warehouse_comments, related, ready_at, cancel_requested_at, figure, figure_at
        )
        values (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25
        )
        on conflict (connection, subject) do update set
            seen_at = excluded.seen_at,
            mycashflow_id = coalesce(excluded.mycashflow_id, subject_state.mycashflow_id),
            ogoship_id = coalesce(excluded.ogoship_id, subject_state.ogoship_id),
            reference = coalesce(excluded.reference, subject_state.reference),
            code = coalesce(excluded.code, subject_state.code),
            sent_hash = coalesce(excluded.sent_hash, subject_state.sent_hash),
            sent = coalesce(excluded.sent, subject_state.sent),
            status = coalesce(excluded.status, subject_state.status),
            shop_status = coalesce(excluded.shop_status, subject_state.shop_status),
            shop_version = coalesce(excluded.shop_version, subject_state.shop_version),
            warehouse_status = coalesce(excluded.warehouse_status, subject_state.warehouse_status),
            warehouse_version = coalesce(excluded.warehouse_version, subject_state.warehouse_version),
            warehouse_comments = coalesce(excluded.warehouse_comments, subject_state.warehouse_comments),
            related = coalesce(excluded.related, subject_state.related),
            tracking_code = coalesce(excluded.tracking_code, subject_state.tracking_code),
            tracking_url = coalesce(excluded.tracking_url, subject_state.tracking_url),
            ready_at = coalesce(subject_state.ready_at, excluded.ready_at),
            placed_at = coalesce(subject_state.placed_at, excluded.placed_at),
            cancel_requested_at = coalesce(subject_state.cancel_requested_at, excluded.cancel_requested_at),
            completed_at = coalesce(subject_state.completed_at, excluded.completed_at),
            figure = coalesce(excluded.figure, subject_state.figure),
            figure_at = coalesce(excluded.figure_at, subject_state.figure_at)
        where subject_state.seen_at <= excluded.seen_at
        ",
        leased.connection,
        subject,
        seen_at,
        known.mycashflow_id,
        known.ogoship_id,
        known.reference,
        known.code,
        known.sent_hash,
        known.shop_status,
        known.shop_version,
        known.warehouse_status,
        known.warehouse_version,
        known.tracking_code,
        known.tracking_url,
        known.placed_at,
        known.completed_at,
        leased.id.0,
        known.status.map(OrderStatus::as_str),
        known.sent,
        known.warehouse_comments,
        known.related,
        known.ready_at,
        known.cancel_requested_at,
        known.figure,
        known.figure_at,
    );
    let written = done.execute(&mut *db).await?.rows_affected() == 1;
    match known.in_flight.as_ref().filter(|_| written) {
        Some(pieces) => stock::replace_in_flight(db, &leased.connection, subject, pieces).await,
        None => Ok(Vec::new()),
    }
}
