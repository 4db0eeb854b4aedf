//! Silta ties a `MyCashflow` web shop to an `OGOship` warehouse.
//!
//! ```text
//!             PORCH                     HALL                    WORKSHOP                     GATES
//!    ┌──────────────────────┐  ┌────────────────────┐  ┌────────────────────────────┐  ┌──────────────┐
//! A ─┼▶ verify  ─▶ receive ─┼──┼▶ event             │  │                            │  │              │
//!    │ one statement,       │  │  delivery ─────────┼──┼▶ claim ─▶ attempt ─▶ settle│  │              │
//!    │ then 2xx       sweep │  │  attempt, link  ◀──┼──┼────────────── ▲ ────── ┘   │  │              │
//!    └──────────────────────┘  └────────────────────┘  │     flows/<kind> ──────────┼──┼▶ B's client ─┼▶ B
//!        inbox                     store               └──────── worker ────────────┘  └── systems ───┘
//! ```
//!
//! A system sends a **webhook**. The [`inbox`] verifies it and receives the *event* with the *delivery* of its subject,
//! then answers 2xx. The [`worker`] claims a due delivery; its [`flows`] read both sides, let the [`domain`] decide, and
//! do one thing through the [`systems`]; the worker settles what it came to. People act through [`control`], by the
//! [`admin`] API or the [`cli`]. `ARCHITECTURE.md` walks through it.

pub mod admin;
pub mod alerts;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dashboard;
pub mod demo;
pub mod domain;
pub mod embedded_postgres;
pub mod explain;
pub mod flows;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod gather;
pub mod inbox;
pub mod killpoints;
pub mod ledger;
pub mod lifecycle;
pub mod ops;
pub mod problem;
pub mod proof;
pub mod retention;
pub mod sandbox;
pub mod server;
pub mod store;
pub mod strangers;
pub mod subscriptions;
pub mod sync;
pub mod systems;
pub mod tally;
pub mod telemetry;
pub mod vault;
pub mod worker;
