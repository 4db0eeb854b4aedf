//! An event: something was told to us or found by us. A fact; it never changes.

use super::{dedup::Fingerprint, subject::Subject};
use crate::domain::{Timestamp, id::EventId};

/// Who told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A verified webhook of the shop.
    MyCashflow,
    /// A verified webhook of the warehouse.
    Ogoship,
    /// A poll of ours found it.
    Poll,
    /// A person asked by hand.
    Operator,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::MyCashflow, Self::Ogoship, Self::Poll, Self::Operator];

    /// The word in rows and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MyCashflow => "mycashflow",
            Self::Ogoship => "ogoship",
            Self::Poll => "poll",
            Self::Operator => "operator",
        }
    }

    /// True for what happens now, false for what we or a person dig up.
    pub const fn is_live(self) -> bool {
        match self {
            Self::MyCashflow | Self::Ogoship => true,
            Self::Poll | Self::Operator => false,
        }
    }
}

/// An event on its way into the inbox.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Drawn by us on arrival.
    pub id: EventId,
    /// The connection it came by.
    pub connection: String,
    /// Who told us.
    pub source: Source,
    /// The sender's own word, as `order.created`; `unknown` where none was given.
    pub topic: String,
    /// What may be out of sync; `None` where we cannot tell. The event is kept all the same.
    pub subject: Option<Subject>,
    /// When all of it had arrived.
    pub received_at: Timestamp,
    /// What makes a second telling the same event.
    pub fingerprint: Fingerprint,
    /// The raw bytes.
    pub body: Vec<u8>,
}
