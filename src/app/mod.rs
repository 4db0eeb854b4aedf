//! The composition root: builds the service from a configuration, and runs it. The only module that knows all others.

mod build;
pub(crate) mod checks;
mod components;
pub mod config;
mod connection_starts;
mod connection_stores;
mod connections;
mod deps;
mod dry_run;
mod http;
mod order_finder;
mod rate_limit_writer;
mod reference_prefixes;
mod request_span;
mod serve;
pub mod shutdown;
pub mod telemetry;
mod telemetry_resource;
mod work_runner;

pub use build::{App, ServiceHalf};
pub use deps::AppDeps;
pub use reference_prefixes::PrepareError;
pub use serve::{Listeners, serve};
pub use telemetry_resource::ResourceAttributes;
