//! What an operator asks for an order: transfer, hold, release, cancel, or refresh.
//!
//! The first four are stored as an [`Intent`], which `decide` reads; the latest counts. All five enqueue the order's task
//! with the priority of a live order.

use std::time::Duration;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ActionError, Actor, ConflictError,
    confirm_order::ConfirmedOrder,
    enqueue::{EnqueuedTask, OperatorEvent, enqueue},
    switch::require_switched_on,
};
use crate::{
    domain::{
        Timestamp,
        event::subject::{Subject, SubjectKind},
        order::{Intent, OrderStatus},
        task::subject_state::KnownSubject,
    },
    store::{
        connections,
        intents::{self, NewIntent, Wish},
        redaction, subject_states,
    },
};

/// What an operator asks for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRequest {
    /// An intent, which counts until the next one.
    SetIntent(Intent),
    /// "Update changes to online store": read both sides now.
    Refresh,
}

impl OrderRequest {
    /// The name in URLs and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetIntent(intent) => intent.as_str(),
            Self::Refresh => "refresh",
        }
    }
}

/// How what is asked for from a page leaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Departure {
    /// How long what it sends to the warehouse waits and can be taken back.
    pub undo: Duration,
    /// The request for several orders that it is part of.
    pub bulk: Option<Uuid>,
}

/// Stores the request and enqueues the order's task. A request that the known state rules out is refused at once; the rest is
/// decided once both sides were read.
pub async fn request_order_action(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    order: &ConfirmedOrder,
    request: OrderRequest,
) -> Result<EnqueuedTask, ActionError> {
    request_undoable(db, actor, order, request, Departure::default()).await
}

/// The same from a page: what it sends to the warehouse leaves a moment later, and can be taken back until then.
pub async fn request_undoable(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    ConfirmedOrder { connection, subject }: &ConfirmedOrder,
    request: OrderRequest,
    departure: Departure,
) -> Result<EnqueuedTask, ActionError> {
    let known = subject_states::find(db, connection, &subject.to_string()).await?;
    let is_placed = known.state.placed_at.is_some();
    if let Some(conflict) = known_conflict(request, is_placed, known.state.status) {
        return Err(conflict.into());
    }
    if would_write(request, is_placed) {
        require_switched_on(db, connection, SubjectKind::Order).await?;
    }

    if let OrderRequest::SetIntent(intent) = request {
        let sends = matches!(intent, Intent::Transfer | Intent::Release);
        let Departure { undo, bulk } = departure;
        let leaves_at = (sends && !undo.is_zero()).then(|| actor.now() + undo);
        record_intent(db, actor, (connection, subject), Wish::Intent(intent), (leaves_at, bulk)).await?;
    }
    enqueue_order(db, actor, connection, subject.clone(), request.as_str()).await
}

/// Finds an order that our tables have, and what is known of it.
pub(super) async fn find_order(
    db: &mut PgConnection,
    connection: &str,
    order_id: &str,
) -> Result<(Subject, KnownSubject), ActionError> {
    let is_number = (1..=20).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || connections::find(db, connection).await?.is_none() {
        return Err(ActionError::NotFound);
    }
    let subject = Subject::order(order_id);
    if !redaction::is_known(db, connection, &subject.to_string()).await? {
        return Err(ActionError::NotFound);
    }
    let known = subject_states::find(db, connection, &subject.to_string()).await?;
    Ok((subject, known))
}

/// Stores what an operator asks for.
pub(super) async fn record_wish(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: &Subject,
    wish: Wish<'_>,
) -> Result<(), ActionError> {
    record_intent(db, actor, (connection, subject), wish, (None, None)).await
}

/// Stores what an operator asks for, with when its effect may leave, and the request for several that it is part of.
pub(super) async fn record_intent(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, subject): (&str, &Subject),
    wish: Wish<'_>,
    (leaves_at, bulk): (Option<Timestamp>, Option<Uuid>),
) -> Result<(), ActionError> {
    let (at, name) = (actor.now(), subject.to_string());
    let id = actor.entropy.id(at);
    let new = NewIntent { id, connection, subject: &name, wish, actor: actor.name, at, leaves_at, bulk };
    Ok(intents::insert(db, &new).await?)
}

/// Enqueues an order's task for an operator, with its audit line.
pub(super) async fn enqueue_order(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: Subject,
    request: &str,
) -> Result<EnqueuedTask, ActionError> {
    let topic = format!("order.{request}");
    let event = OperatorEvent::live(&topic, subject.kind);
    let enqueued = enqueue(db, actor, (connection, &subject), event).await?;
    let detail = json!({ "task": enqueued.task, "opened": enqueued.opened });
    actor.audit(db, &topic, Some(connection), Some(subject.to_string()), detail).await?;
    Ok(enqueued)
}

/// Whether an order's request writes anything at a vendor, as far as is known.
const fn would_write(request: OrderRequest, is_placed: bool) -> bool {
    match request {
        OrderRequest::SetIntent(Intent::Transfer | Intent::Release | Intent::Adopt) => true,
        OrderRequest::SetIntent(Intent::Cancel) => is_placed,
        OrderRequest::SetIntent(Intent::Hold) | OrderRequest::Refresh => false,
    }
}

/// Why the last known state rules the request out.
const fn known_conflict(
    request: OrderRequest,
    is_placed: bool,
    status: Option<OrderStatus>,
) -> Option<ConflictError> {
    use OrderStatus::{Cancelled, Delivered, Returned};

    match (request, status) {
        (OrderRequest::SetIntent(Intent::Transfer | Intent::Hold | Intent::Release | Intent::Adopt), _)
            if is_placed =>
        {
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
