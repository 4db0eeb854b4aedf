//! Events: where one came from, which subject it concerns, and when two are the same.

pub mod dedup;
pub mod new_event;
pub mod reference;
pub mod routing;
pub mod source;
pub mod subject;
