//! Tests connections and registers their webhooks for those who ask on a page: in the background, with the checks of
//! `silta doctor` and the subscriptions of `silta webhooks`.

use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    checks::{ConnectionChecks, PublicUrl, VendorNames, check_codes, check_remarks},
    config::Config,
};
use crate::{
    actions::{RequestedWork, WebhookSetup, WorkRunner},
    background::subscriptions::{CreatedSubscription, SubscriptionError, Subscriptions},
    domain::{
        check::{Check, CheckName, Found, Obstacle},
        connection_work::WorkKind,
        event::source::Source,
    },
    flows::{AllClients, ConnectionClients},
    runtime::clock::Clock,
    security::instance::Instance,
    store::{self, connection_work, connections},
    vendors::http::{Options, build_client},
};

/// Does what pages have asked of a connection's vendors.
#[derive(Clone)]
pub(super) struct VendorWork(Arc<Shared>);

struct Shared {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    instance: Arc<Instance>,
    subscriptions: Subscriptions,
    connections: Vec<WorkedConnection>,
    public_url: String,
    allow_private: bool,
    /// Tells why a vendor cannot be reached.
    client: reqwest::Client,
    /// The same for the public URL, which may have a private address within this network.
    own_client: reqwest::Client,
    keeps_keys: bool,
    running: TaskTracker,
}

struct WorkedConnection {
    clients: Arc<ConnectionClients>,
    names: VendorNames,
    is_shop_signed: bool,
}

/// What the work shares with the rest of the process.
pub(super) struct WorkDeps<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) instance: &'a Arc<Instance>,
    pub(super) subscriptions: Subscriptions,
    pub(super) clients: &'a AllClients,
}

impl VendorWork {
    pub(super) fn new(config: &Config, deps: WorkDeps<'_>) -> Self {
        let WorkDeps { pool, clock, instance, subscriptions, clients } = deps;
        let connections = config.connections.iter().filter_map(|it| {
            Some(WorkedConnection {
                clients: clients.find(&it.name)?.clone(),
                names: VendorNames::of(it).without_accounts(),
                is_shop_signed: it.mycashflow.signature.is_some(),
            })
        });
        Self(Arc::new(Shared {
            pool: pool.clone(),
            clock: clock.clone(),
            instance: instance.clone(),
            subscriptions,
            connections: connections.collect(),
            public_url: config.http.public_url.clone(),
            allow_private: config.outbound.allow_private,
            client: build_client(&config.outbound),
            own_client: build_client(&Options { allow_private: true, ..config.outbound.clone() }),
            keeps_keys: !config.secret_keys.is_empty(),
            running: TaskTracker::new(),
        }))
    }

    /// Waits until what was started has ended, or the process must end.
    pub(super) async fn finish(&self, hard: &CancellationToken) {
        self.0.running.close();
        tokio::select! {
            () = self.0.running.wait() => {}
            () = hard.cancelled() => {}
        }
    }
}

impl WorkRunner for VendorWork {
    fn webhook_setup(&self, connection: &str) -> Option<WebhookSetup> {
        let worked = self.0.find(connection)?;
        let subscriber = self.0.subscriptions.find(connection).ok()?;
        let address = |source| (source, subscriber.shown_url(source));
        Some(WebhookSetup {
            addresses: [Source::MyCashflow, Source::Ogoship].map(address),
            topics: [subscriber.shop_topics.clone(), Subscriptions::warehouse_topics()],
            has_public_url: !subscriber.public_url.is_empty(),
            keeps_keys: self.0.keeps_keys,
            is_shop_signed: worked.is_shop_signed,
        })
    }

    fn start(&self, work: RequestedWork) {
        let shared = self.0.clone();
        self.0.running.spawn(async move { shared.run(work).await });
    }
}

impl Shared {
    fn find(&self, connection: &str) -> Option<&WorkedConnection> {
        self.connections.iter().find(|it| it.clients.name == connection)
    }

