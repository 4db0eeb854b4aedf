//! The played day: a private PostgreSQL, a sandbox shop and warehouse and the service on loopback ports. Shoppers order,
//! the warehouse ships, webhooks get lost, vendors fail; then the sandbox's own books say how it went.

mod directory;
mod stage;
mod view;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Args, ValueEnum};
pub(crate) use directory::TemporaryDirectory;
use stage::Session;
use view::View;

use super::sandbox::{Fault, RandomFaults, Traffic};
use crate::app::config::Environment;

/// How the day is played.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Orders that shoppers place.
    #[arg(long, default_value_t = 60)]
    orders: usize,
    /// How unruly the day is.
    #[arg(long, value_enum, default_value_t = FaultLevel::Some)]
    faults: FaultLevel,
    /// The same seed plays the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after the verdict: with status 0 only if nothing was lost, doubled or left over.
    #[arg(long)]
    exit: bool,
    /// Write the verdict to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// How unruly a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FaultLevel {
    /// Everything works.
    None,
    /// One call in twelve fails, one webhook in ten never comes.
    Some,
    /// One call in four fails, one webhook in four never comes.
    Many,
}

impl FaultLevel {
    const fn traffic(self, orders: usize) -> Traffic {
        match self {
            Self::None => Traffic { orders, lost: 0.0, doubled: 0.0, late: 0.0 },
            Self::Some => Traffic { orders, lost: 0.1, doubled: 0.1, late: 0.1 },
            Self::Many => Traffic { orders, lost: 0.25, doubled: 0.2, late: 0.2 },
        }
    }

    fn random_faults(self, entropy: std::sync::Arc<crate::runtime::clock::Entropy>) -> Option<RandomFaults> {
        let share = match self {
            Self::None => return None,
            Self::Some => 0.08,
            Self::Many => 0.25,
        };
        let kinds = vec![
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::Status(500),
            Fault::StatusAfter(500),
            Fault::Status(504),
            Fault::StatusAfter(504),
            Fault::TooMany(1),
            Fault::Garbage,
            Fault::HalfAnswer,
            Fault::Slow(Duration::from_millis(300)),
        ];
        Some(RandomFaults { share, kinds, entropy })
    }
}

/// How long the day may take to come to rest after the last order.
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);

/// Plays a day; the status is 0 only if nothing was lost, doubled or left over.
pub async fn run(options: Options, environment: &Environment) -> Result<ExitCode> {
    crate::app::telemetry::init(environment.get("RUST_LOG").map_or("off", String::as_str), false, None);
    let mut session = Session::start(&options).await?;
    let view = View::new(options.orders);
    view.note(&format!("seed {}, faults {:?}, admin API at {}", options.seed, options.faults, session.url));
    session.run_until_idle(&view, IDLE_TIMEOUT).await?;
    let verdict = session.verdict().await?;
    view.finish();
    view::print_verdict(&verdict.table());
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&verdict)?)?;
    }
    if !options.exit {
        view::print_verdict(&format!(
            "the service stays up at {} (admin token: {}); Ctrl-C ends",
            session.url,
            stage::ADMIN_TOKEN
        ));
        tokio::signal::ctrl_c().await?;
    }
    session.stop().await;
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
