//! Runs a command.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::{
    alerts, backup,
    command::{Command, Silta},
    config,
    database::{Database, upgrade_postgres},
    doctor, events, init,
    load::load,
    names, orders,
    print::{print_error, print_line},
    release, restore, sandbox, serve, sync, tasks, webhooks,
};
use crate::{
    app::{
        config::{account, environment},
        shutdown::Signals,
    },
    dev::{chaos, demo},
    store,
    web::health,
};

/// How long threads that wait for something (such as a name that is looked up) may delay the exit.
const EXIT_TIMEOUT: Duration = Duration::from_secs(3);

/// Runs a command. An error goes to standard error, with status 1.
pub fn run(silta: Silta) -> ExitCode {
    let result = run_in_runtime(silta);
    match result {
        Ok(code) => code,
        Err(error) => {
            print_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run_in_runtime(Silta { config, command }: Silta) -> Result<ExitCode> {
    // Before the runtime: see `Signals::listen`. Other commands end at once, as the system does it.
    let signals = matches!(command, Command::Serve { .. }).then(Signals::listen).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(dispatch(config, command, signals));
    runtime.shutdown_timeout(EXIT_TIMEOUT);
    result
}

async fn dispatch(path: PathBuf, command: Command, signals: Option<Signals>) -> Result<ExitCode> {
    let environment = environment();
    let account = account(&environment);
    match command {
        Command::Serve { only } => {
            let signals = signals.context("serve listens for signals")?;
            Box::pin(serve::serve(path, environment, only, signals)).await?;
        }
        Command::Demo(options) => return demo::run(options, &environment).await,
        Command::Chaos(options) => return Box::pin(chaos::run(options, &environment)).await,
        Command::Sandbox(args) => sandbox::serve(args).await?,
        Command::Migrate { postgres } => {
            let config = load(&path, &environment)?;
            if postgres {
                upgrade_postgres(&config).await?;
            }
            let database = Database::open(&config).await?;
            store::migrate(&database.pool).await?;
            print_line("the schema is up to date");
        }
        Command::Backup { file } => backup::run(&file, &load(&path, &environment)?, &environment).await?,
        Command::Restore { file, force } => {
            restore::run(&file, force, &load(&path, &environment)?, &account).await?;
        }
        Command::Config(command) => return config::run(&command, &path, &environment),
        Command::Tasks(command) => {
            let config = load(&path, &environment)?;
            let database = Database::open(&config).await?;
            tasks::run(command, &database.pool, &names::configured(&config), &account).await?;
        }
        Command::Events(command) => {
            let config = load(&path, &environment)?;
            let database = Database::open(&config).await?;
            events::run(command, &database.pool, &names::configured(&config)).await?;
        }
        Command::Orders(command) => {
            orders::run(command, load(&path, &environment)?, &account).await?;
        }
        Command::Sync(command) => return sync::run(command, load(&path, &environment)?, &account).await,
        Command::Release(command) => {
            let config = load(&path, &environment)?;
            let database = Database::open(&config).await?;
            release::run(command, &config, &database.pool, &account).await?;
        }
        Command::Doctor(args) => return doctor::run(args, load(&path, &environment)?, &account).await,
        Command::Init(args) => return init::run(args, &path, &environment),
        Command::Webhooks(command) => {
            return webhooks::run(command, load(&path, &environment)?, &account).await;
        }
        Command::Alerts(command) => return alerts::run(command, load(&path, &environment)?).await,
        Command::Alive { url } => return Ok(serve::check_alive(&url).await),
        Command::Openapi => print_line(health::OPENAPI.trim_end()),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Silta::command(), "silta", &mut text);
            print_line(String::from_utf8_lossy(&text).trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}
