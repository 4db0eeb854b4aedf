//! What a chaos run is made of: its configuration, its faults, and the simulated day.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::{
    dev::sandbox::{Fault, Sandbox, Simulation},
    vendors::http::tls_config,
};

/// The connection's name; with a hyphen, its reference prefix.
pub(super) const CONNECTION: &str = "chaos";

/// The pause between two steps of the simulation.
pub(super) const STEP: Duration = Duration::from_millis(60);

/// `[worker] lease` of the replicas.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// Runs the simulated day in the background until the handle is dropped.
pub(super) fn run_simulation(simulation: Arc<Mutex<Simulation>>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(TaskTracker::new().spawn(async move {
        loop {
            simulation.lock().await.step().await;
            pause(STEP).await;
        }
    }))
}

/// Every fault after which a call may be retried.
pub(super) fn all_faults() -> Vec<Fault> {
    vec![
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Status(500),
        Fault::StatusAfter(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::StatusAfter(504),
        Fault::TooMany(1),
        Fault::RetryAfter(503, "1"),
        Fault::Status(302),
        Fault::Status(408),
        Fault::Status(425),
        Fault::Page(200),
        Fault::Garbage,
        Fault::HalfAnswer,
        Fault::Hang,
        Fault::Slow(Duration::from_millis(300)),
    ]
}

/// The number of settles that a replica's fence has refused, by its own metrics.
pub(super) async fn leases_lost(url: &str) -> Option<u64> {
    let text = fetch(&format!("{url}/metrics")).await?;
    let line = text.lines().find(|line| line.starts_with("silta_leases_lost"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a chaos run shares no client with Silta")]
async fn fetch(url: &str) -> Option<String> {
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls_config());
    let client = builder.timeout(Duration::from_secs(2)).build().ok()?;
    client.get(url).send().await.ok()?.text().await.ok()
}

/// A merchant's configuration with short intervals.
pub(super) fn configuration(sandbox: &Sandbox) -> String {
    let connection = sandbox.connection_toml(CONNECTION);
    let lease = LEASE.as_secs();
    format!(
        r#"
        [http]
        listen = "127.0.0.1:0"
        accept_within = "1s"
        [worker]
        lease = "{lease}s"
        shutdown_grace = "5s"
        [retry]
        base = "200ms"
        cap = "3s"
        attempts = 1000
        recheck_delay = "2s"
        [outbound]
        timeout = "1s"
        dangerously_allow_private = true
        {connection}
        [connections.polls]
        orders = "2s"
        statuses = "2s"
        stock = "2s"
        products = "5s"
        "#
    )
}

#[expect(clippy::disallowed_methods, reason = "a chaos run watches other processes in real time")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
