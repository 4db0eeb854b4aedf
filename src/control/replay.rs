//! Replay: a person orders a fresh look at the subject of a closed delivery, or of any event.
//!
//! A replay opens a new delivery and never touches the old one. If one is open for the subject already, the replay
//! becomes its news. It can never double an order: like every delivery it reads both sides before it does anything.
//! Replays have the last urgency, so that ten thousand of them never stand in front of a live order.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Actor, Declined, tell};
use crate::{
    domain::{
        event::Source,
        id::{DeliveryId, EventId},
        subject::{Subject, SubjectKind, Urgency},
    },
    store::{
        StoreError, deliveries,
        events::{self, OwnNews},
        links,
        overview::{self, DeliveryFilter, DeliveryRow},
    },
};

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The delivery that will look again.
    pub delivery: DeliveryId,
    /// True where it is a new one; false where it was open already and got this as news.
    pub opened: bool,
}

/// Looks again at the subject of an event.
pub async fn replay_event(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
) -> Result<Replayed, Declined> {
    let event = events::find(db, id).await?.ok_or(Declined::NotFound)?;
    let Some(subject) = event.subject else {
        return Err(Declined::WrongState(
            "the event has no subject that Silta can tell: there is nothing to look at",
        ));
    };
    let replay_of = event.delivery_id.map(DeliveryId);
    let replayed = open(db, actor, &event.connection, &subject, replay_of, id.0).await?;
    let detail = json!({ "delivery": replayed.delivery, "opened": replayed.opened });
    actor.audit(db, "event.replay", Some(&event.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// Looks again at the subject of a closed delivery.
pub async fn replay_delivery(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: DeliveryId,
) -> Result<Replayed, Declined> {
    let row = overview::find_delivery(db, id).await?.ok_or(Declined::NotFound)?;
    if row.settled_at.is_none() {
        return Err(Declined::WrongState("the delivery is still open: it will be tried by itself"));
    }
    let replayed = open(db, actor, &row.connection, &row.subject, Some(id), id.0).await?;
    let detail = json!({ "delivery": replayed.delivery, "opened": replayed.opened });
    actor.audit(db, "delivery.replay", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// Looks again at the subjects of closed deliveries matching a filter, oldest first, each subject once.
pub async fn replay_many(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    filter: &DeliveryFilter,
    limit: i64,
) -> Result<Vec<Uuid>, Declined> {
    let rows = overview::closed_oldest_first(db, filter, limit).await?;
    let mut ids = Vec::with_capacity(rows.len());
    for DeliveryRow { id, connection, subject, .. } in &rows {
        let replayed = open(db, actor, connection, subject, Some(DeliveryId(*id)), *id).await?;
        if !ids.contains(&replayed.delivery.0) {
            ids.push(replayed.delivery.0);
        }
    }
    let detail = json!({ "filter": filter, "limit": limit, "count": ids.len() });
    actor.audit(db, "replays.create", filter.connection.as_deref(), None, detail).await?;
    Ok(ids)
}

async fn open(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: &str,
    replay_of: Option<DeliveryId>,
    cause: Uuid,
) -> Result<Replayed, StoreError> {
    let inconsistent = StoreError::Inconsistent { table: "delivery", column: "subject" };
    let subject: Subject = subject.parse().map_err(|_| inconsistent)?;
    if subject.kind == SubjectKind::Product {
        // Whoever orders a fresh look wants the warehouse looked at, not what we believe of it.
        links::forget_sent(db, connection, &[subject.to_string()]).await?;
    }
    let at = actor.now();
    let id = EventId(actor.entropy.id(at));
    let news = OwnNews {
        connection,
        subject,
        source: Source::Person,
        topic: "replay",
        // The event's own id is in the body: two replays of one thing are two events.
        body: json!({ "replays": cause, "event": id }),
        urgency: Urgency::BACKGROUND,
        at,
    };
    let replayed = tell(db, actor, id, news).await?;
    if let Some(replay_of) = replay_of.filter(|old| replayed.opened && *old != replayed.delivery) {
        deliveries::mark_replay(db, replayed.delivery, replay_of).await?;
    }
    Ok(replayed)
}
