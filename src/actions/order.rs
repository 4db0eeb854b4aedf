//! What a person asks for an order: send it, hold it, let it go, call it off, or just look at it again now.
//!
//! The first four are words ([`Intent`]) that `decide` reads: they are kept, and the latest counts. All five open the
//! order's task with the priority of a live order, or become the news of the one that is open.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError, EnqueuedTask, enqueue};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject},
        },
        id::EventId,
        order::{Intent, OrderStatus},
    },
    store::{
        connections,
        ingest::InternalEvent,
        intents::{self, NewIntent},
        subject_states,
    },
};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRequest {
    /// A word that counts until the next one.
    SetIntent(Intent),
    /// "Update changes to online store": look at both sides now.
    Refresh,
}

impl OrderRequest {
    /// The word in URLs and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetIntent(intent) => intent.as_str(),
            Self::Refresh => "refresh",
        }
    }
}

/// Asks. What can be told at once to be in vain is declined; the rest is decided when both sides have been read.
pub async fn request_order_action(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
    request: OrderRequest,
) -> Result<EnqueuedTask, ActionError> {
    let is_number = (1..=20).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || connections::find(db, connection).await?.is_none() {
        return Err(ActionError::NotFound);
    }
    let subject = Subject::order(order_id);
    let name = subject.to_string();
    let link = subject_states::find(db, connection, &name).await?;
    if let Some(conflict) = known_conflict(request, link.placed_at.is_some(), link.status) {
        return Err(ActionError::Conflict(conflict));
    }

    let at = actor.now();
    if let OrderRequest::SetIntent(intent) = request {
        let id = actor.entropy.id(at);
        let new = NewIntent { id, connection, subject: &name, intent, actor: actor.name, at };
        intents::insert(db, &new).await?;
    }
    let id = EventId(actor.entropy.id(at));
    let topic = format!("order.{}", request.as_str());
    let priority = Priority::live(subject.kind);
    let body = json!({ "event": id });
    let event =
        InternalEvent { connection, subject, source: Source::Operator, topic: &topic, body, priority, at };
    let enqueued = enqueue(db, actor, id, event).await?;
    let detail = json!({ "task": enqueued.task, "opened": enqueued.opened });
    actor.audit(db, &topic, Some(connection), Some(name), detail).await?;
    Ok(enqueued)
}

/// Why it would come to nothing, by what we know now.
const fn known_conflict(
    request: OrderRequest,
    is_placed: bool,
    status: Option<OrderStatus>,
) -> Option<ConflictError> {
    use OrderStatus::{Cancelled, Delivered, Returned};

    match (request, status) {
        (OrderRequest::SetIntent(Intent::Transfer | Intent::Hold | Intent::Release), _) if is_placed => {
            Some(ConflictError::AlreadyPlaced)
        }
        (OrderRequest::SetIntent(Intent::Cancel), Some(Delivered | Returned)) => {
            Some(ConflictError::AlreadyShipped)
        }
        (OrderRequest::SetIntent(Intent::Cancel), Some(Cancelled)) => {
            Some(ConflictError::OrderAlreadyCancelled)
        }
        _ => None,
    }
}
