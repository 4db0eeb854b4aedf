//! Probes vendors: those of connections whose circuit has been open for long enough, and one whose read has failed for a
//! single subject.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use super::{
    Deps,
    attempt::{AttemptEnding, AttemptRunner},
    claim::claim_trial,
};
use crate::{
    domain::{
        task::{
            fault::{CallKind, Fault, FaultKind},
            reason::Reason,
            transition::{LONGEST_CIRCUIT, LONGEST_OUTAGE_CIRCUIT, circuit_open_for},
        },
        vendor::Vendor,
    },
    flows::ConnectionClients,
    store::{
        self,
        connections::{self, CircuitOpening, ProbeTarget},
    },
    vendors::http::error::{CallError, Effect},
};

/// How often in a row a task must have failed before a probe says whether its vendor is down. Refused access is asked
/// about at once: somebody must act.
const FAILURES_TO_PROBE: u32 = 3;

/// The shortest and the longest wait before a probe that could not be made is made again.
const POSTPONED: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// Asks vendors whether they work.
pub(super) struct Prober {
    deps: Arc<Deps>,
    tracker: TaskTracker,
    runner: Arc<AttemptRunner>,
    /// Connections that are probed now because a subject's read failed.
    confirming: Mutex<HashSet<String>>,
}

impl Prober {
    pub(super) fn new(deps: Arc<Deps>, tracker: TaskTracker, runner: Arc<AttemptRunner>) -> Self {
        Self { deps, tracker, runner, confirming: Mutex::default() }
    }

    /// Probes every connection whose open period has ended, all at once.
    pub(super) async fn probe_due(&self) -> store::Result<()> {
        let Deps { pool, clock, options, clients, .. } = &*self.deps;
        let names = clients.names();
        let now = clock.now();
        let mut db = pool.acquire().await?;
        let (until, longest) =
            (now + options.lease, [now + LONGEST_OUTAGE_CIRCUIT.max(options.lease), now + LONGEST_CIRCUIT]);
        let targets = connections::claim_probes(&mut db, &names, now, until, longest).await?;
        drop(db); // never held during a call
        let probes = targets.into_iter().map(|target| {
            let (deps, runner) = (self.deps.clone(), self.runner.clone());
            self.tracker.spawn(async move {
                if let Err(error) = probe(&deps, &runner, &target).await {
                    tracing::warn!(connection = target.name, error = %error, "cannot record a probe's result");
                }
            })
        });
        for probe in probes.collect::<Vec<_>>() {
            let _ = probe.await;
        }
        Ok(())
    }

    /// After a subject's read has failed: a probe that fails alike is enough to open the circuit.
    pub(super) async fn confirm(&self, connection: &str, ending: &AttemptEnding) -> store::Result<()> {
        let Some(Fault { vendor, call: CallKind::Read, kind }) = ending.fault else { return Ok(()) };
        if kind == FaultKind::Down && ending.failures < FAILURES_TO_PROBE {
            return Ok(());
        }
        let Some(clients) = self.deps.clients.find(connection) else { return Ok(()) };
        if !self.confirming.lock().insert(connection.to_owned()) {
            return Ok(()); // another attempt asks
        }
        let confirmed = self.open_if_alike(clients, vendor, kind).await;
        self.confirming.lock().remove(connection);
        confirmed
    }

    async fn open_if_alike(
        &self,
        clients: &ConnectionClients,
        vendor: Vendor,
        kind: FaultKind,
    ) -> store::Result<()> {
        let Deps { pool, clock, .. } = &*self.deps;
        let connection = &clients.name;
        let mut db = pool.acquire().await?;
        let Some(faults) = connections::closed_circuit_faults(&mut db, connection).await? else {
            return Ok(());
        };
        drop(db); // never held during a call
        let answer = call(clients, vendor).await;
        if answer.err().and_then(|error| error.fault(Effect::Read)).map(|fault| fault.kind) != Some(kind) {
            return Ok(());
        }
        let reason = kind.circuit_reason();
        let at = clock.now();
        let until = at + circuit_open_for(reason, faults);
        let opening = CircuitOpening { at, until, reason, vendor: Some(vendor) };
        let mut db = pool.acquire().await?;
        if connections::open_circuit(&mut db, connection, &opening).await? {
            tracing::warn!(connection, %vendor, reason = reason.code(), %until, "a probe fails alike: circuit opened");
        }
        Ok(())
    }
}

/// Calls both vendors. If they work, lets one task through, whose result closes the circuit or keeps it open.
async fn probe(deps: &Deps, runner: &AttemptRunner, target: &ProbeTarget) -> store::Result<()> {
    let Some(clients) = deps.clients.find(&target.name) else { return Ok(()) };
    for vendor in [Vendor::MyCashflow, Vendor::Ogoship] {
        if let Err(error) = call(clients, vendor).await {
            if let Some(fault) = error.fault(Effect::Read) {
                return extend(deps, target, fault.kind.circuit_reason()).await;
            }
            if let Some(wait) = error.retry_after {
                return postpone(deps, target, wait).await;
            }
        }
    }
    let ending = match claim_trial(deps, &target.name).await? {
        Some(task) => runner.run(task).await,
        None => AttemptEnding::default(),
    };
    if let Some(fault) = ending.fault.filter(|fault| fault.call == CallKind::Read) {
        return extend(deps, target, fault.kind.circuit_reason()).await;
    }
    if ending.is_connection_fault {
        return extend(deps, target, Reason::CredentialsRefused).await;
    }
    let connection = &target.name;
    tracing::info!(connection, "circuit closed: both vendors answer");
    connections::close_circuit(&mut *deps.pool.acquire().await?, connection).await
}

/// Makes the cheapest read at a vendor.
async fn call(clients: &ConnectionClients, vendor: Vendor) -> Result<(), CallError> {
    match vendor {
        Vendor::MyCashflow => clients.shop.probe().await,
        Vendor::Ogoship => clients.warehouse.probe().await,
    }
}

/// The vendor asks for a wait, or our rate is used up: neither is a fault. Asks again then, soon at the latest.
async fn postpone(deps: &Deps, target: &ProbeTarget, wait: Duration) -> store::Result<()> {
    let until = deps.clock.now() + wait.clamp(POSTPONED.0, POSTPONED.1);
    connections::postpone_probe(&mut *deps.pool.acquire().await?, &target.name, until).await
}

/// Keeps the circuit open for longer.
async fn extend(deps: &Deps, target: &ProbeTarget, reason: Reason) -> store::Result<()> {
    let until = deps.clock.now() + circuit_open_for(reason, target.faults.unsigned_abs());
    let connection = &target.name;
    tracing::warn!(connection, reason = reason.code(), %until, "probe failed, circuit stays open");
    connections::extend_circuit_open(&mut *deps.pool.acquire().await?, connection, until, reason).await
}
