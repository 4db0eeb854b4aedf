//! The configuration: loads, validates, and reports every fault at once. The only reader of the environment.
//!
//! Three layers, later over earlier: the annotated defaults (`deploy/silta.toml`, compiled in), the file, the
//! environment. Each value is taken out of the merged table as it is read, so that what is left over at the end is a
//! key that nobody knows. A fault names its key and the remedy; all of them are told together.

mod alerts;
mod connection;
mod fault;
mod layers;
mod policy;
mod section;
mod settings;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use connection::GlobalOptions;
pub use connection::{Connection, MyCashflow, Ogoship};
pub use fault::ConfigError;
use fault::ConfigErrors;
pub use section::Secret;
use section::Section;
pub use settings::KeyDigests;

use super::telemetry::Traces;
use crate::{
    background::{notifications, retention},
    domain::task::retry::RetryPolicy,
    inbox,
    security::secrets,
    vendors,
    web::{
        api::{Role, Token},
        server,
    },
};

/// The annotated defaults.
pub const DEFAULTS: &str = include_str!("../../../deploy/silta.toml");

/// Everything that can be set.
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
    /// `[secrets] keys`: the first seals, all of them open.
    pub secret_keys: Vec<secrets::Key>,
    /// `[traces]`
    pub traces: Option<Traces>,
    /// `[[admin.tokens]]`
    pub tokens: Vec<Token>,
    /// `[[connections]]`
    pub connections: Vec<Connection>,
    /// Every key with a digest of its value: what a reload compares.
    pub key_digests: KeyDigests,
}

/// `[http]`
#[derive(Debug)]
pub struct Http {
    /// Where to listen.
    pub listen: String,
    /// What the two vendors are told to call.
    pub public_url: String,
    /// Bytes.
    pub body_limit: usize,
    /// For one request.
    pub timeout: Duration,
    /// How much may wait for its commit, and how long.
    pub limits: inbox::Limits,
    /// Connections at once, and how long a hello may take.
    pub connection_limits: server::Limits,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub proxies: usize,
}

/// `[database]`
#[derive(Debug)]
pub struct Database {
    /// `None`: a private PostgreSQL.
    pub url: Option<Secret>,
    /// Where the private one lives.
    pub data_dir: PathBuf,
    /// Connections per process.
    pub connections: u32,
}

/// `[log]`
#[derive(Debug)]
pub struct Log {
    /// As `RUST_LOG`.
    pub filter: String,
    /// JSON lines instead of text.
    pub json: bool,
}

/// The process's environment, as an argument.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may ask")]
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The account that runs this process, for the audit trail of the shell.
pub fn account(environment: &Environment) -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|key| environment.get(*key));
    format!("cli:{}", named.map_or("unknown", String::as_str))
}

impl Config {
    /// The configuration of a file's text under an environment. All errors are told together.
    pub fn load(file: &str, environment: &Environment) -> Result<Self, Vec<ConfigError>> {
        let errors = ConfigErrors::default();
        let merged = layers::merge(file, environment, &errors);
        let key_digests = KeyDigests::of(&merged);
        let mut root = Section::root(merged, &errors);
        let config = Self { key_digests, ..Self::read(&mut root, environment, &errors) };
        root.finish();
        errors.into_result(config)
    }

