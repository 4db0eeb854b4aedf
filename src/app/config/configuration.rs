//! The whole configuration.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono_tz::Tz;

use super::{
    alerts::read_alerts,
    connection::{Connection, GlobalOptions},
    dashboard::read_dashboard,
    environment::Environment,
    error::{ConfigError, ConfigErrors},
    in_effect::settings_in_effect,
    key_digests::KeyDigests,
    layers,
    log::{Log, read_log},
    outbound::read_outbound,
    secret::Secret,
    secret_keys::read_secret_keys,
    section::Section,
    tokens::read_tokens,
    traces::read_traces,
};
use crate::{
    app::telemetry::Traces,
    background::{notifications, retention},
    domain::{
        event::reference::PrefixIndex, setting::Settings, shipping::ShippingRule, task::retry::RetryPolicy,
    },
    security::{admin_token::Token, secrets},
    store::DatabaseUrl,
    vendors,
    web::server,
};

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    /// `[http]`
    pub http: Http,
    /// `[database]`
    pub database: Database,
    /// `[log]`
    pub log: Log,
    /// `[worker] concurrency`
    pub concurrency: usize,
    /// `[worker] lease`
    pub lease: Duration,
    /// `[worker] shutdown_grace`
    pub shutdown_grace: Duration,
    /// `[retry]`
    pub retry: RetryPolicy,
    /// `[retention]`
    pub retention: retention::Periods,
    /// `[outbound]`
    pub outbound: vendors::http::Options,
    /// `[alerts]`
    pub alerts: notifications::Options,
    /// `[secrets] keys`: the first encrypts, all of them decrypt.
    pub secret_keys: Vec<secrets::Key>,
    /// `[dashboard] time_zone`: the shop's, in which pages show times.
    pub time_zone: Tz,
    /// `[traces]`
    pub traces: Option<Traces>,
    /// `[[admin.tokens]]`
    pub tokens: Vec<Token>,
    /// `[[connections]]`
    pub connections: Vec<Connection>,
    /// The files that secrets were read from, and the configuration itself where it is one.
    pub secret_files: Vec<PathBuf>,
    /// The settings of each connection, for its page.
    pub settings: Arc<Settings>,
    /// Every key with a digest of its value, for a reload to compare.
    pub key_digests: Arc<KeyDigests>,
}

/// The section `[http]`.
#[derive(Debug)]
pub struct Http {
    /// The address and port to listen on.
    pub listen: String,
    /// The address and port of readiness and metrics, where these have a listener of their own.
    pub monitoring_listen: Option<String>,
    /// The URL that the two vendors call.
    pub public_url: String,
    /// The largest body of a webhook, in bytes.
    pub body_limit: usize,
    /// The timeout of a request.
    pub timeout: Duration,
    /// The bytes of all bodies that are being read or wait.
    pub waiting: usize,
    /// How long a webhook waits for its commit.
    pub accept_within: Duration,
    /// How many connections may be open, and for how long.
    pub connection_limits: server::Limits,
    /// The number of trusted proxies in front, whose `X-Forwarded-For` is used.
    pub proxies: usize,
}

/// The section `[database]`.
#[derive(Debug)]
pub struct Database {
    /// The URL; without one, a private PostgreSQL is started.
    pub url: Option<Secret>,
    /// The directory of the private PostgreSQL.
    pub data_dir: PathBuf,
    /// The most connections of this process.
    pub connections: u32,
}

impl Config {
    /// The shipping rules of each connection.
    pub fn shipping_rules(&self) -> HashMap<String, Vec<ShippingRule>> {
        self.connections.iter().map(|it| (it.name.clone(), it.orders.shipping.clone())).collect()
    }

    /// Loads the text of a file under an environment. All errors are reported together.
    pub fn load(file: &str, environment: &Environment) -> Result<Self, Vec<ConfigError>> {
        Self::load_in(Path::new(""), file, environment)
    }

    /// The same for a file in this directory, beside which the files of its secrets may lie.
    pub fn load_in(
        directory: &Path,
        file: &str,
        environment: &Environment,
    ) -> Result<Self, Vec<ConfigError>> {
        let errors = ConfigErrors::in_directory(directory);
        let (merged, template) = layers::merge(file, environment, &errors);
        let key_digests = Arc::new(KeyDigests::new(&merged, &template));
        let line_of = |key: &str| errors.line_of(key);
        let settings = Arc::new(settings_in_effect((&merged, &template), environment, line_of));
        let mut root = Section::root(merged, &errors);
        let config = Self { settings, key_digests, ..Self::read(&mut root, environment, &errors) };
        let config = Self { secret_files: errors.take_secret_files(), ..config };
        root.finish();
        errors.into_result(config)
    }

