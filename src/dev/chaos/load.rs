//! How each disturbance is played, and how everything is put right again.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{
    connection::ProxyState,
    disturbance::Disturbance,
    environment::{LEASE, all_faults, leases_lost, start_database, take_offline},
    pause,
    replica::Replica,
    stage::ChaosRun,
};
use crate::{
    dev::sandbox::{Fault, RandomFaults, Server},
    runtime::{clock::Entropy, failpoints::Failpoint},
    store::chaos,
};

impl ChaosRun {
    pub(super) async fn inject(&mut self, what: Disturbance, entropy: &Entropy) -> Result<bool> {
        let moment = Duration::from_millis(u64::try_from(entropy.below(900)).unwrap_or_default());
        match what {
            Disturbance::Killed => {
                pause(moment).await;
                let victim = self.replicas.swap_remove(entropy.below(self.replicas.len()));
                victim.kill().await?;
            }
            Disturbance::AllKilled => {
                pause(moment).await;
                self.kill_all().await?;
            }
            Disturbance::KilledAt(point) => return self.kill_at_failpoint(point, 1 + entropy.below(3)).await,
            Disturbance::PausedBeyondItsLease => self.pause_replica().await?,
            Disturbance::Added => {
                let added = Replica::start(&self.replica_config, None).await?;
                pause(self.fault_duration).await;
                return added.end(Duration::from_secs(15)).await;
            }
            Disturbance::DatabaseStopped => {
                self.private.as_ref().context("a private PostgreSQL runs")?.kill()?;
                pause(self.fault_duration / 2).await;
                self.restart_database().await?;
            }
            Disturbance::DatabaseRestarted => self.restart_database().await?,
            Disturbance::DatabaseCutOff => self.set_proxy_state(ProxyState::Cut).await,
            Disturbance::DatabaseSlow => {
                self.set_proxy_state(ProxyState::Slow(Duration::from_millis(60))).await
            }
            Disturbance::DatabaseStalled => {
                self.set_proxy_state(ProxyState::Stalled).await;
                self.proxy.set(ProxyState::Cut); // what was muted never comes back
                pause(Duration::from_millis(100)).await;
            }
            Disturbance::DatabaseFull => {
                chaos::simulate_full_disk(&mut *self.pool.acquire().await?).await?;
                pause(self.fault_duration).await;
                chaos::end_full_disk(&mut *self.pool.acquire().await?).await?;
            }
            Disturbance::ShopDown => take_offline(&self.sandbox.shop_server, self.fault_duration).await,
            Disturbance::WarehouseDown => {
                take_offline(&self.sandbox.warehouse_server, self.fault_duration).await
            }
            Disturbance::Storm => {
                self.set_faults_everywhere(0.5, &all_faults());
                pause(self.fault_duration).await;
            }
            Disturbance::SearchLags => {
                self.sandbox.warehouse.delay_search(Duration::from_secs(2));
                self.set_warehouse_faults(0.5, vec![Fault::DropAfter, Fault::StatusAfter(504)]);
                pause(self.fault_duration).await;
            }
            Disturbance::WarehouseSlow => {
                self.set_warehouse_faults(1.0, vec![Fault::Slow(Duration::from_millis(2500))]);
                pause(self.fault_duration).await;
            }
            Disturbance::WebhooksLost => {
                self.webhook_sender.set_replicas(&[]);
                pause(self.fault_duration).await;
            }
        }
        Ok(true)
    }

    /// A replica alone, which dies at this moment; false where it never came to it.
    async fn kill_at_failpoint(&mut self, point: Failpoint, count: usize) -> Result<bool> {
        self.kill_all().await?;
        let mut victim = Replica::start(&self.replica_config, Some((point, count))).await?;
        self.webhook_sender.set_replicas(std::slice::from_ref(&victim.url));
        Ok(victim.wait_for_exit(Duration::from_secs(30)).await)
    }

    /// A replica is stopped in the middle of its calls, until others have long taken over what it held.
    async fn pause_replica(&mut self) -> Result<()> {
        self.set_warehouse_faults(1.0, vec![Fault::Slow(Duration::from_millis(700))]);
        pause(Duration::from_millis(800)).await;
        let paused = self.replicas.first().context("there is a replica")?;
        let before = leases_lost(&paused.url).await.unwrap_or_default();
        paused.stop(true).await?;
        let awake: Vec<_> = self.replicas.iter().skip(1).map(|replica| replica.url.clone()).collect();
        self.webhook_sender.set_replicas(&awake);
        pause(Duration::from_millis(300)).await;
        self.reset_faults();
        pause(LEASE + Duration::from_secs(2)).await;
        paused.stop(false).await?;
        pause(Duration::from_secs(2)).await;
        let after = leases_lost(&paused.url).await.unwrap_or_default();
        self.late_settles_refused += after.saturating_sub(before);
        Ok(())
    }

    async fn kill_all(&mut self) -> Result<()> {
        for victim in self.replicas.drain(..) {
            victim.kill().await?;
        }
        Ok(())
    }

    async fn set_proxy_state(&self, state: ProxyState) {
        self.proxy.set(state);
        pause(self.fault_duration).await;
    }

    async fn restart_database(&mut self) -> Result<()> {
        if let Some(private) = self.private.take() {
            tokio::task::spawn_blocking(move || drop(private)).await?;
        }
        self.private = Some(start_database(&self.data_dir).await?);
        Ok(())
    }

    /// Ends whatever is being played, but for the usual few faults.
    pub(super) fn restore_all(&self) {
        self.proxy.set(ProxyState::Open);
        self.sandbox.warehouse.delay_search(Duration::ZERO);
        self.reset_faults();
    }

    fn reset_faults(&self) {
        self.set_faults_everywhere(0.04, &all_faults());
    }

    fn set_faults_everywhere(&self, share: f64, kinds: &[Fault]) {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            self.set_faults(server, share, kinds.to_vec());
        }
    }

    fn set_warehouse_faults(&self, share: f64, kinds: Vec<Fault>) {
        self.set_faults(&self.sandbox.warehouse_server, share, kinds);
    }

    fn set_faults(&self, server: &Server, share: f64, kinds: Vec<Fault>) {
        let entropy = Arc::new(Entropy::seeded(self.seed.wrapping_mul(8).wrapping_add(5)));
        server.faults.set_random(Some(RandomFaults { share, kinds, entropy }));
    }
}
