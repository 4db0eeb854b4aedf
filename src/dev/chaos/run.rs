//! The command `silta chaos`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;

use super::{
    chaos_run::{ChaosRun, Plan},
    disturbance::Disturbance,
    report::Report,
};
use crate::{
    app::{config::Environment, telemetry},
    runtime::clock::Entropy,
};

/// What is disturbed, how often and for how long.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The same seed draws the same disturbances in the same order
    #[arg(long)]
    seed: Option<u64>,
    /// How often every disturbance comes, each time in another order
    #[arg(long, default_value_t = 2)]
    passes: usize,
    /// Only disturbances whose name contains this, such as "killed at" or "database"
    #[arg(long)]
    only: Option<String>,
    /// How long a disturbance lasts, unless it has a duration of its own
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    fault_duration: Duration,
    /// Replicas of the service
    #[arg(long, default_value_t = 2)]
    replicas: usize,
    /// Another program for every second replica: the version before, as during a rolling upgrade
    #[arg(long)]
    second_program: Option<PathBuf>,
    /// Write the report to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Runs the disturbances. The status is 0 only if everything recovered and nothing was lost, doubled or left over.
pub async fn run(options: Options, environment: &Environment) -> Result<ExitCode> {
    telemetry::init(environment.get("RUST_LOG").map_or("off", String::as_str), false, None);
    let Options { seed, passes, only, fault_duration, replicas, second_program, json } = options;
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(Entropy::from_os().bytes()) % 1_000_000);
    let replicas = replicas.max(1);
    let entropy = Entropy::seeded(seed);
    let mut report = Report::new(seed, passes, replicas);
    print_line(&format!("seed {seed}: every disturbance {passes} times, {replicas} replicas"));
    let own_program = std::env::current_exe().context("cannot find the path of this program")?;
    let programs = std::iter::once(own_program).chain(second_program).collect();
    let mut run = ChaosRun::start(Plan { seed, replicas, fault_duration, programs }).await?;
    for _ in 0..passes {
        for disturbance in shuffled(&entropy, only.as_deref()) {
            let outcome = run.inject_and_recover(disturbance, &entropy).await?;
            print_line(&outcome.summary());
            report.record(&outcome);
        }
    }
    run.finish(&mut report).await?;
    run.stop().await?;
    print_line(&report.table());
    if let Some(path) = &json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every disturbance once, in random order.
fn shuffled(entropy: &Entropy, only: Option<&str>) -> Vec<Disturbance> {
    let mut left = Disturbance::all();
    left.retain(|it| only.is_none_or(|only| it.to_string().contains(only)));
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        order.push(left.swap_remove(entropy.below(left.len())));
    }
    order
}

#[expect(clippy::print_stdout, reason = "people watch a chaos run")]
fn print_line(text: &str) {
    println!("{text}");
}
