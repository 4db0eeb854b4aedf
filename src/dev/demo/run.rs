//! The command `silta demo`.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;

use super::{
    configuration::ADMIN_TOKEN,
    options::Options,
    session::Session,
    view::{self, View},
};
use crate::app::{config::Environment, telemetry};

/// How long the day may take to become idle after the last order. What is not done then is named.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Plays a day. The status is 0 only if nothing was lost, doubled or left over.
pub async fn run(options: Options, environment: &Environment) -> Result<ExitCode> {
    telemetry::init(environment.get("RUST_LOG").map_or("off", String::as_str), false, None);
    let mut session = Session::start(&options).await?;
    let view = View::new(options.orders);
    view.note(&format!(
        "seed {}, faults {:?}, dashboard and admin API at {}",
        options.seed, options.faults, session.url
    ));
    session.run_until_idle(&view, IDLE_TIMEOUT).await?;
    let verdict = session.verdict().await?;
    view.finish();
    view::print_verdict(&verdict.table());
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&verdict)?)?;
    }
    if !options.exit {
        view::print_verdict(&format!(
            "the dashboard stays up at {} (admin token: {ADMIN_TOKEN}); press Ctrl-C to end",
            session.url
        ));
        tokio::signal::ctrl_c().await?;
    }
    session.stop().await;
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
