//! What a worker is built from.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;

use super::Metrics;
use crate::{
    domain::{event::subject::SubjectKind, task::retry::RetryPolicy},
    flows::{AllClients, Flow},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
        pressure::Pressure,
    },
};

/// The settings of `[worker]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Attempts at once, per process.
    pub concurrency: usize,
    /// How long a claim lasts; an attempt is aborted a little earlier.
    pub lease: Duration,
    /// The process's name, written into claims.
    pub name: String,
}

/// Returns the flow of a kind of subject.
pub type FlowFor = fn(SubjectKind) -> &'static dyn Flow;

/// Dependencies of the worker.
#[derive(Clone)]
pub struct Deps {
    /// The database with the tasks.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Claim ids and jitter.
    pub entropy: Arc<Entropy>,
    /// The vendor clients of every configured connection.
    pub clients: AllClients,
    /// The flow of each kind of subject.
    pub flow_for: FlowFor,
    /// When to retry.
    pub retry: RetryPolicy,
    /// `[worker]`
    pub options: Options,
    /// Counters of attempts.
    pub metrics: Metrics,
    /// Where a chaos run interferes.
    pub failpoints: Failpoints,
    /// The webhooks of this process that wait, which go first.
    pub pressure: Pressure,
}
