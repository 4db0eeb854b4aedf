//! How each disturbance is injected, and how everything is restored.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{
    chaos_run::ChaosRun,
    database_proxy::ProxyState,
    disturbance::Disturbance,
    replica::{Defect, Replica},
    setup::{CONNECTION, LEASE, all_faults, leases_lost, pause},
};
use crate::{
    dev::sandbox::{Fault, OrderSpec, RandomFaults, Server},
    runtime::{clock::Entropy, failpoints::Failpoint},
    store::chaos,
};

/// The share of calls that fail even while nothing is disturbed.
const USUAL_FAULTS: f64 = 0.04;

/// Orders that come at once where a list moves: more than two of its pages.
const BACKLOG: usize = 250;

/// Orders of them that are edited after each answer, and in all: each edit causes more answers.
const EDITED: usize = 5;
const MOST_EDITED: usize = 100;

impl ChaosRun {
    /// Plays a disturbance; false where it never took effect, as a failpoint that was not reached.
    pub(super) async fn inject(&mut self, disturbance: Disturbance, entropy: &Entropy) -> Result<bool> {
        match disturbance {
            Disturbance::Killed => self.kill_one(entropy).await?,
            Disturbance::AllKilled => {
                pause(random_moment(entropy)).await;
                self.kill_all().await?;
            }
            Disturbance::KilledAt(point) => return self.kill_at_failpoint(point, 1 + entropy.below(3)).await,
            Disturbance::PausedBeyondItsLease => self.pause_one().await?,
            Disturbance::Added => return self.add_one().await,
            Disturbance::DatabaseStopped => {
                self.database.kill()?;
                pause(self.fault_duration / 2).await;
                self.database.restart().await?;
            }
            Disturbance::DatabaseRestarted => self.database.restart().await?,
            Disturbance::DatabaseCutOff => self.disturb_proxy(ProxyState::Cut).await,
            Disturbance::DatabaseSlow => {
                self.disturb_proxy(ProxyState::Slow(Duration::from_millis(60))).await;
            }
            Disturbance::DatabaseStalled => {
                self.disturb_proxy(ProxyState::Stalled).await;
                self.database.proxy.set(ProxyState::Cut); // stalled connections never come back
                pause(Duration::from_millis(100)).await;
            }
            Disturbance::DatabaseFull => self.fill_disk().await?,
            Disturbance::ShopDown => self.take_offline(&self.sandbox.shop_server).await,
            Disturbance::WarehouseDown => self.take_offline(&self.sandbox.warehouse_server).await,
            Disturbance::HalfOfCallsFail => self.fail_calls(0.5).await,
            Disturbance::ClocksDiffer => {
                let offset = 5 + entropy.below(56);
                self.run_under_clocks(&[format!("+{offset}"), format!("-{offset}")]).await?;
            }
            Disturbance::ClocksStep => {
                let [one, other] = [1 + entropy.below(60), 1 + entropy.below(60)];
                self.run_under_clocks(&[format!("0,+{one}"), format!("-{other},0,+{one}")]).await?;
            }
            Disturbance::OrderRefused => self.refuse_an_order().await,
            Disturbance::ShopMaintenance => {
                self.answer_all(&self.sandbox.shop_server, Fault::Page(200)).await;
            }
            Disturbance::ShopForgetsAll => {
                self.answer_all(&self.sandbox.shop_server, Fault::Status(404)).await;
            }
            Disturbance::WarehouseMaintenance => {
                self.answer_all(&self.sandbox.warehouse_server, Fault::Page(503)).await;
            }
            Disturbance::WarehouseForgetsAll => {
                self.answer_all(&self.sandbox.warehouse_server, Fault::Page(404)).await;
            }
            Disturbance::SearchLags => {
                self.sandbox.warehouse.delay_search(Duration::from_secs(2));
                self.disturb_warehouse(0.5, &[Fault::DropAfter, Fault::StatusAfter(504)]).await;
            }
            Disturbance::WarehouseSlow => {
                self.disturb_warehouse(1.0, &[Fault::Slow(Duration::from_millis(2500))]).await;
            }
            Disturbance::ListMoves => self.move_rows().await,
            Disturbance::WebhooksLost => {
                self.webhook_sender.set_replicas(&[]);
                pause(self.fault_duration).await;
            }
            Disturbance::LargeBodies => self.send_large_bodies().await?,
            Disturbance::ConnectionsHeld => self.hold_connections().await?,
        }
        Ok(true)
    }

