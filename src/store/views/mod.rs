//! Read models for pages, the API and gauges. They never write.

mod order_filter;
mod order_list;
mod order_row;
mod order_search;

pub mod attention;
pub mod braked;
pub mod code_problems;
pub mod connection_figures;
pub mod figures;
pub mod item_lists;
pub mod items;
pub mod last_syncs;
pub mod orders;
pub mod overview;
pub mod recent_changes;
pub mod recent_syncs;
pub mod releasable;
pub mod remarks;
pub mod shipping_methods;
pub mod task_list;
pub mod vendors_down;
pub mod waiting;
pub mod waiting_syncs;
