//! The sandbox: a stateful fake shop and fake warehouse over real HTTP, with the quirks of the contract and faults on
//! demand. The tests, the demo, the chaos run and `silta sandbox` share it.
//!
//! **It counts for itself.** [`reconcile`] compares the state of both fakes to find what is lost or doubled, and never
//! asks Silta. To make that count mean something, the fakes are as unhelpful as the vendors may be: they ignore
//! `Idempotency-Key`, and the warehouse accepts a second order with the same reference without a word.
//!
//! This module imports nothing of Silta's but the clock and randomness: what it knows of the vendors comes from the
//! contract, so that a misreading in the clients cannot agree with itself.

pub mod credentials;
mod faults;
mod order_spec;
mod poison;
mod reconciliation;
mod repeated_body;
mod server;
mod shop;
mod shop_catalogue;
mod shop_http;
mod shop_orders_http;
mod shop_response;
mod shop_shipments;
mod shop_state;
mod simulation;
mod subscriptions;
mod vendor_clock;
mod vendors;
mod warehouse;
mod warehouse_auth;
mod warehouse_http;
mod warehouse_response;
mod warehouse_staff;
mod warehouse_state;
mod warehouse_stock;
mod webhook;
mod webhook_sender;

pub use faults::{Fault, Faults, RandomFaults};
pub use order_spec::OrderSpec;
pub use poison::Poison;
pub use reconciliation::{Reconciliation, reconcile};
pub use server::{RequestCounts, Server};
pub use shop::Shop;
pub use simulation::{Simulation, Traffic};
pub use subscriptions::{ShopSignature, Subscribed};
pub use vendors::Sandbox;
pub use warehouse::Warehouse;
pub use webhook::Webhook;
pub use webhook_sender::WebhookSender;
