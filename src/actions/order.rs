//! What a person asks for an order: send it, hold it, let it go, call it off, or just look at it again now.
//!
//! The first four are words ([`Intent`]) that `decide` reads: they are kept, and the latest counts. All five open the
//! order's debt with the urgency of a live order, or become the news of the one that is open.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, Replayed, WrongState, tell};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Subject, Urgency},
        },
        id::EventId,
        order::{Intent, OrderStatus},
    },
    store::{
        connections,
        ingest::OwnNews,
        intents::{self, NewIntent},
        subject_states,
    },
};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A word that counts until the next one.
    Intend(Intent),
    /// "Update changes to online store": look at both sides now.
    Refresh,
}

impl Ask {
    /// The word in URLs and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intend(intent) => intent.as_str(),
            Self::Refresh => "refresh",
        }
    }
}

/// Asks. What can be told at once to be in vain is declined; the rest is decided when both sides have been read.
pub async fn ask_for_order(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
    ask: Ask,
) -> Result<Replayed, Declined> {
    let is_number = (1..=20).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || connections::find(db, connection).await?.is_none() {
        return Err(Declined::NotFound);
    }
    let subject = Subject::order(order_id);
    let name = subject.to_string();
    let link = subject_states::find(db, connection, &name).await?;
    if let Some(wrong) = in_vain(ask, link.placed_at.is_some(), link.status) {
        return Err(Declined::WrongState(wrong));
    }

    let at = actor.now();
    if let Ask::Intend(intent) = ask {
        let id = actor.entropy.id(at);
        let new = NewIntent { id, connection, subject: &name, intent, actor: actor.name, at };
        intents::insert(db, &new).await?;
    }
    let id = EventId(actor.entropy.id(at));
    let topic = format!("order.{}", ask.as_str());
    let urgency = Urgency::live(subject.kind);
    let body = json!({ "event": id });
    let news = OwnNews { connection, subject, source: Source::Person, topic: &topic, body, urgency, at };
    let asked = tell(db, actor, id, news).await?;
    let detail = json!({ "delivery": asked.delivery, "opened": asked.opened });
    actor.audit(db, &topic, Some(connection), Some(name), detail).await?;
    Ok(asked)
}

/// Why it would come to nothing, by what we know now.
const fn in_vain(ask: Ask, is_placed: bool, status: Option<OrderStatus>) -> Option<WrongState> {
    use OrderStatus::{Cancelled, Delivered, Returned};

    match (ask, status) {
        (Ask::Intend(Intent::Transfer | Intent::Hold | Intent::Release), _) if is_placed => {
            Some(WrongState::PlacedAlready)
        }
        (Ask::Intend(Intent::Cancel), Some(Delivered | Returned)) => Some(WrongState::ShippedAlready),
        (Ask::Intend(Intent::Cancel), Some(Cancelled)) => Some(WrongState::OrderCancelledAlready),
        _ => None,
    }
}