    fn read(root: &mut Section<'_>, environment: &Environment, errors: &ConfigErrors) -> Self {
        let (concurrency, lease, shutdown_grace) = read_worker(root.section("worker"));
        let retry = read_retry(root.section("retry"));
        let outbound = read_outbound(root.section("outbound"));
        if lease < outbound.timeout * 3 {
            let problem = "must be at least three times outbound.timeout, or attempts are stopped in the middle of a call";
            errors.add("worker.lease", problem);
        }
        let retention = read_retention(root.section("retention"));
        let tokens = read_tokens(root.section("admin"));
        let secret_keys = read_secret_keys(root.section("secrets"));
        let global = GlobalOptions {
            allow_private: outbound.allow_private,
            has_secret_keys: !secret_keys.is_empty(),
            recheck_delay: retry.recheck_delay,
        };
        let connections = read_connections(root, global, errors);
        let http = read_http(root.section("http"));
        Self {
            alerts: read_alerts(root.section("alerts"), &http.public_url, outbound.allow_private),
            secret_keys,
            time_zone: read_dashboard(root.section("dashboard")),
            traces: read_traces(root.section("traces"), errors),
            http,
            database: read_database(root.section("database"), environment),
            log: read_log(root.section("log")),
            concurrency,
            lease,
            shutdown_grace,
            retry,
            retention,
            outbound,
            tokens,
            connections,
            secret_files: Vec::new(),
            settings: Arc::default(),
            key_digests: Arc::default(),
        }
    }
}

/// Concurrency, lease and the grace period of a shutdown.
fn read_worker(mut section: Section<'_>) -> (usize, Duration, Duration) {
    let worker = (
        section.integer("concurrency", 1..=4096),
        section.duration("lease"),
        section.duration("shutdown_grace"),
    );
    section.finish();
    worker
}

fn read_retry(mut section: Section<'_>) -> RetryPolicy {
    let policy = RetryPolicy {
        base: section.duration("base"),
        cap: section.duration("cap"),
        attempts: u32::try_from(section.integer("attempts", 1..=1000)).unwrap_or(1),
        recheck_delay: section.duration("recheck_delay"),
        unknown_for: section.duration("unknown_for"),
    };
    section.finish();
    policy
}

fn read_retention(mut section: Section<'_>) -> retention::Periods {
    let periods = retention::Periods {
        bodies: section.duration("bodies"),
        rows: section.duration("rows"),
        reports: section.duration("reports"),
    };
    section.finish();
    periods
}

fn read_connections(root: &mut Section<'_>, global: GlobalOptions, errors: &ConfigErrors) -> Vec<Connection> {
    let tables = root.tables("connections").into_iter();
    let connections: Vec<_> = tables.map(|table| Connection::read(table, global)).collect();
    report_collisions(&connections, errors);
    connections
}

/// Reports names that appear twice, and stores of one merchant whose orders may have the same reference.
fn report_collisions(connections: &[Connection], errors: &ConfigErrors) {
    let mut names = HashSet::new();
    let mut by_merchant: HashMap<String, PrefixIndex<&Connection>> = HashMap::new();
    for connection in connections {
        if !names.insert(&connection.name) {
            errors.add(&format!("connections.{}", connection.name), "appears twice: names must be unique");
        }
        let (merchants, prefix) = (connection.ogoship.merchants(), connection.orders.references.current());
        let same_merchant = merchants.iter().filter_map(|merchant| by_merchant.get(merchant));
        if let Some(earlier) = same_merchant.flat_map(|known| known.colliding(prefix)).next() {
            let problem = format!(
                "gives orders the references of connections.{}, which has the same merchant: choose another prefix",
                earlier.name
            );
            errors.add(&format!("connections.{}.orders.reference_prefix", connection.name), &problem);
        }
        for merchant in merchants {
            by_merchant.entry(merchant).or_default().insert(prefix, connection);
        }
    }
}

fn read_http(mut section: Section<'_>) -> Http {
    let proxies = section.integer("proxies", 0..=10);
    let http = Http {
        listen: section.required("listen", "an address and port, as 127.0.0.1:8080"),
        monitoring_listen: Some(section.text("monitoring_listen")).filter(|address| !address.is_empty()),
        public_url: section.text("public_url"),
        body_limit: section.size("body_limit"),
        timeout: section.duration("timeout"),
        waiting: section.size("waiting"),
        accept_within: section.duration("accept_within"),
        connection_limits: server::Limits {
            connections: section.integer("connections", 1..=100_000),
            connections_per_address: section.integer("connections_per_address", 1..=100_000),
            header_timeout: section.duration("header_timeout"),
            write_timeout: section.duration("write_timeout"),
            lifetime: section.duration("connection_lifetime"),
            proxies,
        },
        proxies,
    };
    if http.waiting < http.body_limit {
        section.add_error("waiting", "must be at least body_limit, or the largest webhook is never accepted");
    }
    section.finish();
    http
}

fn read_database(mut section: Section<'_>, environment: &Environment) -> Database {
    let of_key = Some(section.secret("url")).filter(|url| !url.expose().is_empty());
    let of_variable = environment.get("DATABASE_URL").filter(|url| !url.is_empty());
    let source = if of_key.is_some() { "url" } else { "url (DATABASE_URL)" };
    let url = of_key.or_else(|| of_variable.cloned().map(Secret::new));
    if url.as_ref().is_some_and(|url| DatabaseUrl::parse(url.expose()).is_none()) {
        section.add_error(
            source,
            "must be the URL of a PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        );
    }
    let database = Database {
        url,
        data_dir: section.text("data_dir").into(),
        connections: u32::try_from(section.integer("connections", 2..=1000)).unwrap_or(2),
    };
    section.finish();
    database
}