    fn read(root: &mut Section<'_>, environment: &Environment, errors: &ConfigErrors) -> Self {
        let mut worker = root.section("worker");
        let (concurrency, lease, shutdown_grace) = (
            worker.integer("concurrency", 1..=4096),
            worker.duration("lease"),
            worker.duration("shutdown_grace"),
        );
        worker.finish();

        let mut retry = root.section("retry");
        let policy = RetryPolicy {
            base: retry.duration("base"),
            cap: retry.duration("cap"),
            attempts: u32::try_from(retry.integer("attempts", 1..=1000)).unwrap_or(1),
            recheck_delay: retry.duration("recheck_delay"),
            unknown_for: retry.duration("unknown_for"),
        };
        retry.finish();

        let mut outbound = root.section("outbound");
        let timeout = outbound.duration("timeout");
        let allow_private = outbound.boolean("dangerously_allow_private");
        outbound.finish();
        if lease < timeout * 3 {
            let problem =
                "must be at least three times outbound.timeout, or attempts are cut off in mid-call";
            errors.add("worker.lease", problem);
        }

        let mut kept = root.section("retention");
        let retention = retention::Periods {
            bodies: kept.duration("bodies"),
            rows: kept.duration("rows"),
            reports: kept.duration("reports"),
        };
        kept.finish();

        let mut admin = root.section("admin");
        let tokens = admin.tables("tokens").into_iter().map(read_token).collect();
        admin.finish();

        let secret_keys = alerts::read_secrets(root.section("secrets"));
        let has_secret_keys = !secret_keys.is_empty();
        let global = GlobalOptions { allow_private, has_secret_keys, recheck_delay: policy.recheck_delay };
        let connections = root.tables("connections").into_iter();
        let connections: Vec<_> = connections.map(|table| Connection::read(table, global)).collect();
        for (at, connection) in connections.iter().enumerate() {
            if connections[..at].iter().any(|earlier| earlier.name == connection.name) {
                errors
                    .add(&format!("connections.{}", connection.name), "is there twice: names must be unique");
            }
        }
        let http = read_http(root.section("http"));
        Self {
            alerts: alerts::read_alerts(root.section("alerts"), &http.public_url, allow_private),
            secret_keys,
            traces: alerts::read_traces(root.section("traces"), errors),
            http,
            database: read_database(root.section("database"), environment),
            log: read_log(root.section("log")),
            concurrency,
            lease,
            shutdown_grace,
            retry: policy,
            retention,
            outbound: vendors::http::Options { timeout, allow_private },
            tokens,
            connections,
            key_digests: KeyDigests::default(),
        }
    }
}

fn read_http(mut section: Section<'_>) -> Http {
    let http = Http {
        listen: section.required("listen", "an address and port, as 127.0.0.1:8080"),
        public_url: section.text("public_url"),
        body_limit: section.size("body_limit"),
        timeout: section.duration("timeout"),
        limits: inbox::Limits {
            waiting: section.size("waiting"),
            accept_within: section.duration("accept_within"),
        },
        connection_limits: server::Limits {
            connections: section.integer("connections", 1..=100_000),
            header_timeout: section.duration("header_timeout"),
        },
        proxies: section.integer("proxies", 0..=10),
    };
    if http.limits.waiting < http.body_limit {
        section.add_error("waiting", "must be at least body_limit, or the largest webhook never has room");
    }
    section.finish();
    http
}

fn read_database(mut section: Section<'_>, environment: &Environment) -> Database {
    let url = section.secret("url");
    let url = if url.expose().is_empty() {
        environment.get("DATABASE_URL").cloned().map(Secret::new)
    } else {
        Some(url)
    };
    let database = Database {
        url: url.filter(|url| !url.expose().is_empty()),
        data_dir: section.text("data_dir").into(),
        connections: u32::try_from(section.integer("connections", 2..=1000)).unwrap_or(2),
    };
    section.finish();
    database
}

fn read_log(mut section: Section<'_>) -> Log {
    let filter = section.text("filter");
    let json = section.choice("format", &[("text", false), ("json", true)]);
    section.finish();
    Log { filter, json }
}

fn read_token(mut section: Section<'_>) -> Token {
    let name = section.required("name", "a name for the audit trail");
    let sha256 =
        section.required("token_sha256", "64 hex digits; `silta config token NAME` makes one").to_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        section.add_error("token_sha256", "must be 64 hex digits; `silta config token NAME` makes one");
    }
    let role = section.choice("role", &[("viewer", Role::Viewer), ("operator", Role::Operator)]);
    section.finish();
    Token { name, sha256, role }
}