    /// Ends every disturbance; the usual few faults go on.
    pub(super) fn restore_all(&self) {
        self.database.proxy.set(ProxyState::Open);
        self.sandbox.warehouse.delay_search(Duration::ZERO);
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            server.faults.set_everywhere(None);
            server.faults.forbid(&[]);
        }
        self.set_all_faults(USUAL_FAULTS);
    }

    /// Restarts all replicas with wrong clocks, these offsets in turn, and lets them work for a while.
    async fn run_under_clocks(&mut self, offsets: &[String]) -> Result<()> {
        let count = self.replicas.len().max(1);
        self.kill_all().await?;
        for offset in offsets.iter().cycle().take(count) {
            let defect = Defect::WrongClock(offset.clone());
            self.replicas.push(Replica::start(&self.replica_config, Some(defect)).await?);
        }
        self.announce_replicas();
        self.fail_calls(0.2).await;
        self.set_all_faults(USUAL_FAULTS);
        pause(self.fault_duration * 2).await;
        self.kill_all().await
    }

    /// A web firewall refuses everything about a new order, whose webhook arrives.
    async fn refuse_an_order(&self) {
        let order = self.sandbox.shop.place_order(OrderSpec::of("KAHVI-500", 1));
        self.sandbox.warehouse_server.faults.forbid(&[&format!("{CONNECTION}-{order}")]);
        self.webhook_sender.send(&self.sandbox.shop.order_created(order)).await;
        pause(self.fault_duration).await;
    }

    /// Three pages of orders come without webhooks. After each answer, the first of them are edited and move to the end.
    async fn move_rows(&self) {
        self.webhook_sender.set_replicas(&[]);
        let (shop, server) = (self.sandbox.shop.clone(), &self.sandbox.shop_server);
        let orders: Vec<_> = (0..BACKLOG).map(|_| shop.place_order(OrderSpec::of("KAHVI-500", 1))).collect();
        let mut edited = orders.into_iter().take(MOST_EDITED);
        server
            .after_each("/orders", move |_| edited.by_ref().take(EDITED).for_each(|it| shop.touch_order(it)));
        pause(self.fault_duration).await;
        server.remove_hooks();
    }

    async fn answer_all(&self, server: &Server, fault: Fault) {
        server.faults.set_everywhere(Some(fault));
        pause(self.fault_duration).await;
    }

    async fn kill_one(&mut self, entropy: &Entropy) -> Result<()> {
        pause(random_moment(entropy)).await;
        let victim = self.replicas.swap_remove(entropy.below(self.replicas.len()));
        victim.kill().await
    }

    pub(super) async fn kill_all(&mut self) -> Result<()> {
        for victim in self.replicas.drain(..) {
            victim.kill().await?;
        }
        Ok(())
    }

    /// Runs one replica alone that exits at the nth pass of a failpoint; false where it never got there.
    async fn kill_at_failpoint(&mut self, point: Failpoint, nth: usize) -> Result<bool> {
        self.kill_all().await?;
        let mut victim = Replica::start(&self.replica_config, Some(Defect::ExitAt(point, nth))).await?;
        self.webhook_sender.set_replicas(std::slice::from_ref(&victim.url));
        Ok(victim.wait_for_exit(Duration::from_secs(30)).await)
    }

    /// Pauses a replica in the middle of its calls until others have rescued its tasks, then resumes it.
    async fn pause_one(&mut self) -> Result<()> {
        self.set_faults(&self.sandbox.warehouse_server, 1.0, vec![Fault::Slow(Duration::from_millis(700))]);
        pause(Duration::from_millis(800)).await;
        let paused = self.replicas.first().context("there is a replica")?;
        let before = leases_lost(&paused.url).await.unwrap_or_default();
        paused.pause().await?;
        let others: Vec<_> = self.replicas.iter().skip(1).map(|replica| replica.url.clone()).collect();
        self.webhook_sender.set_replicas(&others);
        pause(Duration::from_millis(300)).await;
        self.set_all_faults(USUAL_FAULTS);
        pause(LEASE + Duration::from_secs(2)).await;
        paused.resume().await?;
        pause(Duration::from_secs(2)).await;
        let after = leases_lost(&paused.url).await.unwrap_or_default();
        self.late_settles_refused += after.saturating_sub(before);
        Ok(())
    }

    /// Starts one more replica and stops it as SIGTERM does; false where it did not end well.
    async fn add_one(&self) -> Result<bool> {
        let added = Replica::start(&self.replica_config, None).await?;
        pause(self.fault_duration).await;
        added.stop(Duration::from_secs(15)).await
    }

    async fn disturb_proxy(&self, state: ProxyState) {
        self.database.proxy.set(state);
        pause(self.fault_duration).await;
    }

    async fn fill_disk(&self) -> Result<()> {
        chaos::simulate_full_disk(&mut *self.database.pool.acquire().await?).await?;
        pause(self.fault_duration).await;
        chaos::end_full_disk(&mut *self.database.pool.acquire().await?).await?;
        Ok(())
    }

    async fn take_offline(&self, server: &Server) {
        server.set_online(false);
        pause(self.fault_duration).await;
        server.set_online(true);
    }

    async fn fail_calls(&self, share: f64) {
        self.set_all_faults(share);
        pause(self.fault_duration).await;
    }

    async fn disturb_warehouse(&self, share: f64, kinds: &[Fault]) {
        self.set_faults(&self.sandbox.warehouse_server, share, kinds.to_vec());
        pause(self.fault_duration).await;
    }

    fn set_all_faults(&self, share: f64) {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            self.set_faults(server, share, all_faults());
        }
    }

    fn set_faults(&self, server: &Server, share: f64, kinds: Vec<Fault>) {
        let entropy = Arc::new(Entropy::seeded(self.seed.wrapping_mul(8).wrapping_add(5)));
        server.faults.set_random(Some(RandomFaults { share, kinds, entropy }));
    }
}

fn random_moment(entropy: &Entropy) -> Duration {
    Duration::from_millis(u64::try_from(entropy.below(900)).unwrap_or_default())
}
