//! `make bench`: measures what `docs/performance.md` claims.
//!
//! Every ratio is of two figures from one run on one server, measured in alternating rounds, so that both see the same load
//! of the machine. Absolute figures are shown with the machine they were measured on, and mean nothing elsewhere.

#![expect(clippy::disallowed_methods, reason = "a benchmark runs in real time, and its tasks end with it")]

mod cases;
mod client;
mod machine;
mod measure;
mod pgbench;
mod picture;
mod report;
mod setup;

use std::path::PathBuf;

use anyhow::Result;
use cases::Bench;
use clap::{Parser, ValueEnum};
use report::{HEADING, Report};

#[derive(Parser)]
struct Arguments {
    /// What to measure; by default everything except the hour.
    cases: Vec<Case>,
    /// How often each comparison is repeated.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Skip the long series and their charts.
    #[arg(long)]
    quick: bool,
    /// The program to measure.
    #[arg(long, default_value = "target/release/silta")]
    silta: PathBuf,
    /// The length of the hour.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// The directory for the JSON and the charts.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    /// Webhooks beside pgbench.
    Ingest,
    /// Tasks of a flow that does nothing, beside `graphile_worker`.
    Drain,
    /// From a webhook to the calls that it causes.
    EndToEnd,
    /// Webhooks while a backlog drains.
    AtWork,
    /// Program size, start, memory, idle queries.
    Footprint,
    /// Ten thousand stores at rest.
    Stores,
    /// A claim in a full database.
    Claim,
    /// A day of up to 100,000 stores, simulated from measured figures.
    Day,
    /// 1, 2 and 4 processes on one database.
    ScaleOut,
    /// A failover to a hot standby.
    Standby,
    /// A full sync of 100,000 products, beside a plain reading.
    Sync,
    /// The first upload of 1,000 products, beside the vendor's rate.
    Upload,
    /// Every page and list with a million orders.
    Pages,
    /// A replay and a flood.
    Overload,
    /// An hour at 500 webhooks a second.
    Hour,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { cases, rounds, quick, silta, minutes, out } = Arguments::parse();
    let mut bench = Bench { silta, rounds, quick, report: Report::default(), pictures: out.clone() };
    bench.report.machine = machine::facts();
    println!("{HEADING}");
    for case in Case::value_variants()
        .iter()
        .filter(|&&case| if cases.is_empty() { case != Case::Hour } else { cases.contains(&case) })
    {
        match case {
            Case::Ingest => cases::ingest::run(&mut bench).await?,
            Case::Drain => cases::drain::run(&mut bench).await?,
            Case::EndToEnd => cases::end_to_end::run(&mut bench).await?,
            Case::AtWork => cases::at_work::run(&mut bench).await?,
            Case::Footprint => cases::footprint::run(&mut bench).await?,
            Case::Stores => cases::stores::run(&mut bench).await?,
            Case::Claim => cases::claim::run(&mut bench).await?,
            Case::Day => cases::day::run(&mut bench)?,
            Case::ScaleOut => cases::scale_out::run(&mut bench).await?,
            Case::Standby => cases::standby::run(&mut bench).await?,
            Case::Sync => cases::sync::run(&mut bench).await?,
            Case::Upload => cases::upload::run(&mut bench).await?,
            Case::Pages => cases::pages::run(&mut bench).await?,
            Case::Overload => cases::overload::run(&mut bench).await?,
            Case::Hour => cases::hour::run(&mut bench, minutes).await?,
        }
    }
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("results.json"), serde_json::to_vec_pretty(&bench.report)?)?;
    Ok(())
}
