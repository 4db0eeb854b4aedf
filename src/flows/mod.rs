//! Flows: bring one subject into sync.
//!
//! A flow reads both vendors as they are now, asks the domain what is missing, and performs that one action.
//! It writes no row, repeats no call and knows no status code. What it observed goes back in its
//! [`AttemptResult`]. The worker writes it in the transaction that settles the attempt, so that state and
//! observation always agree.
//!
//! There is no recovery path: after a lost answer, a crash, a replay or a doubled webhook the next attempt
//! reads first, as every attempt does. Only calls that must not be repeated blindly commit something before
//! they are made ([`TaskStore::begin_action`]).

mod action;
mod attempt_result;
mod clients;
mod context;
mod flow;
mod item;
mod order;
mod product;
mod registry;
mod stock;
mod task_store;

use action::{Action, ActionError};
pub use attempt_result::AttemptResult;
pub use clients::{AllClients, ConnectionClients};
pub use context::Context;
pub use flow::Flow;
pub use registry::flow_for;
pub use task_store::TaskStore;
