//! Observations as columns, as the statement of `observations` takes them.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::{
    Timestamp,
    order::{OrderFacts, OrderStatus},
    task::subject_state::{Observation, SubjectState, Waiting},
};

/// The observations as columns, as `unnest` takes them.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) connection: Vec<&'a str>,
    pub(super) subject: Vec<&'a str>,
    pub(super) first_task_id: Vec<Uuid>,
    pub(super) seen_at: Vec<Timestamp>,
    pub(super) mycashflow_id: Vec<Option<&'a str>>,
    pub(super) ogoship_id: Vec<Option<&'a str>>,
    pub(super) reference: Vec<Option<&'a str>>,
    pub(super) code: Vec<Option<&'a str>>,
    pub(super) sent_hash: Vec<Option<&'a str>>,
    pub(super) figure: Vec<Option<i64>>,
    pub(super) figure_at: Vec<Option<Timestamp>>,
    pub(super) status: Vec<Option<&'static str>>,
    pub(super) shop_status: Vec<Option<&'a str>>,
    pub(super) shop_version: Vec<Option<&'a str>>,
    pub(super) warehouse_status: Vec<Option<&'a str>>,
    pub(super) warehouse_version: Vec<Option<&'a str>>,
    pub(super) warehouse_comments: Vec<Option<&'a str>>,
    pub(super) related: Vec<Option<Value>>,
    pub(super) tracking_code: Vec<Option<&'a str>>,
    pub(super) tracking_url: Vec<Option<&'a str>>,
    pub(super) parcel_state: Vec<Option<&'a str>>,
    pub(super) returned: Vec<Option<Value>>,
    pub(super) added_shipments: Vec<Option<Value>>,
    pub(super) customizations: Vec<Option<Value>>,
    pub(super) is_waiting: Vec<Option<bool>>,
    pub(super) waiting_for: Vec<Option<Value>>,
    pub(super) ready_at: Vec<Option<Timestamp>>,
    pub(super) placed_at: Vec<Option<Timestamp>>,
    pub(super) completed_at: Vec<Option<Timestamp>>,
    pub(super) facts: Vec<Option<Value>>,
}

impl<'a> Columns<'a> {
    pub(super) fn push(&mut self, connection: &'a str, task: Uuid, observation: &'a Observation) {
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
        self.facts.push(facts_json(&known.facts));
    }
}

/// What is known of an order's facts, with its lines only counted; `None` where nothing is. Amounts are texts: exact.
fn facts_json(facts: &OrderFacts) -> Option<Value> {
    if *facts == OrderFacts::default() {
        return None;
    }
    let shipping = facts.shipping.as_ref();
    Some(json!({
        "ordered_at": facts.ordered_at,
        "total": facts.total.map(|it| it.to_string()),
        "currency": facts.currency,
        "shipping_method": shipping.map(|it| &it.method),
        "shipping_code": shipping.map(|it| &it.code),
        "shipping_mapping": shipping.map(|it| it.mapping.as_str()),
        "warehouse_shipping": shipping.map(|it| it.mapping.warehouse_code()),
        "pickup_point": facts.pickup_point,
        "line_count": facts.line_count(),
        "pieces": facts.pieces().map(|it| it.to_string()),
    }))
}
