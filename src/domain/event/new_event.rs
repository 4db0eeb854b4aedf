//! An event: a verified fact that a webhook or a poll brought. It is stored once and never changes.

use super::{dedup::Fingerprint, source::Source, subject::Subject};
use crate::domain::{Timestamp, id::EventId};

/// An event before it is stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Drawn when it is received.
    pub id: EventId,
    /// The connection.
    pub connection: String,
    /// Where it came from.
    pub source: Source,
    /// The sender's own topic, such as `order.created`; `unknown` where there is none.
    pub topic: String,
    /// What may be out of sync; `None` where that is unknown. The event is stored all the same.
    pub subject: Option<Subject>,
    /// When the whole body was received.
    pub received_at: Timestamp,
    /// Identifies a repeat of the same event.
    pub fingerprint: Fingerprint,
    /// The raw bytes.
    pub body: Vec<u8>,
}
