//! What an attempt observed, written to table `subject_state` under its claim.

use sqlx::PgConnection;

use super::{Result, stock};
use crate::domain::{
    order::OrderStatus,
    task::{
        state::LeasedTask,
        subject_state::{Observation, Waiting},
    },
};

/// Records an observation. Unknown fields (`None`) keep their value. Returns the codes whose pieces in flight changed.
/// Called inside the settle transaction: its fence makes this the latest claim of the subject, so nothing that is there
/// is newer, whatever the times say.
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
            first_task_id, status, warehouse_comments, related, ready_at, figure, figure_at, parcel_state, returned,
            added_shipments, customizations, waiting_since, waiting_for, reading
        )
        values (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25, $26, $27, case when $28 then $3::timestamptz end, $29, nextval('reading_number')
        )
        on conflict (connection, subject) do update set
            seen_at = excluded.seen_at,
            reading = excluded.reading,
            mycashflow_id = coalesce(excluded.mycashflow_id, subject_state.mycashflow_id),
            ogoship_id = coalesce(excluded.ogoship_id, subject_state.ogoship_id),
            reference = coalesce(excluded.reference, subject_state.reference),
            code = coalesce(excluded.code, subject_state.code),
            sent_hash = coalesce(excluded.sent_hash, subject_state.sent_hash),
            status = coalesce(excluded.status, subject_state.status),
            shop_status = coalesce(excluded.shop_status, subject_state.shop_status),
            shop_version = coalesce(excluded.shop_version, subject_state.shop_version),
            warehouse_status = coalesce(excluded.warehouse_status, subject_state.warehouse_status),
            warehouse_version = coalesce(excluded.warehouse_version, subject_state.warehouse_version),
            warehouse_comments = coalesce(excluded.warehouse_comments, subject_state.warehouse_comments),
            related = coalesce(excluded.related, subject_state.related),
            tracking_code = coalesce(excluded.tracking_code, subject_state.tracking_code),
            tracking_url = coalesce(excluded.tracking_url, subject_state.tracking_url),
            parcel_state = coalesce(excluded.parcel_state, subject_state.parcel_state),
            returned = coalesce(excluded.returned, subject_state.returned),
            added_shipments = coalesce(excluded.added_shipments, subject_state.added_shipments),
            customizations = coalesce(excluded.customizations, subject_state.customizations),
            waiting_since = case
                when $28 then coalesce(subject_state.waiting_since, excluded.waiting_since)
                when $28 is null then subject_state.waiting_since
            end,
            waiting_for = coalesce(excluded.waiting_for, subject_state.waiting_for),
            ready_at = coalesce(subject_state.ready_at, excluded.ready_at),
            placed_at = coalesce(subject_state.placed_at, excluded.placed_at),
            completed_at = coalesce(subject_state.completed_at, excluded.completed_at),
            figure = coalesce(excluded.figure, subject_state.figure),
            figure_at = coalesce(excluded.figure_at, subject_state.figure_at)
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
        known.warehouse_comments,
        known.related,
        known.ready_at,
        known.figure,
        known.figure_at,
        known.parcel_state,
        known.returned,
        known.added_shipments,
        known.customizations,
        known.waiting.as_ref().map(|waiting| waiting.goods().is_some()),
        known.waiting.as_ref().and_then(Waiting::goods),
    );
    done.execute(&mut *db).await?;
    match &known.in_flight {
        Some(pieces) => stock::replace_in_flight(db, &leased.connection, subject, pieces).await,
        None => Ok(Vec::new()),
    }
}
