//! Runs a command.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;

use super::{
    alerts,
    command::{Command, Silta},
    config,
    database::Database,
    doctor, events, init,
    load::load,
    orders,
    print::{print_error, print_line},
    sandbox, serve, sync, tasks, webhooks,
};
use crate::{
    app::config::{account, environment},
    dev::{chaos, demo},
    store,
    web::health,
};

/// Runs a command. An error goes to standard error, with status 1.
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

async fn dispatch(Silta { config: path, command }: Silta) -> Result<ExitCode> {
    let environment = environment();
    let account = account(&environment);
    match command {
        Command::Serve { only } => Box::pin(serve::serve(path, environment, only)).await?,
        Command::Demo(options) => return demo::run(options, &environment).await,
        Command::Chaos(options) => return Box::pin(chaos::run(options, &environment)).await,
        Command::Sandbox(args) => sandbox::serve(args).await?,
        Command::Migrate => {
            let database = Database::open(&load(&path, &environment)?).await?;
            store::migrate(&database.pool).await?;
            print_line("the schema is up to date");
        }
        Command::Config(command) => return config::run(&command, &path, &environment),
        Command::Tasks(command) => {
            let database = Database::open(&load(&path, &environment)?).await?;
            tasks::run(command, &database.pool, &account).await?;
        }
        Command::Events(command) => {
            let database = Database::open(&load(&path, &environment)?).await?;
            events::run(command, &database.pool).await?;
        }
        Command::Orders(command) => {
            let database = Database::open(&load(&path, &environment)?).await?;
            orders::run(command, &database.pool, &account).await?;
        }
        Command::Sync(args) => return sync::run(args, load(&path, &environment)?, &account).await,
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
