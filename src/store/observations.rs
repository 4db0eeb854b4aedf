//! What an attempt writes into table `link`, under its claim: the deed that it begins, and what it has learnt.

use sqlx::PgConnection;

use super::{Result, stock, tasks::Fenced};
use crate::domain::{
    Timestamp,
    order::OrderStatus,
    task::{
        state::Leased,
        subject_state::{Begun, Learnt},
    },
};

/// Commits the intent to send before the call, fenced by the claim: whoever looks next knows that we may have been
/// heard. A stale worker learns here that it must not send.
pub async fn begin(db: &mut PgConnection, held: &Leased, begun: &Begun) -> Result<Fenced> {
    let done = sqlx::query!(
        "
        with fence as (
            select connection, subject from delivery where id = $1 and claim_id = $2 for update
        )
        insert into link (connection, subject, met_by, seen_at, begun_deed, begun_key, begun_at)
        select connection, subject, $1, $5, $3, $4, $5 from fence
        on conflict (connection, subject) do update
            set begun_deed = excluded.begun_deed, begun_key = excluded.begun_key, begun_at = excluded.begun_at
        ",
        held.id.0,
        held.claim.0,
        begun.deed,
        begun.key,
        begun.at,
    );
    let rows = done.execute(db).await?.rows_affected();
    Ok(if rows == 1 { Fenced::Written } else { Fenced::LeaseLost })
}

/// The call of the begun deed has ended, and nobody knows how: the settling time before a resend runs from now. Called
/// inside the settle transaction; a rescue does the same by itself.
pub async fn doubt_from(db: &mut PgConnection, held: &Leased, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update link set begun_at = $3 where connection = $1 and subject = $2 and begun_deed is not null",
        held.connection,
        held.subject.to_string(),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The begun deed of a subject is known to have ended. Called inside the settle transaction.
pub async fn end_begun(db: &mut PgConnection, connection: &str, subject: &str) -> Result<()> {
    sqlx::query!(
        "update link set begun_deed = null, begun_key = null, begun_at = null
         where connection = $1 and subject = $2 and begun_deed is not null",
        connection,
        subject,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Remembers what was learnt, unless a newer reading is remembered already; what is not known stays as it was.
/// Called inside the settle transaction, which is fenced.
pub async fn learn(db: &mut PgConnection, held: &Leased, learnt: &Learnt) -> Result<()> {
    let Learnt { subject, seen_at, link } = learnt;
    let done = sqlx::query!(
        "
        insert into link (
            connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
            shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at, completed_at,
            met_by, status, sent, warehouse_comments, related, ready_at, cancel_asked_at, figure, figure_at
        )
        values (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25
        )
        on conflict (connection, subject) do update set
            seen_at = excluded.seen_at,
            mycashflow_id = coalesce(excluded.mycashflow_id, link.mycashflow_id),
            ogoship_id = coalesce(excluded.ogoship_id, link.ogoship_id),
            reference = coalesce(excluded.reference, link.reference),
            code = coalesce(excluded.code, link.code),
            sent_hash = coalesce(excluded.sent_hash, link.sent_hash),
            sent = coalesce(excluded.sent, link.sent),
            status = coalesce(excluded.status, link.status),
            shop_status = coalesce(excluded.shop_status, link.shop_status),
            shop_version = coalesce(excluded.shop_version, link.shop_version),
            warehouse_status = coalesce(excluded.warehouse_status, link.warehouse_status),
            warehouse_version = coalesce(excluded.warehouse_version, link.warehouse_version),
            warehouse_comments = coalesce(excluded.warehouse_comments, link.warehouse_comments),
            related = coalesce(excluded.related, link.related),
            tracking_code = coalesce(excluded.tracking_code, link.tracking_code),
            tracking_url = coalesce(excluded.tracking_url, link.tracking_url),
            ready_at = coalesce(link.ready_at, excluded.ready_at),
            placed_at = coalesce(link.placed_at, excluded.placed_at),
            cancel_asked_at = coalesce(link.cancel_asked_at, excluded.cancel_asked_at),
            completed_at = coalesce(link.completed_at, excluded.completed_at),
            figure = coalesce(excluded.figure, link.figure),
            figure_at = coalesce(excluded.figure_at, link.figure_at)
        where link.seen_at <= excluded.seen_at
        ",
        held.connection,
        subject,
        seen_at,
        link.mycashflow_id,
        link.ogoship_id,
        link.reference,
        link.code,
        link.sent_hash,
        link.shop_status,
        link.shop_version,
        link.warehouse_status,
        link.warehouse_version,
        link.tracking_code,
        link.tracking_url,
        link.placed_at,
        link.completed_at,
        held.id.0,
        link.status.map(OrderStatus::as_str),
        link.sent,
        link.warehouse_comments,
        link.related,
        link.ready_at,
        link.cancel_asked_at,
        link.figure,
        link.figure_at,
    );
    let written = done.execute(&mut *db).await?.rows_affected() == 1;
    if let Some(pieces) = link.in_flight.as_ref().filter(|_| written) {
        stock::hold(db, &held.connection, subject, pieces).await?;
    }
    Ok(())
}
