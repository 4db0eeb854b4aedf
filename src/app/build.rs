//! Each part of the service with what it is made of.

use std::sync::Arc;

use axum::Router;
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::config::{self, Config};
use super::{
    Surroundings,
    connect::{swept, tie},
};
use crate::{
    actions::Rehearse,
    background::{
        notifications::{self, Alerts},
        subscriptions::{Subscriber, Subscriptions},
    },
    flows::{Tied, flow_of},
    inbox::{self, Door, poll::poller},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::KillPoints,
    },
    security::{auth_throttle::Strangers, key_usage::Tally, secrets::Vault},
    store, sync,
    vendors::http::client,
    web::{api, dashboard, health},
    worker::{self, Pulse, Worker},
};

/// What every part stands on.
pub(super) struct Ground {
    pub(super) pool: PgPool,
    pub(super) hot: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) tally: Arc<Tally>,
    killpoints: KillPoints,
    vault: Arc<Vault>,
    client: reqwest::Client,
}

impl Ground {
    pub(super) fn of(config: &Config, surroundings: Surroundings) -> Self {
        let Surroundings { pool, clock, entropy, killpoints } = surroundings;
        Self {
            hot: store::hot_path(&pool),
            pool,
            clock,
            entropy,
            tally: Arc::default(),
            killpoints,
            vault: Arc::new(Vault::new(&config.vault_keys)),
            client: client::client(config.outbound),
        }
    }

    pub(super) fn tied(&self, config: &Config) -> Vec<Tied> {
        let tied = |connection| {
            let (kept, drawn) = ((&self.hot, &self.vault), (&self.clock, &self.entropy));
            tie(connection, &self.client, kept, drawn, config.retry.look_again)
        };
        config.connections.iter().map(tied).collect()
    }

    pub(super) fn sweeper(&self, config: &Config, tied: &[Tied], metrics: inbox::Metrics) -> poller::Sweeper {
        poller::Sweeper::new(poller::Parts {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            metrics,
            lease: config.lease,
            connections: config.connections.iter().zip(tied).map(|(it, tied)| swept(it, tied)).collect(),
        })
    }

    pub(super) fn inbox(&self, config: &Config, doors: Vec<Door>, metrics: inbox::Metrics) -> Router {
        inbox::router(inbox::Parts {
            pool: self.hot.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            doors,
            body_limit: config.http.body_limit,
            limits: config.http.limits,
            metrics,
            killpoints: self.killpoints.clone(),
            vault: self.vault.clone(),
            tally: self.tally.clone(),
            proxies: config.http.proxies,
        })
    }

    pub(super) fn syncer(&self, config: &Config, rehearser: Arc<sync::Rehearser>) -> sync::Syncer {
        let schedule = config.connections.iter().map(|it| (it.name.clone(), it.compare.clone()));
        sync::Syncer::new(sync::Parts {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            rehearser,
            schedule: schedule.collect(),
        })
    }

    /// The admin API and the dashboard.
    pub(super) fn for_people(
        &self,
        config: &Config,
        rehearser: Arc<dyn Rehearse>,
        leaving: &CancellationToken,
    ) -> [Router; 2] {
        let admin = api::router(api::Admin {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            tokens: config.tokens.clone(),
            rehearser: rehearser.clone(),
            tally: self.tally.clone(),
        });
        let dashboard = dashboard::router(dashboard::Dashboard {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            tokens: config.tokens.clone(),
            rehearser,
            is_secure: config.http.public_url.starts_with("https://"),
            rates: config.connections.iter().map(rates).collect(),
            failures: Strangers::after(dashboard::MOST_FAILURES),
            proxies: config.http.proxies,
            counts: dashboard::Counts::default(),
            leaving: leaving.clone(),
            tally: self.tally.clone(),
        });
        [admin, dashboard]
    }

    pub(super) fn worker(
        &self,
        config: &Config,
        tied: &[Tied],
        name: &str,
        metrics: worker::Metrics,
    ) -> Worker {
        let Config { concurrency, lease, retry, .. } = config;
        Worker::new(worker::Parts {
            pool: self.hot.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            tied: tied.to_vec(),
            flows: flow_of,
            retry: *retry,
            options: worker::Options { concurrency: *concurrency, lease: *lease, name: name.to_owned() },
            metrics,
            killpoints: self.killpoints.clone(),
        })
    }

    pub(super) fn watch(&self, registry: Registry, replica: String, pulse: Pulse) -> Router {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        health::router(health::Ops { pool, clock, registry, replica, pulse })
    }

    pub(super) fn alerts(&self, config: &Config) -> Alerts {
        let named = |it: &config::Connection| {
            let name = it.name.clone();
            it.sweeps.named().map(move |(what, every)| (name.clone(), what, every)).collect::<Vec<_>>()
        };
        Alerts::new(notifications::Parts {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            client: self.client.clone(),
            options: config.alerts.clone(),
            sweeps: config.connections.iter().flat_map(named).collect(),
        })
    }

    pub(super) fn subscriptions(&self, config: &Config, tied: &[Tied]) -> Subscriptions {
        let subscriber = |(connection, tied): (&config::Connection, &Tied)| Subscriber {
            tied: tied.clone(),
            shop_topics: connection.topics.clone(),
            public_url: config.http.public_url.clone(),
            webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        };
        Subscriptions {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            vault: self.vault.clone(),
            subscribers: config.connections.iter().zip(tied).map(subscriber).collect(),
        }
    }
}

/// How many calls a second each of a connection's systems may get.
fn rates(connection: &config::Connection) -> (String, [f64; 2]) {
    let config::Connection { name, mycashflow, ogoship, .. } = connection;
    (name.clone(), [mycashflow.requests_per_second, ogoship.requests_per_second])
}
