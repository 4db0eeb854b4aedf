//! Silta connects a `MyCashflow` web shop to an `OGOship` warehouse.
//!
//! ```text
//!            INBOX                     DATABASE                     WORKER                     VENDORS
//!    ┌──────────────────────┐  ┌────────────────────┐  ┌──────────────────────────────┐  ┌──────────────┐
//! A ─┼▶ webhook: verify ──┐ │  │ event              │  │                              │  │              │
//!    │                    ├─┼──┼▶ task (outbox) ────┼──┼▶ claim ─▶ attempt ─▶ settle  │  │              │
//! A ─┼▶ poll: list ───────┘ │  │ attempt            │  │             │  ▲       │     │  │              │
//!    │                      │  │ subject_state ◀────┼──┼─────────────┼──┼───────┘     │  │              │
//!    │  2xx after commit    │  │                    │  │             ▼  │             │  │              │
//!    └──────────────────────┘  └────────────────────┘  │  flows: read both sides,     │  │              │
//!                                 ▲ read   ▲ change    │  decide, one action ─────────┼──┼▶ client ─────┼─▶ B
//!                                 │        │           └──────────────────────────────┘  └──────────────┘
//!                              explain  actions ◀─ an operator: web/api, web/dashboard, cli
//! ```
//!
//! A vendor sends a **webhook**. The [`inbox`] verifies it, stores the *event* and enqueues a *task* for its subject in one
//! statement, then answers 2xx. The [`worker`] claims a due task; its flow ([`flows`]) reads both sides, decides by the pure
//! functions of the [`domain`], and performs one action through the [`vendors`]. The worker settles: attempt, observed state
//! and next state in one statement fenced by the claim. Operators act through [`actions`], by [`web`] or the [`cli`].
//! `ARCHITECTURE.md` has the invariants, the tree and walkthroughs.

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
