//! The shell's skin: one subcommand per thing that a person does from a shell.

mod admin;
mod alerts;
mod doctor;
mod init;
mod orders;
mod sandbox;
mod serve;
mod settings;
mod sync;
mod table;
mod webhooks;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    app::{
        AppDeps, ServiceHalf,
        config::{self, Config, Environment},
    },
    dev::{chaos, demo},
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
        failpoints::Failpoints,
    },
    store,
};

/// Behind the help.
const EXAMPLES: &str = "\
Examples:
  silta init                                                 a configuration to begin with
  silta config default                                       every key with its default
  silta webhooks register kauppa                             tell both vendors to call
  silta doctor kauppa                                        is the connection ready?
  silta tasks list --state dead                         what waits for a person
  silta orders explain kauppa 1042                           why is this order where it is?
  silta sync stock kauppa --dry-run                          what differs, without fixing it

Exit status: 0 done; 1 it could not be done, or the answer is no (doctor, demo, prove, sync); 2 not understood.";

/// Ties a `MyCashflow` web shop to an `OGOship` warehouse.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Silta {
    /// The configuration file.
    #[arg(long, global = true, default_value = "silta.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The service: webhooks, admin API, worker and polls.
    Serve {
        /// Only one half of it, for replicas that share a database.
        #[arg(long)]
        only: Option<ServiceHalf>,
    },
    /// A played day with a sandbox shop and warehouse: a live view, then a verdict.
    Demo(demo::Options),
    /// The real program under load while everything around it breaks; status 0 only if nothing was lost, doubled or left
    /// over.
    Prove(chaos::Options),
    /// The two sandbox vendors alone, to point a configuration at.
    Sandbox {
        /// Where the shop listens.
        #[arg(long, default_value = "127.0.0.1:8091")]
        shop: SocketAddr,
        /// Where the warehouse listens.
        #[arg(long, default_value = "127.0.0.1:8092")]
        warehouse: SocketAddr,
        /// Where Silta listens: shoppers order through it, one every few seconds, when this is given.
        #[arg(long)]
        silta: Option<String>,
        /// The connection's name in Silta's configuration.
        #[arg(long, default_value = "sandbox")]
        connection: String,
    },
    /// Brings the database's schema up to this version.
    Migrate,
    /// The configuration: check it, print the annotated defaults, make an admin token.
    #[command(subcommand)]
    Config(settings::Command),
    /// What is owed: list, show, replay, cancel.
    #[command(subcommand)]
    Tasks(admin::Tasks),
    /// What was received: list, show.
    #[command(subcommand)]
    Events(admin::Events),
    /// The orders: list, explain, transfer, hold, release, cancel, refresh.
    #[command(subcommand)]
    Orders(orders::Orders),
    /// A full sync of both sides, now.
    Sync(sync::SyncArgs),
    /// Writes a commented configuration to begin with: asks, or takes flags.
    Init(init::InitArgs),
    /// The webhook subscriptions at both vendors: register, list, remove; learn how an unknown sender signs.
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// What is wrong: list; try whether the channels work.
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Is a connection ready? Asks both vendors, and says what to do; status 1 where it is not.
    Doctor(doctor::DoctorArgs),
    /// Is the process at this address alive? For a container's health check; status 1 where it is not.
    Alive {
        /// As <http://127.0.0.1:8080>.
        url: String,
    },
    /// Prints openapi.yaml.
    Openapi,
    /// Prints what a shell completes commands by: `silta completions bash > /etc/bash_completion.d/silta`.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs a command; what goes wrong is told on standard error, with status 1.
pub fn run(silta: Silta) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(silta)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            print_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(Silta { config, command }: Silta) -> Result<ExitCode> {
    let environment = config::environment();
    match command {
        Command::Serve { only } => {
            Box::pin(serve::serve(config, environment, only)).await?;
        }
        Command::Demo(options) => return demo::run(options, &environment).await,
        Command::Prove(options) => return Box::pin(chaos::run(options, &environment)).await,
        Command::Sandbox { shop, warehouse, silta, connection } => {
            sandbox::serve(shop, warehouse, silta, &connection).await?;
        }
        Command::Migrate => {
            let database = Database::open(&load(&config, &environment)?).await?;
            store::migrate(&database.pool).await?;
            print_line("the schema is up to date");
        }
        Command::Config(command) => return settings::run(&command, &config, &environment),
        Command::Tasks(command) => {
            let database = Database::open(&load(&config, &environment)?).await?;
            admin::run_tasks(command, &database.pool, &config::account(&environment)).await?;
        }
        Command::Events(command) => {
            let database = Database::open(&load(&config, &environment)?).await?;
            admin::run_events(command, &database.pool).await?;
        }
        Command::Orders(command) => {
            let database = Database::open(&load(&config, &environment)?).await?;
            orders::run(command, &database.pool, &config::account(&environment)).await?;
        }
        Command::Sync(args) => {
            return sync::sync(args, load(&config, &environment)?, &config::account(&environment)).await;
        }
        Command::Doctor(args) => {
            return doctor::doctor(args, load(&config, &environment)?, &config::account(&environment)).await;
        }
        Command::Init(args) => return init::init(args, &config, &environment),
        Command::Webhooks(command) => {
            let account = config::account(&environment);
            return webhooks::webhooks(command, load(&config, &environment)?, &account).await;
        }
        Command::Alerts(command) => return alerts::alerts(command, load(&config, &environment)?).await,
        Command::Alive { url } => return Ok(serve::is_alive(&url).await),
        Command::Openapi => print_line(crate::web::health::OPENAPI.trim_end()),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Silta::command(), "silta", &mut text);
            print_line(String::from_utf8_lossy(&text).trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn load(path: &std::path::Path, environment: &Environment) -> Result<Config> {
    let file = std::fs::read_to_string(path).map_err(|error| {
        anyhow::anyhow!(
            "cannot read {}: {error}; `silta config default` prints one to begin with",
            path.display()
        )
    })?;
    Config::load(&file, environment).map_err(|errors| {
        let list: Vec<_> = errors.iter().map(|error| format!("  {error}")).collect();
        anyhow::anyhow!("{} has {} error(s):\n{}", path.display(), errors.len(), list.join("\n"))
    })
}

/// The configured database, or the private one, which stops with us.
struct Database {
    pool: sqlx::PgPool,
    /// Held for as long as the pool is used.
    _private: Option<PrivatePostgres>,
}

impl Database {
    async fn open(config: &Config) -> Result<Self> {
        // The other half is the hot path's: see `store::hot_path`.
        let size = (config.database.connections / 2).max(1);
        if let Some(url) = &config.database.url {
            let options =
                url.expose().parse().map_err(|_| anyhow::anyhow!("database.url is no postgres:// URL"))?;
            return Ok(Self { pool: store::connect(options, size), _private: None });
        }
        let data_dir = config.database.data_dir.clone();
        let start = move || PrivatePostgres::start(&data_dir, Durability::Full);
        let private = tokio::task::spawn_blocking(start).await??;
        let options = private.database().await?;
        Ok(Self { pool: store::connect(options, size), _private: Some(private) })
    }

    fn deps(&self) -> AppDeps {
        AppDeps {
            pool: self.pool.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(Entropy::from_os()),
            failpoints: Failpoints::disabled(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "what a command was asked for goes to standard output")]
fn print_line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command's complaint goes to standard error")]
fn print_error(text: &str) {
    eprintln!("{text}");
}
