//! How each disturbance is played, and how everything is put right again.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{
    connection::State,
    disturbance::Disturbance,
    environment::{LEASE, every_way, leases_lost, off_the_net, start_database},
    pause,
    replica::Replica,
    stage::Stage,
};
use crate::{
    dev::sandbox::{Fault, Server, Storm},
    runtime::{clock::Entropy, failpoints::KillPoint},
    store::chaos,
};

impl Stage {
    pub(super) async fn play(&mut self, what: Disturbance, entropy: &Entropy) -> Result<bool> {
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
            Disturbance::KilledAt(point) => return self.kill_at(point, 1 + entropy.below(3)).await,
            Disturbance::PausedBeyondItsLease => self.pause_one().await?,
            Disturbance::Added => {
                let added = Replica::start(&self.recipe, None).await?;
                pause(self.hold).await;
                return added.end(Duration::from_secs(15)).await;
            }
            Disturbance::DatabaseStopped => {
                self.private.as_ref().context("a private PostgreSQL runs")?.kill()?;
                pause(self.hold / 2).await;
                self.restart_database().await?;
            }
            Disturbance::DatabaseRestarted => self.restart_database().await?,
            Disturbance::DatabaseCutOff => self.line_is(State::Cut).await,
            Disturbance::DatabaseSlow => self.line_is(State::Slow(Duration::from_millis(60))).await,
            Disturbance::DatabaseMute => {
                self.line_is(State::Mute).await;
                self.line.set(State::Cut); // what was muted never comes back
                pause(Duration::from_millis(100)).await;
            }
            Disturbance::DatabaseFull => {
                chaos::fill_up(&mut *self.pool.acquire().await?).await?;
                pause(self.hold).await;
                chaos::make_room(&mut *self.pool.acquire().await?).await?;
            }
            Disturbance::ShopDown => off_the_net(&self.sandbox.shop_server, self.hold).await,
            Disturbance::WarehouseDown => off_the_net(&self.sandbox.warehouse_server, self.hold).await,
            Disturbance::Storm => {
                self.storm(0.5, &every_way());
                pause(self.hold).await;
            }
            Disturbance::SearchLags => {
                self.sandbox.warehouse.searches_lag(Duration::from_secs(2));
                self.warehouse_meets(0.5, vec![Fault::DropAfter, Fault::StatusAfter(504)]);
                pause(self.hold).await;
            }
            Disturbance::WarehouseSlow => {
                self.warehouse_meets(1.0, vec![Fault::Slow(Duration::from_millis(2500))]);
                pause(self.hold).await;
            }
            Disturbance::WebhooksLost => {
                self.courier.reroute(&[]);
                pause(self.hold).await;
            }
        }
        Ok(true)
    }

    /// A replica alone, which dies at this moment; false where it never came to it.
    async fn kill_at(&mut self, point: KillPoint, count: usize) -> Result<bool> {
        self.kill_all().await?;
        let mut victim = Replica::start(&self.recipe, Some((point, count))).await?;
        self.courier.reroute(std::slice::from_ref(&victim.url));
        Ok(victim.dies(Duration::from_secs(30)).await)
    }

    /// A replica is stopped in the middle of its calls, until others have long taken over what it held.
    async fn pause_one(&mut self) -> Result<()> {
        self.warehouse_meets(1.0, vec![Fault::Slow(Duration::from_millis(700))]);
        pause(Duration::from_millis(800)).await;
        let sleeper = self.replicas.first().context("there is a replica")?;
        let before = leases_lost(&sleeper.url).await.unwrap_or_default();
        sleeper.stop(true).await?;
        let awake: Vec<_> = self.replicas.iter().skip(1).map(|replica| replica.url.clone()).collect();
        self.courier.reroute(&awake);
        pause(Duration::from_millis(300)).await;
        self.everything_answers();
        pause(LEASE + Duration::from_secs(2)).await;
        sleeper.stop(false).await?;
        pause(Duration::from_secs(2)).await;
        let after = leases_lost(&sleeper.url).await.unwrap_or_default();
        self.late_settles_refused += after.saturating_sub(before);
        Ok(())
    }

    async fn kill_all(&mut self) -> Result<()> {
        for victim in self.replicas.drain(..) {
            victim.kill().await?;
        }
        Ok(())
    }

    async fn line_is(&self, state: State) {
        self.line.set(state);
        pause(self.hold).await;
    }

    async fn restart_database(&mut self) -> Result<()> {
        if let Some(private) = self.private.take() {
            tokio::task::spawn_blocking(move || drop(private)).await?;
        }
        self.private = Some(start_database(&self.data_dir).await?);
        Ok(())
    }

    /// Ends whatever is being played, but for the usual few faults.
    pub(super) fn everything_works(&self) {
        self.line.set(State::Open);
        self.sandbox.warehouse.searches_lag(Duration::ZERO);
        self.everything_answers();
    }

    fn everything_answers(&self) {
        self.storm(0.04, &every_way());
    }

    fn storm(&self, share: f64, kinds: &[Fault]) {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            self.meets(server, share, kinds.to_vec());
        }
    }

    fn warehouse_meets(&self, share: f64, kinds: Vec<Fault>) {
        self.meets(&self.sandbox.warehouse_server, share, kinds);
    }

    fn meets(&self, server: &Server, share: f64, kinds: Vec<Fault>) {
        let entropy = Arc::new(Entropy::seeded(self.seed.wrapping_mul(8).wrapping_add(5)));
        server.faults.storm(Some(Storm { share, kinds, entropy }));
    }
}
