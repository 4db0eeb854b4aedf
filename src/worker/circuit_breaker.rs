//! Decides whose fault a failed call is, and holds back calls to a vendor that is down or refuses access.
//!
//! One failed call belongs to its subject, which retries, and ends with a person. It becomes the vendor's fault where
//! several subjects fail alike in one kind of call, reads or writes, and none of that kind succeeds in between
//! (`store::vendor_faults`). A task that its vendor answers with 500 or 403 for reasons of its own therefore
//! never stops the tasks beside it, and neither does a share of answers that get lost. For reads a probe counts too
//! (`probe.rs`), so that a single order does not use up its attempts during an outage.
//!
//! What opens depends on the kind. Every task begins with reads: a vendor that cannot be read opens the
//! circuit of the connection, and nothing of it is claimed. A vendor that only cannot be written to holds back writes
//! (`write_gate.rs`): tasks that need none go on. Each circuit is half-open in the end: one task goes through, and
//! its result closes the circuit or opens it again for twice as long, up to a bound.

use std::collections::HashSet;

use parking_lot::Mutex;
use sqlx::PgConnection;

use crate::{
    domain::{
        Timestamp,
        task::{
            fault::{CallKind, Fault},
            outcome::Outcome,
            reason::Reason,
            state::LeasedTask,
            transition::circuit_open_for,
        },
        vendor::Vendor,
    },
    flows::AttemptResult,
    store::{
        self,
        connections::{self, CircuitOpening},
        tasks, vendor_faults,
    },
    vendors::http::call_log::CallLog,
};

/// What an attempt shows of its vendors.
#[derive(Clone, Debug, Default)]
pub(super) struct VendorSigns {
    /// Kinds of calls that the vendor answered as it does when it works.
    pub(super) answered: Vec<(Vendor, CallKind)>,
    /// The fault that ended the attempt.
    pub(super) fault: Option<Fault>,
    /// Vendors whose writes it was let through to try.
    pub(super) trials: Vec<Vendor>,
    /// Why a write of it was held back, where one was.
    held_back: Option<Reason>,
}

impl VendorSigns {
    /// What an attempt's calls show.
    pub(super) fn new(call_log: &CallLog, result: &AttemptResult, trials: Vec<Vendor>) -> Self {
        let kinds = [Vendor::MyCashflow, Vendor::Ogoship]
            .into_iter()
            .flat_map(|vendor| [(vendor, CallKind::Read), (vendor, CallKind::Write)]);
        let answered = kinds.filter(|(vendor, kind)| call_log.has_answered(*vendor, *kind)).collect();
        let held_back = match result.outcome {
            Outcome::Snoozed {
                reason: reason @ (Reason::VendorDown | Reason::CredentialsRefused), ..
            } => Some(reason),
            _ => None,
        };
        Self { answered, fault: result.fault, trials, held_back }
    }
}

/// Writes suspicions and opens circuits.
#[derive(Default)]
pub(super) struct CircuitBreaker {
    /// Kinds of calls that this process has recorded a fault of, and no success since. A claim knows those of other
    /// processes.
    suspects: Mutex<HashSet<(String, Vendor, CallKind)>>,
}

impl CircuitBreaker {
    /// Whether nothing is to be written: no fault, and only answers that were expected.
    pub(super) fn is_unremarkable(&self, leased: &LeasedTask, signs: &VendorSigns) -> bool {
        signs.fault.is_none() && signs.held_back.is_none() && self.cleared(leased, signs).is_empty()
    }

    /// The kinds of calls under suspicion that the attempt has shown to work.
    fn cleared(&self, leased: &LeasedTask, signs: &VendorSigns) -> Vec<(Vendor, CallKind)> {
        let suspects = self.suspects.lock();
        let is_suspect = |kind: &&(Vendor, CallKind)| {
            leased.suspects.contains(kind) || suspects.contains(&(leased.connection.clone(), kind.0, kind.1))
        };
        signs.answered.iter().filter(is_suspect).copied().collect()
    }