    /// Does the work within its time, and stores what was found until then.
    async fn run(&self, work: RequestedWork) {
        let mut checks = Vec::new();
        let done = async {
            match work.kind {
                WorkKind::Test => self.test(&work, &mut checks).await,
                WorkKind::Register => self.register(&work, &mut checks).await,
            }
        };
        let ended = match work.kind.limit() {
            Some(limit) => tokio::time::timeout(limit, done).await,
            None => Ok(done.await),
        };
        let cut_off = match ended {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(Found::DatabaseAway),
            Err(_) => Some(Found::OutOfTime),
        };
        checks.extend(cut_off.map(|found| Check::good(CheckName::Whole, found).failed()));
        if let Err(error) = self.store(&work, &checks).await {
            tracing::warn!(connection = work.connection, error = %error, "the result of a test or registration is lost");
        }
    }

    async fn store(&self, work: &RequestedWork, checks: &[Check]) -> store::Result<()> {
        let mut db = self.pool.acquire().await?;
        let key = (work.connection.as_str(), work.kind, work.id);
        connection_work::finish(&mut db, key, &serde_json::json!(checks), self.clock.now()).await?;
        Ok(())
    }

    fn checks_of<'a>(&'a self, worked: &'a WorkedConnection) -> ConnectionChecks<'a> {
        let Self { pool, clock, client, subscriptions, .. } = self;
        let WorkedConnection { clients, names, .. } = worked;
        ConnectionChecks { pool, clock: &**clock, clients, names, client, subscriptions }
    }

    /// The checks of the doctor. A connection that is paused or down is not asked: that would add to its load, and say what is
    /// known. The catalogue is not read for it, since that takes as long as there are products.
    async fn test(&self, work: &RequestedWork, checks: &mut Vec<Check>) -> store::Result<()> {
        let Some(worked) = self.find(&work.connection) else { return Ok(()) };
        let mut db = self.pool.acquire().await?;
        let Some(row) = connections::find(&mut db, &work.connection).await? else { return Ok(()) };
        drop(db);
        let public_url = PublicUrl { url: &self.public_url, allow_private: self.allow_private };
        checks.push(public_url.check(&self.own_client, &self.instance).await);
        let connection = self.checks_of(worked);
        let obstacle = match (row.paused_at, row.circuit_open_until) {
            (Some(_), _) => Some(Obstacle::Paused),
            (None, Some(_)) => Some(Obstacle::Down),
            (None, None) => None,
        };
        match obstacle {
            Some(obstacle) => connection.run_without_vendors(obstacle, checks).await?,
            None => {
                connection.run(checks).await?;
            }
        }
        if row.catalogue_read_at.is_none() {
            let of_catalogue = [CheckName::Codes, CheckName::Products];
            checks.extend(of_catalogue.map(|name| Check::skipped(name, Obstacle::Catalogue)));
            return Ok(());
        }
        let codes = check_codes(&self.pool, &work.connection).await?;
        let remarks = check_remarks(&self.pool, &work.connection).await?;
        // The page of products lists them: their names are not stored twice.
        checks.extend([codes, remarks].map(|check| Check { details: Vec::new(), ..check }));
        Ok(())
    }

    /// Registers what is missing, removes what calls the path of a former token, and says what is registered then.
    async fn register(&self, work: &RequestedWork, checks: &mut Vec<Check>) -> store::Result<()> {
        let Some(worked) = self.find(&work.connection) else { return Ok(()) };
        let connection = self.checks_of(worked);
        let failed = match self.register_missing(work).await {
            Ok(found) => {
                checks.push(Check::good(CheckName::Webhooks, found));
                None
            }
            Err(SubscriptionError::Call(error)) => Some(error),
            Err(SubscriptionError::Store(error)) => return Err(error),
            Err(
                SubscriptionError::NoPublicUrl
                | SubscriptionError::UnknownConnection
                | SubscriptionError::Running,
            ) => {
                checks.push(Check::skipped(CheckName::Webhooks, Obstacle::NoPublicUrl));
                return Ok(());
            }
        };
        match failed {
            Some(error) => checks.push(connection.call_failed(CheckName::Webhooks, &error).await),
            None => checks.push(connection.subscriptions().await?),
        }
        Ok(())
    }

    async fn register_missing(&self, work: &RequestedWork) -> Result<Found, SubscriptionError> {
        let subscriber = self.subscriptions.find(&work.connection)?;
        let made = self.subscriptions.register(subscriber, false, &work.actor).await?;
        let removed = self.subscriptions.remove_outdated(subscriber).await?;
        let named = |it: CreatedSubscription| (it.source.to_owned(), it.topic);
        Ok(Found::Registered { created: made.into_iter().map(named).collect(), removed })
    }
}
