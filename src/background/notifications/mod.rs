//! Alerts and their notifications: one message for each kind of fault, and one when it is over.
//!
//! Every half minute, in one process at a time, [`AlertMonitor`] reads the conditions that hold (`store::alerts`), and
//! [`domain::alert::next`](crate::domain::alert::next) says what follows for each alert: open, notify, remind, close,
//! discard. A notification is written for each channel in the same transaction and sent from there **at least once**,
//! under an id that stays the same, until the channel accepts it. A notification that no channel has accepted for a day is
//! given up and logged.
//!
//! Channels are webhooks signed by Standard Webhooks, Slack-compatible webhooks, and e-mail. Messages name connections,
//! counts and codes, and no personal data.

mod channel;
mod deps;
mod mail;
mod message;
mod monitor;
mod sender;

pub use channel::{Channel, ChannelKind};
pub use deps::{Deps, Options};
pub use monitor::AlertMonitor;
