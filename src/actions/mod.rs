//! What an operator may do. The API, the dashboard and the CLI call the same functions.
//!
//! Each function runs in the caller's transaction together with its audit entry, so that every change has a name to it
//! and a change that is rolled back leaves no entry.

mod actor;
mod cancel;
mod confirm_order;
mod connection_work;
mod dry_run;
mod enqueue;
mod erase;
mod error;
mod handle;
mod order;
mod pause;
mod poll;
mod recipient;
mod release;
mod replacement;
mod replay;
mod replay_many;
mod resolve;
mod restore;
mod reveal;
mod shipping;
mod switch;
mod sync;
mod sync_subject;
mod undo;

pub use actor::Actor;
pub use cancel::cancel;
pub use confirm_order::{ConfirmedOrder, OrderFinder, confirm_order};
pub use connection_work::{
    RequestedWork, WebhookSetup, WorkRunner, registration_obstacle, request_detection, request_work,
};
pub use dry_run::{DryRun, DryRunResult, dry_run_task};
pub use enqueue::EnqueuedTask;
pub use erase::erase_order;
pub use error::ActionError;
pub use handle::mark_handled;
pub use order::{Departure, OrderRequest, request_order_action, request_undoable};
pub use pause::{pause, resume};
pub use poll::poll_now;
pub use recipient::{read_recipient, record_recipient_shown};
pub use release::{ConfiguredRules, Releasable, list_releasable, release};
pub use replacement::{send_replacement, send_undoable_replacement};
pub use replay::{replay_event, replay_task};
pub use replay_many::{MAX_REPLAYED, Replay, ReplaySelection, cancel_replay, replay_many, select_tasks};
pub use resolve::resolve;
pub use restore::record_restore;
pub use reveal::reveal_body;
pub use shipping::{put_shipping_rule, remove_shipping_rule};
pub use sync::{
    NotBefore, RequestedSync, SyncRequest, approve_sync, cancel_sync, release_brake, request_sync,
};
pub use sync_subject::{sync_item, sync_subject};
pub use undo::{Undone, undo, undo_of_bulk};

pub use crate::domain::conflict::ConflictError;
