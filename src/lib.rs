//! Silta ties a `MyCashflow` web shop to an `OGOship` warehouse.
//!
//! ```text
//!             PORCH                     HALL                    WORKSHOP                     GATES
//!    ┌──────────────────────┐  ┌────────────────────┐  ┌────────────────────────────┐  ┌──────────────┐
//! A ─┼▶ verify  ─▶ receive ─┼──┼▶ event             │  │                            │  │              │
//!    │ one statement,       │  │  task ─────────┼──┼▶ claim ─▶ attempt ─▶ settle│  │              │
//!    │ then 2xx       poll │  │  attempt, link  ◀──┼──┼────────────── ▲ ────── ┘   │  │              │
//!    └──────────────────────┘  └────────────────────┘  │     flows/<kind> ──────────┼──┼▶ B's client ─┼▶ B
//!        inbox                     store               └──────── worker ────────────┘  └── vendors ───┘
//! ```
//!
//! A vendor sends a **webhook**. The [`inbox`] verifies it and receives the *event* with the *task* of its subject,
//! then answers 2xx. The [`worker`] claims a due task; its [`flows`] read both sides, let the [`domain`] decide, and
//! do one thing through the [`vendors`]; the worker settles what it came to. People act through [`control`], by the
//! [`admin`] API or the [`cli`]. `ARCHITECTURE.md` walks through it.

pub mod actions;
pub mod app;
pub mod background;
pub mod cli;
pub mod dev;
pub mod domain;
pub mod explain;
pub mod flows;
pub mod inbox;
pub mod runtime;
pub mod security;
pub mod store;
pub mod sync;
pub mod vendors;
pub mod web;
pub mod worker;
