//! An order's history: its events, intents and attempts as sentences, oldest first.

use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    audience::{Audience, ORDER},
    order_texts::order_texts,
    reasons::reason_text,
    sentences,
    waiting::{Choice, waiting_choices},
};
use crate::{
    domain::{Timestamp, id::TaskId, language::Language, order::OrderStatus, task::reason::Reason},
    store::{
        self, Page, actions,
        actions::ActionRow,
        attempts,
        events::{self, EventFilter},
        intents,
        views::{
            orders::{self, Customization, OrderLineRow, OrderRow},
            overview::TaskFilter,
            task_list,
        },
    },
};

/// The most events and tasks shown; of an order with more, the newest explain it best.
const MAX_ENTRIES: i64 = 200;

/// An order's history.
#[derive(Clone, Debug, Serialize)]
pub struct OrderHistory {
    /// The order as it is known now.
    #[serde(flatten)]
    pub order: OrderRow,
    /// Where it is and why, in a sentence or two.
    pub summary: String,
    /// Its lines, in the shop's order; empty where they were not read yet.
    pub lines: Vec<OrderLineRow>,
    /// What can be done while it waits for products; empty where it does not.
    pub choices: Vec<Choice>,
    /// What the shopper chose or wrote for lines: code and text. For operators; personal data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customizations: Vec<Customization>,
    /// What was done at the vendors for it, in order.
    pub actions: Vec<LedgerAction>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// An action of the ledger, in words too.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerAction {
    /// The entry.
    #[serde(flatten)]
    pub action: ActionRow,
    /// The same in plain words.
    pub text: String,
}

/// One entry of a history.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// `event`, `intent` or `attempt`.
    pub kind: &'static str,
    /// What happened, in plain words.
    pub text: String,
    /// The task that it belongs to.
    pub task_id: Option<uuid::Uuid>,
    /// The calls of an attempt, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Value>,
}

/// Builds an order's history; `None` for an unknown order.
pub async fn order_history(
    db: &mut PgConnection,
    connection: &str,
    order_id: &str,
    audience: Audience,
    language: Language,
) -> store::Result<Option<OrderHistory>> {
    let Some(order) = orders::find(db, connection, order_id).await? else { return Ok(None) };
    let order = audience.order(order);
    let subject = format!("order:{order_id}");
    let mut timeline = events_of(db, connection, &subject, language).await?;
    timeline.extend(intents_of(db, connection, &subject, language).await?);
    timeline.extend(attempts_of(db, (connection, &subject), audience, language).await?);
    timeline.sort_by_key(|entry| entry.at);
    let summary = summarize(&order, language);
    let actions = actions::list(db, connection, &subject).await?.into_iter().map(|it| audience.action(it));
    let actions =
        actions.map(|action| LedgerAction { text: sentences::ledger_text(&action, language), action });
    let choices = waiting_choices(&order, language);
    let customizations = match audience {
        Audience::Operator => orders::find_customizations(db, connection, &subject).await?,
        Audience::Viewer => Vec::new(),
    };
    let lines = orders::list_lines(db, connection, &subject).await?;
    let lines = lines.into_iter().map(|line| audience.order_line(line)).collect();
    let actions = actions.collect();
    Ok(Some(OrderHistory { order, summary, lines, choices, customizations, actions, timeline }))
}

async fn events_of(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    language: Language,
) -> store::Result<Vec<TimelineEntry>> {
    let filter = EventFilter {
        connection: Some(connection.to_owned()),
        subject: Some(subject.to_owned()),
        ..EventFilter::default()
    };
    let events = events::list(db, &filter, &Page { before: None, limit: MAX_ENTRIES }).await?;
    let entries = events.into_iter().map(|event| TimelineEntry {
        at: event.received_at,
        kind: "event",
        text: sentences::event_text(&event.source, &event.topic, language),
        task_id: event.task_id,
        calls: Vec::new(),
    });
    Ok(entries.collect())
}

async fn intents_of(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    language: Language,
) -> store::Result<Vec<TimelineEntry>> {
    let mut entries = Vec::new();
    for intent in intents::list(db, connection, subject).await? {
        let entry = |at, text| TimelineEntry { at, kind: "intent", text, task_id: None, calls: Vec::new() };
        entries.push(entry(intent.created_at, sentences::intent_text(&intent.kind, &intent.actor, language)));
        if let Some((by, at)) = intent.undone_by.zip(intent.undone_at) {
            entries.push(entry(at, order_texts(language).undone_by.replace("{}", &by)));
        }
    }
    Ok(entries)
}

async fn attempts_of(
    db: &mut PgConnection,
    (connection, subject): (&str, &str),
    audience: Audience,
    language: Language,
) -> store::Result<Vec<TimelineEntry>> {
    let filter = TaskFilter {
        connection: Some(connection.to_owned()),
        subject: Some(subject.to_owned()),
        ..TaskFilter::default()
    };
    let mut entries = Vec::new();
    for task in task_list::list(db, &filter, &Page { before: None, limit: MAX_ENTRIES }).await? {
        for attempt in attempts::list(db, TaskId(task.id)).await? {
            let attempt = audience.attempt(ORDER, attempt);
            entries.push(TimelineEntry {
                at: attempt.ended_at,
                kind: "attempt",
                text: sentences::attempt_text(&attempt, language),
                task_id: Some(task.id),
                calls: attempt.calls.as_array().cloned().unwrap_or_default(),
            });
        }
    }
    Ok(entries)
}

/// Says where an order is, and why.
fn summarize(order: &OrderRow, language: Language) -> String {
    let either = |english: String, finnish: String| match language {
        Language::English => english,
        Language::Finnish => finnish,
    };
    let (id, status) = (&order.order_id, OrderStatus::parse(&order.status));
    let status = status.map_or(order.status.as_str(), |status| sentences::status_text(status, language));
    let mut text =
        vec![either(format!("Order {id} is {status}."), format!("Tilauksen {id} tila: {status}."))];
    if let Some(reason) = order.reason.as_deref().and_then(Reason::parse) {
        text.push(reason_text(reason, language).replace('`', ""));
    }
    if let Some(comments) = &order.warehouse_comments {
        text.push(either(format!("The warehouse says: {comments}."), format!("Varasto kertoo: {comments}.")));
    }
    match (order.task_state.as_deref(), &order.handled_by) {
        (Some("dead"), Some(by)) => {
            text.push(either(format!("Marked as handled by {by}."), format!("Merkitty hoidetuksi: {by}.")));
        }
        (Some("dead"), None) => text.push(either(
            "It needs attention: fix what is named, then try again.".to_owned(),
            "Odottaa sinua: korjaa syy, ja yritä sitten uudelleen.".to_owned(),
        )),
        (Some("pending" | "leased" | "in_doubt"), _) => {
            text.push(either("It is being processed.".to_owned(), "Käsitellään.".to_owned()));
        }
        _ => {}
    }
    if let Some(code) = &order.tracking_code {
        text.push(either(format!("Tracking: {code}."), format!("Seurantatunnus: {code}.")));
    }
    if order.returned.as_ref().and_then(Value::as_array).is_some_and(|rows| !rows.is_empty()) {
        text.push(either(
            "Something came back: process the return in MyCashflow.".to_owned(),
            "Tuotteita on palautettu: käsittele palautus MyCashflow’ssa.".to_owned(),
        ));
    }
    text.join(" ")
}
