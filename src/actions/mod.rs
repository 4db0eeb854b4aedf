//! What a person may do; one code path each, whether it is asked over HTTP, on a page or from a shell.
//!
//! Each is carried out inside the caller's transaction together with its line in the audit trail, so that there is no
//! change without a name to it, and no line about a change that was rolled back.

mod cancel;
mod dry_run;
mod erase;
mod error;
mod order;
mod pause;
mod replay;
mod resolve;
mod reveal;
mod shipping;
mod sync;

pub use cancel::cancel;
pub use dry_run::{Rehearse, Rehearsed, rehearse_delivery};
pub use erase::erase_order;
pub use error::WrongState;
pub use order::{Ask, ask_for_order};
pub use pause::{pause, resume};
pub use replay::{
    MOST_REPLAYED, Replayed, Wanted, call_off_replay, choose, replay_delivery, replay_event, replay_many,
};
pub use resolve::resolve;
pub use reveal::reveal_body;
use serde_json::Value;
pub use shipping::{put_shipping_rule, remove_shipping_rule};
use sqlx::PgConnection;
pub use sync::{approve_sync, release_brake, request_sync};

use crate::{
    domain::{
        Timestamp,
        id::{DeliveryId, EventId},
        language::Language,
    },
    runtime::clock::{Clock, Entropy},
    store::{
        StoreError,
        audit::{self, AuditRow},
        ingest::{self, OwnNews},
    },
};

/// Who acts, and with what: an admin token's name, or `cli:ACCOUNT`.
pub struct Actor<'a> {
    /// The name in the audit trail.
    pub name: &'a str,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Ids.
    pub entropy: &'a Entropy,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Declined {
    /// No such thing.
    #[error("there is no such thing")]
    NotFound,
    /// It is not in a state that allows it.
    #[error("{}", .0.words(Language::English))]
    WrongState(WrongState),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Receives a person's news about a subject: its debt is opened, or told the news.
async fn tell(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
    news: OwnNews<'_>,
) -> Result<Replayed, StoreError> {
    let arrival = news.arrival(id, DeliveryId(actor.entropy.id(actor.now())));
    let received = ingest::receive(db, &[arrival]).await?;
    let received = received.first().expect("one arrival, one answer");
    let delivery = received.delivery_id.expect("an event with a subject has a delivery");
    Ok(Replayed { delivery, opened: received.opened })
}

impl Actor<'_> {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn audit(
        &self,
        db: &mut PgConnection,
        action: &str,
        connection: Option<&str>,
        subject: Option<String>,
        detail: Value,
    ) -> Result<(), StoreError> {
        let at = self.now();
        let row = AuditRow {
            id: self.entropy.id(at),
            at,
            actor: self.name.to_owned(),
            action: action.to_owned(),
            connection: connection.map(ToOwned::to_owned),
            subject,
            detail,
        };
        audit::insert(db, &row).await
    }
}
