//! Read models for pages and the API. They never write.

pub mod attention;
pub mod orders;
pub mod overview;
