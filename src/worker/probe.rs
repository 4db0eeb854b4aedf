//! Probes the vendors of connections whose circuit has been open for long enough.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::Deps;
use crate::{
    domain::task::transition::circuit_open_for,
    store::{self, connections},
    vendors::http::error::Effect,
};

/// Asks vendors that were down whether they are back.
pub(super) struct Prober {
    deps: Arc<Deps>,
    tracker: TaskTracker,
}

impl Prober {
    pub(super) const fn new(deps: Arc<Deps>, tracker: TaskTracker) -> Self {
        Self { deps, tracker }
    }

    /// Probes every connection whose open period has ended, all at once.
    pub(super) async fn probe_due(&self) -> store::Result<()> {
        let Deps { pool, clock, options, clients, .. } = &*self.deps;
        let names: Vec<_> = clients.iter().map(|clients| clients.name.clone()).collect();
        let now = clock.now();
        let mut db = pool.acquire().await?;
        let targets = connections::claim_probes(&mut db, &names, now, now + options.lease).await?;
        drop(db); // never held during a call
        let probes = targets.into_iter().map(|target| {
            let deps = self.deps.clone();
            self.tracker.spawn(async move {
                if let Err(error) = probe(&deps, &target).await {
                    tracing::warn!(connection = target.name, error = %error, "cannot record a probe's result");
                }
            })
        });
        for probe in probes.collect::<Vec<_>>() {
            let _ = probe.await;
        }
        Ok(())
    }
}

/// Calls both vendors; closes the circuit, or keeps it open for longer.
async fn probe(deps: &Deps, target: &connections::ProbeTarget) -> store::Result<()> {
    let Some(clients) = deps.clients(&target.name) else { return Ok(()) };
    let error = clients.shop.probe().await.err().or(clients.warehouse.probe().await.err());
    let fault = error.and_then(|error| error.fault(Effect::Read));
    let reason = fault.map(|fault| fault.kind.circuit_reason());
    let mut db = deps.pool.acquire().await?;
    let connection = &target.name;
    let Some(reason) = reason else {
        tracing::info!(connection, "circuit closed: both vendors answer");
        return connections::close_circuit(&mut db, connection).await;
    };
    let until = deps.clock.now() + circuit_open_for(reason, target.faults.unsigned_abs());
    tracing::warn!(connection, reason = reason.code(), %until, "probe failed, circuit stays open");
    connections::extend_circuit_open(&mut db, connection, until, reason).await
}
