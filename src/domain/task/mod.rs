//! Tasks: their states, what an attempt can come to, and what follows from it.

pub mod action;
pub mod fault;
pub mod ledger;
pub mod outcome;
pub mod reason;
pub mod retry;
pub mod state;
pub mod subject_state;
pub mod transition;
