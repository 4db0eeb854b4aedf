//! Why is this order where it is? Its whole life in plain words: what came, what was read, decided, sent and answered,
//! with times and request ids. One telling for the API, the shell and the dashboard.
//!
//! It is read from the diary that every attempt leaves, so it cannot say anything else than what happened. Personal
//! values are masked where they are written down, so the same telling can be handed to either vendor's support as
//! evidence ([`call_log()`]).

mod alerts;
mod call_log;
mod details;
mod pages;
mod reasons;
mod webhooks;
mod words;

pub use alerts::{AlertText, alert_detail, alert_prefix, alert_text};
pub use call_log::call_log;
pub use details::detail;
pub use pages::{
    PageTexts, counted, decimal, difference_text, page_texts, state_text, sync_kind_text, vendor_status_text,
};
pub use reasons::{remedy, words as reason_text};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
pub use webhooks::{hint_text, purpose_text};
pub use words::{
    attempt as attempt_text, outcome as outcome_text, status as status_text, told as event_text,
};

use crate::{
    domain::{Timestamp, id::TaskId, language::Language, order::OrderStatus, task::outcome::Reason},
    store::{
        self, Page, attempts,
        events::{self, EventFilter},
        intents,
        views::{
            orders::{self, OrderRow},
            overview::{self, TaskFilter},
        },
    },
};

/// The most events and tasks told; an order of more has a fault that its newest tell best.
const MAX_ENTRIES: i64 = 200;

/// An order's whole life.
#[derive(Clone, Debug, Serialize)]
pub struct OrderHistory {
    /// The order as it is known now.
    #[serde(flatten)]
    pub order: OrderRow,
    /// Where it is and why, in a sentence or two.
    pub summary: String,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// told, asked or attempt.
    pub kind: &'static str,
    /// What, in plain words.
    pub text: String,
    /// The task that it belongs to.
    pub task_id: Option<uuid::Uuid>,
    /// Every call of an attempt, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Value>,
}

/// Tells an order's life; `None` for an order that we never met.
pub async fn order(
    db: &mut PgConnection,
    connection: &str,
    order_id: &str,
    language: Language,
) -> store::Result<Option<OrderHistory>> {
    let Some(order) = orders::find(db, connection, order_id).await? else { return Ok(None) };
    let subject = format!("order:{order_id}");
    let page = Page { before: None, limit: MAX_ENTRIES };
    let mut timeline = Vec::new();

    let named = || (Some(connection.to_owned()), Some(subject.clone()));
    let (of, about) = named();
    let filter = EventFilter { connection: of, subject: about, ..EventFilter::default() };
    for event in events::list(db, &filter, &page).await? {
        let text = words::told(&event.source, &event.topic, language);
        let task_id = event.task_id;
        timeline.push(TimelineEntry {
            at: event.received_at,
            kind: "event",
            text,
            task_id,
            calls: Vec::new(),
        });
    }
    for intent in intents::list(db, connection, &subject).await? {
        let text = words::asked(&intent.kind, &intent.actor, language);
        timeline.push(TimelineEntry {
            at: intent.created_at,
            kind: "intent",
            text,
            task_id: None,
            calls: Vec::new(),
        });
    }
    let (of, about) = named();
    let filter = TaskFilter { connection: of, subject: about, ..TaskFilter::default() };
    for task in overview::list_tasks(db, &filter, &page).await? {
        for attempt in attempts::list(db, TaskId(task.id)).await? {
            timeline.push(TimelineEntry {
                at: attempt.ended_at,
                kind: "attempt",
                text: words::attempt(&attempt, language),
                task_id: Some(task.id),
                calls: attempt.calls.as_array().cloned().unwrap_or_default(),
            });
        }
    }
    timeline.sort_by_key(|entry| entry.at);
    let summary = summary(&order, language);
    Ok(Some(OrderHistory { order, summary, timeline }))
}

/// Where an order is, and why.
fn summary(order: &OrderRow, language: Language) -> String {
    let is_finnish = language == Language::Finnish;
    let either = |english: String, finnish: String| if is_finnish { finnish } else { english };
    let (id, status) = (&order.order_id, OrderStatus::parse(&order.status));
    let status = status.map_or(order.status.as_str(), |status| words::status(status, language));
    let mut sentences =
        vec![either(format!("Order {id} is {status}."), format!("Tilauksen {id} tila: {status}."))];
    if let Some(reason) = order.reason.as_deref().and_then(Reason::parse) {
        sentences.push(reasons::words(reason, language).to_owned());
    }
    if let Some(comments) = &order.warehouse_comments {
        sentences
            .push(either(format!("The warehouse says: {comments}."), format!("Varasto kertoo: {comments}.")));
    }
    match order.task_state.as_deref() {
        Some("dead") => sentences.push(either(
            "A person must look: fix what is named, then replay.".to_owned(),
            "Ihmisen on katsottava: korjaa nimetty kohta, ja toista sitten.".to_owned(),
        )),
        Some("pending" | "leased" | "in_doubt") => {
            sentences.push(either("It is being worked on.".to_owned(), "Sitä hoidetaan.".to_owned()));
        }
        _ => {}
    }
    if let Some(code) = &order.tracking_code {
        sentences.push(either(format!("Tracking: {code}."), format!("Seuranta: {code}.")));
    }
    sentences.join(" ")
}
