//! Replay: a person orders a fresh look at the subject of a closed delivery, or of any event.
//!
//! A replay opens a new delivery and never touches the old one. If one is open for the subject already, the replay
//! becomes its news. It can never double an order: like every delivery it reads both sides before it does anything.
//! Replays have the last urgency, so that ten thousand of them never stand in front of a live order.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Actor, Declined, WrongState, tell};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{SubjectKind, Urgency},
        },
        id::{DeliveryId, EventId},
        task::state::DeliveryState,
    },
    store::{
        StoreError, events,
        ingest::OwnNews,
        replays::{self, NewReplay},
        subject_states, tasks,
        views::overview::{self, DeliveryFilter, DeliveryRow},
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
        return Err(Declined::WrongState(WrongState::NoSubject));
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
        return Err(Declined::WrongState(WrongState::StillOpen));
    }
    let replayed = open(db, actor, &row.connection, &row.subject, Some(id), id.0).await?;
    let detail = json!({ "delivery": replayed.delivery, "opened": replayed.opened });
    actor.audit(db, "delivery.replay", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// The most deliveries that are replayed together.
pub const MOST_REPLAYED: i64 = 1000;

/// What is to be replayed together.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Closed deliveries matching a filter, oldest first, at most so many; of each subject its newest alone.
    Matching(DeliveryFilter, i64),
    /// These; those that are open go on by themselves and are passed over.
    These(Vec<Uuid>),
}

/// The closed deliveries that are meant, oldest first.
pub async fn choose(db: &mut PgConnection, wanted: &Wanted) -> Result<Vec<DeliveryRow>, Declined> {
    match wanted {
        Wanted::Matching(filter, limit) => Ok(overview::closed_oldest_first(db, filter, *limit).await?),
        Wanted::These(ids) => {
            let ids: BTreeSet<_> = ids.iter().copied().collect(); // ids sort by time
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = overview::find_delivery(db, DeliveryId(id)).await?.ok_or(Declined::NotFound)?;
                rows.extend(Some(row).filter(|row| row.settled_at.is_some()));
            }
            Ok(rows)
        }
    }
}

/// Looks again at the subjects of what is [chosen](choose), each subject once. Answers the replay's own id, by which it is
/// watched and called off, and the deliveries that look again.
pub async fn replay_many(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    wanted: &Wanted,
) -> Result<(Uuid, Vec<Uuid>), Declined> {
    let rows = choose(db, wanted).await?;
    let filter = match wanted {
        Wanted::Matching(filter, _) => json!(filter),
        Wanted::These(ids) => json!({ "ids": ids }),
    };
    let mut ids = Vec::with_capacity(rows.len());
    let mut opened = Vec::new();
    for DeliveryRow { id, connection, subject, .. } in &rows {
        let replayed = open(db, actor, connection, subject, Some(DeliveryId(*id)), *id).await?;
        if !ids.contains(&replayed.delivery.0) {
            ids.push(replayed.delivery.0);
            opened.extend(Some(replayed.delivery.0).filter(|_| replayed.opened));
        }
    }
    let at = actor.now();
    let id = actor.entropy.id(at);
    let detail = json!({ "filter": filter, "count": ids.len() });
    let connection = filter["connection"].as_str().map(ToOwned::to_owned);
    let new = NewReplay { id, actor: actor.name, filter, deliveries: &ids, opened: &opened, at };
    replays::insert(db, &new).await?;
    actor.audit(db, "replays.create", connection.as_deref(), Some(id.to_string()), detail).await?;
    Ok((id, ids))
}

/// Calls off whatever a replay has opened and nobody has begun. What is running, or in doubt, comes to its end.
/// Answers how many were called off.
pub async fn call_off_replay(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<usize, Declined> {
    replays::find(db, id).await?.ok_or(Declined::NotFound)?;
    let opened = replays::call_off(db, id, actor.name, actor.now()).await?;
    let opened = opened.ok_or(Declined::WrongState(WrongState::CalledOffAlready))?;
    let mut count = 0;
    for delivery in opened {
        let row = overview::find_delivery(db, DeliveryId(delivery)).await?;
        let waits = row.is_some_and(|row| row.state == DeliveryState::Pending.as_str() && row.attempts == 0);
        if waits && tasks::cancel(db, DeliveryId(delivery), actor.now()).await? {
            count += 1;
        }
    }
    actor.audit(db, "replays.cancel", None, Some(id.to_string()), json!({ "count": count })).await?;
    Ok(count)
}

async fn open(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: &str,
    replay_of: Option<DeliveryId>,
    cause: Uuid,
) -> Result<Replayed, StoreError> {
    let subject = tasks::subject(subject)?;
    if subject.kind == SubjectKind::Product {
        // Whoever orders a fresh look wants the warehouse looked at, not what we believe of it.
        subject_states::forget_sent(db, connection, &[subject.to_string()]).await?;
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
        tasks::mark_replay(db, replayed.delivery, replay_of).await?;
    }
    Ok(replayed)
}
