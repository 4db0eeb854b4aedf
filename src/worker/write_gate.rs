//! Holds back an attempt's writes to a vendor whose write circuit is open. Once it has been open for long enough, one
//! attempt at a time is let through: the trial.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use sqlx::PgPool;

use crate::{
    domain::{
        task::{reason::Reason, transition::LONGEST_CIRCUIT},
        vendor::Vendor,
    },
    runtime::clock::Clock,
    store::{
        self,
        vendor_faults::{self, TrialTimes, WriteCircuit},
    },
    vendors::http::call_log::WriteGate,
};

/// How long a write waits while another attempt's trial runs, or the database is unavailable.
const RECHECK: Duration = Duration::from_secs(2);

/// The gate of one attempt.
#[derive(Debug)]
pub(super) struct PgWriteGate {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    connection: String,
    /// A trial that never comes back lasts as long as a claim.
    lease: Duration,
    trials: Mutex<HashSet<Vendor>>,
}

impl PgWriteGate {
    pub(super) fn new(pool: PgPool, clock: Arc<dyn Clock>, connection: String, lease: Duration) -> Self {
        Self { pool, clock, connection, lease, trials: Mutex::default() }
    }

    /// The vendors whose writes this attempt was let through to try.
    pub(super) fn trials(&self) -> Vec<Vendor> {
        self.trials.lock().iter().copied().collect()
    }

    async fn enter(&self, vendor: Vendor) -> store::Result<WriteCircuit> {
        let now = self.clock.now();
        let times = TrialTimes { now, trial_until: now + self.lease, longest: now + LONGEST_CIRCUIT };
        let mut db = self.pool.acquire().await?;
        vendor_faults::enter_write_circuit(&mut db, &self.connection, vendor, times).await
    }
}

#[async_trait]
impl WriteGate for PgWriteGate {
    async fn hold_back(&self, vendor: Vendor) -> Option<(Reason, Duration)> {
        if self.trials.lock().contains(&vendor) {
            return None;
        }
        match self.enter(vendor).await {
            Ok(WriteCircuit::Closed) => None,
            Ok(WriteCircuit::Trial) => {
                self.trials.lock().insert(vendor);
                None
            }
            Ok(WriteCircuit::Open { reason, until }) => {
                let left = (until - self.clock.now()).to_std().unwrap_or_default();
                Some((reason, left.clamp(RECHECK, LONGEST_CIRCUIT)))
            }
            Err(error) => {
                tracing::warn!(connection = self.connection, %vendor, error = %error, "cannot read the write circuit");
                Some((Reason::DatabaseUnavailable, RECHECK))
            }
        }
    }
}