    /// Writes what an attempt shows, in the transaction of its settle: first what worked, then what failed.
    pub(super) async fn write(
        &self,
        db: &mut PgConnection,
        leased: &LeasedTask,
        signs: &VendorSigns,
        now: Timestamp,
    ) -> store::Result<()> {
        if self.is_unremarkable(leased, signs) {
            return Ok(());
        }
        let connection = &leased.connection;
        vendor_faults::lock(db, connection).await?;
        for (vendor, call) in self.cleared(leased, signs) {
            self.clear(db, connection, vendor, call).await?;
            if call == CallKind::Write {
                close_write_circuit(db, connection, vendor, now).await?;
            }
        }
        if let Some(reason) = signs.held_back
            && !vendor_faults::is_held_back(db, connection, reason).await?
        {
            // The circuit was closed between the call that was held back and this settle.
            tasks::wake_held_back(db, connection, reason, now).await?;
        }
        match signs.fault {
            Some(fault) if signs.trials.contains(&fault.vendor) && fault.call == CallKind::Write => {
                extend_write_circuit(db, connection, fault, now).await
            }
            Some(fault) => self.record(db, leased, fault, now).await,
            None => Ok(()),
        }
    }

    /// Records a fault; opens the circuit once enough subjects have failed alike.
    async fn record(
        &self,
        db: &mut PgConnection,
        leased: &LeasedTask,
        fault: Fault,
        now: Timestamp,
    ) -> store::Result<()> {
        let LeasedTask { connection, subject, connection_faults, .. } = leased;
        let Fault { vendor, call, kind } = fault;
        let subjects = vendor_faults::record(db, connection, &subject.to_string(), fault, now).await?;
        self.suspects.lock().insert((connection.clone(), vendor, call));
        if subjects < call.subjects_to_open() {
            return Ok(());
        }
        let reason = kind.circuit_reason();
        let is_opened = match call {
            CallKind::Read => {
                let until = now + circuit_open_for(reason, *connection_faults);
                let opening = CircuitOpening { at: now, until, reason, vendor: Some(vendor) };
                connections::open_circuit(db, connection, &opening).await?
            }
            CallKind::Write => {
                let until = now + circuit_open_for(reason, 0);
                vendor_faults::open_write_circuit(db, connection, vendor, (reason, now, until)).await?
            }
        };
        if is_opened {
            tracing::warn!(
                connection, %vendor, call = call.as_str(), reason = reason.code(), subjects, "circuit opened"
            );
        }
        self.clear(db, connection, vendor, call).await // counting starts anew once the circuit closes
    }

    async fn clear(
        &self,
        db: &mut PgConnection,
        connection: &str,
        vendor: Vendor,
        call: CallKind,
    ) -> store::Result<()> {
        vendor_faults::clear(db, connection, vendor, call).await?;
        self.suspects.lock().remove(&(connection.to_owned(), vendor, call));
        Ok(())
    }
}

/// Lets writes through again, and makes due what was held back: it was snoozed for as long as the circuit was expected to stay
/// open, and a trial ends that earlier.
async fn close_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    vendor: Vendor,
    now: Timestamp,
) -> store::Result<()> {
    let Some(reason) = vendor_faults::close_write_circuit(db, connection, vendor).await? else {
        return Ok(());
    };
    let woken = tasks::wake_held_back(db, connection, reason, now).await?;
    tracing::info!(connection, %vendor, woken, "writes go through again");
    Ok(())
}

/// The one task that was let through has failed alike.
async fn extend_write_circuit(
    db: &mut PgConnection,
    connection: &str,
    fault: Fault,
    now: Timestamp,
) -> store::Result<()> {
    let Fault { vendor, kind, .. } = fault;
    let reason = kind.circuit_reason();
    let failed = vendor_faults::failed_trials(db, connection, vendor).await?;
    let until = now + circuit_open_for(reason, failed + 1);
    tracing::warn!(connection, %vendor, reason = reason.code(), %until, "writes are held back for longer");
    vendor_faults::extend_write_circuit(db, connection, vendor, until, reason).await
}
