//! The order flow: reads the shop's order and the warehouse's, decides, performs one action.

mod actions;
mod flow;
mod observe;
mod replacement;

pub(super) use flow::OrderFlow;
