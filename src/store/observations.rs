//! What attempts observed, written to table `subject_state` in the transaction of their settle: all of a batch at once.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    in_flight::{self, InFlight},
    observed_columns::Columns,
    order_lines::{self, OrderLines},
};
use crate::domain::{
    Timestamp,
    task::{state::LeasedTask, subject_state::Observation},
};

/// An observation, and the claim under which it was made.
pub type Observed<'a> = (&'a LeasedTask, &'a Observation);

/// Records what a batch of attempts observed, in order. Unknown fields (`None`) keep their value. Returns the codes whose
/// pieces in flight changed. The settle in the same transaction has checked the claims: each is the latest of its
/// subject, so nothing that is there is newer, whatever the times say.
pub async fn record(db: &mut PgConnection, observed: &[Observed<'_>]) -> Result<Vec<in_flight::Changed>> {
    if observed.is_empty() {
        return Ok(Vec::new());
    }
    // By connection and subject: a statement may write a row once, and all writers lock rows in this order.
    let mut by_subject: BTreeMap<(&str, &str), (Uuid, Cow<'_, Observation>)> = BTreeMap::new();
    for (leased, observation) in observed {
        let key = (leased.connection.as_str(), observation.subject.as_str());
        let merged = match by_subject.remove(&key) {
            Some((_, earlier)) => Cow::Owned(earlier.into_owned().then(observation)),
            None => Cow::Borrowed(*observation),
        };
        by_subject.insert(key, (leased.id.0, merged));
    }
    let mut columns = Columns::default();
    for ((connection, _), (task, observation)) in &by_subject {
        columns.push(connection, *task, observation);
    }
    write(db, &columns).await?;
    let in_flight = by_subject.iter().filter_map(|((connection, subject), (_, observation))| {
        let pieces = observation.known.in_flight.as_deref()?;
        Some(InFlight { connection, subject, pieces })
    });
    let changed = in_flight::replace(db, &in_flight.collect::<Vec<_>>()).await?;
    let lines = by_subject.iter().filter_map(|((connection, subject), (_, observation))| {
        let lines = observation.known.facts.lines.as_deref()?;
        Some(OrderLines { connection, subject, lines })
    });
    order_lines::replace(db, &lines.collect::<Vec<_>>()).await?;
    Ok(changed)
}

#[expect(clippy::too_many_lines, reason = "one statement, with a column or a parameter on each line")]
async fn write(db: &mut PgConnection, columns: &Columns<'_>) -> Result<()> {
    let done = sqlx::query!(
        "
        with new as (
            select * from unnest(
                $1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
                $16::timestamptz[], $17::uuid[], $18::text[], $19::text[], $20::jsonb[], $21::timestamptz[],
                $22::bigint[], $23::timestamptz[], $24::text[], $25::jsonb[], $26::jsonb[], $27::jsonb[], $28::bool[],
                $29::jsonb[], $30::jsonb[]
            ) as new (
                connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
                shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at,
                completed_at, first_task_id, status, warehouse_comments, related, ready_at, figure, figure_at,
                parcel_state, returned, added_shipments, customizations, is_waiting, waiting_for, facts
            )
        )
        insert into subject_state (
            connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
            shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at, completed_at,
            first_task_id, status, warehouse_comments, related, ready_at, figure, figure_at, parcel_state, returned,
            added_shipments, customizations, waiting_since, waiting_for, reading, ordered_at, total, currency,
            shipping_method, shipping_code, shipping_mapping, warehouse_shipping, pickup_point, line_count, pieces,
            changed_at
        )
        select
            new.connection, new.subject, new.seen_at, new.mycashflow_id, new.ogoship_id, new.reference, new.code,
            new.sent_hash, new.shop_status, new.shop_version, new.warehouse_status, new.warehouse_version,
            new.tracking_code, new.tracking_url, new.placed_at, new.completed_at, new.first_task_id, new.status,
            new.warehouse_comments, new.related, new.ready_at, new.figure, new.figure_at, new.parcel_state,
            new.returned, new.added_shipments, new.customizations,
            -- What it waits for is kept too: checks look at this row even where another is updated. Under the claim nobody
            -- else writes it.
            case
                when new.is_waiting then coalesce(known.waiting_since, new.seen_at)
                when new.is_waiting is null then known.waiting_since
            end,
            coalesce(new.waiting_for, known.waiting_for), nextval('reading_number'),
            (facts ->> 'ordered_at')::timestamptz, (facts ->> 'total')::numeric, facts ->> 'currency',
            facts ->> 'shipping_method', facts ->> 'shipping_code', facts ->> 'shipping_mapping',
            facts ->> 'warehouse_shipping', facts ->> 'pickup_point', (facts ->> 'line_count')::integer,
            (facts ->> 'pieces')::numeric,
            case when new.status is not null then new.seen_at end
        from new
        left join subject_state known on known.connection = new.connection and known.subject = new.subject
        order by new.connection, new.subject
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
            waiting_since = excluded.waiting_since,
            waiting_for = excluded.waiting_for,
            ready_at = coalesce(subject_state.ready_at, excluded.ready_at),
            placed_at = coalesce(subject_state.placed_at, excluded.placed_at),
            completed_at = coalesce(subject_state.completed_at, excluded.completed_at),
            figure = coalesce(excluded.figure, subject_state.figure),
            figure_at = coalesce(excluded.figure_at, subject_state.figure_at),
            ordered_at = coalesce(excluded.ordered_at, subject_state.ordered_at),
            total = coalesce(excluded.total, subject_state.total),
            currency = coalesce(excluded.currency, subject_state.currency),
            -- Known together or not at all: a method without a code takes the code of the one before it away.
            shipping_method = case when excluded.shipping_mapping is null
                then subject_state.shipping_method else excluded.shipping_method end,
            shipping_code = case when excluded.shipping_mapping is null
                then subject_state.shipping_code else excluded.shipping_code end,
            warehouse_shipping = case when excluded.shipping_mapping is null
                then subject_state.warehouse_shipping else excluded.warehouse_shipping end,
            shipping_mapping = coalesce(excluded.shipping_mapping, subject_state.shipping_mapping),
            pickup_point = coalesce(excluded.pickup_point, subject_state.pickup_point),
            line_count = coalesce(excluded.line_count, subject_state.line_count),
            pieces = coalesce(excluded.pieces, subject_state.pieces),
            -- A list is sorted by it, so it stays where nothing that people see is another: the row keeps its place in
            -- every index then.
            changed_at = case
                when excluded.changed_at is null then subject_state.changed_at
                when (
                    coalesce(excluded.status, subject_state.status),
                    coalesce(excluded.shop_status, subject_state.shop_status),
                    coalesce(excluded.warehouse_status, subject_state.warehouse_status),
                    coalesce(excluded.tracking_code, subject_state.tracking_code),
                    coalesce(excluded.parcel_state, subject_state.parcel_state),
                    coalesce(excluded.returned, subject_state.returned),
                    coalesce(excluded.total, subject_state.total),
                    coalesce(excluded.pieces, subject_state.pieces),
                    coalesce(excluded.shipping_method, subject_state.shipping_method),
                    coalesce(excluded.shipping_mapping, subject_state.shipping_mapping),
                    coalesce(excluded.pickup_point, subject_state.pickup_point)
                ) is distinct from (
                    subject_state.status, subject_state.shop_status, subject_state.warehouse_status,
                    subject_state.tracking_code, subject_state.parcel_state, subject_state.returned,
                    subject_state.total, subject_state.pieces, subject_state.shipping_method,
                    subject_state.shipping_mapping, subject_state.pickup_point
                ) then excluded.changed_at
                else coalesce(subject_state.changed_at, excluded.changed_at)
            end
        ",
        &columns.connection as &[&str],
        &columns.subject as &[&str],
        &columns.seen_at,
        &columns.mycashflow_id as &[Option<&str>],
        &columns.ogoship_id as &[Option<&str>],
        &columns.reference as &[Option<&str>],
        &columns.code as &[Option<&str>],
        &columns.sent_hash as &[Option<&str>],
        &columns.shop_status as &[Option<&str>],
        &columns.shop_version as &[Option<&str>],
        &columns.warehouse_status as &[Option<&str>],
        &columns.warehouse_version as &[Option<&str>],
        &columns.tracking_code as &[Option<&str>],
        &columns.tracking_url as &[Option<&str>],
        &columns.placed_at as &[Option<Timestamp>],
        &columns.completed_at as &[Option<Timestamp>],
        &columns.first_task_id,
        &columns.status as &[Option<&str>],
        &columns.warehouse_comments as &[Option<&str>],
        &columns.related as &[Option<Value>],
        &columns.ready_at as &[Option<Timestamp>],
        &columns.figure as &[Option<i64>],
        &columns.figure_at as &[Option<Timestamp>],
        &columns.parcel_state as &[Option<&str>],
        &columns.returned as &[Option<Value>],
        &columns.added_shipments as &[Option<Value>],
        &columns.customizations as &[Option<Value>],
        &columns.is_waiting as &[Option<bool>],
        &columns.waiting_for as &[Option<Value>],
        &columns.facts as &[Option<Value>],
    );
    done.execute(db).await?;
    Ok(())
}
