//! What attempts observed, written to table `subject_state` in the transaction of their settle: all of a batch at once.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    in_flight::{self, InFlight},
};
use crate::domain::{
    Timestamp,
    order::OrderStatus,
    task::{
        state::LeasedTask,
        subject_state::{Observation, SubjectState, Waiting},
    },
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
    in_flight::replace(db, &in_flight.collect::<Vec<_>>()).await
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
                $29::jsonb[]
            ) as new (
                connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
                shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at,
                completed_at, first_task_id, status, warehouse_comments, related, ready_at, figure, figure_at,
                parcel_state, returned, added_shipments, customizations, is_waiting, waiting_for
            )
        )
        insert into subject_state (
            connection, subject, seen_at, mycashflow_id, ogoship_id, reference, code, sent_hash, shop_status,
            shop_version, warehouse_status, warehouse_version, tracking_code, tracking_url, placed_at, completed_at,
            first_task_id, status, warehouse_comments, related, ready_at, figure, figure_at, parcel_state, returned,
            added_shipments, customizations, waiting_since, waiting_for, reading
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
            coalesce(new.waiting_for, known.waiting_for), nextval('reading_number')
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
            figure_at = coalesce(excluded.figure_at, subject_state.figure_at)
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
    );
    done.execute(db).await?;
    Ok(())
}

/// The observations as columns, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    connection: Vec<&'a str>,
    subject: Vec<&'a str>,
    first_task_id: Vec<Uuid>,
    seen_at: Vec<Timestamp>,
    mycashflow_id: Vec<Option<&'a str>>,
    ogoship_id: Vec<Option<&'a str>>,
    reference: Vec<Option<&'a str>>,
    code: Vec<Option<&'a str>>,
    sent_hash: Vec<Option<&'a str>>,
    figure: Vec<Option<i64>>,
    figure_at: Vec<Option<Timestamp>>,
    status: Vec<Option<&'static str>>,
    shop_status: Vec<Option<&'a str>>,
    shop_version: Vec<Option<&'a str>>,
    warehouse_status: Vec<Option<&'a str>>,
    warehouse_version: Vec<Option<&'a str>>,
    warehouse_comments: Vec<Option<&'a str>>,
    related: Vec<Option<Value>>,
    tracking_code: Vec<Option<&'a str>>,
    tracking_url: Vec<Option<&'a str>>,
    parcel_state: Vec<Option<&'a str>>,
    returned: Vec<Option<Value>>,
    added_shipments: Vec<Option<Value>>,
    customizations: Vec<Option<Value>>,
    is_waiting: Vec<Option<bool>>,
    waiting_for: Vec<Option<Value>>,
    ready_at: Vec<Option<Timestamp>>,
    placed_at: Vec<Option<Timestamp>>,
    completed_at: Vec<Option<Timestamp>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, connection: &'a str, task: Uuid, observation: &'a Observation) {
        let Observation { subject, seen_at, known } = observation;
        self.connection.push(connection);
        self.subject.push(subject);
        self.first_task_id.push(task);
        self.seen_at.push(*seen_at);
        self.push_state(known);
    }

    fn push_state(&mut self, known: &'a SubjectState) {
        self.mycashflow_id.push(known.mycashflow_id.as_deref());
        self.ogoship_id.push(known.ogoship_id.as_deref());
        self.reference.push(known.reference.as_deref());
        self.code.push(known.code.as_deref());
        self.sent_hash.push(known.sent_hash.as_deref());
        self.figure.push(known.figure);
        self.figure_at.push(known.figure_at);
        self.status.push(known.status.map(OrderStatus::as_str));
        self.shop_status.push(known.shop_status.as_deref());
        self.shop_version.push(known.shop_version.as_deref());
        self.warehouse_status.push(known.warehouse_status.as_deref());
        self.warehouse_version.push(known.warehouse_version.as_deref());
        self.warehouse_comments.push(known.warehouse_comments.as_deref());
        self.related.push(known.related.clone());
        self.tracking_code.push(known.tracking_code.as_deref());
        self.tracking_url.push(known.tracking_url.as_deref());
        self.parcel_state.push(known.parcel_state.as_deref());
        self.returned.push(known.returned.clone());
        self.added_shipments.push(known.added_shipments.clone());
        self.customizations.push(known.customizations.clone());
        self.is_waiting.push(known.waiting.as_ref().map(|waiting| waiting.goods().is_some()));
        self.waiting_for.push(known.waiting.as_ref().and_then(Waiting::goods).cloned());
        self.ready_at.push(known.ready_at);
        self.placed_at.push(known.placed_at);
        self.completed_at.push(known.completed_at);
    }
}
