//! `make bench`: what `docs/performance.md` claims, measured.
//!
//! Every ratio is of two figures from one run on one server, round by round in turn, so that both meet the same mood of
//! the machine. Absolute figures are shown with the machine they were measured on, and mean nothing elsewhere.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark stands outside: it has real time, and tasks that end with it"
)]

mod client;
mod machine;
mod measure;
mod parts;
mod pgbench;
mod picture;
mod report;
mod stage;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use parts::Bench;
use report::{HEADING, Report};

#[derive(Parser)]
struct Arguments {
    /// What to measure; where nothing is said, everything but the hour.
    parts: Vec<Case>,
    /// How often each sync is repeated.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Without the long series and their pictures.
    #[arg(long)]
    quick: bool,
    /// The program to measure.
    #[arg(long, default_value = "target/release/silta")]
    silta: PathBuf,
    /// How long the hour takes.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Where the JSON and the pictures go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    /// Webhooks beside pgbench.
    Ingest,
    /// A flow that does nothing, beside `graphile_worker`.
    Drain,
    /// Webhook in to warehouse call out.
    Through,
    /// Program, start, memory, idle queries.
    Small,
    /// A claim beside all that heaps up.
    Flat,
    /// A day of up to 100,000 stores, simulated from what was measured.
    Day,
    /// 1, 2 and 4 processes.
    Up,
    /// A failover to a hot standby.
    Standby,
    /// An hour at 500 webhooks a second.
    Hour,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { parts, rounds, quick, silta, minutes, out } = Arguments::parse();
    let mut bench = Bench { silta, rounds, quick, report: Report::default(), pictures: out.clone() };
    bench.report.machine = machine::facts();
    println!("{HEADING}");
    for case in Case::value_variants()
        .iter()
        .filter(|&&case| if parts.is_empty() { case != Case::Hour } else { parts.contains(&case) })
    {
        match case {
            Case::Ingest => parts::ingest::run(&mut bench).await?,
            Case::Drain => parts::drain::run(&mut bench).await?,
            Case::Through => parts::through::run(&mut bench).await?,
            Case::Small => parts::small::run(&mut bench).await?,
            Case::Flat => parts::flat::run(&mut bench).await?,
            Case::Day => parts::day::run(&mut bench)?,
            Case::Up => parts::up::run(&mut bench).await?,
            Case::Standby => parts::standby::run(&mut bench).await?,
            Case::Hour => parts::hour::run(&mut bench, minutes).await?,
        }
    }
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("results.json"), serde_json::to_vec_pretty(&bench.report)?)?;
    Ok(())
}
