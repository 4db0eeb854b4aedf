//! `silta demo`: plays a day with a private PostgreSQL, a sandbox shop, a sandbox warehouse and the service on loopback
//! ports. Shoppers order, the warehouse ships, webhooks get lost, calls fail. At the end the sandbox compares both
//! vendors order by order.

mod configuration;
mod options;
mod run;
mod session;
mod verdict;
mod view;

pub use options::Options;
pub use run::run;
