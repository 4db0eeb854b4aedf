//! `silta prove`: the real program under load between a sandbox shop and a sandbox warehouse, while everything around it
//! breaks; then the sandbox's own books say what it came to.
//!
//! ```text
//! shoppers ─▶ sandbox shop ──webhooks──▶ replica A ─┐                     ┌─▶ PostgreSQL: stopped at once,
//! packers  ─▶ sandbox warehouse ───────▶ replica B ─┼─ a line that can ───┤   restarted, full
//!                  ▲      calls                 …   │  be cut, slow, mute └
//!                  └────────────────────────────────┘
//!             they fail in every way        killed at every failpoint, paused beyond their lease, added, stopped
//! ```
//!
//! A proof is a row of disturbances in an order drawn from the seed. After each, an order is placed, and what it takes
//! until that order stands at the warehouse is the time to recover. At the end nothing may be lost, doubled or left over,
//! and every webhook that was answered 200 must be there. The books are the sandbox's: Silta is not asked.

mod connection;
mod disturbance;
mod environment;
mod load;
mod replica;
mod report;
mod stage;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use disturbance::Disturbance;
use report::Report;
use stage::ChaosRun;

use crate::{app::config::Environment, runtime::clock::Entropy};

/// How long and how hard.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The same seed draws the same disturbances in the same order.
    #[arg(long)]
    seed: Option<u64>,
    /// How often every disturbance comes, each time in another order.
    #[arg(long, default_value_t = 2)]
    passes: usize,
    /// Only disturbances whose name contains this, as "killed at" or "database".
    #[arg(long)]
    only: Option<String>,
    /// How long a disturbance lasts, unless its nature says otherwise.
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    fault_duration: Duration,
    /// Replicas of the service.
    #[arg(long, default_value_t = 2)]
    replicas: usize,
    /// Another program that every second replica is: the version before, while a new one is rolled out.
    #[arg(long)]
    second_program: Option<PathBuf>,
    /// Write the report to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Proves; the status is 0 only if nothing was lost, doubled or left over, and everything recovered.
pub async fn run(options: Options, environment: &Environment) -> Result<ExitCode> {
    crate::app::telemetry::init(environment.get("RUST_LOG").map_or("off", String::as_str), false, None);
    let seed = options.seed.unwrap_or_else(|| u64::from_le_bytes(Entropy::from_os().bytes()) % 1_000_000);
    let entropy = Entropy::seeded(seed);
    let mut report = Report::new(seed, options.passes, options.replicas.max(1));
    print_line(&format!(
        "seed {seed}: every fault {} times, {} replicas",
        options.passes,
        options.replicas.max(1)
    ));
    let programs = std::iter::once(std::env::current_exe().context("which program are we?")?)
        .chain(options.second_program);
    let mut run =
        ChaosRun::start(seed, options.replicas.max(1), options.fault_duration, programs.collect()).await?;
    for _ in 0..options.passes {
        for disturbance in shuffled(&entropy, options.only.as_deref()) {
            let outcome = run.inject_and_recover(disturbance, &entropy).await?;
            print_line(&outcome.summary());
            report.record(&outcome);
        }
    }
    run.finish(&mut report).await?;
    run.stop().await?;
    print_line(&report.table());
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every disturbance once, in an order of chance.
fn shuffled(entropy: &Entropy, only: Option<&str>) -> Vec<Disturbance> {
    let mut left = Disturbance::all();
    left.retain(|it| only.is_none_or(|only| it.to_string().contains(only)));
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        order.push(left.swap_remove(entropy.below(left.len())));
    }
    order
}

#[expect(clippy::print_stdout, reason = "progress is printed")]
fn print_line(text: &str) {
    println!("{text}");
}

/// A proof is played in real time, beside processes that are not ours to wait on.
#[expect(clippy::disallowed_methods, reason = "a proof is played in real time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
