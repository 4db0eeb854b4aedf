//! `silta chaos`: runs the real program under load between a sandbox shop and a sandbox warehouse while everything
//! around it breaks, then compares the two sandbox vendors order by order.
//!
//! ```text
//! shoppers ─▶ sandbox shop ──webhooks──▶ replica A ─┐                    ┌─▶ PostgreSQL: killed,
//! packers  ─▶ sandbox warehouse ───────▶ replica B ─┼─ a proxy that can ─┤   restarted, disk full
//!                  ▲      calls                 …   │  cut, slow, stall  └
//!                  └────────────────────────────────┘
//!             vendors fail in every way     killed at every failpoint, paused beyond the lease, added, stopped,
//!                                           attacked with large bodies and held connections
//! ```
//!
//! A run plays disturbances in an order drawn from the seed. After each it places an order; the time until that order
//! is at the warehouse is the time to recover. At the end nothing may be lost, doubled or left over, and every webhook
//! that was answered 200 must be in the database. The counts come from the sandbox alone; Silta is not asked.

mod attacks;
mod chaos_run;
mod database;
mod database_proxy;
mod disturbance;
mod injections;
mod replica;
mod report;
mod run;
mod setup;

pub use run::{Options, run};
