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
